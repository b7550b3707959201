//! The whole document: what it starts with, and its parts put together.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{SchemaGenerator, generate::Contract};
use serde_json::{Map, Value, json};

use super::operation::{Answer, Content, Operation};
use super::{body, callbacks, operation, prose, shape};
use crate::api::live::LiveEvent;
use crate::operation::{Needs, Operation as Id, Reads};
use crate::problem::{Problem, ProblemType};
use crate::token::Role;

/// Where schemas stand in the document.
const SCHEMAS: &str = "/components/schemas";

/// What the whole document starts with. `{roles}` stands for the roles and their words.
const INTRODUCTION: &str = "Postern takes events from your service, keeps them, signs and sends a callback \
                            to every webhook that wants them, and records the result of each \
                            attempt.\n\nSend `Authorization: Bearer <token>`. A token belongs to one \
                            project and has a role: {roles}. `ADMIN_TOKEN` and the tokens of `ADMIN_TOKENS` \
                            may do everything everywhere. A project that a token does not belong to is \
                            answered like one that does not exist.\n\nBodies are JSON; unknown fields and \
                            parameters are refused, and a 422 names up to 50 faults with a JSON pointer \
                            each (`more_errors`: how many more). Errors are problem details (RFC 9457) \
                            whose `type` is one of a closed set. A method that a path does not support is \
                            answered by 405 with `Allow`. Each answer has an `x-request-id`, under which it \
                            is logged.\n\nLists are paged by `cursor` and `limit`. `Idempotency-Key` makes \
                            a call safe to repeat for 24 hours (keys belong to the project: its tokens \
                            share them): the same key with the same content gets the first answer again, \
                            with other content a 409. `If-Match` with an `ETag` changes a thing only if it \
                            still has the version that you know.\n\nThe facades below `/ubiops`, `/up42` \
                            and `/actinia` speak those systems' own APIs and are not described here.";

/// The document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.into();
        settings.meta_schema = None;
        settings.contract = Contract::Serialize;
    });
    let mut generator = SchemaGenerator::new(settings);
    let mut responses = BTreeMap::new();
    let mut paths = Map::new();
    for pattern in patterns() {
        let item = path_item(&pattern, &mut generator, &mut responses);
        paths.insert(pattern, item);
    }
    generator.subschema_for::<Problem>();
    generator.subschema_for::<LiveEvent>();
    let webhooks = callbacks::webhooks(&mut generator);
    let of_callbacks = callbacks::schemas(&mut generator);
    let mut schemas = generator.take_definitions(true);
    schemas.extend(of_callbacks);
    schemas.extend(body::schemas());
    let roles = Role::ALL.map(|role| format!("`{}` ({})", role.as_str(), role.about())).join(", ");
    schemas.insert(String::from("Health"), operation::health());
    if let Some(problem) = schemas.get_mut("Problem") {
        problem["properties"]["type"]["enum"] = ProblemType::ALL.map(ProblemType::uri).to_vec().into();
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postern",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION.replace("{roles}", &roles),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "tags": tags().map(|(name, description)| json!({ "name": name, "description": description })).collect::<Vec<_>>(),
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A project's token (`pst_…`), `ADMIN_TOKEN` or a token of `ADMIN_TOKENS`.",
                },
                "run": { "type": "http", "scheme": "basic", "description": "The run's `auth`, if it has one." },
            },
            "parameters": {
                "IfMatch": {
                    "name": "If-Match", "in": "header", "required": false,
                    "description": "The `ETag` of the version to change; `*` means any version.",
                    "schema": { "type": "string" },
                },
                "IdempotencyKey": {
                    "name": "Idempotency-Key", "in": "header", "required": false,
                    "description": "Makes the call safe to repeat: see above.",
                    "schema": body::idempotency_header(),
                },
            },
            "headers": headers(),
            "responses": responses,
            "schemas": schemas,
        },
    });
    prose::tidy(&mut document);
    shape::shape(&mut document);
    document
}

/// Every tag, with what it is about.
pub(super) fn tags() -> impl Iterator<Item = (&'static str, &'static str)> {
    operation::TAGS.into_iter().chain([callbacks::TAG])
}

