//! Every native path, once: the edge matches requests with [`Route::parse`], the page builds requests with
//! [`Route::path`]. Names are percent-encoded by `path` and decoded by `parse`.

use crate::webhook::ProjectName;

/// Where the description of the native API is served: `OpenAPI`, a file beside the page.
pub const DESCRIPTION_PATH: &str = "/openapi.json";

/// A path of the native API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/healthz`
    Health,
    /// `/metrics`
    Metrics,
    /// `/v1/token`
    Token,
    /// `/v1/projects`
    Projects,
    /// `/v1/projects/{project}/…`
    Project(ProjectName, Resource),
}

/// What lies below a project. Strings are decoded path segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The project itself.
    Detail,
    /// `tokens`
    Tokens,
    /// `tokens/{id}`
    Token(String),
    /// `webhooks`
    Webhooks,
    /// `webhooks/{name}`
    Webhook(String),
    /// `webhooks/{name}/secret`
    WebhookSecret(String),
    /// `webhooks/{name}/secret/rotate`
    WebhookSecretRotate(String),
    /// `webhooks/{name}/pause`
    WebhookPause(String),
    /// `webhooks/{name}/resume`
    WebhookResume(String),
    /// `webhooks/{name}/test`
    WebhookTest(String),
    /// `tests`
    Tests,
    /// `tests/{id}`
    Test(String),
    /// `event-types`
    EventTypes,
    /// `event-types/{name}`
    EventType(String),
    /// `events`
    Events,
    /// `events/batch`
    EventsBatch,
    /// `events/dry-run`
    EventsDryRun,
    /// `events/export`
    EventsExport,
    /// `events/{id}`
    Event(String),
    /// `deliveries`
    Deliveries,
    /// `deliveries/export`
    DeliveriesExport,
    /// `deliveries/{id}`
    Delivery(String),
    /// `deliveries/{id}/retry`
    DeliveryRetry(String),
    /// `deliveries/{id}/cancel`
    DeliveryCancel(String),
    /// `inboxes`
    Inboxes,
    /// `inboxes/{id}`
    Inbox(String),
    /// `inboxes/{id}/requests`
    InboxRequests(String),
    /// `replays`
    Replays,
    /// `replays/{id}`
    Replay(String),
    /// `replays/{id}/cancel`
    ReplayCancel(String),
    /// `runs`
    Runs,
    /// `runs/claim`
    RunClaim,
    /// `runs/{id}`
    Run(String),
    /// `runs/{id}/updates`
    RunUpdates(String),
    /// `runs/{id}/finish`
    RunFinish(String),
    /// `runs/{id}/terminate`
    RunTerminate(String),
    /// `runs/{id}/callbacks/{kind}/retry`
    RunCallbackRetry(String, String),
    /// `audit`
    Audit,
    /// `config`
    Config,
    /// `config/plan`
    ConfigPlan,
    /// `config/apply`
    ConfigApply,
    /// `import/preview`
    ImportPreview,
    /// `stats`
    Stats,
    /// What Prometheus reads of a project.
    Metrics,
    /// `live`
    Live,
    /// `live/tickets`
    LiveTickets,
}

impl Route {
    /// The route of a raw (still percent-encoded) path without query.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let segments = path.strip_prefix('/')?.split('/').map(decode_segment).collect::<Option<Vec<_>>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match *segments.as_slice() {
            ["healthz"] => Some(Self::Health),
            ["metrics"] => Some(Self::Metrics),
            ["v1", "token"] => Some(Self::Token),
            ["v1", "projects"] => Some(Self::Projects),
            ["v1", "projects", project, ref rest @ ..] => {
                Some(Self::Project(ProjectName::parse(project)?, Resource::parse(rest)?))
            }
            _ => None,
        }
    }

    /// The path, percent-encoded.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Health => String::from("/healthz"),
            Self::Metrics => String::from("/metrics"),
            Self::Token => String::from("/v1/token"),
            Self::Projects => String::from("/v1/projects"),
            Self::Project(project, resource) => {
                let mut path = format!("/v1/projects/{}", encode_segment(project.as_str()));
                for segment in resource.segments() {
                    path.push('/');
                    path.push_str(&encode_segment(segment));
                }
                path
            }
        }
    }
}

