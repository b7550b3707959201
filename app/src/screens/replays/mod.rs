//! Replays: sending again what was sent before, or what never was. A dialog that counts first, and the list
//! of replays with their progress. Both are part of the screen of deliveries; other screens lead there with
//! the dialog filled in.
//!
//! `form` is what the dialog holds, `list` what stands below it, `model` the rules of both.

mod address;
mod dialog;
mod form;
mod list;
pub(crate) mod model;

pub(crate) use self::address::address;
pub(crate) use self::dialog::ReplayDialog;
pub(crate) use self::list::{Replays, list_of};
pub(crate) use self::model::Kind;
