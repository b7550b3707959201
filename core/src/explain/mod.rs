//! Why a delivery stands where it stands: one sentence, and what to do.

mod attempt;
mod body;
mod brief;
mod delivery;
mod hold;
mod reason;
mod status;

pub use self::attempt::{attempt, trial, trial_where_gone_is_confirmed};
pub use self::brief::{brief, brief_of_call, brief_with_body};
pub use self::delivery::{delivery, held};
pub use self::hold::Hold;
pub use self::reason::Reason;
pub use self::status::reason_phrase;

#[cfg(test)]
mod tests;
