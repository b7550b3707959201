//! Webhooks of other systems: from what their own API lists to a configuration document, with a note for
//! everything that could not be taken over.
//!
//! The listing is pasted or fetched by a person; nothing is called from here. The document goes through
//! `config` like any other, so a preview changes nothing. What a system never lists (secrets, protected
//! values) cannot be taken over.

mod found;
mod from;
mod preview;
mod request;
mod source;

pub use self::from::From;
pub use self::preview::{ItemView, PreviewView, preview};
pub use self::request::{LISTING_BYTES_MAX, Request};

#[cfg(test)]
mod tests;
