//! Every address of the page, once: what it shows is read from the path ([`Place::parse`]) and every link is
//! made from it ([`Place::path`]). What a screen filters, selects or opens stands in the [`Query`].
//!
//! The paths of the API are not here: `postern_core::route` owns them.

use postern_core::id::Kind;
use postern_core::route::{decode_segment, encode_segment};
use postern_core::webhook::ProjectName;

/// Characters of an id behind its prefix.
const UUID_CHARS: usize = 36;

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `/`: goes on to the last project, or to the list of projects.
    Home,
    /// `/projects`
    Projects,
    /// `/p/{project}…`
    Project(ProjectName, Area),
    /// Anything else.
    Nowhere,
}

/// What it shows of a project. Strings are decoded path segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Area {
    /// `/p/{project}`
    Overview,
    /// `…/webhooks`
    Webhooks,
    /// `…/webhooks/new`
    WebhookNew,
    /// `…/webhooks/{name}`
    Webhook(String),
    /// `…/webhooks/{name}/edit`
    WebhookEdit(String),
    /// `…/deliveries`
    Deliveries,
    /// `…/events`
    Events,
    /// `…/event-types`
    EventTypes,
    /// `…/inboxes`
    Inboxes,
    /// `…/inboxes/{id}`
    Inbox(String),
    /// `…/runs`
    Runs,
    /// `…/runs/{id}`
    Run(String),
    /// `…/tokens`
    Tokens,
    /// `…/audit`
    Audit,
    /// `…/settings`
    Settings,
    /// `…/signature`
    Doctor,
    /// `…/reference`
    Reference,
}

impl Place {
    /// The place that a raw (still percent-encoded) path names.
    ///
    /// Empty segments are passed over, so a slash at the end changes nothing. A name that cannot be one of a
    /// project leads to `Nowhere`.
    pub(crate) fn parse(path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            [] => Self::Home,
            ["projects"] => Self::Projects,
            ["p", project, area @ ..] => {
                let project = decode_segment(project).and_then(|name| ProjectName::parse(&name));
                match (project, Area::parse(area)) {
                    (Some(project), Some(area)) => Self::Project(project, area),
                    _ => Self::Nowhere,
                }
            }
            _ => Self::Nowhere,
        }
    }

    /// The path, percent-encoded.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Home | Self::Nowhere => String::from("/"),
            Self::Projects => String::from("/projects"),
            Self::Project(project, area) => format!("/p/{}{}", project.as_str(), area.path()),
        }
    }
}

impl Area {
    fn parse(segments: &[&str]) -> Option<Self> {
        Some(match segments {
            [] => Self::Overview,
            ["webhooks"] => Self::Webhooks,
            ["webhooks", "new"] => Self::WebhookNew,
            ["webhooks", name] => Self::Webhook(webhook_name(name)?),
            ["webhooks", name, "edit"] => Self::WebhookEdit(webhook_name(name)?),
            ["deliveries"] => Self::Deliveries,
            ["events"] => Self::Events,
            ["event-types"] => Self::EventTypes,
            ["inboxes"] => Self::Inboxes,
            ["inboxes", id] => Self::Inbox(decode_segment(id)?),
            ["runs"] => Self::Runs,
            ["runs", id] => Self::Run(decode_segment(id)?),
            ["tokens"] => Self::Tokens,
            ["audit"] => Self::Audit,
            ["settings"] => Self::Settings,
            ["signature"] => Self::Doctor,
            ["reference"] => Self::Reference,
            _ => return None,
        })
    }

    /// Where the thing with this id is shown, and with which query; `None` for what is not an id, or has no
    /// place of its own. The `webhook-id` of a delivery is its id with another prefix.
    pub(crate) fn of_id(id: &str) -> Option<(Self, Query)> {
        let (kind, rest) = id.split_once('_')?;
        let is_id =
            rest.len() == UUID_CHARS && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let open = |id: String| Query::default().with("open", Some(&id));
        let (is, whole) = (|of: Kind| kind == of.prefix().trim_end_matches('_'), String::from(id));
        if !is_id {
            None
        } else if is(Kind::Event) {
            Some((Self::Events, open(whole)))
        } else if is(Kind::Delivery) || is(Kind::Message) {
            Some((Self::Deliveries, open(format!("{}{rest}", Kind::Delivery.prefix()))))
        } else if is(Kind::Inbox) {
            Some((Self::Inbox(whole), Query::default()))
        } else if is(Kind::Run) {
            Some((Self::Run(whole), Query::default()))
        } else {
            None
        }
    }