/// Every path, in the order of the table of operations.
pub(super) fn patterns() -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for pattern in Id::ALL.iter().map(|id| id.pattern()) {
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

/// The operations at a path.
pub(super) fn operations(pattern: &str) -> impl Iterator<Item = Id> {
    Id::ALL.iter().copied().filter(move |id| id.pattern() == pattern)
}

fn path_item(
    pattern: &str,
    generator: &mut SchemaGenerator,
    responses: &mut BTreeMap<String, Value>,
) -> Value {
    let mut item = Map::new();
    let names = pattern.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    for id in operations(pattern) {
        let parameters: Vec<Value> = names
            .clone()
            .map(|name| {
                let (schema, description) = operation::path_parameter(name, id);
                json!({
                    "name": name, "in": "path", "required": true,
                    "schema": schema, "description": description,
                })
            })
            .collect();
        if !parameters.is_empty() {
            item.insert(String::from("parameters"), Value::Array(parameters));
        }
        let value = described(&operation::described(id), generator, responses);
        item.insert(id.method().as_str().to_ascii_lowercase(), value);
    }
    Value::Object(item)
}

fn described(
    operation: &Operation,
    generator: &mut SchemaGenerator,
    responses: &mut BTreeMap<String, Value>,
) -> Value {
    let (needs, security) = said_of_needs(operation.id.needs());
    let mut value = json!({
        "operationId": operation.id,
        "tags": [operation.id.tag()],
        "summary": operation.summary,
        "description": if operation.description.is_empty() { needs } else { format!("{} {needs}", operation.description) },
        "security": security,
    });
    let needed = operation.needs.iter().map(|parameter| (parameter, true));
    let mut parameters: Vec<Value> = needed
        .chain(operation.query.iter().map(|parameter| (parameter, false)))
        .map(|(parameter, is_required)| {
            json!({
                "name": parameter.name, "in": "query", "required": is_required,
                "schema": parameter.schema, "description": parameter.description,
            })
        })
        .collect();
    let headers = [
        (operation.id.reads(Reads::IfMatch), "IfMatch"),
        (operation.id.reads(Reads::IdempotencyKey), "IdempotencyKey"),
    ];
    for (takes, name) in headers {
        if takes {
            parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
        }
    }
    if !parameters.is_empty() {
        value["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = &operation.body {
        value["requestBody"] = json!({
            "required": body.required,
            "description": format!("At most {} KiB.", body.bytes_max / 1024),
            "content": {
                "application/json": {
                    "schema": { "$ref": format!("#/components/schemas/{}", body.name) },
                    "examples": { "example": { "value": body.example } },
                },
            },
        });
    }
    let mut answers = Map::new();
    for answer in &operation.answers {
        answers.insert(answer.status.to_string(), good_answer(answer, generator));
    }
    let mut by_status: BTreeMap<u16, Vec<ProblemType>> = BTreeMap::new();
    for problem in operation.all_problems() {
        by_status.entry(problem.status()).or_default().push(problem);
    }
    for (status, problems) in by_status {
        let name = problems.iter().map(|problem| problem.id()).collect::<Vec<_>>().join(".");
        answers.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{name}") }));
        responses.entry(name).or_insert_with(|| problem_answer(status, &problems));
    }
    value["responses"] = Value::Object(answers);
    value
}

/// Who may ask, in a sentence and as security requirements.
fn said_of_needs(needs: Needs) -> (String, Value) {
    // OpenAPI 3.1 lets a requirement of any scheme name the role that is needed (Security Requirement
    // Object); one of several suffices.
    match needs {
        Needs::Nobody => (String::from("Needs no token."), json!([])),
        Needs::Admin => (String::from("Needs `ADMIN_TOKEN`."), json!([{ "bearer": ["admin"] }])),
        Needs::AnyToken => (String::from("Needs a token of any role."), json!([{ "bearer": [] }])),
        Needs::Roles(roles) => {
            let mut said = String::new();
            for role in roles {
                said.push_str(if said.is_empty() { "`" } else { ", `" });
                said.push_str(role.as_str());
                said.push('`');
            }
            let or = if said.is_empty() { "" } else { " or " };
            let sufficient = roles.iter().chain(&[Role::Manage]);
            let security = sufficient.map(|role| json!({ "bearer": [role.as_str()] })).collect();
            (
                format!("Needs a token of the role {said}{or}`{}`.", Role::Manage.as_str()),
                Value::Array(security),
            )
        }
    }
}

fn good_answer(answer: &Answer, generator: &mut SchemaGenerator) -> Value {
    let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    if answer.has_etag {
        headers["etag"] = json!({ "$ref": "#/components/headers/ETag" });
    }
    let mut value = json!({ "description": answer.description });
    if answer.status != 101 {
        value["headers"] = headers;
    }
    match &answer.content {
        Content::Nothing => {}
        Content::Json(schema) => {
            let mut media = json!({ "schema": schema(generator) });
            if let Some(example) = &answer.example {
                media["examples"] = json!({ "example": { "value": example } });
            }
            value["content"] = json!({ "application/json": media });
        }
        Content::Text(types) => {
            let text = || json!({ "schema": { "type": "string" } });
            value["content"] = types
                .iter()
                .map(|content_type| (String::from(*content_type), text()))
                .collect::<Map<_, _>>()
                .into();
        }
        Content::Lines(schema) => {
            let item = schema(generator);
            let name =
                item.as_value()["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            let text = json!({ "schema": { "type": "string", "description": format!("One JSON value a line, each of the schema `{name}`.") } });
            value["content"] = json!({ "application/x-ndjson": text, "text/plain": text });
        }
    }
    value
}

fn problem_answer(status: u16, problems: &[ProblemType]) -> Value {
    let titles: Vec<&str> = problems.iter().map(|problem| problem.title()).collect();
    let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    match status {
        401 => headers["www-authenticate"] = json!({ "$ref": "#/components/headers/WwwAuthenticate" }),
        429 => headers["retry-after"] = json!({ "$ref": "#/components/headers/RetryAfter" }),
        _ => {}
    }
    let examples: Map<String, Value> = problems
        .iter()
        .map(|problem| {
            (
                String::from(problem.id()),
                json!({ "value": Problem::new(*problem, "what happened this time, and what to do") }),
            )
        })
        .collect();
    json!({
        "description": format!("{}.", titles.join(", or: ")),
        "headers": headers,
        "content": {
            "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/Problem" },
                "examples": examples,
            },
        },
    })
}

fn headers() -> Value {
    json!({
        "RequestId": { "description": "Under which the request is logged.", "required": true, "schema": { "type": "string", "minLength": 1 } },
        "ETag": { "description": "Identifies this version, for `If-Match`.", "required": true, "schema": { "type": "string", "pattern": "^\"[0-9a-f]+\"$" } },
        "RetryAfter": { "description": "Seconds to wait; absent if waiting does not help (some quotas).", "required": false, "schema": { "type": "integer", "minimum": 0 } },
        "WwwAuthenticate": { "description": "How to sign in.", "required": true, "schema": { "const": "Bearer" } },
    })
}
