use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value, json};

use super::document::{document, operations, patterns, tags};
use super::prose::readable;
use super::{body, operation};
use crate::contract::{Rendering, Source, render};
use crate::egress::Policy;
use crate::event::{ObjectRef, Operational};
use crate::facade::actinia;
use crate::fault::InputFault;
use crate::json_schema::Schema;
use crate::operation::{Needs, Operation};
use crate::problem::ProblemType;
use crate::route::Path;
use crate::run::Entry;
use crate::time::Timestamp;
use crate::token::Role;
use crate::webhook::parse;
use crate::webhook::rotation::Rotation;

/// Where the document is, from this crate.
const FILE: &str = "../public/openapi.json";

#[test]
fn the_committed_document_is_up_to_date() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = serde_json::to_string_pretty(&document()).unwrap_or_default() + "\n";
    if std::env::var_os("POSTERN_BLESS").is_some() {
        fs::write(&file, &text).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "public/openapi.json is not what the types say: POSTERN_BLESS=1 cargo test -p postern-core --features openapi openapi"
    );
}

#[test]
fn every_route_and_method_is_described() {
    let document = document();
    for pattern in patterns() {
        let item = &document["paths"][&pattern];
        let described: BTreeSet<String> = item
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.to_ascii_uppercase())
            .filter(|key| key != "PARAMETERS")
            .collect();
        let path = Path::parse(&pattern.replace("{project}", "p").replace(['{', '}'], ""));
        let Some(Err(methods)) = path.map(|path| path.route("TRACE")) else { panic!("{pattern} is a path") };
        let taken: BTreeSet<String> =
            methods.into_iter().map(|method| String::from(method.as_str())).collect();
        assert_eq!(described, taken, "{pattern}");
    }
    assert_eq!(document["paths"].as_object().map(Map::len), Some(patterns().len()));
}

#[test]
fn operations_have_ids_of_their_own_and_known_tags() {
    let mut ids = BTreeSet::new();
    for pattern in patterns() {
        for id in operations(&pattern) {
            let operation = operation::described(id);
            assert!(tags().any(|(name, _)| name == id.tag()), "{pattern}");
            assert_eq!(operation.id, id, "what is described is another operation");
            assert!(ids.insert(id), "{id:?} stands for two operations");
            assert!(!operation.answers.is_empty() && !operation.summary.ends_with('.'), "{id:?}");
        }
    }
    assert_eq!(ids, Operation::ALL.iter().copied().collect(), "the table of operations is what is described");
}

#[test]
fn the_document_asks_for_exactly_the_roles_that_suffice() {
    let document = document();
    let mut found = BTreeSet::new();
    for operation in document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, item)| item.as_object().into_iter().flatten())
    {
        let Ok(id) = serde_json::from_value::<Operation>(operation.1["operationId"].clone()) else {
            continue;
        };
        let alternatives: Vec<&Value> = operation.1["security"].as_array().into_iter().flatten().collect();
        let asked = |role: &str| {
            alternatives
                .iter()
                .any(|one| one["bearer"].as_array().is_some_and(|roles| roles.iter().all(|of| of == role)))
        };
        for role in Role::ALL {
            let suffices = alternatives.is_empty() || asked(role.as_str());
            assert_eq!(suffices, id.needs().allows(role), "{id:?} {}", role.as_str());
            let is_said = operation.1["description"]
                .as_str()
                .unwrap_or_default()
                .contains(&format!("`{}`", role.as_str()));
            assert_eq!(
                is_said,
                suffices && matches!(id.needs(), Needs::Roles(_)),
                "{id:?} {}",
                role.as_str()
            );
        }
        found.insert(id);
    }
    assert_eq!(found, Operation::ALL.iter().copied().collect());
}