    fn path(&self) -> String {
        match self {
            Self::Overview => String::new(),
            Self::Webhooks => String::from("/webhooks"),
            Self::WebhookNew => String::from("/webhooks/new"),
            Self::Webhook(name) => format!("/webhooks/{}", webhook_segment(name)),
            Self::WebhookEdit(name) => format!("/webhooks/{}/edit", webhook_segment(name)),
            Self::Deliveries => String::from("/deliveries"),
            Self::Events => String::from("/events"),
            Self::EventTypes => String::from("/event-types"),
            Self::Inboxes => String::from("/inboxes"),
            Self::Inbox(id) => format!("/inboxes/{}", encode_segment(id)),
            Self::Runs => String::from("/runs"),
            Self::Run(id) => format!("/runs/{}", encode_segment(id)),
            Self::Tokens => String::from("/tokens"),
            Self::Audit => String::from("/audit"),
            Self::Settings => String::from("/settings"),
            Self::Doctor => String::from("/signature"),
            Self::Reference => String::from("/reference"),
        }
    }

    /// The entry of the navigation that this area belongs to.
    pub(crate) const fn section(&self) -> Self {
        match self {
            Self::Overview => Self::Overview,
            Self::Webhooks | Self::WebhookNew | Self::Webhook(_) | Self::WebhookEdit(_) => Self::Webhooks,
            Self::Deliveries => Self::Deliveries,
            Self::Events => Self::Events,
            Self::EventTypes => Self::EventTypes,
            Self::Inboxes | Self::Inbox(_) => Self::Inboxes,
            Self::Runs | Self::Run(_) => Self::Runs,
            Self::Tokens => Self::Tokens,
            Self::Audit => Self::Audit,
            Self::Settings => Self::Settings,
            Self::Doctor => Self::Doctor,
            Self::Reference => Self::Reference,
        }
    }
}

/// A webhook's name as a path segment, encoded twice: the assets server answers a page address with its
/// decoded and encoded form, which would turn an escaped slash into a slash. Plain names look the same either
/// way. The name `new` is written with an escape, so that it is not the form for a new one.
fn webhook_segment(name: &str) -> String {
    let once = if name == "new" { String::from("%6Eew") } else { encode_segment(name) };
    encode_segment(&once)
}

/// The name that [`webhook_segment`] wrote.
fn webhook_name(segment: &str) -> Option<String> {
    decode_segment(&decode_segment(segment)?)
}

