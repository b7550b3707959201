//! The tokens of the query bar: what each is called, and the parameter of the API that it stands for.

use postern_core::delivery::State;
use postern_core::fault::Faults;
use postern_core::query::{DeliveryQuery, EventQuery};

use crate::words::state_word;

/// The state of the page's address that stands for all in which a delivery has not ended.
pub(crate) const UNDER_WAY: &str = "under_way";

/// Something to search by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Where a delivery stands.
    State,
    /// Accepted at this time or later.
    Since,
    /// Accepted before this time.
    Until,
    /// What the latest answer was.
    Status,
    /// How often it was tried, at least.
    Attempts,
    /// To which webhook.
    Webhook,
    /// The event type.
    Type,
    /// A label of the event.
    Label,
    /// What the event happened to.
    Object,
    /// The event itself.
    Event,
    /// A text in the payload.
    Text,
}

impl Token {
    /// As it is typed before the colon.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Since => "since",
            Self::Until => "until",
            Self::Status => "status",
            Self::Attempts => "attempts",
            Self::Webhook => "webhook",
            Self::Type => "type",
            Self::Label => "label",
            Self::Object => "object",
            Self::Event => "event",
            Self::Text => "text",
        }
    }

    /// The parameter of the API, which is its name in the address, too.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Attempts => "attempts_min",
            other => other.name(),
        }
    }

    /// What it is for, with an example.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::State => "where it stands: dead, waiting",
            Self::Since => "accepted since: 1h, 2026-11-30T10:00",
            Self::Until => "accepted before: 1h, 2026-11-30T10:00",
            Self::Status => "the latest answer: 503, 5xx",
            Self::Attempts => "how often it was tried: >3",
            Self::Webhook => "the webhook’s name",
            Self::Type => "the event type: order.paid",
            Self::Label => "a label: customer=acme",
            Self::Object => "what it is about: invoice/17",
            Self::Event => "the event’s id: evt_…",
            Self::Text => "a text in the payload: \"acme 17\"",
        }
    }
}

/// What a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Deliveries.
    Deliveries,
    /// Events.
    Events,
}

impl Subject {
    /// What it can be searched by, in the order in which it is offered.
    pub(crate) const fn tokens(self) -> &'static [Token] {
        match self {
            Self::Deliveries => &[
                Token::Since,
                Token::Until,
                Token::State,
                Token::Status,
                Token::Attempts,
                Token::Webhook,
                Token::Type,
                Token::Label,
                Token::Object,
                Token::Event,
                Token::Text,
            ],
            Self::Events => {
                &[Token::Since, Token::Until, Token::Type, Token::Label, Token::Object, Token::Text]
            }
        }
    }

    /// The token with this name.
    pub(super) fn token(self, name: &str) -> Option<Token> {
        self.tokens().iter().find(|token| token.name().eq_ignore_ascii_case(name)).copied()
    }

    /// What the API would say of a query string.
    pub(super) fn judge(self, query: &str) -> Result<(), Faults> {
        match self {
            Self::Deliveries => DeliveryQuery::parse_count(query).map(drop),
            Self::Events => EventQuery::parse(query).map(drop),
        }
    }

    /// What it is called, one or many.
    pub(super) const fn noun(self) -> (&'static str, &'static str) {
        match self {
            Self::Deliveries => ("delivery", "deliveries"),
            Self::Events => ("event", "events"),
        }
    }
}

/// The states that can be asked for: as the address has them, and as people call them.
pub(super) fn states() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = State::ALL.into_iter().map(|state| (state.as_str(), state_word(state).1));
    std::iter::once((UNDER_WAY, "Under way")).chain(all)
}
