//! What screens are made of. Nothing here knows of the API's operations or of addresses: state comes in as
//! signals, intent goes out through callbacks, and every control has the role and the name by which people
//! and tests find it.

pub(crate) mod badge;
pub(crate) mod bars;
pub(crate) mod button;
pub(crate) mod chart;
pub(crate) mod chip_menu;
pub(crate) mod code;
pub(crate) mod copy;
pub(crate) mod dialog;
pub(crate) mod drawer;
pub(crate) mod field;
pub(crate) mod filter_chip;
pub(crate) mod form;
pub(crate) mod icon;
mod id;
pub(crate) mod live_dot;
pub(crate) mod loaded;
pub(crate) mod more;
pub(crate) mod notice;
pub(crate) mod numbers;
pub(crate) mod page_head;
pub(crate) mod rows;
pub(crate) mod shortcuts;
pub(crate) mod skeleton;
pub(crate) mod strip;
pub(crate) mod tabs;
pub(crate) mod toast;

pub(crate) use self::id::fresh_id;
