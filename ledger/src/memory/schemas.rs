//! The schemas of the catalogue's event types.
//!
//! Does not read them: an event that needs one does.

use std::collections::BTreeMap;
use std::rc::Rc;

use postern_core::json_schema::Schema;

/// Schemas by event type; `None` where it was not needed yet.
#[derive(Debug, Default)]
pub(crate) struct Schemas(pub(crate) BTreeMap<String, Option<Rc<Schema>>>);
