//! Other systems' APIs: their bodies in, their objects out. How their callbacks look and are signed is a
//! `contract`; the edge adds routes, tokens and status codes.

pub mod actinia;
pub mod ubiops;
pub mod up42;

#[cfg(test)]
pub(crate) mod support;
