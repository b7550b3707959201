//! What request bodies may hold, as JSON Schema.
//!
//! Bodies are read field by field by the parsers of this crate, so that every fault is named; no type stands
//! for a body. Here each is described with the very constants that its parser checks, and the tests of this
//! module hold the examples and the limits against the parsers. What a schema can't say (an address that the
//! policy refuses, a time that lies in the past, two fields that exclude each other) is said in words.

use serde_json::{Map, Value, json};

use crate::api::inbox::{ANSWER_BODY_BYTES_MAX, DELAY_MS_MAX};
use crate::api::project::RETENTION_DAYS_MAX;
use crate::condition::{self, Op};
use crate::config::CONFIG_BYTES_MAX;
use crate::contract::up42;
use crate::delivery::State;
use crate::egress::URL_CHARS_MAX;
use crate::event::{
    BATCH_EVENTS_MAX, EVENT_TYPE_DESCRIPTION_CHARS_MAX, IDEMPOTENCY_KEY_CHARS_MAX, OBJECT_PART_CHARS_MAX,
    ORDER_KEY_CHARS_MAX, TYPE_CHARS_MAX,
};
use crate::examination::Variation;
use crate::fault::BODY_BYTES_MAX;
use crate::import::{self, LISTING_BYTES_MAX};
use crate::json_schema::{COUNT_MAX, DRAFTS};
use crate::project::{ACTINIA_LOCATION_CHARS_MAX, ACTINIA_LOCATIONS_MAX};
use crate::run::parse::AUTH_CHARS_MAX;
use crate::run::{LEASE_S_DEFAULT, LEASE_S_MAX, LEASE_S_MIN, MESSAGE_CHARS_MAX, RunState, STEPS_MAX};
use crate::signing::SecretKind;
use crate::webhook::field::{
    CONCURRENCY_MAX, DESCRIPTION_CHARS_MAX, EVENTS_MAX, HEADER_NAME_CHARS_MAX, HEADER_VALUE_BYTES_MAX,
    HEADERS_MAX, LABEL_KEY_CHARS_MAX, LABEL_VALUE_CHARS_MAX, LABELS_MAX, SCHEDULE_WAIT_MAX_S,
    SCHEDULE_WAITS_MAX, TIMEOUT_MAX_S,
};
use crate::webhook::parse::NOT_OF_A_TRIAL;
use crate::webhook::rotation::{OVERLAP_DEFAULT_S, OVERLAP_MAX_S};
use crate::webhook::{ProjectName, RateLimit, TIMEOUT_DEFAULT_S, WebhookName};
use crate::{inbox, replay, token};

/// A request body.
pub(super) struct Body {
    /// Its schema's name among the components.
    pub(super) name: &'static str,
    /// Whether it must be sent.
    pub(super) required: bool,
    /// Bytes at most.
    pub(super) bytes_max: usize,
    /// One that is taken.
    pub(super) example: Value,
}

/// The body whose schema has this name.
pub(super) fn body(name: &'static str, example: Value) -> Body {
    let bytes_max = match name {
        "ConfigRequest" => CONFIG_BYTES_MAX,
        "ImportRequest" => LISTING_BYTES_MAX,
        _ => BODY_BYTES_MAX,
    };
    Body { name, required: true, bytes_max, example }
}

impl Body {
    /// The same, where nothing is `{}`.
    pub(super) fn optional(self) -> Self {
        Self { required: false, ..self }
    }
}

