//! Faults of an input: every bad field at once, each with a JSON pointer (RFC 6901) to where it is.
//!
//! [`parse_json`] reads a body; `Fields` reads the fields of an object one by one, notes what is wrong with
//! each and reports the unknown ones at the end. Every parser of outside input in this crate is written with
//! it.
//!
//! What a fault says is bounded, and so is how many are named ([`Faults`]): a refusal must not be larger, or
//! more work, than the input that it refuses.

mod body;
mod faults;
mod fields;
mod input;
#[cfg(test)]
mod pointers;
mod repeated;
mod shown;
mod split;
mod text;

pub use self::body::{BODY_BYTES_MAX, JSON_DEPTH_MAX, no_fields, parse_json};
pub(crate) use self::faults::pointer_segment;
pub use self::faults::{DETAIL_BYTES_MAX, FAULTS_MAX, Fault, Faults, POINTER_BYTES_MAX, sentence};
pub(crate) use self::fields::{Fields, Sent, type_name, whole_number};
pub use self::input::InputFault;
#[cfg(test)]
pub(crate) use self::pointers::pointers;
pub(crate) use self::shown::{cut, shorten, shown, shown_list};
pub(crate) use self::split::split_object;
pub(crate) use self::text::{check_name, check_text, check_visible, is_invisible};

#[cfg(test)]
mod tests;