#[test]
fn every_kind_of_problem_can_be_met_but_a_wrong_method() {
    let met: BTreeSet<&str> = Operation::ALL
        .iter()
        .flat_map(|id| operation::described(*id).all_problems())
        .map(ProblemType::id)
        .collect();
    let all: BTreeSet<&str> = ProblemType::ALL
        .into_iter()
        .filter(|kind| *kind != ProblemType::MethodNotAllowed)
        .map(ProblemType::id)
        .collect();
    assert_eq!(met, all);
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][kind].as_object().into_iter().flatten().map(|(name, _)| name) {
            let reference = format!("#/components/{kind}/{name}");
            // What the WebSocket sends and what lines hold is told in words only.
            let is_told = ["LiveEvent", "EventView", "ExportedDelivery"].contains(&name.as_str());
            assert!(is_told || references.contains(&reference), "nothing leads to {reference}");
        }
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            references.extend(
                map.get("$ref")
                    .and_then(Value::as_str)
                    .filter(|text| text.starts_with("#/components"))
                    .map(String::from),
            );
            let mapping =
                map.get("discriminator").and_then(|discriminator| discriminator["mapping"].as_object());
            references.extend(
                mapping.into_iter().flat_map(Map::values).filter_map(Value::as_str).map(String::from),
            );
            map.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[test]
fn descriptions_name_things_and_not_items_of_the_source() {
    assert_eq!(
        readable("See [`crate::a::B`], at most\n[`C_MAX`].\n\nMore."),
        "See `B`, at most `C_MAX`.\n\nMore."
    );
    assert_eq!(
        readable("`None` up to [`crate::api::replay::COUNTED_MAX`] (docs/platform.md 2.3)."),
        "null up to 1,000,000."
    );
    assert_eq!(
        readable("UbiOps (docs/wire.md A), UP42 (docs/wire.md B) and (others)."),
        "UbiOps, UP42 and (others)."
    );
}

/// Every schema of the document with its place, those inside of others too.
fn schemas_of(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    seek(document, "", &mut found);
    found
}

