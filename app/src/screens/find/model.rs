//! What is typed into the query bar as the query of the address, and back. Plain Rust: the present and the
//! offset of local time are arguments, and what may be asked is `core`'s word.

use std::ops::Range;

use postern_core::event::is_event_type;
use postern_core::fault::Fault;
use postern_core::search::ObjectFilter;
use postern_core::time::Timestamp;

use super::moment;
use super::token::{Subject, Token, UNDER_WAY, states};
use crate::routes::{Area, Query};

/// A part of what is typed, between white space that stands outside of quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it stands, in bytes.
    pub(super) range: Range<usize>,
    /// What stands before its colon.
    pub(super) name: Option<String>,
    /// The rest, without quotes.
    pub(super) value: String,
}

/// The parts of what is typed. Quotes hold white space together, and `\"` is a quote within them; one that is
/// not closed ends with the text.
pub(super) fn pieces(typed: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut letters = typed.char_indices().peekable();
    while let Some((start, first)) = letters.peek().copied() {
        if first.is_whitespace() {
            letters.next();
            continue;
        }
        let mut piece = Piece { range: start..typed.len(), name: None, value: String::new() };
        let (mut is_quoted, mut was_quoted) = (false, false);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => (is_quoted, was_quoted) = (!is_quoted, true),
                '\\' if is_quoted && letters.next_if(|(_, next)| *next == '"').is_some() => {
                    piece.value.push('"');
                }
                ':' if piece.name.is_none() && !was_quoted && is_name(&piece.value) => {
                    piece.name = Some(std::mem::take(&mut piece.value));
                }
                _ if letter.is_whitespace() && !is_quoted => {
                    piece.range.end = at;
                    break;
                }
                _ => piece.value.push(letter),
            }
        }
        found.push(piece);
    }
    found
}

/// Whether a text could be the name of a token, so that what follows its colon is not a part of a text.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// A value as it is typed: in quotes where it needs them.
pub(super) fn quoted(value: &str) -> String {
    let is_plain =
        !value.is_empty() && !value.contains(|letter: char| letter.is_whitespace() || letter == '"');
    if is_plain { String::from(value) } else { format!("\"{}\"", value.replace('"', "\\\"")) }
}

/// What a query of the page asks of a list: its parameters alone.
pub(crate) fn own_query(subject: Subject, page: &Query) -> Query {
    subject
        .tokens()
        .iter()
        .fold(Query::default(), |query, token| query.with_values(token.key(), &page.values(token.key())))
}

/// Whether a query of the page restricts a list.
pub(crate) fn is_filtered(subject: Subject, page: &Query) -> bool {
    own_query(subject, page) != Query::default()
}

/// A query without what restricts a list.
pub(crate) fn unfiltered(subject: Subject, page: Query) -> Query {
    subject.tokens().iter().fold(page, |query, token| query.with(token.key(), None))
}

/// The query with its times as the API has them, where it is asked now.
pub(crate) fn asked(page: &Query, now: Timestamp) -> Query {
    [Token::Since, Token::Until].into_iter().fold(page.clone(), |query, token| {
        let at = query.value(token.key()).and_then(|text| moment::at(&text, now));
        match at {
            Some(at) => query.with(token.key(), Some(&at.to_rfc3339())),
            None => query,
        }
    })
}

/// Whether only the API can say what fits: what the live feed tells of a delivery has no labels, no object
/// and no payload.
pub(crate) fn needs_the_event(page: &Query) -> bool {
    [Token::Label, Token::Object, Token::Text].iter().any(|token| page.value(token.key()).is_some())
}

