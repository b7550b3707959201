//! Schemas in the shapes that generators of clients read.
//!
//! `schemars` and `body` write JSON Schema 2020-12, all of which `OpenAPI` 3.1 takes; tools that read
//! descriptions take less of it. What each rule is for was seen in openapi-python-client 0.29,
//! openapi-typescript 7, hey-api 0.99, orval 8, datamodel-code-generator 0.89 and Spectral 6 (`oas` rules).
//! The tests hold every rule over the whole document.

use serde_json::{Map, Value, json};

/// Rewrites every schema of the document, and gives the variants of tagged enums names of their own.
pub(super) fn shape(document: &mut Value) {
    each_schema(document, &mut reshape);
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        name_variants(schemas);
    }
}

/// Calls `change` with every schema of the document that stands in no other schema: components, and the
/// `schema` of parameters, headers and contents.
fn each_schema(document: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match document {
        Value::Object(map) => {
            for (key, member) in map.iter_mut() {
                match key.as_str() {
                    "schema" => change(member),
                    "schemas" => {
                        member.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(&mut *change);
                    }
                    // Values, which may hold anything.
                    "example" | "examples" => {}
                    _ => each_schema(member, change),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_schema(item, change)),
        _ => {}
    }
}

/// Calls `change` with every schema that stands directly in this one. A yes or no about further members stays
/// one.
fn each_part(schema: &mut Map<String, Value>, change: &mut impl FnMut(&mut Value)) {
    for key in ["items", "not", "propertyNames", "contains", "contentSchema"] {
        schema.get_mut(key).into_iter().for_each(&mut *change);
    }
    schema
        .get_mut("additionalProperties")
        .filter(|further| !further.is_boolean())
        .into_iter()
        .for_each(&mut *change);
    for key in ["properties", "patternProperties", "$defs"] {
        schema
            .get_mut(key)
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(Map::values_mut)
            .for_each(&mut *change);
    }
    for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        schema.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().for_each(&mut *change);
    }
}

fn reshape(schema: &mut Value) {
    // A schema that takes anything is an object for OpenAPI's older readers, never `true`.
    if *schema == Value::Bool(true) {
        *schema = json!({});
    }
    let Some(map) = schema.as_object_mut() else { return };
    each_part(map, &mut reshape);
    pairs_as_lists(map);
    let is_array = map.get("type").is_some_and(|kind| {
        kind == "array" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("array")))
    });
    if is_array && !map.contains_key("items") {
        map.insert(String::from("items"), json!({}));
    }
    constants_as_enum(map);
    // What stands beside a reference, generators pass over or stumble on.
    if map.contains_key("$ref") {
        map.remove("default");
    }
    // Rust's widths (`uint32`) are not registered formats; `minimum` and `maximum` say the same.
    if map.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        map.remove("format");
    }
}

/// A tuple of parts that are all alike is a list of fixed length.
fn pairs_as_lists(schema: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = schema.get("prefixItems") else { return };
    let Some((first, rest)) = parts.split_first() else { return };
    if rest.iter().all(|part| part == first) {
        let first = first.clone();
        schema.remove("prefixItems");
        schema.insert(String::from("items"), first);
    }
}

/// One of some constants is an enum. What each means goes into the description.
fn constants_as_enum(schema: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = schema.get("oneOf") else { return };
    if variants.is_empty() || !variants.iter().all(|variant| variant["const"].is_string()) {
        return;
    }
    let words: Vec<Value> = variants.iter().map(|variant| variant["const"].clone()).collect();
    let meanings: Vec<String> = variants
        .iter()
        .filter_map(|variant| {
            Some(format!("* `{}`: {}", variant["const"].as_str()?, variant["description"].as_str()?))
        })
        .collect();
    if !meanings.is_empty() {
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let described = format!("{about}\n\n{}", meanings.join("\n"));
        schema.insert(String::from("description"), Value::from(described.trim_start()));
    }
    schema.remove("oneOf");
    schema.insert(String::from("type"), Value::from("string"));
    schema.insert(String::from("enum"), Value::Array(words));
}

/// The variants of an enum that one member tells apart become components, with that member as the
/// discriminator: a generator calls them `AttemptOutcomeAnswered` then, and not `AttemptOutcomeType0`.
fn name_variants(schemas: &mut Map<String, Value>) {
    let mut found = Map::new();
    for (name, schema) in schemas.iter_mut() {
        let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { continue };
        let Some(tag) = variants.first().and_then(tag_of) else { continue };
        let mut mapping = Map::new();
        for variant in variants.iter_mut() {
            let Some(word) = variant["properties"][&tag]["const"].as_str().map(String::from) else {
                continue;
            };
            let component = format!("{name}{}", in_pascal_case(&word));
            let reference = format!("#/components/schemas/{component}");
            found.insert(component, std::mem::replace(variant, json!({ "$ref": reference })));
            mapping.insert(word, Value::from(reference));
        }
        schema["discriminator"] = json!({ "propertyName": tag, "mapping": mapping });
    }
    schemas.extend(found);
}

/// The member of a variant that is a constant.
fn tag_of(variant: &Value) -> Option<String> {
    variant["properties"]
        .as_object()?
        .iter()
        .find(|(_, member)| member["const"].is_string())
        .map(|(name, _)| name.clone())
}

/// `timed_out` as `TimedOut`.
pub(super) fn in_pascal_case(word: &str) -> String {
    word.split(['_', '-', '.', ' '])
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        })
        .collect()
}
