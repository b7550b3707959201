//! The description of the API (`OpenAPI`) as the screen shows it, and the requests that a person makes of it.

use postern_core::route::encode_segment;
use serde_json::Value;

/// Levels of references that are followed to say what something is.
const LEVELS_MAX: usize = 8;

/// Operations that belong together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// What they are about, in a word or two.
    pub(crate) name: String,
    /// The same in a sentence.
    pub(crate) about: String,
    /// In the order of the document.
    pub(crate) operations: Vec<Operation>,
}

/// What a method does at a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    /// Its name for programs.
    pub(crate) id: String,
    /// In capitals.
    pub(crate) method: String,
    /// With `{…}` for parameters.
    pub(crate) path: String,
    /// In a line.
    pub(crate) summary: String,
    /// In more lines.
    pub(crate) about: String,
    /// What stands in path, query and headers.
    pub(crate) parameters: Vec<Parameter>,
    /// What is sent.
    pub(crate) body: Option<Body>,
    /// By status.
    pub(crate) answers: Vec<Answer>,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// In the path.
    Path,
    /// After the question mark.
    Query,
    /// In a header.
    Header,
}

impl Stands {
    /// In a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// Where it stands.
    pub(crate) stands: Stands,
    /// What it is.
    pub(crate) field: Field,
}

/// A parameter, or a member of a body or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: String,
    /// What fits, in words.
    pub(crate) kind: String,
    /// What it means.
    pub(crate) about: String,
    /// Whether it must be there.
    pub(crate) required: bool,
}

/// A request body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body {
    /// Its members.
    pub(crate) fields: Vec<Field>,
    /// One that is taken, laid out.
    pub(crate) example: String,
    /// Whether it must be sent.
    pub(crate) required: bool,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: String,
    /// When.
    pub(crate) about: String,
    /// What it holds, in words; empty for nothing.
    pub(crate) kind: String,
    /// The members of what it holds; none for problems, which are all alike.
    pub(crate) fields: Vec<Field>,
}