/// Every schema that bodies are made of, by name.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for (name, schema) in [
        ("ProjectCreate", project_create()),
        ("SettingsPatch", settings()),
        ("TokenCreate", token_create()),
        ("WebhookCreate", object(&["name", "url", "events"], webhook_fields(Extent::Whole))),
        ("WebhookPatch", object(&[], webhook_fields(Extent::Patch))),
        ("WebhookDeclaration", webhook_declaration()),
        ("SecretRotation", secret_rotation()),
        ("WebhookTest", object(&[], test_fields())),
        ("TestCreate", test_create()),
        ("TestVariation", one_of(&Variation::ALL.map(Variation::as_str))),
        ("EventTypeCreate", object(&["name"], event_type_fields())),
        ("EventTypePatch", event_type_patch()),
        ("EventCreate", event()),
        ("EventBatch", batch()),
        ("InboxCreate", object(&["name"], vec![("name", inbox_name())])),
        ("InboxPatch", inbox_patch()),
        ("ReplayCreate", replay_create()),
        ("RunCreate", run_create()),
        ("RunClaimRequest", run_claim()),
        ("RunUpdateRequest", object(&[], run_said())),
        ("RunFinishRequest", run_finish()),
        ("ConfigDocument", config_document()),
        ("ConfigRequest", config_request()),
        ("ImportRequest", import_request()),
        ("Condition", condition()),
        ("FieldCondition", field_condition()),
        ("AndCondition", combined_condition("and")),
        ("OrCondition", combined_condition("or")),
        ("NotCondition", object(&["not"], vec![("not", reference("Condition"))])),
        ("DataSchema", data_schema()),
        ("DataSchemaType", one_of(&SCHEMA_TYPES)),
        ("Labels", labels()),
        ("HeaderInput", header()),
        ("ObjectFilterInput", object_filter()),
        ("RateLimitInput", rate_limit()),
        ("KeptSecret", object(&["keep"], vec![("keep", json!({ "const": true }))])),
        ("SecretKind", one_of(&[SecretKind::V1, SecretKind::V1a].map(SecretKind::as_str))),
        ("EventObjectInput", event_object()),
        ("InboxAnswerInput", inbox_answer()),
        ("ReplayedState", one_of(&replay::STATES.map(State::as_str))),
        ("RunWebhooksInput", run_webhooks()),
        ("RunProgressInput", run_progress()),
    ] {
        schemas.insert(String::from(name), schema);
    }
    schemas
}

// --- pieces ---

/// No control character (Unicode's `Cc`), which no text of ours may hold.
const NO_CONTROL: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// The same without white space at either end.
const TRIMMED: &str =
    r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";
/// Words of letters, digits and `_`, joined by dots.
const EVENT_TYPE: &str = r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$";
/// An event type, a prefix with `.*`, or `*`.
const EVENT_PATTERN: &str = r"^(\*|[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*(\.\*)?)$";
/// Names joined by single dots, without the marks of RFC 9535, or a JSON pointer.
const CONDITION_PATH: &str = concat!(
    r"^(/([^~\u0000-\u001f\u007f-\u009f]|~[01])*",
    r"|(\$[^.\[\]\u0000-\u001f\u007f-\u009f]+|[^$./\[\]\u0000-\u001f\u007f-\u009f][^.\[\]\u0000-\u001f\u007f-\u009f]*)",
    r"(\.[^.\[\]\u0000-\u001f\u007f-\u009f]+)*)$"
);

fn said(mut schema: Value, description: &str) -> Value {
    schema["description"] = Value::from(description);
    schema
}