/// The query that follows when `typed` is added to `page`: a token takes the place of what was asked by it
/// before, a label only that of the same label.
///
/// An id alone opens what it names: an event in the list of events, a delivery in that of deliveries.
///
/// # Errors
/// What is wrong, each with the part of `typed` that it is about.
pub(super) fn applied(
    subject: Subject,
    page: &Query,
    typed: &str,
    now: Timestamp,
    offset_min: impl Fn(Timestamp) -> i64,
) -> Result<Query, Vec<Fault>> {
    if let Some(open) = opened(subject, typed.trim()) {
        return Ok(page.clone().with("open", Some(&open)));
    }
    let mut query = page.clone();
    let (mut given, mut words, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces(typed) {
        let written = &typed[piece.range.clone()];
        let Some(name) = &piece.name else {
            words.push(piece.value);
            continue;
        };
        let Some(token) = subject.token(name) else {
            faults.push(Fault::new(written, unknown(subject, written)));
            continue;
        };
        if token != Token::Label && given.iter().any(|(known, _)| *known == token) {
            faults.push(Fault::new(written, "is given twice: keep one"));
            continue;
        }
        match value_of(token, &piece.value, now, &offset_min) {
            Ok(value) => query = put(query, token, value),
            Err(detail) => faults.push(Fault::new(written, detail)),
        }
        given.push((token, String::from(written)));
    }
    if !words.is_empty() {
        let text = words.join(" ");
        match given.iter().find(|(token, _)| *token == Token::Text) {
            Some((_, written)) => {
                let detail = format!("stands beside {}: put both into one pair of quotes", quoted(&text));
                faults.push(Fault::new(written, detail));
            }
            None if subject == Subject::Deliveries && is_event_id(&text) => {
                query = put(query, Token::Event, text);
            }
            None => {
                query = put(query, Token::Text, text.clone());
                given.push((Token::Text, text));
            }
        }
    }
    faults.extend(judged(subject, &query, now, &offset_min, &given));
    if faults.is_empty() { Ok(query) } else { Err(faults) }
}

/// What is wrong with the query of an address, each with the token that it is about.
pub(super) fn faults(
    subject: Subject,
    page: &Query,
    now: Timestamp,
    offset_min: impl Fn(Timestamp) -> i64,
) -> Vec<Fault> {
    judged(subject, page, now, &offset_min, &[])
}

/// What `core`'s parser says of a query. `given` is how tokens stand in what was typed.
fn judged(
    subject: Subject,
    page: &Query,
    now: Timestamp,
    offset_min: &impl Fn(Timestamp) -> i64,
    given: &[(Token, String)],
) -> Vec<Fault> {
    let mut query = asked(&own_query(subject, page), now);
    if query.value(Token::State.key()).as_deref() == Some(UNDER_WAY) {
        query = query.with(Token::State.key(), None);
    }
    let Err(found) = subject.judge(query.text().trim_start_matches('?')) else { return Vec::new() };
    let about = |fault: Fault| {
        let key = fault.pointer.strip_prefix('?')?;
        let token = *subject.tokens().iter().find(|token| token.key() == key)?;
        let value = query.value(key).unwrap_or_default();
        let typed = given.iter().find(|(known, _)| *known == token).map(|(_, written)| written.clone());
        let written = typed.unwrap_or_else(|| typed_of(token, &value, offset_min));
        let is_time = matches!(token, Token::Since | Token::Until) && moment::at(&value, now).is_none();
        let detail = if is_time { String::from(moment::RULE) } else { fault.detail };
        Some(Fault::new(written, detail))
    };
    found.into_named().into_iter().filter_map(about).collect()
}

/// The value of a token as the address has it.
///
/// # Errors
/// What to write instead.
fn value_of(
    token: Token,
    typed: &str,
    now: Timestamp,
    offset_min: &impl Fn(Timestamp) -> i64,
) -> Result<String, String> {
    if typed.is_empty() {
        return Err(format!("says nothing: write {}", token.hint()));
    }
    match token {
        Token::Since | Token::Until => {
            moment::of_typed(typed, now, offset_min).ok_or_else(|| String::from(moment::RULE))
        }
        Token::Attempts => attempts_min(typed).map(|least| least.to_string()).ok_or_else(|| {
            String::from(
                "is not a number that can be searched by: write >3 for more than 3, >=3 for at least 3",
            )
        }),
        Token::Label => label(typed).ok_or_else(|| {
            String::from("is not a label: write its key, = and its value, such as label:customer=acme")
        }),
        Token::State => states()
            .find(|(state, words)| [*state, *words].iter().any(|known| known.eq_ignore_ascii_case(typed)))
            .map(|(state, _)| String::from(state))
            .ok_or_else(|| {
                let known: Vec<&str> = states().map(|(state, _)| state).collect();
                format!("is not a state: write one of {}", known.join(", "))
            }),
        Token::Type if !is_event_type(typed) => Err(String::from(
            "is not an event type: write one in full, such as order.paid; patterns find nothing",
        )),
        Token::Object if ObjectFilter::parse(typed).is_none() => {
            Err(String::from("is not an object: write its type, or type/name, such as invoice/17"))
        }
        Token::Type | Token::Object | Token::Status | Token::Webhook | Token::Event | Token::Text => {
            Ok(String::from(typed))
        }
    }
}

/// The least number of attempts that `>3`, `>=3` or `3+` means.
fn attempts_min(typed: &str) -> Option<u32> {
    if let Some(number) = typed.strip_prefix(">=").or_else(|| typed.strip_suffix('+')) {
        return number.trim().parse().ok();
    }
    typed.strip_prefix('>')?.trim().parse::<u32>().ok()?.checked_add(1)
}

/// A label as the API has it: `customer:acme` for `customer=acme`, which may be typed with a colon too.
fn label(typed: &str) -> Option<String> {
    let (key, value) = typed.split_once('=').or_else(|| typed.split_once(':'))?;
    (!key.is_empty() && !key.contains(':')).then(|| format!("{key}:{value}"))
}

/// The query with a token's value, in the place of what it asked for by it.
fn put(query: Query, token: Token, value: String) -> Query {
    if token != Token::Label {
        return query.with(token.key(), Some(&value));
    }
    let key_of = |label: &str| label.split_once(':').map(|(key, _)| String::from(key));
    let mut labels = query.values(token.key());
    labels.retain(|label| key_of(label) != key_of(&value));
    labels.push(value);
    query.with_values(token.key(), &labels)
}

/// What an unknown name leads to.
fn unknown(subject: Subject, written: &str) -> String {
    let known: Vec<&str> = subject.tokens().iter().map(|token| token.name()).collect();
    let text = quoted(written);
    let text = if text == written { format!("\"{written}\"") } else { text };
    format!("has no such name here. Known are {}. As a text, write it in quotes: {text}", known.join(", "))
}

/// Whether a text is the id of an event.
fn is_event_id(text: &str) -> bool {
    Area::of_id(text).is_some_and(|(area, _)| area == Area::Events)
}

/// The id that a typed one opens in a list.
fn opened(subject: Subject, typed: &str) -> Option<String> {
    let (area, query) = Area::of_id(typed)?;
    let is_here = match subject {
        Subject::Deliveries => area == Area::Deliveries,
        Subject::Events => area == Area::Events,
    };
    query.value("open").filter(|_| is_here)
}

/// A value of the address as it would be typed: `attempts:>=4`.
pub(super) fn typed_of(token: Token, value: &str, offset_min: &impl Fn(Timestamp) -> i64) -> String {
    let value = match token {
        Token::Since | Token::Until => moment::typed_of(value, offset_min),
        Token::Attempts => format!(">={value}"),
        Token::Label => value.replacen(':', "=", 1),
        _ => String::from(value),
    };
    format!("{}:{}", token.name(), quoted(&value))
}

/// Something that a list is restricted by, to be shown and removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chip {
    /// By what.
    pub(crate) token: Token,
    /// The value as the address has it.
    pub(super) value: String,
    /// Both, as people say it.
    pub(crate) words: String,
    /// Both, as they would be typed.
    pub(super) typed: String,
}

