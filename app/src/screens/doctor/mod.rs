//! The signature doctor: why a callback does not verify, found out in the page. What is pasted here is sent
//! nowhere; the rules are `postern_core::doctor`.

mod model;
mod screen;

pub(crate) use self::model::asks_for_a_doctor;
pub(crate) use self::screen::Doctor;
