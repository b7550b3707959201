//! Events: what a producer posts, and the object it happened to.

mod catalogue;
mod draft;
mod kind;
mod object;
mod operational;
mod posted;

pub use self::catalogue::{
    EVENT_TYPE_DESCRIPTION_CHARS_MAX, EventTypeDraft, event_type_at, parse_event_type, update_event_type,
};
pub use self::draft::NewEvent;
pub(crate) use self::kind::TYPE_RULE;
pub use self::kind::{TYPE_CHARS_MAX, is_event_type};
pub(crate) use self::object::check_object_part;
pub use self::object::{OBJECT_PART_CHARS_MAX, ObjectRef};
pub use self::operational::{OPERATIONAL_PREFIX, Operational, is_operational};
pub use self::posted::{
    BATCH_EVENTS_MAX, DATA_DEPTH_MAX, IDEMPOTENCY_KEY_CHARS_MAX, ORDER_KEY_CHARS_MAX,
    check_idempotency_header, parse_batch, parse_event,
};

#[cfg(test)]
mod tests;
