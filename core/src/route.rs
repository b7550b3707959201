//! From a path to an operation and back: the edge finds what a request asks for with [`Path::parse`] and
//! [`Path::route`], the page writes paths with [`Route::path`]. Names are percent-encoded by the one and
//! decoded by the other. Which paths there are is said by the table of [`crate::operation`].

use crate::operation::{Deployment, Method, Operation, Request};
use crate::webhook::ProjectName;

/// Where the description of the native API is served: `OpenAPI`, a file beside the page.
pub const DESCRIPTION_PATH: &str = "/openapi.json";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Something of the deployment.
    Deployment(Deployment),
    /// Something of a project.
    Project(ProjectName, Request),
}

impl Route {
    /// Which operation it is.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Deployment(asked) => asked.operation(),
            Self::Project(_, request) => request.operation(),
        }
    }

    /// The path, percent-encoded.
    #[must_use]
    pub fn path(&self) -> String {
        let (project, names) = match self {
            Self::Deployment(_) => (None, Vec::new()),
            Self::Project(project, request) => (Some(project.as_str()), request.names()),
        };
        let mut names = project.into_iter().chain(names);
        let mut path = String::new();
        for segment in self.operation().pattern().split('/').skip(1) {
            path.push('/');
            let name = if is_name(segment) { names.next() } else { None };
            path.push_str(&name.map_or_else(|| String::from(segment), encode_segment));
        }
        path
    }
}

/// A path of the native API, whatever the method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The project that it names.
    project: Option<ProjectName>,
    /// Its names below the project, decoded.
    names: Vec<String>,
    /// The operations at it, in the order of the table.
    operations: Vec<Operation>,
}

impl Path {
    /// Reads a raw (still percent-encoded) path without query; `None` if there is no such path.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let segments = path.strip_prefix('/')?.split('/').map(decode_segment).collect::<Option<Vec<_>>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        let (project, below) = match *segments.as_slice() {
            ["v1", "projects", project, ref below @ ..] => (Some(ProjectName::parse(project)?), below),
            _ => (None, segments.as_slice()),
        };
        let templates = Operation::ALL
            .iter()
            .filter(|operation| operation.is_of_a_project() == project.is_some())
            .map(|operation| operation.template());
        // A word of the API's own comes before a name: `events/export` is not the event `export`.
        let template = templates
            .filter(|template| fits(template, below))
            .min_by_key(|template| template.matches('{').count())?;
        let names = segments_of(template).zip(below).filter(|(part, _)| is_name(part));
        let operations = Operation::ALL.iter().copied().filter(|operation| operation.template() == template);
        Some(Self {
            project,
            names: names.map(|(_, name)| String::from(*name)).collect(),
            operations: operations.collect(),
        })
    }

    /// The project that it names.
    #[must_use]
    pub const fn project(&self) -> Option<&ProjectName> {
        self.project.as_ref()
    }

    /// It with `{…}` for each name.
    #[must_use]
    pub fn pattern(&self) -> String {
        self.operations.first().map(|operation| operation.pattern()).unwrap_or_default()
    }

    /// What a request with this method asks for.
    ///
    /// # Errors
    /// The path does not take it; these are the methods that it takes.
    pub fn route(self, method: &str) -> Result<Route, Vec<Method>> {
        let method = Method::of_request(method);
        let asked = self.operations.iter().find(|operation| Some(operation.method()) == method);
        let route = asked.and_then(|operation| match self.project {
            Some(project) => Some(Route::Project(project, operation.of_project(self.names)?)),
            None => operation.of_deployment().map(Route::Deployment),
        });
        route.ok_or_else(|| self.operations.iter().map(|operation| operation.method()).collect())
    }
}

/// The parts of a template.
fn segments_of(template: &str) -> impl Iterator<Item = &str> {
    template.split('/').filter(|part| !part.is_empty())
}

/// Whether a part of a template stands for a name.
fn is_name(part: &str) -> bool {
    part.starts_with('{')
}

/// Whether decoded segments are those of a template.
fn fits(template: &str, segments: &[&str]) -> bool {
    let mut parts = segments_of(template);
    segments.iter().all(|segment| parts.next().is_some_and(|part| is_name(part) || part == *segment))
        && parts.next().is_none()
}

/// Percent-encodes everything but unreserved characters (RFC 3986 2.3).
#[must_use]
pub fn encode_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if is_plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(hex_digit(byte >> 4));
            encoded.push(hex_digit(byte & 0xf));
        }
    }
    encoded
}

const fn hex_digit(nibble: u8) -> char {
    (if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }) as char
}

/// Decodes `%xx`; `None` where the escape is broken or the result is not UTF-8. `+` stays `+`.
#[must_use]
pub fn decode_segment(text: &str) -> Option<String> {
    String::from_utf8(decode_bytes(text)?).ok()
}