impl Route {
    /// The path with `{…}` for each name: one text for all requests of a kind, for logs and counters.
    #[must_use]
    pub fn pattern(&self) -> String {
        match self {
            Self::Project(_, resource) => resource.pattern(),
            other => other.path(),
        }
    }
}

impl Route {
    /// The methods that it takes, as the `Allow` header says them. Where GET is one, HEAD is another.
    #[must_use]
    pub const fn methods(&self) -> &'static str {
        match self {
            Self::Health | Self::Metrics | Self::Token => "GET",
            Self::Projects => "GET, POST",
            Self::Project(_, resource) => resource.methods(),
        }
    }
}

impl Route {
    /// See [`Resource::takes_idempotency_key`].
    #[must_use]
    pub fn takes_idempotency_key(&self, method: &str) -> bool {
        matches!(self, Self::Project(_, resource) if resource.takes_idempotency_key(method))
    }

    /// See [`Resource::takes_if_match`].
    #[must_use]
    pub fn takes_if_match(&self, method: &str) -> bool {
        matches!(self, Self::Project(_, resource) if resource.takes_if_match(method))
    }
}

impl Resource {
    /// Whether a call with this method reads a query. Any other refuses a parameter: it would be ignored.
    #[must_use]
    pub fn reads_query(&self, method: &str) -> bool {
        match self {
            Self::EventsDryRun | Self::EventsExport | Self::DeliveriesExport | Self::Live => true,
            Self::Tokens
            | Self::EventTypes
            | Self::Webhooks
            | Self::Events
            | Self::Deliveries
            | Self::Inboxes
            | Self::InboxRequests(_)
            | Self::Replays
            | Self::Runs
            | Self::Audit
            | Self::Stats => method == "GET",
            _ => false,
        }
    }

    /// Whether a call with this method does what its path says and takes nothing else, so that a field in a body would be ignored.
    #[must_use]
    pub fn takes_no_body(&self, method: &str) -> bool {
        let is_plain = matches!(
            self,
            Self::WebhookPause(_)
                | Self::WebhookResume(_)
                | Self::DeliveryRetry(_)
                | Self::DeliveryCancel(_)
                | Self::ReplayCancel(_)
                | Self::RunTerminate(_)
                | Self::RunCallbackRetry(..)
        );
        is_plain && method == "POST"
    }

