//! What receivers get: the `webhooks` of the document (`OpenAPI` 3.1 §4.8.1.2).
//!
//! Bodies are rendered as text by `contract`, so no type stands for one; the tests hold what is rendered
//! against what is described here. The data of operational events has types.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::shape::in_pascal_case;
use crate::api::operational::{
    DeliveryDeadData, ProjectAgingData, ProjectFullData, WebhookDisabledData, WebhookHealthData,
};
use crate::contract::counts_as_delivered;
use crate::event::{OPERATIONAL_PREFIX, Operational};
use crate::webhook::Contract;

/// The tag of all callbacks.
pub(super) const TAG: (&str, &str) = ("Callbacks", "What receivers get.");

/// The `webhooks` of the document, by name.
pub(super) fn webhooks(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut items = Map::new();
    let mut add = |name: &str, method: &str, operation: Value| {
        items.insert(String::from(name), json!({ (method): operation }))
    };
    for contract in Contract::ALL {
        let (summary, description, schema) = match contract {
            Contract::Standard => {
                ("An event, by the contract `standard`", "Standard Webhooks 1.0.", "StandardCallback")
            }
            Contract::Ubiops => (
                "An event, by the contract `ubiops`",
                "As UbiOps calls. The members about the object are named by its type: `deployment_id`, `pipeline_name`.",
                "UbiopsCallback",
            ),
            Contract::Up42 => ("An event, by the contract `up42`", "As UP42 calls.", "Up42Callback"),
        };
        add(contract.as_str(), "post", event(contract.as_str(), contract, summary, description, schema));
    }
    for kind in Operational::ALL {
        let (summary, data) = operational(kind, generator);
        let component = component_of(kind);
        let description = format!(
            "Sent to webhooks that subscribe to `{}` or to a prefix of it, such as `{OPERATIONAL_PREFIX}*`; in the form of their contract, here \
             `standard`. The type of `data` is `{data}`.",
            kind.as_str()
        );
        add(
            kind.as_str(),
            "post",
            event(kind.as_str(), Contract::Standard, summary, &description, &component),
        );
    }
    for (name, summary, description) in [
        (
            "run.update",
            "The progress of a run",
            "Sent to a run's `update`. A newer one replaces one that has not been sent.",
        ),
        ("run.finished", "The end of a run", "Sent to a run's `finished`, however it ended."),
    ] {
        let mut operation = operation(name, summary, description, &[]);
        operation["security"] = credentials();
        operation["requestBody"] = body_of("RunCallback");
        operation["responses"] = json!({
            "200": { "description": "Taken." },
            "5XX": { "description": "Repeated by the project's retry schedule; an update only until a newer \
                                     one or the end replaces it." },
        });
        add(name, "post", operation);
    }
    let about =
        "A GET without a body of `finished`, then of `update`, before the run is offered to an executor.";
    let mut probe = operation("run.probe", "Whether a run's callbacks can be reached", about, &[]);
    probe["security"] = credentials();
    probe["responses"] = json!({ "200": { "description": "It can be reached. Any other answer ends the run with an error." } });
    add("run.probe", "get", probe);
    items
}

