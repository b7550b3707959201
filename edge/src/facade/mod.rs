//! Other systems' APIs, as thin translations onto the same commands: their paths, field names, statuses and error
//! bodies. Their rules are in `core::contract`.

pub(crate) mod actinia;
pub(crate) mod ubiops;
pub(crate) mod up42;
