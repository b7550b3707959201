//! *Check the receiver*: a sound test call, then one of each kind that a good receiver refuses, or takes
//! although many do not, and what its answers say about it.

mod card;
mod model;

pub(super) use self::card::Examination;