/// The schemas of bodies.
pub(super) fn schemas(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let time =
        || json!({ "type": "string", "format": "date-time", "description": "When the event was accepted." });
    let object = || json!({ "$ref": "#/components/schemas/CallbackObject", "description": "What it happened to; absent if the producer did not say." });
    let mut schemas = Map::new();
    let mut add = |name: &str, description: &str, required: &[&str], properties: Value| {
        let schema = json!({ "type": "object", "description": description, "required": required, "properties": properties });
        schemas.insert(String::from(name), schema);
    };
    add(
        "StandardCallback",
        "The body by the contract `standard`.",
        &["type", "timestamp", "data"],
        json!({
            "type": text_about("The event type."),
            "timestamp": time(),
            "data": { "description": "The event's data, byte for byte as its producer wrote it." },
            "object": object(),
        }),
    );
    add(
        "CallbackObject",
        "What an event happened to.",
        &["type", "name", "version"],
        json!({ "type": text_about("Such as `deployment`."), "name": text_about("Such as `d1`."), "version": nullable("Such as `v1`.") }),
    );
    add(
        "UbiopsCallback",
        "The body by the contract `ubiops`.",
        &["event", "request_id", "status", "text"],
        ubiops_members(),
    );
    add(
        "Up42Callback",
        "The body by the contract `up42`.",
        &["event", "body"],
        json!({ "event": text_about("The event type."), "body": { "description": "The event's data, byte for byte as its producer wrote it." } }),
    );
    for kind in Operational::ALL {
        let (summary, data) = operational(kind, generator);
        add(
            &component_of(kind),
            &format!("{summary}: the body by the contract `standard`."),
            &["type", "timestamp", "data"],
            json!({
                "type": { "type": "string", "const": kind.as_str() },
                "timestamp": time(),
                "data": { "$ref": format!("#/components/schemas/{data}") },
            }),
        );
    }
    let of_run = json!({
        "type": "string",
        "description": "A run's status as JSON inside a JSON string, as actinia sends it.",
        "contentMediaType": "application/json",
        "contentSchema": { "$ref": "#/components/schemas/RunStatus" },
    });
    schemas.insert(String::from("RunCallback"), of_run);
    schemas.insert(String::from("RunStatus"), run_status());
    schemas
}

fn text_about(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn nullable(about: &str) -> Value {
    json!({ "type": ["string", "null"], "description": about })
}

/// The members of a callback by the contract `ubiops`: those of each kind of object are there only for events
/// about one.
fn ubiops_members() -> Value {
    let mut members = json!({
        "event": text_about("The event, as the webhook subscribes to it."),
        "request_id": nullable("The request."),
        "status": nullable("The status of the request."),
        "result": { "description": "The result of the request, if the webhook asks for it and it is at most \
                                    16,000 bytes." },
        "text": text_about("What happened, in a sentence."),
    });
    for object in crate::contract::ubiops::OBJECT_TYPES {
        for part in ["id", "name", "version_id", "version_name"] {
            members[format!("{object}_{part}")] = nullable(&format!("Only of events about a {object}."));
        }
    }
    members
}

/// What actinia's API says of a run; members that it does not always have are not required.
fn run_status() -> Value {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "number" });
    let anything = || json!({ "type": "object", "additionalProperties": true });
    json!({
        "type": "object",
        "description": "What actinia's API says of a run.",
        "required": [
            "status", "user_id", "resource_id", "queue", "accept_timestamp", "accept_datetime", "timestamp", "datetime", "time_delta",
            "message", "http_code", "process_results", "process_chain_list", "urls", "api_info",
        ],
        "properties": {
            "status": { "$ref": "#/components/schemas/RunState" },
            "user_id": { "type": "string", "description": "The project." },
            "resource_id": { "type": "string", "description": "`resource_id-` and the UUID of the run's id." },
            "queue": text(),
            "accept_timestamp": { "type": "number", "description": "Unix seconds, as all timestamps." },
            "accept_datetime": text(),
            "timestamp": number(),
            "datetime": text(),
            "time_delta": { "type": "number", "description": "Seconds since it was created." },
            "start_timestamp": number(),
            "start_datetime": text(),
            "process_time_delta": { "type": "number", "description": "Seconds since it was first claimed." },
            "message": text(),
            "http_code": { "type": "integer" },
            "progress": anything(),
            "process_results": { "description": "The result, an object or a string." },
            "process_log": { "type": "array", "items": anything() },
            "process_chain_list": { "type": "array", "items": anything() },
            "urls": anything(),
            "api_info": anything(),
            "exception": anything(),
        },
    })
}