fn seek(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                let at = format!("{at}/{key}");
                match key.as_str() {
                    "schema" => take(member, &at, found),
                    "schemas" => {
                        member
                            .as_object()
                            .into_iter()
                            .flatten()
                            .for_each(|(name, schema)| take(schema, &format!("{at}/{name}"), found));
                    }
                    "example" | "examples" => {}
                    _ => seek(member, &at, found),
                }
            }
        }
        Value::Array(items) => {
            items.iter().zip(0..).for_each(|(item, index)| seek(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn take(schema: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    found.push((String::from(at), schema.clone()));
    for key in ["items", "not", "propertyNames", "contains", "contentSchema", "additionalProperties"] {
        let is_yes_or_no = key == "additionalProperties" && schema[key].is_boolean();
        schema
            .get(key)
            .filter(|_| !is_yes_or_no)
            .into_iter()
            .for_each(|part| take(part, &format!("{at}/{key}"), found));
    }
    for key in ["properties", "patternProperties", "$defs"] {
        let parts = schema.get(key).and_then(Value::as_object).into_iter().flatten();
        parts.for_each(|(name, part)| take(part, &format!("{at}/{key}/{name}"), found));
    }
    for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        parts.zip(0..).for_each(|(part, index)| take(part, &format!("{at}/{key}/{index}"), found));
    }
}

#[test]
fn every_schema_has_a_shape_that_generators_of_clients_read() {
    let document = document();
    let schemas = schemas_of(&document);
    assert!(schemas.len() > 1_000, "only {} schemas were looked at", schemas.len());
    let faults: Vec<String> = schemas.iter().flat_map(|(at, schema)| faults_of_shape(at, schema)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults_of_shape(at: &str, schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, rule: &str| {
        if !holds {
            faults.push(format!("{at}: {rule}: {schema}"));
        }
    };
    let is_component = at.strip_prefix("/components/schemas/").is_some_and(|name| !name.contains('/'));
    must(schema.is_object(), "a schema is an object");
    let is_array = schema["type"] == "array"
        || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("array")));
    must(!is_array || schema["items"].is_object(), "an array says what its items are");
    must(
        schema.get("prefixItems").is_none() && schema.get("allOf").is_none(),
        "many generators know neither prefixItems nor allOf",
    );
    for key in ["oneOf", "anyOf"] {
        let variants = schema[key].as_array().map(Vec::as_slice).unwrap_or_default();
        must(
            !variants.iter().any(|variant| variant.get("const").is_some()),
            "alternatives of constants are an enum",
        );
        must(variants.len() != 1, "one alternative is none");
    }
    let words = schema["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
    must(words.iter().all(Value::is_string), "an enum is of texts, and null stands beside it");
    if schema.get("$ref").is_some() {
        let keys = schema.as_object().into_iter().flat_map(Map::keys);
        must(
            keys.into_iter().all(|key| ["$ref", "description"].contains(&key.as_str())),
            "only a description stands beside a reference",
        );
    }
    // One that has a name can be generated, and is generated once; recursion goes through a name.
    must(
        is_component || schema.get("properties").is_none(),
        "an object with members of its own is a component",
    );
    let format = schema["format"].as_str();
    must(
        format.is_none_or(|format| ["date-time", "uri", "double"].contains(&format)),
        "a format is registered",
    );
    faults
}

#[test]
fn every_operation_and_callback_has_what_generators_and_readers_need() {
    let document = document();
    let mut ids = BTreeSet::new();
    let items =
        ["paths", "webhooks"].into_iter().flat_map(|part| document[part].as_object().into_iter().flatten());
    for (name, method, operation) in items.flat_map(|(name, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (name, method, operation))
    }) {
        if method == "parameters" {
            continue;
        }
        let at = format!("{method} {name}");
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(
            id.starts_with(|letter: char| letter.is_ascii_lowercase())
                && id.chars().all(|letter| letter.is_ascii_alphanumeric()),
            "{at}: {id}"
        );
        assert!(ids.insert(String::from(id)), "{id} stands for two");
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        assert!(
            tags().any(|(known, _)| known == tag) && operation["tags"].as_array().map(Vec::len) == Some(1),
            "{at}: {tag:?}"
        );
        for key in ["summary", "description"] {
            assert!(operation[key].as_str().is_some_and(|text| !text.trim().is_empty()), "{at} has no {key}");
        }
        let answers: Vec<&String> =
            operation["responses"].as_object().into_iter().flat_map(Map::keys).collect();
        assert!(
            answers.iter().any(|status| status.starts_with('2') || *status == "101"),
            "{at}: {answers:?}"
        );
    }
    assert!(ids.len() > 60, "{}", ids.len());
}

#[test]
fn the_live_feed_names_every_way_in_which_it_is_refused() {
    let document = document();
    let live = &document["paths"]["/v1/projects/{project}/live"]["get"]["responses"];
    let statuses: Vec<&str> = live.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    assert_eq!(statuses, ["101", "401", "403", "404", "422", "429", "500", "503"]);
    for status in statuses.into_iter().filter(|status| *status != "101") {
        let name = live[status]["$ref"]
            .as_str()
            .and_then(|path| path.strip_prefix("#/components/responses/"))
            .unwrap_or_default();
        assert!(
            document["components"]["responses"][name]["content"]["application/problem+json"].is_object(),
            "{status}: {name}"
        );
    }
    let limits = live["429"]["$ref"].as_str().unwrap_or_default();
    assert!(
        limits.ends_with("too-many-requests.quota"),
        "as many sockets as a token may have is a quota: {limits}"
    );
}

/// Every description and summary, with its place.
fn texts_of(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                let at = format!("{at}/{key}");
                match member {
                    Value::String(text) if ["description", "summary", "title"].contains(&key.as_str()) => {
                        found.push((at, text.clone()));
                    }
                    _ => texts_of(member, &at, found),
                }
            }
        }
        Value::Array(items) => {
            items.iter().zip(0..).for_each(|(item, index)| texts_of(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
fn no_description_speaks_of_the_source() {
    let document = document();
    let mut texts = Vec::new();
    texts_of(&document, "", &mut texts);
    assert!(texts.len() > 500, "{}", texts.len());
    let components = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let mut faults = Vec::new();
    for (at, text) in texts {
        for phrase in ["`None`", "`Some", "`Ok", "`Err", "::", "[`", "(docs/", "serde", "schemars"] {
            if text.contains(phrase) {
                faults.push(format!("{at} says {phrase}: {text}"));
            }
        }
        // What stands in backticks is of the wire, a variable of the deployment, or a schema of this
        // document.
        for word in text.split('`').skip(1).step_by(2) {
            let is_constant =
                word.contains('_') && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
            if is_constant && !["ADMIN_TOKEN", "ADMIN_TOKENS"].contains(&word) {
                faults.push(format!("{at} names the constant {word}"));
            }
            let is_type = word.chars().all(char::is_alphanumeric)
                && word.starts_with(|letter: char| letter.is_ascii_uppercase())
                && word.chars().any(|letter| letter.is_ascii_lowercase());
            if is_type && !components.contains_key(word) && !["Allow", "Bearer", "ETag"].contains(&word) {
                faults.push(format!("{at} names the type {word}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_enum_says_what_each_of_its_words_means() {
    let schema = &document()["components"]["schemas"]["DeliveryState"];
    assert_eq!(schema["enum"], json!(["pending", "leased", "waiting", "delivered", "dead", "cancelled"]));
    assert!(
        schema["description"].as_str().is_some_and(|text| text.contains("* `dead`: Given up.\n")),
        "{schema}"
    );
}

#[test]
fn variants_have_names_and_a_discriminator() {
    let schemas = &document()["components"]["schemas"];
    let outcome = &schemas["AttemptOutcome"];
    assert_eq!(outcome["discriminator"]["propertyName"], "kind");
    assert_eq!(
        outcome["discriminator"]["mapping"]["timed_out"],
        "#/components/schemas/AttemptOutcomeTimedOut"
    );
    assert_eq!(schemas["AttemptOutcomeTimedOut"]["properties"]["kind"]["const"], "timed_out");
    assert_eq!(schemas["Condition"]["anyOf"].as_array().map(Vec::len), Some(4));
}

/// Whether a value is what a component says: only what the descriptions of callbacks are made of.
fn fits(document: &Value, name: &str, value: &Value) -> Result<(), String> {
    fit(document, &document["components"]["schemas"][name], value).map_err(|fault| format!("{name}: {fault}"))
}

fn fit(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(path) = schema["$ref"].as_str() {
        return fit(document, document.pointer(path.trim_start_matches('#')).unwrap_or(&Value::Null), value);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let takes = |word: &Value| word == kind || (word == "number" && kind == "integer");
    let kind_fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(words) => words.iter().any(takes),
        word => takes(word),
    };
    if !kind_fits {
        return Err(format!("{value} is not {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value))
        || schema.get("const").is_some_and(|word| word != value)
    {
        return Err(format!("{value} is another word"));
    }
    for part in value.as_array().into_iter().flatten() {
        fit(document, &schema["items"], part)?;
    }
    let Some(members) = value.as_object() else { return Ok(()) };
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(required) {
            return Err(format!("{required} is missing"));
        }
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(of_member) => {
                fit(document, of_member, member).map_err(|fault| format!("{name}: {fault}"))?;
            }
            None if schema.get("properties").is_some() => return Err(format!("{name} is not described")),
            None => {}
        }
    }
    Ok(())
}

#[test]
fn what_receivers_get_is_what_is_described() {
    let document = document();
    let raw = |text: &str| {
        serde_json::value::RawValue::from_string(String::from(text)).unwrap_or_else(|fault| panic!("{fault}"))
    };
    let object = ObjectRef { kind: String::from("deployment"), name: String::from("d1"), version: None };
    let kinds = ["order.paid", "deployment_request_completed", "pipeline_request_failed", "job.status"];
    let datas = [raw(r#"{"request_id":"r","result":{"a":1},"n":12345678901234567890123}"#), raw("null")];
    for contract in crate::webhook::Contract::ALL {
        let item = &document["webhooks"][contract.as_str()]["post"];
        let path =
            item["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        for kind in kinds {
            for (data, object) in [(&datas[0], Some(&object)), (&datas[1], None)] {
                let rendering = Rendering { contract, subscribed_event: None, include_result: true };
                let source = Source { kind, data, object, accepted_at: NOW };
                let body: Value = serde_json::from_str(&render(&rendering, &source)).unwrap_or_default();
                assert_eq!(fits(&document, name, &body), Ok(()), "{contract:?} {kind} {body}");
            }
        }
        let headers: Vec<&str> = item["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|header| header["name"].as_str())
            .collect();
        assert!(
            headers.starts_with(&["webhook-id", "webhook-timestamp", "webhook-signature"]),
            "{headers:?}"
        );
        assert!(
            crate::contract::own_headers(contract).iter().all(|own| headers.contains(own)),
            "{headers:?}"
        );
    }
    for kind in Operational::ALL {
        let item = &document["webhooks"][kind.as_str()]["post"];
        let path =
            item["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
        let schema = document.pointer(path.trim_start_matches('#')).unwrap_or(&Value::Null);
        assert_eq!(schema["properties"]["type"]["const"], kind.as_str());
    }
    let entry = Entry {
        origin: String::from("https://p.example"),
        path: String::from("/v1/x"),
        endpoint: String::from("e"),
    };
    let (chain, log) = (raw(r#"{"list":[]}"#), [raw(r#"{"step":1}"#)]);
    let facts = actinia::Facts {
        project: "p",
        uuid: "u",
        entry: &entry,
        state: crate::run::RunState::Error,
        message: "m",
        progress: Some(crate::run::Progress::new(1, 2, None)),
        created_at: NOW,
        started_at: Some(NOW),
        updated_at: NOW,
        chain: Some(&chain),
        results: None,
        log: &log,
    };
    for kind in [crate::run::CallbackKind::Update, crate::run::CallbackKind::Finished] {
        let text: String = serde_json::from_str(&actinia::callback_body(kind, &facts)).unwrap_or_default();
        let status: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(fits(&document, "RunStatus", &status), Ok(()), "{status}");
    }
}

const NOW: Timestamp = Timestamp(1_795_270_051_204);

/// What the parser of the body of this name says.
fn parsed(name: &str, body: &Value) -> Result<(), InputFault> {
    let policy = Policy::default();
    let text = body.to_string();
    let of_value = |faults: Result<(), crate::fault::Faults>| faults.map_err(InputFault::from);
    match name {
        "ProjectCreate" => crate::project::create(&text).map(drop),
        "SettingsPatch" => crate::project::update(&text).map(drop),
        "TokenCreate" => crate::token::create(&text, NOW).map(drop),
        "WebhookCreate" => of_value(parse::create(body, &policy).map(drop)),
        "WebhookPatch" => {
            let created =
                parse::create(&json!({ "name": "w", "url": "https://w.example/", "events": ["a"] }), &policy);
            let (current, _) = created.unwrap_or_else(|faults| panic!("{faults:?}"));
            of_value(parse::update(&current, body, &policy).map(drop))
        }
        "SecretRotation" => Rotation::parse(&text).map(drop),
        "WebhookTest" => parse::test(&text).map(drop),
        "TestCreate" => parse::trial(&text, &policy).map(drop),
        "EventTypeCreate" => of_value(crate::event::parse_event_type(body).map(drop)),
        "EventTypePatch" => of_value(
            crate::event::update_event_type(crate::event::EventTypeDraft::new(String::from("a")), body)
                .map(drop),
        ),
        "EventCreate" => crate::event::parse_event(&text).map(drop),
        "EventBatch" => crate::event::parse_batch(&text).map(drop),
        "InboxCreate" => crate::inbox::create(&text).map(drop),
        "InboxPatch" => crate::inbox::update(&text).map(drop),
        "ReplayCreate" => crate::replay::parse(&text).map(drop),
        "RunCreate" => {
            let entry = Entry { origin: String::new(), path: String::new(), endpoint: String::new() };
            crate::run::parse::create(&text, &policy, entry).map(drop)
        }
        "RunClaimRequest" => crate::run::parse::claim(&text).map(drop),
        "RunUpdateRequest" => crate::run::parse::update(&text).map(drop),
        "RunFinishRequest" => crate::run::parse::finish(&text).map(drop),
        "ConfigRequest" => {
            let request = crate::config::Request::parse(&text)?;
            crate::config::plan(&crate::config::State::default(), &request, &policy)
                .map(drop)
                .map_err(InputFault::from)
        }
        "ImportRequest" => crate::import::Request::parse(&text).map(drop),
        other => panic!("no parser is known for {other}"),
    }
}

/// Every body that an operation takes, once.
fn bodies() -> BTreeMap<&'static str, Value> {
    let operations = Operation::ALL.iter().map(|id| operation::described(*id));
    operations.filter_map(|operation| operation.body).map(|body| (body.name, body.example)).collect()
}

#[test]
fn every_example_of_a_body_is_taken() {
    for (name, example) in bodies() {
        assert_eq!(parsed(name, &example), Ok(()), "{name}");
    }
}

#[test]
fn parsers_know_the_fields_that_are_described_and_no_others() {
    let schemas = body::schemas();
    for (name, example) in bodies() {
        let mut with_unknown = example.clone();
        with_unknown["x_unknown"] = json!(1);
        let unknown = |outcome: Result<(), InputFault>| match outcome {
            Err(InputFault::Invalid(faults)) => faults
                .into_iter()
                .filter(|fault| fault.detail.contains("not a known field"))
                .map(|fault| fault.pointer)
                .collect(),
            _ => Vec::new(),
        };
        assert_eq!(unknown(parsed(name, &with_unknown)), ["/x_unknown"], "{name}");
        for field in schemas[name]["properties"].as_object().into_iter().flatten().map(|(field, _)| field) {
            let mut with_field = example.clone();
            if with_field.get(field).is_none() {
                with_field[field] = Value::Null;
            }
            assert_eq!(unknown(parsed(name, &with_field)), [] as [String; 0], "{name} {field}");
        }
    }
}

#[test]
fn what_is_required_is_required_by_the_parser_and_nothing_else_is() {
    let schemas = body::schemas();
    for (name, example) in bodies() {
        let required: BTreeSet<&str> =
            schemas[name]["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for field in example.as_object().into_iter().flatten().map(|(field, _)| field.as_str()) {
            let mut without = example.clone();
            if let Some(map) = without.as_object_mut() {
                map.remove(field);
            }
            assert_eq!(parsed(name, &without).is_err(), required.contains(field), "{name} without {field}");
        }
    }
}

/// Whether `schema` takes null: by its type, its values or one of its alternatives.
fn takes_null(schema: &Value) -> bool {
    let has_null = |list: &Value| {
        list.as_array().is_some_and(|list| list.iter().any(|word| word.is_null() || word == "null"))
    };
    let of_alternatives = schema["anyOf"].as_array().into_iter().flatten().any(takes_null);
    has_null(&schema["type"])
        || schema["type"] == "null"
        || (schema["type"].is_null() && has_null(&schema["enum"]))
        || of_alternatives
}

#[test]
fn null_is_taken_where_it_is_described_and_nowhere_else() {
    let schemas = body::schemas();
    for (name, example) in bodies() {
        for (field, schema) in schemas[name]["properties"].as_object().into_iter().flatten() {
            let is_any =
                schema.as_object().is_some_and(|schema| schema.keys().all(|key| key == "description"));
            let mut with_null = example.clone();
            with_null[field] = Value::Null;
            let outcome = parsed(name, &with_null);
            assert_eq!(outcome.is_ok(), is_any || takes_null(schema), "{name} {field}: {outcome:?}");
        }
    }
}

/// The schema itself where `schema` only leads to it, or takes null beside it.
fn plain<'a>(schema: &'a Value, components: &'a Value) -> &'a Value {
    let other = schema["anyOf"]
        .as_array()
        .filter(|parts| parts.len() == 2 && parts[1] == json!({ "type": "null" }))
        .map(|parts| &parts[0]);
    let schema = other.unwrap_or(schema);
    match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some(name) => &components[name],
        None => schema,
    }
}

/// A value at each limit that a schema of a plain field names, and one beyond it.
fn at_limits(schema: &Value) -> Vec<(Value, bool)> {
    let mut values = Vec::new();
    if let (Some(min), Some(max)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        values.extend([
            (json!(min), true),
            (json!(max), true),
            (json!(min - 1), false),
            (json!(max + 1), false),
        ]);
    }
    let is_plain_text = schema["pattern"].is_null()
        || schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("\\u0000"));
    if let (Some(max), None, true) = (schema["maxLength"].as_u64(), schema["format"].as_str(), is_plain_text)
    {
        let text = |chars: u64| json!("ü".repeat(usize::try_from(chars).unwrap_or_default()));
        // Bytes are counted there, and `auth` must hold a colon.
        if max < 4_096 {
            values.extend([(text(max), true), (text(max + 1), false)]);
            values.push((json!(""), schema["minLength"].as_u64().unwrap_or(0) == 0));
            values.push((json!("\u{7}"), schema["pattern"].is_null()));
        }
    }
    for word in schema["enum"].as_array().into_iter().flatten() {
        values.push((word.clone(), true));
    }
    if schema["enum"].is_array() {
        values.push((json!("nonsense"), false));
    }
    values
}

#[test]
fn limits_are_those_of_the_parsers() {
    let components = document()["components"]["schemas"].clone();
    let mut checked = 0;
    for (name, example) in bodies() {
        // What a secret looks like depends on its kind, which no schema says.
        for (field, schema) in components[name]["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(field, _)| *field != "secret")
        {
            for (value, fits) in at_limits(plain(schema, &components)) {
                let mut with_value = example.clone();
                with_value[field] = value.clone();
                // `up42` would ask for a secret of its own kind, `ubiops` for nothing; a pair of kind and
                // secret is one choice.
                let outcome = parsed(name, &with_value);
                let at_field = match &outcome {
                    Err(InputFault::Invalid(faults)) => {
                        faults.iter().any(|fault| fault.pointer.starts_with(&format!("/{field}")))
                    }
                    _ => false,
                };
                assert_eq!(at_field, !fits, "{name} {field} {value}: {outcome:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 120, "only {checked} limits were looked at");
}

/// `DataSchema` describes the schemas that `json_schema` takes; as it is one of them, it can be checked by
/// the same code.
#[test]
fn the_schema_of_schemas_says_what_their_parser_says() {
    let mut described = body::schemas()["DataSchema"].clone();
    if let Some(map) = described.as_object_mut() {
        map.remove("examples");
    }
    // The one keyword that is described with a regular expression, which our schemas have not.
    described["properties"]["$ref"] = json!({ "type": "string" });
    let kinds = &body::schemas()["DataSchemaType"];
    let text = json!({ "$ref": "#/$defs/DataSchema", "$defs": { "DataSchema": described, "DataSchemaType": kinds } }).to_string();
    let text = text.replace("#/components/schemas/", "#/$defs/");
    let of: Value = serde_json::from_str(&text).unwrap_or_default();
    let of = Schema::parse(&of, "").unwrap_or_else(|faults| panic!("{faults:?}"));

    let values = [
        "null",
        "true",
        "-1",
        "0",
        "1.5",
        "7",
        "1000000000",
        "1000000001",
        "\"x\"",
        "\"string\"",
        "\"uuid\"",
        "[]",
        "[1]",
        "[\"a\"]",
        "[\"a\", \"a\"]",
        "[\"null\", \"null\"]",
        "[\"null\", \"string\"]",
        "[{}]",
        "[true]",
        "{}",
        "{\"a\": 1}",
        "{\"a\": {}}",
        "{\"a\": true}",
        "{\"title\": 1}",
        "\"https://json-schema.org/draft/2020-12/schema#\"",
        "\"http://json-schema.org/draft-07/schema#\"",
    ];
    let mut taken = 0;
    for keyword in described["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(keyword, _)| keyword)
        .filter(|word| *word != "$ref")
    {
        for value in values {
            let value: Value = serde_json::from_str(value).unwrap_or_else(|fault| panic!("{value}: {fault}"));
            let schema = json!({ (keyword): value });
            let (described, parsed) = (of.check(&schema, ""), Schema::parse(&schema, ""));
            assert_eq!(
                described.is_empty(),
                parsed.is_ok(),
                "{schema}: described {described:?}, parsed {parsed:?}"
            );
            taken += usize::from(parsed.is_ok());
        }
    }
    assert!(taken > 100, "{taken} were taken");
}