fn object(required: &[&str], fields: Vec<(&'static str, Value)>) -> Value {
    let properties: Map<String, Value> =
        fields.into_iter().map(|(name, schema)| (String::from(name), schema)).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn nullable(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        // An enum stays one beside null: generators make a type of it, which can't have null for a value.
        Some(kind @ Value::String(_)) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn text(chars_min: usize, chars_max: usize) -> Value {
    json!({ "type": "string", "minLength": chars_min, "maxLength": chars_max, "pattern": NO_CONTROL })
}

fn integer(min: u32, max: u32) -> Value {
    json!({ "type": "integer", "minimum": min, "maximum": max })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn list(items: &Value, min: usize, max: usize) -> Value {
    json!({ "type": "array", "items": items, "minItems": min, "maxItems": max })
}

fn unique(mut list: Value) -> Value {
    list["uniqueItems"] = Value::from(true);
    list
}

fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn url() -> Value {
    let schema = json!({ "type": "string", "format": "uri", "minLength": 1, "maxLength": URL_CHARS_MAX });
    said(
        schema,
        "An absolute `https` URL of a public host. Credentials in it become a protected `authorization` header.",
    )
}

/// An event type.
pub(super) fn event_type() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": TYPE_CHARS_MAX, "pattern": EVENT_TYPE })
}

fn posted_type() -> Value {
    let mut schema = event_type();
    schema["pattern"] = Value::from(EVENT_TYPE.replacen('^', r"^(?!postern\.)", 1));
    schema
}

fn event_pattern() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": TYPE_CHARS_MAX, "pattern": EVENT_PATTERN })
}

fn patterns(min: usize) -> Value {
    let schema = unique(list(&event_pattern(), min, EVENTS_MAX));
    said(
        schema,
        "Event types (`order.paid`), prefixes (`order.*`), or `*` for everything that producers post.",
    )
}

/// The name of a webhook.
pub(super) fn webhook_name() -> Value {
    let schema = json!({
        "type": "string", "minLength": 1, "maxLength": WebhookName::CHARS_MAX, "pattern": TRIMMED, "not": { "enum": [".", ".."] },
    });
    said(schema, "Unique in its project. No invisible characters (zero-width, bidirectional, unassigned).")
}

fn labels() -> Value {
    json!({
        "type": "object",
        "maxProperties": LABELS_MAX,
        "propertyNames": { "minLength": 1, "maxLength": LABEL_KEY_CHARS_MAX, "pattern": r"^[^:,\u0000-\u001f\u007f-\u009f]+$" },
        "additionalProperties": text(0, LABEL_VALUE_CHARS_MAX),
    })
}

/// The key of an event.
fn idempotency_key() -> Value {
    text(1, IDEMPOTENCY_KEY_CHARS_MAX)
}

/// The key of an `Idempotency-Key` header. Leading and trailing spaces are trimmed (RFC 9110 §5.5); a blank
/// key is rejected.
pub(super) fn idempotency_header() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX, "pattern": "^[ -~]*[!-~][ -~]*$" })
}

// --- projects and tokens ---

/// The name of a project.
pub(super) fn project_name() -> Value {
    let rest = ProjectName::CHARS_MAX - 1;
    json!({ "type": "string", "minLength": 1, "maxLength": ProjectName::CHARS_MAX, "pattern": format!("^[a-z0-9][a-z0-9_-]{{0,{rest}}}$") })
}

fn project_create() -> Value {
    object(
        &["name"],
        vec![(
            "name",
            said(project_name(), "Part of every path, and of the project's tokens. It can't change."),
        )],
    )
}

fn settings() -> Value {
    object(
        &[],
        vec![
            (
                "retry_schedule_s",
                said(
                    nullable(schedule()),
                    "Seconds before attempt 2, 3, … of webhooks without a schedule of their own; null is Postern's default.",
                ),
            ),
            (
                "retention_days",
                said(
                    nullable(integer(1, RETENTION_DAYS_MAX)),
                    "Days that ended deliveries and their events are kept; null is the default.",
                ),
            ),
            (
                "actinia_locations",
                said(
                    nullable(unique(list(
                        &json!({
                            "type": "string", "minLength": 1, "maxLength": ACTINIA_LOCATION_CHARS_MAX,
                            "pattern": r"^[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*$",
                        }),
                        0,
                        ACTINIA_LOCATIONS_MAX,
                    ))),
                    "What `GET locations` lists to actinia's clients, such as `nc_spm_08`; null or empty \
                     lists the project itself. Other locations are accepted as well.",
                ),
            ),
        ],
    )
}

fn token_create() -> Value {
    object(
        &["name", "role"],
        vec![
            (
                "name",
                said(text(1, token::NAME_CHARS_MAX), "What its owner calls it. No invisible characters."),
            ),
            ("role", reference("Role")),
            (
                "expires_at",
                said(nullable(time()), "When the token expires; must lie in the future. Null means never."),
            ),
        ],
    )
}

// --- webhooks ---

fn schedule() -> Value {
    list(&integer(1, SCHEDULE_WAIT_MAX_S), 0, SCHEDULE_WAITS_MAX)
}

fn secret() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 128 })
}