/// The part of the address after `?`: filters, pages and open drawers, in the order they were set.
///
/// A list and not a map: the order is what a person sees in the address bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `?a=b&c=d`, with or without the question mark. Pairs that do not decode are dropped.
    pub(crate) fn parse(text: &str) -> Self {
        let decode = |part: &str| decode_segment(&part.replace('+', " "));
        let pairs = text.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .filter_map(|pair| {
                    pair.split_once('=').and_then(|(key, value)| Some((decode(key)?, decode(value)?)))
                })
                .collect(),
        )
    }

    /// The first value of `key`; an empty one counts as none.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        self.0.iter().find(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.clone())
    }

    /// Every value of `key`, in their order; empty ones count as none.
    pub(crate) fn values(&self, key: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// This query with `key` set to `value` alone, or without it. An empty value removes it.
    pub(crate) fn with(self, key: &str, value: Option<&str>) -> Self {
        let values: Vec<String> = value.map(String::from).into_iter().collect();
        self.with_values(key, &values)
    }

    /// This query with `key` set to each of `values` that is not empty, instead of those it has.
    ///
    /// A key keeps its place, so that the address does not change its order while somebody tries filters.
    pub(crate) fn with_values(mut self, key: &str, values: &[String]) -> Self {
        let at = self.0.iter().position(|(name, _)| name == key).unwrap_or(self.0.len());
        self.0.retain(|(name, _)| name != key);
        let pairs = values.iter().filter(|value| !value.is_empty());
        self.0.splice(at..at, pairs.map(|value| (String::from(key), value.clone())));
        self
    }

    /// `?a=b&c=d`, or nothing where there are no pairs.
    pub(crate) fn text(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| format!("{}={}", encode_segment(key), encode_segment(value)))
            .collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> ProjectName {
        ProjectName::parse("demo").expect("a good name")
    }

    #[test]
    fn every_place_is_found_again_by_its_path() {
        let name = String::from("orders to/billing?");
        let areas = [
            Area::Overview,
            Area::Webhooks,
            Area::WebhookNew,
            Area::Webhook(name.clone()),
            Area::WebhookEdit(name),
            Area::Deliveries,
            Area::Events,
            Area::EventTypes,
            Area::Inboxes,
            Area::Inbox(String::from("ibx_1")),
            Area::Runs,
            Area::Run(String::from("run_1")),
            Area::Tokens,
            Area::Audit,
            Area::Settings,
        ];
        for area in areas {
            let place = Place::Project(project(), area);
            assert_eq!(Place::parse(&place.path()), place);
        }
        assert_eq!(Place::parse("/"), Place::Home);
        assert_eq!(Place::parse(&Place::Projects.path()), Place::Projects);
    }

    #[test]
    fn an_id_leads_to_what_it_names() {
        let led = |prefix: &str| {
            let found = Area::of_id(&format!("{prefix}019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11"));
            found.map(|(area, query)| format!("{}{}", area.path(), query.text()))
        };
        let uuid = "019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11";
        assert_eq!(led("evt_"), Some(format!("/events?open=evt_{uuid}")));
        assert_eq!(led("dlv_"), Some(format!("/deliveries?open=dlv_{uuid}")));
        assert_eq!(led("msg_"), Some(format!("/deliveries?open=dlv_{uuid}")));
        assert_eq!(led("run_"), Some(format!("/runs/run_{uuid}")));
        assert_eq!(led("ibx_"), Some(format!("/inboxes/ibx_{uuid}")));
        for other in ["tok_", "evt", "", "xevt_"] {
            assert_eq!(led(other), None, "{other}");
        }
        assert_eq!(Area::of_id("evt_1"), None);
    }

    #[test]
    fn a_webhook_may_have_the_name_of_a_page() {
        for name in ["new", "edit", "webhooks", "a/b 100%", "%2F"] {
            let place = Place::Project(project(), Area::Webhook(String::from(name)));
            assert_eq!(Place::parse(&place.path()), place, "{name}");
        }
    }

    #[test]
    fn what_is_no_address_of_ours_is_nowhere() {
        for path in
            ["/p/Not-A-Project/webhooks", "/p/demo/unknown", "/p", "/webhooks", "/p/demo/webhooks/a/b/c"]
        {
            assert_eq!(Place::parse(path), Place::Nowhere, "{path}");
        }
    }

    #[test]
    fn a_query_reads_back_as_it_was_written() {
        let query = Query::default().with("search", Some("a&b=c +ü")).with("state", Some("dead"));
        assert_eq!(Query::parse(&query.text()), query);
        assert_eq!(query.value("search").as_deref(), Some("a&b=c +ü"));
        assert_eq!(query.clone().with("search", None).text(), "?state=dead");
        assert_eq!(query.with("state", Some("")).value("state"), None);
    }

    #[test]
    fn a_key_may_have_several_values() {
        let labels = ["a:1", "", "b:2"].map(String::from);
        let query = Query::parse("?label=x%3A0&state=dead").with_values("label", &labels);
        assert_eq!(query.text(), "?label=a%3A1&label=b%3A2&state=dead");
        assert_eq!(Query::parse(&query.text()).values("label"), ["a:1", "b:2"]);
        assert_eq!(query.with("label", None).text(), "?state=dead");
    }
}
