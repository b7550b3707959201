//! Sample events, for tests and previews.

use crate::event::ObjectRef;
use crate::filter::EventPattern;
use crate::webhook::Definition;

/// The object that a webhook's filter describes, where it describes one: the parts it leaves open are filled
/// with `example`.
pub(super) fn sample_object(webhook: &Definition) -> Option<ObjectRef> {
    let filter = &webhook.object;
    if *filter == crate::webhook::ObjectFilter::default() {
        return None;
    }
    let part = |text: &Option<String>| text.clone().unwrap_or_else(|| String::from("example"));
    Some(ObjectRef { kind: part(&filter.kind), name: part(&filter.name), version: filter.version.clone() })
}

/// An event type that `pattern` matches.
pub(super) fn sample_kind(pattern: Option<&EventPattern>) -> String {
    match pattern.map(EventPattern::as_str) {
        // Nothing below `postern.`: everything does not mean Postern's own events.
        None | Some("*") => String::from("example.test"),
        Some(text) => match text.strip_suffix(".*") {
            Some(stem) => format!("{stem}.test"),
            None => String::from(text),
        },
    }
}
