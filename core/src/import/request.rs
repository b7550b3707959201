//! A call that brings a listing.

use serde_json::Value;

use super::from::From;
use super::source;
use crate::fault::{Fields, InputFault, parse_json};

/// Bytes of a call that brings a listing, at most.
pub const LISTING_BYTES_MAX: usize = 1024 * 1024;

/// Items of a listing at most.
pub(super) const ITEMS_MAX: usize = 1_000;

/// The body of `POST import/preview`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Whose listing it is.
    pub from: From,
    /// What their API answered.
    pub listing: Value,
}

impl Request {
    /// Reads `{"from", "listing"}`.
    ///
    /// # Errors
    /// Not JSON, or every bad field.
    pub fn parse(body: &str) -> Result<Self, InputFault> {
        let body = parse_json(body)?;
        let mut fields = Fields::from_value(&body, "")?;
        let from = fields.text("from");
        let from = fields.required("from", from).and_then(|text| {
            let from = From::parse(text);
            if from.is_none() {
                fields.fault("from", format!("must be one of {}", From::ALL.map(From::as_str).join(", ")));
            }
            from
        });
        let listing = fields.any("listing");
        match listing {
            None => fields.fault("listing", "is required: the answer of their API"),
            Some(Value::Array(_) | Value::Object(_)) => {}
            Some(_) => {
                fields.fault("listing", "must be the JSON of their API's answer, an object or an array");
            }
        }
        if let (Some(from), Some(listing)) = (from, listing) {
            let count = source::items(from, listing).len();
            if count > ITEMS_MAX {
                fields.fault(
                    "listing",
                    format!("must hold at most {ITEMS_MAX} webhooks, this holds {count}: import it in parts"),
                );
            }
        }
        let faults = fields.finish();
        match (from, listing) {
            (Some(from), Some(listing)) if faults.is_empty() => Ok(Self { from, listing: listing.clone() }),
            _ => Err(faults.into()),
        }
    }
}