    /// The methods that it takes, as the `Allow` header says them. Where GET is one, HEAD is another.
    #[must_use]
    pub const fn methods(&self) -> &'static str {
        match self {
            Self::Detail => "GET, PATCH",
            Self::WebhookSecret(_)
            | Self::Test(_)
            | Self::Event(_)
            | Self::EventsExport
            | Self::Deliveries
            | Self::DeliveriesExport
            | Self::Delivery(_)
            | Self::Replay(_)
            | Self::Run(_)
            | Self::Stats
            | Self::Metrics
            | Self::Audit
            | Self::Config
            | Self::Live => "GET",
            Self::Runs
            | Self::Replays
            | Self::Events
            | Self::Tokens
            | Self::Webhooks
            | Self::EventTypes
            | Self::Inboxes => "GET, POST",
            Self::Token(_) => "DELETE",
            Self::EventType(_) | Self::Webhook(_) | Self::Inbox(_) => "GET, PATCH, DELETE",
            Self::WebhookTest(_)
            | Self::WebhookSecretRotate(_)
            | Self::WebhookPause(_)
            | Self::WebhookResume(_)
            | Self::Tests
            | Self::EventsBatch
            | Self::EventsDryRun
            | Self::DeliveryRetry(_)
            | Self::DeliveryCancel(_)
            | Self::ConfigPlan
            | Self::ConfigApply
            | Self::ImportPreview
            | Self::LiveTickets
            | Self::RunClaim
            | Self::RunUpdates(_)
            | Self::RunFinish(_)
            | Self::RunTerminate(_)
            | Self::RunCallbackRetry(..)
            | Self::ReplayCancel(_) => "POST",
            Self::InboxRequests(_) => "GET, DELETE",
        }
    }

    /// Whether `method` reads an `Idempotency-Key` header, whatever the request turns out to ask for.
    #[must_use]
    pub fn takes_idempotency_key(&self, method: &str) -> bool {
        let is_taken = matches!(
            self,
            Self::Webhooks
                | Self::EventTypes
                | Self::Events
                | Self::EventsBatch
                | Self::Inboxes
                | Self::Replays
                | Self::Runs
                | Self::ConfigApply
        );
        is_taken && method == "POST"
    }

    /// Whether `method` reads an `If-Match` header.
    #[must_use]
    pub fn takes_if_match(&self, method: &str) -> bool {
        match self {
            Self::Webhook(_) | Self::EventType(_) => matches!(method, "PATCH" | "DELETE"),
            Self::WebhookSecretRotate(_) | Self::WebhookPause(_) | Self::WebhookResume(_) => method == "POST",
            _ => false,
        }
    }

    /// The whole path with `{…}` for each name.
    fn pattern(&self) -> String {
        // A name is the second segment, where it is none of the API's own words; one path has another name, the fourth.
        let names = match self {
            Self::Webhook(_)
            | Self::WebhookSecret(_)
            | Self::WebhookSecretRotate(_)
            | Self::WebhookPause(_)
            | Self::WebhookResume(_)
            | Self::WebhookTest(_)
            | Self::EventType(_) => "{name}",
            Self::EventsBatch
            | Self::EventsDryRun
            | Self::EventsExport
            | Self::DeliveriesExport
            | Self::RunClaim
            | Self::ConfigPlan
            | Self::ConfigApply
            | Self::ImportPreview
            | Self::LiveTickets => "",
            _ => "{id}",
        };
        let mut pattern = String::from("/v1/projects/{project}");
        for (at, segment) in self.segments().into_iter().enumerate() {
            pattern.push('/');
            pattern.push_str(match at {
                1 if !names.is_empty() => names,
                3 if matches!(self, Self::RunCallbackRetry(..)) => "{kind}",
                _ => segment,
            });
        }
        pattern
    }

    /// One of each kind; those that hold a name hold `name`. For what must know them all: the description, tests.
    #[cfg(any(test, feature = "openapi"))]
    #[must_use]
    pub fn all(name: &str) -> Vec<Self> {
        let own = || String::from(name);
        vec![
            Self::Detail,
            Self::Tokens,
            Self::Token(own()),
            Self::Webhooks,
            Self::Webhook(own()),
            Self::WebhookSecret(own()),
            Self::WebhookSecretRotate(own()),
            Self::WebhookPause(own()),
            Self::WebhookResume(own()),
            Self::WebhookTest(own()),
            Self::Tests,
            Self::Test(own()),
            Self::EventTypes,
            Self::EventType(own()),
            Self::Events,
            Self::EventsBatch,
            Self::EventsDryRun,
            Self::EventsExport,
            Self::Event(own()),
            Self::Deliveries,
            Self::DeliveriesExport,
            Self::Delivery(own()),
            Self::DeliveryRetry(own()),
            Self::DeliveryCancel(own()),
            Self::Inboxes,
            Self::Inbox(own()),
            Self::InboxRequests(own()),
            Self::Replays,
            Self::Replay(own()),
            Self::ReplayCancel(own()),
            Self::Runs,
            Self::RunClaim,
            Self::Run(own()),
            Self::RunUpdates(own()),
            Self::RunFinish(own()),
            Self::RunTerminate(own()),
            Self::RunCallbackRetry(own(), own()),
            Self::Audit,
            Self::Config,
            Self::ConfigPlan,
            Self::ConfigApply,
            Self::ImportPreview,
            Self::Stats,
            Self::Metrics,
            Self::Live,
            Self::LiveTickets,
        ]
    }

    /// The resource of the decoded segments below the project. No segment may be empty: `webhooks/` names nothing.
    fn parse(segments: &[&str]) -> Option<Self> {
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        let own = |text: &str| String::from(text);
        Some(match *segments {
            [] => Self::Detail,
            ["tokens"] => Self::Tokens,
            ["tokens", id] => Self::Token(own(id)),
            ["webhooks"] => Self::Webhooks,
            ["webhooks", name] => Self::Webhook(own(name)),
            ["webhooks", name, "secret"] => Self::WebhookSecret(own(name)),
            ["webhooks", name, "secret", "rotate"] => Self::WebhookSecretRotate(own(name)),
            ["webhooks", name, "pause"] => Self::WebhookPause(own(name)),
            ["webhooks", name, "resume"] => Self::WebhookResume(own(name)),
            ["webhooks", name, "test"] => Self::WebhookTest(own(name)),
            ["tests"] => Self::Tests,
            ["tests", id] => Self::Test(own(id)),
            ["event-types"] => Self::EventTypes,
            ["event-types", name] => Self::EventType(own(name)),
            ["events"] => Self::Events,
            ["events", "batch"] => Self::EventsBatch,
            ["events", "dry-run"] => Self::EventsDryRun,
            ["events", "export"] => Self::EventsExport,
            ["events", id] => Self::Event(own(id)),
            ["deliveries"] => Self::Deliveries,
            ["deliveries", "export"] => Self::DeliveriesExport,
            ["deliveries", id] => Self::Delivery(own(id)),
            ["deliveries", id, "retry"] => Self::DeliveryRetry(own(id)),
            ["deliveries", id, "cancel"] => Self::DeliveryCancel(own(id)),
            ["inboxes"] => Self::Inboxes,
            ["inboxes", id] => Self::Inbox(own(id)),
            ["inboxes", id, "requests"] => Self::InboxRequests(own(id)),
            ["replays"] => Self::Replays,
            ["replays", id] => Self::Replay(own(id)),
            ["replays", id, "cancel"] => Self::ReplayCancel(own(id)),
            ["runs"] => Self::Runs,
            ["runs", "claim"] => Self::RunClaim,
            ["runs", id] => Self::Run(own(id)),
            ["runs", id, "updates"] => Self::RunUpdates(own(id)),
            ["runs", id, "finish"] => Self::RunFinish(own(id)),
            ["runs", id, "terminate"] => Self::RunTerminate(own(id)),
            ["runs", id, "callbacks", kind, "retry"] => Self::RunCallbackRetry(own(id), own(kind)),
            ["audit"] => Self::Audit,
            ["config"] => Self::Config,
            ["config", "plan"] => Self::ConfigPlan,
            ["config", "apply"] => Self::ConfigApply,
            ["import", "preview"] => Self::ImportPreview,
            ["stats"] => Self::Stats,
            ["metrics"] => Self::Metrics,
            ["live"] => Self::Live,
            ["live", "tickets"] => Self::LiveTickets,
            _ => return None,
        })
    }

    /// The decoded segments below the project.
    fn segments(&self) -> Vec<&str> {
        match self {
            Self::Detail => vec![],
            Self::Tokens => vec!["tokens"],
            Self::Token(id) => vec!["tokens", id],
            Self::Webhooks => vec!["webhooks"],
            Self::Webhook(name) => vec!["webhooks", name],
            Self::WebhookSecret(name) => vec!["webhooks", name, "secret"],
            Self::WebhookSecretRotate(name) => vec!["webhooks", name, "secret", "rotate"],
            Self::WebhookPause(name) => vec!["webhooks", name, "pause"],
            Self::WebhookResume(name) => vec!["webhooks", name, "resume"],
            Self::WebhookTest(name) => vec!["webhooks", name, "test"],
            Self::Tests => vec!["tests"],
            Self::Test(id) => vec!["tests", id],
            Self::EventTypes => vec!["event-types"],
            Self::EventType(name) => vec!["event-types", name],
            Self::Events => vec!["events"],
            Self::EventsBatch => vec!["events", "batch"],
            Self::EventsDryRun => vec!["events", "dry-run"],
            Self::EventsExport => vec!["events", "export"],
            Self::Event(id) => vec!["events", id],
            Self::Deliveries => vec!["deliveries"],
            Self::DeliveriesExport => vec!["deliveries", "export"],
            Self::Delivery(id) => vec!["deliveries", id],
            Self::DeliveryRetry(id) => vec!["deliveries", id, "retry"],
            Self::DeliveryCancel(id) => vec!["deliveries", id, "cancel"],
            Self::Inboxes => vec!["inboxes"],
            Self::Inbox(id) => vec!["inboxes", id],
            Self::InboxRequests(id) => vec!["inboxes", id, "requests"],
            Self::Replays => vec!["replays"],
            Self::Replay(id) => vec!["replays", id],
            Self::ReplayCancel(id) => vec!["replays", id, "cancel"],
            Self::Runs => vec!["runs"],
            Self::RunClaim => vec!["runs", "claim"],
            Self::Run(id) => vec!["runs", id],
            Self::RunUpdates(id) => vec!["runs", id, "updates"],
            Self::RunFinish(id) => vec!["runs", id, "finish"],
            Self::RunTerminate(id) => vec!["runs", id, "terminate"],
            Self::RunCallbackRetry(id, kind) => vec!["runs", id, "callbacks", kind, "retry"],
            Self::Audit => vec!["audit"],
            Self::Config => vec!["config"],
            Self::ConfigPlan => vec!["config", "plan"],
            Self::ConfigApply => vec!["config", "apply"],
            Self::ImportPreview => vec!["import", "preview"],
            Self::Stats => vec!["stats"],
            Self::Metrics => vec!["metrics"],
            Self::Live => vec!["live"],
            Self::LiveTickets => vec!["live", "tickets"],
        }
    }
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

    #[test]
    fn names_travel_in_paths_whatever_they_hold() {
        for name in
            ["plain", "a/b", "100 %", "ü + &?#", "a..b", "...", "%2F", "世界 🌍", "a\\b", "secret", ";=:@"]
        {
            let Some(project) = ProjectName::parse("p1") else { panic!("p1 is a name") };
            for resource in Resource::all(name) {
                let route = Route::Project(project.clone(), resource);
                let path = route.path();
                assert_eq!(Route::parse(&path), Some(route), "{path}");
                let parsed = url::Url::parse(&format!("https://h{path}"));
                assert!(parsed.is_ok_and(|url| url.path() == path), "a URL parser changes {path}");
            }
        }
    }

    #[test]
    fn paths_are_spelt_as_the_api_says() {
        let webhook = ProjectName::parse("p1")
            .map(|project| Route::Project(project, Resource::WebhookSecret(String::from("a/b"))).path());
        assert_eq!(webhook.as_deref(), Some("/v1/projects/p1/webhooks/a%2Fb/secret"));
        assert_eq!((Route::Health.path().as_str(), Route::Metrics.path().as_str()), ("/healthz", "/metrics"));
        assert_eq!(Route::parse(&Route::Token.path()), Some(Route::Token));
    }

    #[test]
    fn every_kind_of_resource_is_among_all_of_them() {
        let source = include_str!("route.rs");
        let declared = source
            .split_once("pub enum Resource {")
            .and_then(|(_, rest)| rest.split_once("\n}\n"))
            .map_or("", |(body, _)| body);
        let declared = declared
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        let listed: Vec<_> = Resource::all("x").iter().map(std::mem::discriminant).collect();
        let different = listed.iter().enumerate().filter(|(at, kind)| !listed[..*at].contains(kind)).count();
        assert_eq!((listed.len(), different), (declared, declared));
    }

    #[test]
    fn a_pattern_holds_no_name() {
        let Some(project) = ProjectName::parse("p1") else { panic!("p1 is a name") };
        let mut patterns = std::collections::BTreeSet::new();
        for resource in Resource::all("secret-name") {
            let pattern = Route::Project(project.clone(), resource).pattern();
            assert!(!pattern.contains("secret-name") && !pattern.contains("p1"), "{pattern}");
            assert!(patterns.insert(pattern.clone()), "two kinds of requests share {pattern}");
        }
        assert!(patterns.contains("/v1/projects/{project}/webhooks/{name}/secret/rotate"));
        assert!(patterns.contains("/v1/projects/{project}/events/batch"));
        assert_eq!(Route::Health.pattern(), "/healthz");
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
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_text_decodes_to_what_was_encoded(text in ".{0,40}") {
            prop_assert_eq!(decode_segment(&encode_segment(&text)), Some(text));
        }

        #[test]
        fn no_path_makes_it_panic(path in ".{0,60}") {
            let _route = Route::parse(&path);
            let _route = Route::parse(&format!("/v1/projects/p1/webhooks/{path}"));
        }
    }
}
