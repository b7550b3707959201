//! What the query bar offers while somebody types: names of tokens, then their values. Plain Rust.

use std::ops::Range;

use super::model::{pieces, quoted};
use super::token::{Subject, Token, states};

/// As many as are offered at once.
const OFFERED_MAX: usize = 12;

/// What the page knows of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Event types.
    pub(super) types: Vec<String>,
    /// Webhooks, by name.
    pub(super) webhooks: Vec<String>,
}

/// Something that can be put in the place of the word that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// What is put there.
    pub(super) text: String,
    /// What it means.
    pub(super) hint: String,
}

/// What is offered, and for which part of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Completion {
    /// The word that is being typed, in bytes.
    pub(super) range: Range<usize>,
    /// What fits.
    pub(super) offers: Vec<Offer>,
}

impl Completion {
    /// The text with an offer in its place, and where the cursor stands then: behind it, to go on with the
    /// value of a token, or with the next one.
    pub(super) fn taken(&self, typed: &str, offer: &Offer) -> (String, usize) {
        let (before, after) = (&typed[..self.range.start], typed[self.range.end..].trim_start());
        let space = if offer.text.ends_with(':') { "" } else { " " };
        let start = format!("{before}{}{space}", offer.text);
        (format!("{start}{after}"), start.len())
    }
}

/// What fits the word before the cursor, which stands `at` so many bytes.
pub(super) fn complete(subject: Subject, typed: &str, at: usize, known: &Known) -> Completion {
    let at = (0..=at.min(typed.len())).rev().find(|at| typed.is_char_boundary(*at)).unwrap_or_default();
    let piece = pieces(typed).into_iter().find(|piece| piece.range.start < at && at <= piece.range.end);
    let Some(piece) = piece else {
        return Completion { range: at..at, offers: names(subject, "") };
    };
    let offers = match piece.name.as_deref() {
        None => names(subject, &piece.value),
        Some(name) => match subject.token(name) {
            Some(token) => values(token, &piece.value, known),
            None => Vec::new(),
        },
    };
    Completion { range: piece.range, offers }
}

/// Tokens whose names start so.
fn names(subject: Subject, start: &str) -> Vec<Offer> {
    let start = start.to_ascii_lowercase();
    let fitting = subject.tokens().iter().filter(|token| token.name().starts_with(&start));
    fitting
        .map(|token| Offer { text: format!("{}:", token.name()), hint: String::from(token.hint()) })
        .collect()
}

/// Values of a token that hold what was typed of one, those that start with it first.
fn values(token: Token, typed: &str, known: &Known) -> Vec<Offer> {
    let plain = |values: &[String]| values.iter().map(|value| (value.clone(), String::new())).collect();
    let listed = |values: &[(&str, &str)]| {
        values.iter().map(|(value, hint)| (String::from(*value), String::from(*hint))).collect()
    };
    let all: Vec<(String, String)> = match token {
        Token::Since | Token::Until => listed(&TIMES),
        Token::Status => listed(&STATUSES),
        Token::Attempts => listed(&ATTEMPTS),
        Token::State => listed(&states().collect::<Vec<_>>()),
        Token::Type => plain(&known.types),
        Token::Webhook => plain(&known.webhooks),
        Token::Label | Token::Object | Token::Event | Token::Text => Vec::new(),
    };
    let typed = typed.to_lowercase();
    let (starting, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(value, _)| value.to_lowercase().starts_with(&typed));
    let holding = others.into_iter().filter(|(value, hint)| {
        value.to_lowercase().contains(&typed) || hint.to_lowercase().starts_with(&typed)
    });
    let offer = |(value, hint): (String, String)| Offer {
        text: format!("{}:{}", token.name(), quoted(&value)),
        hint,
    };
    starting.into_iter().chain(holding).take(OFFERED_MAX).map(offer).collect()
}

const TIMES: [(&str, &str); 6] = [
    ("15m", "15 minutes ago"),
    ("1h", "an hour ago"),
    ("24h", "a day ago"),
    ("7d", "a week ago"),
    ("today", "midnight, local time"),
    ("yesterday", "midnight before, local time"),
];

const STATUSES: [(&str, &str); 10] = [
    ("5xx", "any failure of the receiver"),
    ("4xx", "any refusal"),
    ("3xx", "any redirect"),
    ("2xx", "any success"),
    ("500", "Internal Server Error"),
    ("503", "Service Unavailable"),
    ("429", "Too Many Requests"),
    ("404", "Not Found"),
    ("401", "Unauthorized"),
    ("410", "Gone"),
];

const ATTEMPTS: [(&str, &str); 3] =
    [(">1", "tried more than once"), (">3", "more than 3 times"), (">=10", "at least 10 times")];

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let names = |names: &[&str]| names.iter().map(|name| String::from(*name)).collect();
        Known { types: names(&["order.paid", "invoice.order"]), webhooks: names(&["crm", "to billing"]) }
    }

    fn offered(typed: &str) -> Vec<String> {
        let found = complete(Subject::Deliveries, typed, typed.len(), &known());
        found.offers.into_iter().map(|offer| offer.text).collect()
    }

    #[test]
    fn names_of_tokens_are_offered_and_then_their_values() {
        assert_eq!(offered("").len(), Subject::Deliveries.tokens().len());
        assert_eq!(offered("st"), ["state:", "status:"]);
        assert_eq!(offered("status:500 EV"), ["event:"]);
        assert_eq!(offered("since:1"), ["since:15m", "since:1h"]);
        assert_eq!(offered("type:order"), ["type:order.paid", "type:invoice.order"]);
        assert_eq!(offered("webhook:b"), ["webhook:\"to billing\""]);
        assert_eq!(offered("state:gave"), ["state:dead"]);
        assert_eq!(offered("label:a"), [""; 0]);
        assert_eq!(offered("nope:a"), [""; 0]);
    }

    #[test]
    fn an_offer_takes_the_place_of_the_word_at_the_cursor() {
        let taken = |typed: &str, at: usize| {
            let found = complete(Subject::Deliveries, typed, at, &known());
            found.offers.first().map(|offer| found.taken(typed, offer))
        };
        assert_eq!(taken("stat", 4), Some((String::from("state:"), 6)));
        assert_eq!(taken("since:1 acme", 7), Some((String::from("since:15m acme"), 10)));
        assert_eq!(taken("a since:7", 9), Some((String::from("a since:7d "), 11)));
        assert_eq!(taken("ü st", 99), Some((String::from("ü state:"), 9)));
        assert_eq!(taken("st ", 3), Some((String::from("st since:"), 9)));
    }
}