/// Reads the description; `None` where it can't be read.
pub(crate) fn read(text: &str) -> Option<Vec<Group>> {
    let document: Value = serde_json::from_str(text).ok()?;
    let mut groups: Vec<Group> = document["tags"]
        .as_array()?
        .iter()
        .map(|tag| Group {
            name: words(&tag["name"]),
            about: words(&tag["description"]),
            operations: Vec::new(),
        })
        .collect();
    for (path, item) in document["paths"].as_object()? {
        let shared = parameters(&document, &item["parameters"]);
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(described) = item.get(method) else { continue };
            let tag = described["tags"][0].as_str()?;
            let group = groups.iter_mut().find(|group| group.name == tag)?;
            group.operations.push(operation(&document, path, method, described, &shared));
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    Some(groups)
}

/// Reads one operation. `shared` are the parameters that its path has for all of its methods.
fn operation(
    document: &Value,
    path: &str,
    method: &str,
    described: &Value,
    shared: &[Parameter],
) -> Operation {
    let own = parameters(document, &described["parameters"]);
    let answers = described["responses"].as_object().into_iter().flatten();
    Operation {
        id: words(&described["operationId"]),
        method: method.to_ascii_uppercase(),
        path: String::from(path),
        summary: words(&described["summary"]),
        about: words(&described["description"]),
        parameters: shared.iter().cloned().chain(own).collect(),
        body: body(document, &described["requestBody"]),
        answers: answers
            .map(|(status, answer)| read_answer(document, status, resolved(document, answer)))
            .collect(),
    }
}

/// A text of the document; empty if absent.
fn words(value: &Value) -> String {
    // Descriptions mark what is code, as Markdown does.
    value.as_str().unwrap_or_default().replace('`', "")
}

/// What a value is, or what it refers to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut found = value;
    for _ in 0..LEVELS_MAX {
        let target =
            found["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?));
        match target {
            Some(target) => found = target,
            None => return found,
        }
    }
    found
}

/// Reads a list of parameters, following references. What stands in neither path nor query is a header: the
/// API has no cookies.
fn parameters(document: &Value, list: &Value) -> Vec<Parameter> {
    let read = |parameter: &Value| {
        let parameter = resolved(document, parameter);
        let stands = match parameter["in"].as_str()? {
            "path" => Stands::Path,
            "query" => Stands::Query,
            _ => Stands::Header,
        };
        let field = Field {
            name: words(&parameter["name"]),
            kind: kind(document, &parameter["schema"]),
            about: words(&parameter["description"]),
            required: parameter["required"] == true,
        };
        Some(Parameter { stands, field })
    };
    list.as_array().into_iter().flatten().filter_map(read).collect()
}

/// Reads the body that an operation takes.
fn body(document: &Value, described: &Value) -> Option<Body> {
    let media = described["content"].get("application/json")?;
    let example = &media["examples"]["example"]["value"];
    Some(Body {
        fields: fields(document, &media["schema"]),
        example: serde_json::to_string_pretty(example).unwrap_or_default(),
        required: described["required"] == true,
    })
}

/// Reads an answer that an operation gives.
fn read_answer(document: &Value, status: &str, answer: &Value) -> Answer {
    let content = answer["content"].as_object().and_then(|content| content.iter().next());
    let (kind, fields) = match content {
        None => (String::new(), Vec::new()),
        Some((media, described)) if media == "application/json" => {
            (kind(document, &described["schema"]), fields(document, &described["schema"]))
        }
        Some((media, described)) if media == "application/problem+json" => {
            let types = described["examples"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(id, _)| id.as_str())
                .collect::<Vec<_>>();
            (types.join(", "), Vec::new())
        }
        Some((media, described)) => (
            media.clone(),
            vec![Field {
                name: media.clone(),
                kind: String::from("text"),
                about: words(&described["schema"]["description"]),
                required: true,
            }],
        ),
    };
    Answer { status: String::from(status), about: words(&answer["description"]), kind, fields }
}

/// The members of an object, or of the items of a list.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let schema = resolved(document, schema);
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
    };
    let mut found: Vec<Field> = properties
        .iter()
        .map(|(name, schema)| Field {
            name: name.clone(),
            kind: kind(document, schema),
            about: about(document, schema),
            required: required(name),
        })
        .collect();
    // What must be there comes first.
    found.sort_by_key(|field| !field.required);
    found
}

/// What something means, by its own words or by those of what it refers to.
fn about(document: &Value, schema: &Value) -> String {
    let own = words(&schema["description"]);
    if own.is_empty() { words(&resolved(document, schema)["description"]) } else { own }
}

/// What fits a schema, in a few words.
fn kind(document: &Value, schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return fixed_words(resolved(document, schema))
            .map_or_else(|| String::from(name), |words| words.join(" | "));
    }
    if let Some(words) = fixed_words(schema) {
        return words.join(" | ");
    }
    if let Some(choices) = choices(schema) {
        let mut kinds: Vec<String> = Vec::new();
        for choice in choices {
            let said = kind(document, choice);
            if !kinds.contains(&said) {
                kinds.push(said);
            }
        }
        return kinds.join(" | ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return String::from("any"),
    };
    let is = |kind: &str| types.contains(&kind);
    let mut said: Vec<String> = types.iter().map(|kind| String::from(*kind)).collect();
    if is("array") {
        let items = &schema["items"];
        let bound = schema["maxItems"].as_u64().map(|max| format!(" (at most {max})")).unwrap_or_default();
        let of = if items.is_null() {
            format!("array{bound}")
        } else {
            format!("array{bound} of {}", kind(document, items))
        };
        said = said.into_iter().map(|word| if word == "array" { of.clone() } else { word }).collect();
    }
    let number = |key: &str| schema[key].as_f64();
    let range = match (number("minimum"), number("maximum")) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) if min != 0.0 => Some(format!("at least {min}")),
        _ => None,
    };
    let length = schema["maxLength"].as_u64().map(|max| format!("at most {max} characters"));
    let format = schema["format"].as_str().filter(|_| is("string")).map(String::from);
    let limits = [range, length, format].into_iter().flatten();
    std::iter::once(said.join(" or ")).chain(limits).collect::<Vec<_>>().join(", ")
}

/// What of which one fits.
fn choices(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())
}

