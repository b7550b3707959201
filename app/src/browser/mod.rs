//! What the page asks of the browser, one file per capability. Nothing here knows of webhooks, the API or
//! screens.

pub(crate) mod caret;
pub(crate) mod clipboard;
pub(crate) mod clock;
pub(crate) mod focus;
pub(crate) mod http;
pub(crate) mod location;
pub(crate) mod scroll;
pub(crate) mod socket;
pub(crate) mod storage;