/// What an operational event reports, and the name of its data's schema.
fn operational(kind: Operational, generator: &mut SchemaGenerator) -> (&'static str, String) {
    fn named<T: JsonSchema>(generator: &mut SchemaGenerator) -> String {
        let _reference: Schema = generator.subschema_for::<T>();
        T::schema_name().into_owned()
    }
    match kind {
        Operational::WebhookDisabled => {
            ("Postern disabled a webhook", named::<WebhookDisabledData>(generator))
        }
        Operational::WebhookFailing => {
            ("A webhook fails again and again", named::<WebhookHealthData>(generator))
        }
        Operational::WebhookRecovered => {
            ("A webhook is called as usual again", named::<WebhookHealthData>(generator))
        }
        Operational::WebhookThrottled => {
            ("A webhook gets fewer calls for a while", named::<WebhookHealthData>(generator))
        }
        Operational::DeliveryDead => ("A delivery was given up", named::<DeliveryDeadData>(generator)),
        Operational::ProjectFull => {
            ("A project uses most of what it may store", named::<ProjectFullData>(generator))
        }
        Operational::ProjectAging => {
            ("A project gives up what is old before its time", named::<ProjectAgingData>(generator))
        }
    }
}

/// `postern.webhook.disabled` as `WebhookDisabledCallback`.
fn component_of(kind: Operational) -> String {
    let name = kind.as_str();
    format!("{}Callback", in_pascal_case(name.strip_prefix(OPERATIONAL_PREFIX).unwrap_or(name)))
}

fn event(name: &str, contract: Contract, summary: &str, description: &str, schema: &str) -> Value {
    let mut headers = vec![
        header(
            "webhook-id",
            "The same for every attempt of a delivery, so that a receiver can skip what it has seen before.",
            &text(),
        ),
        header(
            "webhook-timestamp",
            "When the attempt was made, in Unix seconds.",
            &json!({ "type": "integer" }),
        ),
        signed_header(
            "webhook-signature",
            "Standard Webhooks' signatures, separated by spaces: `v1,` and a base64 HMAC-SHA256, or `v1a,` \
             and a base64 ed25519 signature, of id, timestamp and body, joined by dots. While a secret is \
             replaced there is one of each. Absent if the webhook has no secret.",
        ),
    ];
    if contract == Contract::Up42 {
        for (name, about) in [
            ("date", "When it was signed, as an HTTP date."),
            ("digest", "`SHA-256=` and the base64 digest of the body."),
            ("signature-input", "Which headers UP42's signature covers: `date` and `digest`."),
            ("signature", "`up42-sig=` and the base64 HMAC-SHA256 of their values under the secret."),
        ] {
            headers.push(signed_header(name, about));
        }
    }
    let last = if counts_as_delivered(contract, 302) {
        "2xx and 3xx count as delivered."
    } else {
        "2xx counts as delivered."
    };
    let mut operation = operation(
        name,
        summary,
        &format!("{description} {last} For every other answer see docs/outcomes.md."),
        &headers,
    );
    operation["requestBody"] = body_of(schema);
    let mut responses = json!({
        "2XX": { "description": "Delivered." },
        "410": { "description": "The webhook is disabled." },
        "429": { "description": "The webhook gets fewer calls. `Retry-After` is respected." },
        "5XX": { "description": "The attempt is repeated by the schedule." },
    });
    if counts_as_delivered(contract, 302) {
        responses["3XX"] = json!({ "description": "Delivered. Redirects are not followed." });
    }
    operation["responses"] = responses;
    operation
}

fn operation(name: &str, summary: &str, description: &str, parameters: &[Value]) -> Value {
    json!({
        "operationId": format!("on{}", in_pascal_case(name)),
        "tags": [TAG.0],
        "summary": summary,
        "description": description,
        "security": [],
        "parameters": parameters,
    })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// A header that every callback has.
fn header(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "header", "required": true, "description": description, "schema": schema })
}

/// A header that is absent where there is no secret.
fn signed_header(name: &str, description: &str) -> Value {
    json!({ "name": name, "in": "header", "required": false, "description": description, "schema": text() })
}

/// With the run's `auth`, or with nothing.
fn credentials() -> Value {
    json!([{ "run": [] }, {}])
}

fn body_of(schema: &str) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } })
}