/// The words of which one fits, where nothing else does.
fn fixed_words(schema: &Value) -> Option<Vec<String>> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), String::from);
    if let Some(words) = schema["enum"].as_array() {
        return Some(words.iter().map(word).collect());
    }
    if let Some(value) = schema.get("const") {
        return Some(vec![word(value)]);
    }
    let words: Option<Vec<Vec<String>>> = choices(schema)?.iter().map(fixed_words).collect();
    words.map(|words| words.concat())
}

/// The groups with only those operations that have every typed word; a group without any is left out.
pub(crate) fn fitting(groups: &[Group], typed: &str) -> Vec<Group> {
    let only_fitting = |group: &Group| {
        let operations =
            group.operations.iter().filter(|operation| fits(operation, typed)).cloned().collect();
        Group { operations, ..group.clone() }
    };
    groups.iter().map(only_fitting).filter(|group| !group.operations.is_empty()).collect()
}

/// A parameter as it is listed: where it stands is part of what fits.
pub(crate) fn parameter_field(parameter: &Parameter) -> Field {
    Field {
        kind: format!("{}: {}", parameter.stands.word(), parameter.field.kind),
        ..parameter.field.clone()
    }
}

/// Whether what was typed fits an operation: every word stands in its method, path, summary or name.
fn fits(operation: &Operation, typed: &str) -> bool {
    let text = format!("{} {} {} {}", operation.method, operation.path, operation.summary, operation.id)
        .to_ascii_lowercase();
    typed.split_whitespace().all(|word| text.contains(&word.to_ascii_lowercase()))
}

/// A request as a person filled it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Headers beside the token.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, if any.
    pub(crate) body: Option<String>,
}