fn header() -> Value {
    object(
        &["key"],
        vec![
            (
                "key",
                said(
                    json!({ "type": "string", "minLength": 1, "maxLength": HEADER_NAME_CHARS_MAX, "pattern": r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" }),
                    "Not a header that the connection or Postern sets (`host`, `webhook-id`) or that would \
                     mislead a receiver (`content-encoding`, `set-cookie`, `x-forwarded-for`, `if-match`, \
                     …), in any spelling. A name is given once; case does not matter.",
                ),
            ),
            (
                "value",
                said(
                    nullable(json!({
                        "type": "string", "minLength": 1, "maxLength": HEADER_VALUE_BYTES_MAX,
                        "pattern": r"^[!-~]([\t -~]*[!-~])?$",
                    })),
                    "Visible ASCII characters, spaces and tabs, at most 4,096 of them. A header that is stored already keeps its value if none is sent.",
                ),
            ),
            (
                "protected",
                said(
                    flag(),
                    "Sealed at rest and hidden on every read. If absent, it is true for the name of a \
                     credential (`authorization`, `cookie`, `x-api-key`, …) and where the stored header of \
                     this name is protected.",
                ),
            ),
        ],
    )
}

/// Without the slash that stands between an object's type and its name in a search.
fn object_type() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": OBJECT_PART_CHARS_MAX, "pattern": r"^[^/\u0000-\u001f\u007f-\u009f]*$" })
}

fn object_filter() -> Value {
    let part = || nullable(text(1, OBJECT_PART_CHARS_MAX));
    object(&[], vec![("type", nullable(object_type())), ("name", part()), ("version", part())])
}

fn rate_limit() -> Value {
    object(
        &["calls", "per_s"],
        vec![("calls", integer(1, RateLimit::CALLS_MAX)), ("per_s", integer(1, RateLimit::PER_S_MAX))],
    )
}

/// How much of a webhook a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All of it: what is left out has its default.
    Whole,
    /// What changes.
    Patch,
}

/// The fields of a webhook. In a patch, null restores the default of those that may be null.
fn webhook_fields(extent: Extent) -> Vec<(&'static str, Value)> {
    let mut fields = identity_fields(extent);
    fields.extend(flow_fields());
    fields
}