/// What a list is restricted by, in the order in which tokens are offered.
pub(crate) fn chips(subject: Subject, page: &Query, offset_min: impl Fn(Timestamp) -> i64) -> Vec<Chip> {
    let chip = |token: Token, value: String| {
        let said = match token {
            Token::Since | Token::Until => moment::said(&value, &offset_min),
            Token::Attempts => format!("at least {value}"),
            Token::Label => value.replacen(':', " = ", 1),
            Token::Text => format!("“{value}”"),
            Token::State => states()
                .find(|(state, _)| *state == value)
                .map_or_else(|| value.clone(), |(_, words)| String::from(words)),
            _ => value.clone(),
        };
        let words = format!("{}: {said}", token.name());
        Chip { token, words, typed: typed_of(token, &value, &offset_min), value }
    };
    let of = |token: &Token| {
        page.values(token.key()).into_iter().map(|value| chip(*token, value)).collect::<Vec<_>>()
    };
    subject.tokens().iter().flat_map(of).collect()
}

/// The query without what a chip stands for.
pub(super) fn without(page: Query, chip: &Chip) -> Query {
    let mut values = page.values(chip.token.key());
    values.retain(|value| *value != chip.value);
    page.with_values(chip.token.key(), &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T14:07:31.204Z.
    const NOW: Timestamp = Timestamp(1_795_270_051_204);
    const ID: &str = "evt_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11";

    fn typed(text: &str) -> Result<String, Vec<String>> {
        added(&Query::default(), text)
    }

    fn added(page: &Query, text: &str) -> Result<String, Vec<String>> {
        in_list(Subject::Deliveries, page, text)
    }

    fn in_list(subject: Subject, page: &Query, text: &str) -> Result<String, Vec<String>> {
        let said = |fault: Fault| format!("{} {}", fault.pointer, fault.detail);
        applied(subject, page, text, NOW, |_| 60)
            .map(|query| query.text())
            .map_err(|faults| faults.into_iter().map(said).collect())
    }

    #[test]
    fn quotes_hold_words_together() {
        let parts = |text: &str| {
            pieces(text)
                .into_iter()
                .map(|piece| (piece.name.unwrap_or_default(), piece.value))
                .collect::<Vec<_>>()
        };
        let part = |name: &str, value: &str| (String::from(name), String::from(value));
        assert_eq!(
            parts(" status:5xx  text:\"acme 17\" two"),
            [part("status", "5xx"), part("text", "acme 17"), part("", "two")]
        );
        assert_eq!(parts("\"a:b c\""), [part("", "a:b c")]);
        assert_eq!(parts(r#"label:"a=say \"hi\"""#), [part("label", "a=say \"hi\"")]);
        assert_eq!(parts("webhook:\"not closed"), [part("webhook", "not closed")]);
        assert_eq!(parts("10:30 ü:1"), [part("", "10:30"), part("", "ü:1")]);
        assert_eq!(parts(""), []);
        let ranges: Vec<_> = pieces("a  b:c").into_iter().map(|piece| piece.range).collect();
        assert_eq!(ranges, [0..1, 3..6]);
    }

    #[test]
    fn every_token_becomes_a_parameter_of_the_api() {
        for (text, query) in [
            ("since:1h", "?since=1h"),
            ("since:2026-11-30T10:00", "?since=2026-11-30T09%3A00%3A00.000Z"),
            ("until:10m", "?until=10m"),
            ("status:500", "?status=500"),
            ("status:5xx", "?status=5xx"),
            ("attempts:>3", "?attempts_min=4"),
            ("attempts:>=3", "?attempts_min=3"),
            ("attempts:3+", "?attempts_min=3"),
            ("label:customer=acme", "?label=customer%3Aacme"),
            ("label:customer:acme", "?label=customer%3Aacme"),
            ("label:a=1 label:b=2", "?label=a%3A1&label=b%3A2"),
            ("object:invoice/17", "?object=invoice%2F17"),
            ("type:order.paid", "?type=order.paid"),
            ("webhook:\"orders to billing\"", "?webhook=orders%20to%20billing"),
            ("state:dead", "?state=dead"),
            ("state:\"gave up\"", "?state=dead"),
            ("STATE:under_way", "?state=under_way"),
            ("text:\"acme 17\"", "?text=acme%2017"),
            ("acme 17", "?text=acme%2017"),
            ("\"a:b\"", "?text=a%3Ab"),
        ] {
            assert_eq!(typed(text).as_deref(), Ok(query), "{text}");
        }
        assert_eq!(typed(&format!("event:{ID}")), Ok(format!("?event={ID}")));
        assert_eq!(typed(ID), Ok(format!("?event={ID}")), "a pasted id is one of an event");
    }

    #[test]
    fn a_fault_names_its_token_and_says_what_to_write() {
        for (text, said) in [
            ("status:6xx", "status:6xx must be a status (503) or a class of them (5xx)"),
            ("since:soon", "since:soon is not a time: write 15m, 1h or 7d"),
            ("since:1h until:2h", "until:2h must be later than since"),
            ("attempts:3", "attempts:3 is not a number that can be searched by: write >3"),
            ("label:acme", "label:acme is not a label: write its key, = and its value"),
            ("object:/17", "object:/17 is not an object: write its type, or type/name"),
            ("event:17", "event:17 must be the id of an event (evt_…)"),
            ("type:order.*", "type:order.* is not an event type: write one in full"),
            ("state:failed", "state:failed is not a state: write one of under_way, pending"),
            ("status:", "status: says nothing: write the latest answer: 503, 5xx"),
            ("status:500 status:503", "status:503 is given twice: keep one"),
            ("label:a=1 label:a=1 ab", "ab must be 3 to 200 characters"),
            ("text:abc def", "text:abc stands beside def: put both"),
            ("staus:500", "staus:500 has no such name here. Known are since, until, state,"),
            ("http://acme", "http://acme has no such name here."),
        ] {
            let found = typed(text).err().unwrap_or_default();
            assert!(found.len() == 1 && found[0].starts_with(said), "{text}: {found:?}");
        }
        let all = typed("status:6xx attempts:x nope:1").err().unwrap_or_default();
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(typed("foo:\"a b\"").err().unwrap_or_default()[0].ends_with(r#"in quotes: "foo:\"a b\"""#));
        let events = in_list(Subject::Events, &Query::default(), "status:500").err().unwrap_or_default();
        assert!(events[0].contains("Known are since, until, type, label, object, text."), "{events:?}");
    }

    #[test]
    fn what_is_typed_is_added_to_what_was_asked() {
        let page = Query::parse("?open=dlv_1&status=500&label=a%3A1&label=b%3A2");
        assert_eq!(added(&page, "").as_deref(), Ok("?open=dlv_1&status=500&label=a%3A1&label=b%3A2"));
        assert_eq!(
            added(&page, "status:404 label:a=3").as_deref(),
            Ok("?open=dlv_1&status=404&label=b%3A2&label=a%3A3")
        );
        let until = Query::parse("?until=2026-11-21T10%3A00%3A00.000Z");
        let found = added(&until, "since:1h").err().unwrap_or_default();
        assert_eq!(found, ["until:2026-11-21T11:00:00 must be later than since"]);
    }

    #[test]
    fn an_id_alone_opens_what_it_names() {
        let delivery = ID.replace("evt_", "dlv_");
        for (subject, text, opened) in [
            (Subject::Events, String::from(ID), ID),
            (Subject::Deliveries, delivery.clone(), delivery.as_str()),
            (Subject::Deliveries, format!(" {} ", ID.replace("evt_", "msg_")), delivery.as_str()),
        ] {
            let page = Query::parse("?status=500");
            assert_eq!(in_list(subject, &page, &text), Ok(format!("?status=500&open={opened}")), "{text}");
        }
    }

    #[test]
    fn chips_say_what_is_asked_and_are_typed_again_as_they_are() {
        let page = Query::parse(
            "?open=x&since=1h&until=2026-11-21T14%3A00%3A00.000Z&attempts_min=4&label=a%3A1&label=b%3Asay%20%22hi%22&text=acme%2017&state=leased",
        );
        let found = chips(Subject::Deliveries, &page, |_| 60);
        let said: Vec<&str> = found.iter().map(|chip| chip.words.as_str()).collect();
        assert_eq!(
            said,
            [
                "since: 1 h ago",
                "until: 2026-11-21 15:00:00",
                "state: Calling",
                "attempts: at least 4",
                "label: a = 1",
                "label: b = say \"hi\"",
                "text: “acme 17”"
            ]
        );
        for chip in &found {
            let without = without(page.clone(), chip);
            assert_eq!(chips(Subject::Deliveries, &without, |_| 60).len(), found.len() - 1, "{chip:?}");
            let again =
                applied(Subject::Deliveries, &without, &chip.typed, NOW, |_| 60).expect("is typed again");
            let mut values = again.values(chip.token.key());
            values.sort();
            assert_eq!(values, page.values(chip.token.key()), "{chip:?}");
        }
        assert_eq!(chips(Subject::Events, &page, |_| 60).len(), 5);
        assert!(is_filtered(Subject::Events, &page));
        assert_eq!(unfiltered(Subject::Deliveries, page).text(), "?open=x");
    }

    #[test]
    fn an_address_that_somebody_wrote_is_judged_too() {
        let said = |text: &str| {
            let found = faults(Subject::Deliveries, &Query::parse(text), NOW, |_| 60);
            found.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect::<Vec<_>>()
        };
        assert_eq!(
            said("?status=6xx&open=x&state=under_way"),
            ["status:6xx must be a status (503) or a class of them (5xx)"]
        );
        assert_eq!(said("?since=soon"), [format!("since:soon {}", moment::RULE)]);
        assert_eq!(said("?status=500&status=503"), ["status:500 is given twice"]);
        assert_eq!(said("?since=1h&label=a%3A1"), [""; 0]);
    }

    #[test]
    fn times_are_those_of_when_it_is_asked() {
        let page = Query::parse("?since=1h&status=500&until=soon");
        assert_eq!(asked(&page, NOW).text(), "?since=2026-11-21T13%3A07%3A31.204Z&status=500&until=soon");
        assert!(needs_the_event(&Query::parse("?text=abc")) && !needs_the_event(&page));
    }
}
