use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::egress::Policy;
use crate::fault::InputFault;
use crate::json_schema::Schema;
use crate::operation::Operation;
use crate::run::Entry;
use crate::time::Timestamp;
use crate::webhook::parse;
use crate::webhook::rotation::Rotation;

/// Where the document is, from this crate.
const FILE: &str = "../public/openapi.json";

#[test]
fn the_committed_document_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
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
    for route in routes() {
        let item = &document["paths"][route.pattern()];
        let described: BTreeSet<String> =
            item.as_object().into_iter().flatten().map(|(key, _)| key.to_ascii_uppercase()).filter(|key| key != "PARAMETERS").collect();
        let taken: BTreeSet<String> = route.methods().split(", ").map(String::from).collect();
        assert_eq!(described, taken, "{}", route.pattern());
    }
    assert_eq!(document["paths"].as_object().map(Map::len), Some(routes().len()));
}

#[test]
fn operations_have_ids_of_their_own_and_known_tags() {
    let mut ids = BTreeSet::new();
    for route in routes() {
        assert!(operation::TAGS.iter().any(|(name, _)| *name == operation::tag(&route)), "{}", route.pattern());
        for operation in operation::operations(&route) {
            assert!(ids.insert(operation.id), "{:?} stands for two operations", operation.id);
            assert!(!operation.answers.is_empty() && !operation.summary.ends_with('.'), "{:?}", operation.id);
        }
    }
    assert_eq!(ids, Operation::ALL.iter().copied().collect(), "the table of operations is what is described");
}

#[test]
fn the_document_asks_for_exactly_the_roles_that_suffice() {
    let document = document();
    let mut found = BTreeSet::new();
    for operation in document["paths"].as_object().into_iter().flatten().flat_map(|(_, item)| item.as_object().into_iter().flatten()) {
        let Ok(id) = serde_json::from_value::<Operation>(operation.1["operationId"].clone()) else { continue };
        let alternatives: Vec<&Value> = operation.1["security"].as_array().into_iter().flatten().collect();
        let asked =
            |role: &str| alternatives.iter().any(|one| one["bearer"].as_array().is_some_and(|roles| roles.iter().all(|of| of == role)));
        for role in Role::ALL {
            let suffices = alternatives.is_empty() || asked(role.as_str());
            assert_eq!(suffices, id.needs().allows(role), "{id:?} {}", role.as_str());
            let is_said = operation.1["description"].as_str().unwrap_or_default().contains(&format!("`{}`", role.as_str()));
            assert_eq!(is_said, suffices && matches!(id.needs(), Needs::Roles(_)), "{id:?} {}", role.as_str());
        }
        found.insert(id);
    }
    assert_eq!(found, Operation::ALL.iter().copied().collect());
}

#[test]
fn every_kind_of_problem_can_be_met_but_a_wrong_method() {
    let met: BTreeSet<&str> = routes()
        .iter()
        .flat_map(|route| operation::operations(route).into_iter().flat_map(|of| of.all_problems(route)))
        .map(ProblemType::id)
        .collect();
    let all: BTreeSet<&str> =
        ProblemType::ALL.into_iter().filter(|kind| *kind != ProblemType::MethodNotAllowed).map(ProblemType::id).collect();
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
            let is_told = ["LiveEvent", "EventView", "DeliveryView"].contains(&name.as_str());
            assert!(is_told || references.contains(&reference), "nothing leads to {reference}");
        }
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            references.extend(map.get("$ref").and_then(Value::as_str).filter(|text| text.starts_with("#/components")).map(String::from));
            map.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[test]
fn descriptions_name_things_and_not_items_of_the_source() {
    assert_eq!(readable("See [`crate::a::B`], at most\n[`C_MAX`].\n\nMore."), "See `B`, at most `C_MAX`.\n\nMore.");
}

const NOW: Timestamp = Timestamp(1_795_270_051_204);

/// What the parser of the body of this name says.
fn parsed(name: &str, body: &Value) -> Result<(), InputFault> {
    let policy = Policy::default();
    let text = body.to_string();
    let of_value = |faults: Result<(), Vec<crate::fault::Fault>>| faults.map_err(InputFault::from);
    match name {
        "ProjectCreate" => crate::project::create(&text).map(drop),
        "SettingsPatch" => crate::project::update(&text).map(drop),
        "TokenCreate" => crate::token::create(&text, NOW).map(drop),
        "WebhookCreate" => of_value(parse::create(body, &policy).map(drop)),
        "WebhookPatch" => {
            let created = parse::create(&json!({ "name": "w", "url": "https://w.example/", "events": ["a"] }), &policy);
            let (current, _) = created.unwrap_or_else(|faults| panic!("{faults:?}"));
            of_value(parse::update(&current, body, &policy).map(drop))
        }
        "SecretRotation" => Rotation::parse(&text).map(drop),
        "WebhookTest" => parse::test(&text).map(drop),
        "TestCreate" => parse::trial(&text, &policy).map(drop),
        "EventTypeCreate" => of_value(crate::event::parse_event_type(body).map(drop)),
        "EventTypePatch" => of_value(crate::event::update_event_type(crate::event::EventTypeDraft::new(String::from("a")), body).map(drop)),
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
            crate::config::plan(&crate::config::State::default(), &request, &policy).map(drop).map_err(InputFault::from)
        }
        "ImportRequest" => crate::import::Request::parse(&text).map(drop),
        other => panic!("no parser is known for {other}"),
    }
}