/// Who is called for which events, and how a call looks.
fn identity_fields(extent: Extent) -> Vec<(&'static str, Value)> {
    vec![
        ("name", webhook_name()),
        ("url", url()),
        (
            "contract",
            said(reference("Contract"), "How callbacks look, and which answers count as delivered."),
        ),
        ("events", patterns(1)),
        (
            "object",
            said(
                nullable(reference("ObjectFilterInput")),
                if extent == Extent::Patch {
                    "Only events that happened to such objects. A part that is not sent stays as it is; \
                     null means any."
                } else {
                    "Only events that happened to such objects; null means any."
                },
            ),
        ),
        (
            "headers",
            said(
                nullable(list(&reference("HeaderInput"), 0, HEADERS_MAX)),
                "Added to every callback, in this order.",
            ),
        ),
        (
            "description",
            nullable(
                json!({ "type": "string", "maxLength": DESCRIPTION_CHARS_MAX, "pattern": r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$" }),
            ),
        ),
        ("labels", said(nullable(reference("Labels")), "For people, and for the filter of the list.")),
        (
            "timeout_s",
            said(
                nullable(integer(1, TIMEOUT_MAX_S)),
                &format!("Seconds of one attempt; {TIMEOUT_DEFAULT_S} if absent."),
            ),
        ),
        ("enabled", said(flag(), "Whether it takes events.")),
        (
            "retry",
            said(
                flag(),
                "Whether failed attempts are repeated. If absent, the contract decides: all but `ubiops` repeat.",
            ),
        ),
        ("include_result", said(flag(), "Whether callbacks carry `result` (contract `ubiops`).")),
        (
            "secret",
            said(
                nullable(secret()),
                &format!(
                    "`whsec_` and the base64 of 24 to 64 bytes, or `whsk_` and an ed25519 key; with the contract `up42` any text of at most {} characters. \
                     Null: callbacks are not signed. {}",
                    up42::SECRET_CHARS_MAX,
                    if extent == Extent::Patch {
                        "A change of the contract from or to `up42` must name it."
                    } else {
                        "If none is sent, Postern makes one for `standard`."
                    }
                ),
            ),
        ),
    ]
}

/// How fast, how often and in which order events flow.
fn flow_fields() -> Vec<(&'static str, Value)> {
    vec![
        (
            "retry_schedule_s",
            said(nullable(schedule()), "Seconds before attempt 2, 3, …; null: the project's schedule."),
        ),
        (
            "rate_limit",
            said(
                nullable(reference("RateLimitInput")),
                "At most `calls` calls start in any window of `per_s` seconds.",
            ),
        ),
        (
            "concurrency_limit",
            said(nullable(integer(1, CONCURRENCY_MAX)), "The most calls that are under way at once."),
        ),
        ("ordered", said(flag(), "Whether events with one `order_key` go one after the other.")),
        (
            "confirm_gone",
            said(
                flag(),
                "Whether a 410 disables the webhook only if the receiver answers it again ten minutes after \
                 the first, with no success in between.",
            ),
        ),
        ("filter", said(nullable(reference("Condition")), "A condition that an event's `data` must meet.")),
        (
            "event_labels",
            said(nullable(reference("Labels")), "Labels that an event must carry, all of them."),
        ),
        ("paused", said(flag(), "Whether deliveries wait. Events are still accepted.")),
    ]
}

fn webhook_declaration() -> Value {
    let mut fields = webhook_fields(Extent::Whole);
    let secret = json!({ "anyOf": [secret(), reference("KeptSecret"), { "type": "null" }] });
    let secret = said(
        secret,
        "As in the body that creates a webhook; `{\"keep\": true}`, like leaving it out, keeps the stored \
         one. If there is nothing to keep, `{\"keep\": true}` makes one, and the plan says so.",
    );
    if let Some(field) = fields.iter_mut().find(|(name, _)| *name == "secret") {
        field.1 = secret;
    }
    object(&["name", "url", "events"], fields)
}

fn secret_rotation() -> Value {
    object(
        &[],
        vec![
            (
                "overlap_s",
                said(
                    nullable(integer(0, OVERLAP_MAX_S)),
                    &format!(
                        "Seconds for which the previous secret still signs; {OVERLAP_DEFAULT_S} if absent, 0 ends it at once."
                    ),
                ),
            ),
            ("secret", said(nullable(secret()), "The new secret; Postern makes one if none is sent.")),
            (
                "kind",
                said(
                    nullable(reference("SecretKind")),
                    "What kind of secret is made: `v1` is HMAC-SHA256, `v1a` ed25519.",
                ),
            ),
        ],
    )
}

fn test_fields() -> Vec<(&'static str, Value)> {
    vec![
        ("type", said(nullable(event_type()), "The event type; a sample if absent.")),
        ("data", json!({ "description": "The event's data, any JSON; a sample if absent." })),
        ("retry", test_retry()),
        (
            "variation",
            said(
                nullable(reference("TestVariation")),
                "What is different from a sound callback, to see whether the receiver notices. Without `retry`; \
                 `large` without `data`, and not with the contract `ubiops`. The first four need a webhook with a \
                 secret, `repeated` a `timeout_s` of at most 13, `slow` one of at least 6.",
            ),
        ),
    ]
}

fn test_retry() -> Value {
    said(
        flag(),
        "Whether a failed test is repeated, up to six attempts in about a minute. If not, it is called once.",
    )
}

fn test_create() -> Value {
    let mut fields = webhook_fields(Extent::Whole);
    if let Some((_name, schema)) = fields.iter_mut().find(|(name, _)| *name == "name") {
        *schema = nullable(schema.take());
    }
    // A test retries where somebody asks for it, whatever the contract's webhooks do.
    fields.retain(|(name, _)| *name != "retry" && !NOT_OF_A_TRIAL.contains(name));
    fields.extend(test_fields());
    object(&["url"], fields)
}

/// The parts have names of their own: a schema that leads back to itself through one without a name can't be
/// generated.
fn condition() -> Value {
    said(
        json!({
            "anyOf": [reference("FieldCondition"), reference("AndCondition"), reference("OrCondition"), reference("NotCondition")],
            "examples": [{ "and": [{ "field": "total", "gte": 100 }, { "field": "customer.country", "in": ["DE", "FR"] }] }],
        }),
        &format!(
            "At most {} fields, {} levels and {} bytes in all.",
            condition::LEAVES_MAX,
            condition::DEPTH_MAX,
            condition::BYTES_MAX
        ),
    )
}

fn combined_condition(by: &'static str) -> Value {
    object(&[by], vec![(by, list(&reference("Condition"), 1, condition::LEAVES_MAX))])
}

fn field_condition() -> Value {
    let many = || list(&json!({}), 1, condition::LIST_VALUES_MAX);
    let compared = || json!({ "type": ["number", "string"] });
    let path = json!({ "type": "string", "minLength": 1, "maxLength": condition::FIELD_CHARS_MAX, "pattern": CONDITION_PATH });
    let path = said(
        path,
        "A path into `data`: names joined by dots, such as `items.0.price`, or a JSON pointer, such as `/a.b/0`. \
         The marks of JSONPath (`$.`, `[0]`) are refused.",
    );
    let mut tests = vec![("field", path)];
    for op in Op::ALL {
        tests.push((
            op.as_str(),
            match op {
                Op::Eq | Op::Ne => json!({}),
                Op::Gt | Op::Gte | Op::Lt | Op::Lte => compared(),
                Op::In | Op::Nin => many(),
                Op::StartsWith | Op::EndsWith => json!({ "type": "string" }),
                Op::Exists => flag(),
            },
        ));
    }
    let mut field = object(&["field"], tests);
    field["minProperties"] = json!(2);
    field
}

// --- events ---

fn event_type_rest() -> Vec<(&'static str, Value)> {
    vec![
        ("description", nullable(text(0, EVENT_TYPE_DESCRIPTION_CHARS_MAX))),
        ("example", json!({ "description": "An example of `data`, any JSON. It must fit the schema." })),
        (
            "schema",
            said(
                nullable(reference("DataSchema")),
                "What `data` must be: events that do not fit are refused. Null: anything.",
            ),
        ),
        (
            "archived",
            said(
                nullable(flag()),
                "Whether it is no longer offered to people. Its events are still accepted.",
            ),
        ),
    ]
}

fn event_type_fields() -> Vec<(&'static str, Value)> {
    let mut fields = vec![("name", event_type())];
    fields.extend(event_type_rest());
    fields
}

fn event_type_patch() -> Value {
    object(&[], event_type_rest())
}

const SCHEMA_TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// The keywords of `json_schema`, which names every fault itself; here only their kinds.
fn data_schema() -> Value {
    let part = || json!({ "anyOf": [{ "type": "boolean" }, reference("DataSchema")] });
    let parts = || json!({ "type": "array", "minItems": 1, "items": part() });
    let count = || json!({ "type": "integer", "minimum": 0, "maximum": COUNT_MAX });
    let number = || json!({ "type": "number" });
    let named = || json!({ "type": "object", "additionalProperties": part() });
    let mut fields = vec![
        ("$schema", one_of(&DRAFTS)),
        ("$defs", named()),
        ("$ref", json!({ "type": "string", "pattern": r"^#/\$defs/" })),
        (
            "type",
            json!({ "anyOf": [reference("DataSchemaType"), unique(list(&reference("DataSchemaType"), 1, SCHEMA_TYPES.len()))] }),
        ),
        ("enum", json!({ "type": "array", "minItems": 1 })),
        ("const", json!({})),
        ("properties", named()),
        ("required", json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true })),
        ("additionalProperties", part()),
        ("items", part()),
        ("prefixItems", parts()),
        ("uniqueItems", flag()),
        ("format", one_of(&["date-time", "uuid", "email", "uri"])),
        ("allOf", parts()),
        ("anyOf", parts()),
        ("oneOf", parts()),
        ("not", part()),
        ("multipleOf", json!({ "type": "number", "exclusiveMinimum": 0 })),
        ("title", json!({ "type": "string" })),
        ("description", json!({ "type": "string" })),
        ("$comment", json!({ "type": "string" })),
        ("$id", json!({ "type": "string" })),
        ("default", json!({})),
        ("example", json!({})),
        ("examples", json!({ "type": "array" })),
        ("deprecated", flag()),
        ("readOnly", flag()),
        ("writeOnly", flag()),
    ];
    for key in ["minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength"] {
        fields.push((key, count()));
    }
    for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        fields.push((key, number()));
    }
    let mut schema = object(&[], fields);
    schema["examples"] =
        json!([{ "type": "object", "properties": { "order": { "type": "string" } }, "required": ["order"] }]);
    said(
        schema,
        "The part of JSON Schema 2020-12 that is checked; other keywords are refused, so that nobody relies \
         on a rule that is not checked. `$ref` leads to `#/$defs/…` of the same schema.",
    )
}