/// The request of an operation with these values of its parameters, in their order; empty ones of query and
/// headers are left out. An empty body is not sent.
pub(crate) fn request(operation: &Operation, values: &[String], body: &str) -> Request {
    let mut path = operation.path.clone();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for (parameter, value) in operation.parameters.iter().zip(values) {
        let name = &parameter.field.name;
        match parameter.stands {
            Stands::Path => path = path.replace(&format!("{{{name}}}"), &encode_segment(value)),
            _ if value.is_empty() => {}
            Stands::Query => query.push(format!("{}={}", encode_segment(name), encode_segment(value))),
            Stands::Header => headers.push((name.clone(), value.clone())),
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let body = Some(String::from(body)).filter(|body| operation.body.is_some() && !body.trim().is_empty());
    Request { method: operation.method.clone(), path, headers, body }
}

/// The request as a line for a shell. The token is `$TOKEN`: nobody wants theirs in a history.
pub(crate) fn curl(request: &Request, origin: &str) -> String {
    let mut parts =
        vec![format!("curl -i -X {} {}", request.method, quoted(&format!("{origin}{}", request.path)))];
    parts.push(String::from("-H \"authorization: Bearer $TOKEN\""));
    parts.extend(
        request.headers.iter().map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}")))),
    );
    if let Some(body) = &request.body {
        parts.push(String::from("-H 'content-type: application/json'"));
        let compact =
            postern_core::json::read(body).ok().filter(Value::is_object).map(|body| body.to_string());
        parts.push(format!("-d {}", quoted(compact.as_deref().unwrap_or(body))));
    }
    parts.join(" \\\n  ")
}

/// A word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        read(include_str!("../../../../public/openapi.json"))
            .unwrap_or_else(|| panic!("the description must be one"))
    }

    fn find(id: &str) -> Operation {
        let found =
            groups().into_iter().flat_map(|group| group.operations).find(|operation| operation.id == id);
        found.unwrap_or_else(|| panic!("there must be {id}"))
    }

    #[test]
    fn every_operation_is_shown_with_words_of_its_own() {
        let all: Vec<Operation> = groups().into_iter().flat_map(|group| group.operations).collect();
        assert!(all.len() > 55, "{}", all.len());
        for operation in &all {
            assert!(!operation.summary.is_empty() && !operation.answers.is_empty(), "{}", operation.id);
            let bodies = operation.body.as_ref().into_iter().flat_map(|body| &body.fields);
            let answers = operation.answers.iter().flat_map(|answer| &answer.fields);
            for field in
                operation.parameters.iter().map(|parameter| &parameter.field).chain(bodies).chain(answers)
            {
                assert!(!field.name.is_empty() && !field.kind.is_empty(), "{} {field:?}", operation.id);
            }
        }
    }

    #[test]
    fn a_body_names_what_it_needs_first_and_says_what_fits() {
        let create = find("createWebhook");
        let body = create.body.unwrap_or_else(|| panic!("it has a body"));
        assert!(body.required && body.fields[0].required && body.example.contains("order.*"));
        let kind_of =
            |name: &str| body.fields.iter().find(|field| field.name == name).map(|field| field.kind.clone());
        assert_eq!(kind_of("contract").as_deref(), Some("standard | ubiops | up42"));
        assert_eq!(kind_of("timeout_s").as_deref(), Some("integer or null, 1 to 30"));
        assert_eq!(kind_of("filter").as_deref(), Some("Condition | null"));
        assert_eq!(
            kind_of("events").as_deref(),
            Some("array (at most 50) of string, at most 128 characters")
        );
    }

    #[test]
    fn a_group_without_a_fitting_operation_is_left_out() {
        let all = groups();
        assert_eq!(fitting(&all, "").len(), all.len());
        let found = fitting(&all, "rotate secret");
        assert!(!found.is_empty() && found.len() < all.len());
        assert!(
            found
                .iter()
                .flat_map(|group| &group.operations)
                .all(|operation| fits(operation, "rotate secret"))
        );
        assert_eq!(fitting(&all, "no such words anywhere"), []);
    }

    #[test]
    fn a_parameter_says_where_it_stands() {
        let operation = find("getWebhook");
        let listed: Vec<Field> = operation.parameters.iter().map(parameter_field).collect();
        assert!(
            listed.iter().all(|field| field.kind.starts_with("path: ") || field.kind.starts_with("header: ")),
            "{listed:?}"
        );
    }

    #[test]
    fn answers_tell_problems_by_name() {
        let update = find("updateWebhook");
        let conflict =
            update.answers.iter().find(|answer| answer.status == "409").map(|answer| answer.kind.clone());
        assert_eq!(conflict.as_deref(), Some("name-taken"));
        let good = update.answers.iter().find(|answer| answer.status == "200");
        assert!(
            good.is_some_and(|answer| answer.kind == "WebhookView"
                && answer.fields.iter().any(|field| field.name == "health"))
        );
    }

    #[test]
    fn an_operation_is_found_by_any_of_its_words() {
        let rotate = find("rotateWebhookSecret");
        assert!(fits(&rotate, "post secret") && fits(&rotate, "ROTATE") && fits(&rotate, ""));
        assert!(!fits(&rotate, "rotate inbox"));
    }

    #[test]
    fn a_request_holds_what_was_filled_in_and_nothing_else() {
        let list = find("listWebhooks");
        let values: Vec<String> = list
            .parameters
            .iter()
            .map(|parameter| match parameter.field.name.as_str() {
                "project" => String::from("p1"),
                "search" => String::from("a b&c"),
                _ => String::new(),
            })
            .collect();
        let sent = request(&list, &values, "ignored");
        assert_eq!((sent.path.as_str(), sent.body), ("/v1/projects/p1/webhooks?search=a%20b%26c", None));
        let create = find("createEvent");
        let values: Vec<String> = create
            .parameters
            .iter()
            .map(
                |parameter| {
                    if parameter.stands == Stands::Header { String::from("k") } else { String::from("p/1") }
                },
            )
            .collect();
        let sent = request(&create, &values, "{ \"type\": \"it's\" }");
        assert_eq!(sent.path, "/v1/projects/p%2F1/events");
        assert_eq!(sent.headers, [(String::from("Idempotency-Key"), String::from("k"))]);
        assert_eq!(
            curl(&sent, "https://h.example"),
            "curl -i -X POST 'https://h.example/v1/projects/p%2F1/events' \\\n  -H \"authorization: Bearer $TOKEN\" \\\n  -H 'Idempotency-Key: k' \\\n  \
             -H 'content-type: application/json' \\\n  -d '{\"type\":\"it'\\''s\"}'"
        );
    }
}