/// Every body that an operation takes, once.
fn bodies() -> BTreeMap<&'static str, Value> {
    let operations = routes().into_iter().flat_map(|route| operation::operations(&route));
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
            Err(InputFault::Invalid(faults)) => {
                faults.into_iter().filter(|fault| fault.detail.contains("not a known field")).map(|fault| fault.pointer).collect()
            }
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
        let required: BTreeSet<&str> = schemas[name]["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
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
    let has_null = |list: &Value| list.as_array().is_some_and(|list| list.iter().any(|word| word.is_null() || word == "null"));
    let of_alternatives = schema["anyOf"].as_array().into_iter().flatten().any(takes_null);
    has_null(&schema["type"]) || schema["type"] == "null" || (schema["type"].is_null() && has_null(&schema["enum"])) || of_alternatives
}

#[test]
fn null_is_taken_where_it_is_described_and_nowhere_else() {
    let schemas = body::schemas();
    for (name, example) in bodies() {
        for (field, schema) in schemas[name]["properties"].as_object().into_iter().flatten() {
            let is_any = schema.as_object().is_some_and(|schema| schema.keys().all(|key| key == "description"));
            let mut with_null = example.clone();
            with_null[field] = Value::Null;
            let outcome = parsed(name, &with_null);
            assert_eq!(outcome.is_ok(), is_any || takes_null(schema), "{name} {field}: {outcome:?}");
        }
    }
}

/// A value at each limit that a schema of a plain field names, and one beyond it.
fn at_limits(schema: &Value) -> Vec<(Value, bool)> {
    let mut values = Vec::new();
    if let (Some(min), Some(max)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        values.extend([(json!(min), true), (json!(max), true), (json!(min - 1), false), (json!(max + 1), false)]);
    }
    let is_plain_text = schema["pattern"].is_null() || schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("\\u0000"));
    if let (Some(max), None, true) = (schema["maxLength"].as_u64(), schema["format"].as_str(), is_plain_text) {
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
    let schemas = body::schemas();
    let mut checked = 0;
    for (name, example) in bodies() {
        for (field, schema) in schemas[name]["properties"].as_object().into_iter().flatten() {
            for (value, fits) in at_limits(schema) {
                let mut with_value = example.clone();
                with_value[field] = value.clone();
                // `up42` would ask for a secret of its own kind, `ubiops` for nothing; a pair of kind and secret is one choice.
                let outcome = parsed(name, &with_value);
                let at_field = match &outcome {
                    Err(InputFault::Invalid(faults)) => faults.iter().any(|fault| fault.pointer.starts_with(&format!("/{field}"))),
                    _ => false,
                };
                assert_eq!(at_field, !fits, "{name} {field} {value}: {outcome:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 120, "only {checked} limits were looked at");
}

/// `DataSchema` describes the schemas that `json_schema` takes; as it is one of them, it can be checked by the same code.
#[test]
fn the_schema_of_schemas_says_what_their_parser_says() {
    let mut described = body::schemas()["DataSchema"].clone();
    if let Some(map) = described.as_object_mut() {
        map.remove("examples");
    }
    // The one keyword that is described with a regular expression, which our schemas have not.
    described["properties"]["$ref"] = json!({ "type": "string" });
    let text = json!({ "$ref": "#/$defs/DataSchema", "$defs": { "DataSchema": described } }).to_string();
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
    for keyword in described["properties"].as_object().into_iter().flatten().map(|(keyword, _)| keyword).filter(|word| *word != "$ref") {
        for value in values {
            let value: Value = serde_json::from_str(value).unwrap_or_else(|fault| panic!("{value}: {fault}"));
            let schema = json!({ (keyword): value });
            let (described, parsed) = (of.check(&schema, ""), Schema::parse(&schema, ""));
            assert_eq!(described.is_empty(), parsed.is_ok(), "{schema}: described {described:?}, parsed {parsed:?}");
            taken += usize::from(parsed.is_ok());
        }
    }
    assert!(taken > 100, "{taken} were taken");
}