/// Decodes `%xx` to bytes; `None` where an escape is broken.
pub(crate) fn decode_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (hex_value(bytes.next()?)?, hex_value(bytes.next()?)?);
            decoded.push(high << 4 | low);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::operation::Webhooks;

    fn project() -> ProjectName {
        let Some(project) = ProjectName::parse("p1") else { panic!("p1 is a name") };
        project
    }

    /// Every operation of a project, each of its names `name`.
    fn requests(name: &str) -> Vec<Request> {
        let names = || vec![String::from(name); 2];
        Operation::ALL.iter().filter_map(|operation| operation.of_project(names())).collect()
    }

    fn route(method: &str, path: &str) -> Option<Route> {
        Path::parse(path)?.route(method).ok()
    }

    #[test]
    fn names_travel_in_paths_whatever_they_hold() {
        for name in
            ["plain", "a/b", "100 %", "ü + &?#", "a..b", "...", "%2F", "世界 🌍", "a\\b", "secret", ";=:@"]
        {
            for request in requests(name) {
                let method = request.operation().method().as_str();
                let asked = Route::Project(project(), request);
                let path = asked.path();
                assert_eq!(route(method, &path), Some(asked), "{path}");
                let parsed = url::Url::parse(&format!("https://h{path}"));
                assert!(parsed.is_ok_and(|url| url.path() == path), "a URL parser changes {path}");
            }
        }
    }

    #[test]
    fn every_operation_has_a_path_that_leads_to_it() {
        for operation in Operation::ALL {
            let names = vec![String::from("x"); 2];
            let asked = match (operation.of_deployment(), operation.of_project(names)) {
                (Some(asked), None) => Route::Deployment(asked),
                (None, Some(request)) => Route::Project(project(), request),
                other => panic!("{operation:?} is of one of them: {other:?}"),
            };
            assert_eq!(asked.operation(), *operation);
            let found = route(operation.method().as_str(), &asked.path());
            assert_eq!(found.as_ref().map(Route::operation), Some(*operation), "{}", asked.path());
        }
    }

    #[test]
    fn paths_are_spelt_as_the_api_says() {
        let secret = Webhooks::GetWebhookSecret { name: String::from("a/b") };
        let path = Route::Project(project(), secret.into()).path();
        assert_eq!(path, "/v1/projects/p1/webhooks/a%2Fb/secret");
        let of_deployment = |asked| Route::Deployment(asked).path();
        assert_eq!(of_deployment(Deployment::GetHealth), "/healthz");
        assert_eq!(of_deployment(Deployment::GetMetrics), "/metrics");
        assert_eq!(of_deployment(Deployment::GetToken), "/v1/token");
    }

    #[test]
    fn a_word_of_the_api_is_not_a_name() {
        let found = |method, below: &str| {
            route(method, &format!("/v1/projects/p1/{below}")).map(|route| route.operation())
        };
        assert_eq!(found("GET", "events/export"), Some(Operation::ExportEvents));
        assert_eq!(found("GET", "events/other"), Some(Operation::GetEvent));
        assert_eq!(found("POST", "runs/claim"), Some(Operation::ClaimRun));
        assert_eq!(found("GET", "events/batch"), None, "it takes POST only");
    }

    #[test]
    fn a_path_says_which_methods_it_takes() {
        let allow = |below: &str, method| {
            let path = Path::parse(&format!("/v1/projects/p1{below}"));
            path.map(|path| path.route(method).map(|route| route.operation()))
        };
        assert_eq!(allow("/webhooks", "HEAD"), Some(Ok(Operation::ListWebhooks)));
        assert_eq!(allow("/webhooks", "PUT"), Some(Err(vec![Method::Get, Method::Post])));
        assert_eq!(allow("/webhooks", "get"), Some(Err(vec![Method::Get, Method::Post])));
        assert_eq!(allow("/webhooks/w", "POST"), Some(Err(vec![Method::Get, Method::Patch, Method::Delete])));
        assert_eq!(allow("", "PUT"), Some(Err(vec![Method::Get, Method::Patch, Method::Delete])));
        assert_eq!(allow("/replays/r/cancel", "GET"), Some(Err(vec![Method::Post])));
    }

    #[test]
    fn a_pattern_holds_no_name() {
        let mut patterns = std::collections::BTreeSet::new();
        for request in requests("secret-name") {
            let path = Path::parse(&Route::Project(project(), request.clone()).path());
            let pattern = path.map(|path| path.pattern()).unwrap_or_default();
            assert!(!pattern.contains("secret-name") && !pattern.contains("p1"), "{pattern}");
            assert_eq!(pattern, request.operation().pattern());
            patterns.insert((pattern.clone(), request.operation().method()));
        }
        assert_eq!(patterns.len(), requests("x").len(), "two operations share a method and a path");
        let holds = |text: &str| patterns.iter().any(|(pattern, _)| pattern == text);
        assert!(holds("/v1/projects/{project}/webhooks/{name}/secret/rotate"));
        assert!(holds("/v1/projects/{project}/events/batch"));
        assert!(holds("/v1/projects/{project}"));
        assert_eq!(Operation::GetHealth.pattern(), "/healthz");
    }

    #[test]
    fn other_paths_are_no_routes() {
        for path in [
            "",
            "/",
            "v1/projects",
            "/v1",
            "/v1/projects/",
            "/v2/projects",
            "/v1/projects/P1",
            "/v1/projects/p1/",
            "/v1/projects/p1//webhooks",
            "/v1/projects/p1/webhooks/",
            "/v1/projects/p1/webhooks//secret",
            "/v1/projects/p1/webhooks/w/secret/more",
            "/v1/projects/p1/webhooks/%zz",
            "/v1/projects/p1/webhooks/%ff",
            "/v1/projects/p1/webhooks/%",
            "/v1/projects/p1/nothing",
            "/v1/projects/p1%2Fwebhooks",
            "/healthz/",
        ] {
            assert_eq!(Path::parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_text_decodes_to_what_was_encoded(text in ".{0,40}") {
            prop_assert_eq!(decode_segment(&encode_segment(&text)), Some(text));
        }

        #[test]
        fn no_path_makes_it_panic(path in ".{0,60}") {
            let _route = Path::parse(&path);
            let _route = Path::parse(&format!("/v1/projects/p1/webhooks/{path}"));
        }
    }
}