fn event_object() -> Value {
    let part = || text(1, OBJECT_PART_CHARS_MAX);
    object(&["type", "name"], vec![("type", object_type()), ("name", part()), ("version", nullable(part()))])
}

fn event() -> Value {
    object(
        &["type", "data"],
        vec![
            ("type", said(posted_type(), "Types below `postern.` are Postern's own and can't be posted.")),
            (
                "data",
                json!({ "description": "Any JSON value, at most 64 levels deep. It is signed and sent as it was written." }),
            ),
            ("object", said(nullable(reference("EventObjectInput")), "What it happened to.")),
            (
                "idempotency_key",
                said(
                    nullable(idempotency_key()),
                    "Two events with one key and the same content are one event. Keys belong to the project: its publishers share them.",
                ),
            ),
            (
                "order_key",
                said(
                    nullable(text(1, ORDER_KEY_CHARS_MAX)),
                    "Deliveries of events with one key go to an `ordered` webhook one after the other.",
                ),
            ),
            ("labels", said(nullable(reference("Labels")), "What webhooks may filter by.")),
        ],
    )
}

fn batch() -> Value {
    object(&["events"], vec![("events", list(&reference("EventCreate"), 1, BATCH_EVENTS_MAX))])
}

// --- inboxes, replays ---

fn inbox_name() -> Value {
    said(
        json!({ "type": "string", "minLength": 1, "maxLength": inbox::NAME_CHARS_MAX, "pattern": TRIMMED }),
        "Unique in its project.",
    )
}

