//! The first screen of a project: how it does, what needs a person, and the steps of the first minute.
//!
//! Five things are loaded beside each other: the webhooks, the deliveries that were given up, the totals and
//! the statistics of a range, and the counts of the project. Only the webhooks are waited for. A number that
//! is not there yet is a dash, never a nought, because nobody should think that all is well while nothing is
//! known.
//!
//! The live feed has them loaded again, but not once for each delivery: the lists calmly, the totals every
//! five seconds, the statistics every ten.

mod figures;
mod first_minute;
mod model;
mod needs;
mod over_time;
mod screen;
mod stats;
mod totals;
mod worst;

pub(crate) use self::screen::Overview;
