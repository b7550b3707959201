//! Other systems' APIs, as thin translations onto the same questions: their paths, field names, statuses and
//! error bodies. Their rules are in `core::contract`.

pub(crate) mod actinia;
mod status;
pub(crate) mod ubiops;
pub(crate) mod up42;