fn inbox_answer() -> Value {
    object(
        &[],
        vec![
            ("status", integer(200, 599)),
            ("delay_ms", integer(0, DELAY_MS_MAX)),
            (
                "body",
                said(json!({ "type": "string", "maxLength": ANSWER_BODY_BYTES_MAX }), "At most 16 KiB."),
            ),
        ],
    )
}

fn inbox_patch() -> Value {
    object(
        &[],
        vec![
            ("name", inbox_name()),
            (
                "answer",
                said(
                    nullable(reference("InboxAnswerInput")),
                    "What it answers; null is an empty 200 at once.",
                ),
            ),
        ],
    )
}

fn replay_create() -> Value {
    let states = unique(list(&reference("ReplayedState"), 1, replay::STATES.len()));
    object(
        &[],
        vec![
            ("webhook", said(nullable(webhook_name()), "Only for this webhook; required with `missing`.")),
            (
                "since",
                said(
                    nullable(time()),
                    "Deliveries made (`created_at`) at this time or later; with `missing`, events accepted then.",
                ),
            ),
            ("until", said(nullable(time()), "Before this time; later than `since`.")),
            ("states", said(nullable(states), "`dead` and `cancelled` if absent. Not with `missing`.")),
            ("types", said(nullable(patterns(0)), "Only events of these types.")),
            (
                "missing",
                said(
                    flag(),
                    "Whether to send the events that the webhook wants and never had a \
                                      delivery of.",
                ),
            ),
            ("dry_run", said(flag(), "Only count.")),
        ],
    )
}

