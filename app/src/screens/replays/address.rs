//! The address that opens the form of a replay.

use super::model::Kind;
use crate::project::link;
use crate::routes::{Area, Query};

/// The address of the dialog. `query` fills it in: `webhook`, `since` and `until` (RFC 3339), `type`,
/// `state`.
pub(crate) fn address(kind: Kind, query: &Query) -> String {
    format!("{}{}", link(Area::Deliveries), query.clone().with("replay", Some(kind.as_str())).text())
}
