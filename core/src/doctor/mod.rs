//! The signature doctor: why a callback does not verify.
//!
//! Somebody has a request as their receiver saw it, the secret that the receiver holds, and perhaps the
//! signature that their code computed. The doctor verifies it as it should be done (docs/wire.md D). Where
//! that fails, it makes the mistakes that people make, one by one and two at once, and names those with
//! which the signatures agree: the sender's signature with what the receiver saw (the body or the secret
//! was changed on the way), or the receiver's own with what it should have been (the code computes
//! something else).
//!
//! It runs where its input is: nothing is stored and nothing sent.

mod content;
mod forms;
mod layout;
mod mistake;
mod received;
mod verdict;

pub use self::mistake::Mistake;
pub use self::received::{Received, Unreadable};
pub use self::verdict::{Diagnosis, Doubt, doubts, examine};

#[cfg(test)]
mod tests;