// --- runs ---

fn run_webhooks() -> Value {
    object(
        &["finished"],
        vec![
            (
                "finished",
                said(
                    url(),
                    "Called when the run has ended. Probed by a GET before the run is offered to an \
                             executor.",
                ),
            ),
            ("update", said(nullable(url()), "Called for updates. Probed as well.")),
            (
                "auth",
                said(
                    nullable(
                        json!({ "type": "string", "minLength": 2, "maxLength": AUTH_CHARS_MAX, "pattern": r"^[^:\u0000-\u001f\u007f-\u009f]+:[^\u0000-\u001f\u007f-\u009f]*$" }),
                    ),
                    "`user:password`, split at the first colon. Never shown again.",
                ),
            ),
        ],
    )
}

fn run_create() -> Value {
    object(
        &["chain"],
        vec![
            (
                "chain",
                json!({ "type": "object", "description": "What is to be done, in the executor's own terms." }),
            ),
            ("webhooks", said(nullable(reference("RunWebhooksInput")), "The addresses to call.")),
            ("labels", nullable(reference("Labels"))),
        ],
    )
}

fn run_claim() -> Value {
    let lease_s = said(
        integer(LEASE_S_MIN, LEASE_S_MAX),
        &format!("Seconds of the lease; {LEASE_S_DEFAULT} if absent."),
    );
    object(&[], vec![("lease_s", lease_s)])
}

fn run_progress() -> Value {
    let percent = nullable(json!({ "type": "number", "minimum": 0, "maximum": 100 }));
    object(
        &["step", "of"],
        vec![("step", integer(0, STEPS_MAX)), ("of", integer(1, STEPS_MAX)), ("percent", percent)],
    )
}

fn run_said() -> Vec<(&'static str, Value)> {
    vec![
        (
            "claim",
            said(
                nullable(integer(1, u32::MAX)),
                "The number from the answer to the claim. It is refused once the run was given to another \
                 executor.",
            ),
        ),
        ("message", nullable(json!({ "type": "string", "maxLength": MESSAGE_CHARS_MAX }))),
        (
            "progress",
            said(
                nullable(reference("RunProgressInput")),
                "`step` is at most `of`; `percent` follows from them if it is not sent.",
            ),
        ),
        (
            "log",
            said(nullable(json!({ "type": "array", "items": {} })), "Entries to add to the log, any JSON."),
        ),
    ]
}

fn run_finish() -> Value {
    let mut fields = run_said();
    fields.retain(|(name, _)| *name != "progress");
    let ends: Vec<&str> =
        RunState::ALL.into_iter().filter(|state| state.is_final()).map(RunState::as_str).collect();
    fields.push(("outcome", one_of(&ends)));
    fields.push(("results", json!({ "description": "The result, any JSON." })));
    object(&["outcome"], fields)
}

// --- configuration ---

fn config_document() -> Value {
    let schema = object(
        &[],
        vec![
            ("settings", reference("SettingsPatch")),
            ("event_types", json!({ "type": "array", "items": reference("EventTypeCreate") })),
            ("webhooks", json!({ "type": "array", "items": reference("WebhookDeclaration") })),
        ],
    );
    said(
        schema,
        "The configuration to apply. A field that is left out gets its default, a section that is left out \
         is not touched. Names are unique within a section.",
    )
}

fn config_request() -> Value {
    object(
        &["document"],
        vec![
            ("document", reference("ConfigDocument")),
            ("prune", said(flag(), "Whether things that the document does not name are deleted.")),
            (
                "expect",
                said(
                    nullable(json!({ "type": "string" })),
                    "`base` of the plan: nothing is applied to another state.",
                ),
            ),
        ],
    )
}

fn import_request() -> Value {
    let from = one_of(&import::From::ALL.map(import::From::as_str));
    let listing = json!({ "type": ["object", "array"], "description": "The answer of their API." });
    object(
        &["from", "listing"],
        vec![("from", said(from, "The system that the listing comes from.")), ("listing", listing)],
    )
}
