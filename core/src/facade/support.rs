//! What the tests of the facades share.

use serde_json::Value;

use crate::api::webhook::{Health, Standing, WebhookView};
use crate::time::Timestamp;
use crate::webhook::Definition;

/// `definition` as it is read, with a standing that every contract's tests know.
pub(super) fn view(definition: &Definition) -> WebhookView {
    let at = Timestamp(1_767_225_600_000);
    let id = String::from("whk_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11");
    let standing = Standing {
        id,
        version: 1,
        disabled_reason: None,
        created_at: at,
        updated_at: at,
        health: Health::default(),
    };
    WebhookView::from_definition(definition.clone(), standing)
}

/// `draft` with `changes`; a change to null stays as null.
pub(crate) fn with(mut draft: Value, changes: Value) -> Value {
    if let (Some(draft), Value::Object(changes)) = (draft.as_object_mut(), changes) {
        draft.extend(changes);
    }
    draft
}
