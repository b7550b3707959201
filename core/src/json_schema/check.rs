//! Whether a value fits a [`Schema`], and every place where it does not.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::schema::{Node, Rules, Schema};
use super::types::Format;
use crate::budget::{Budget, LOOK};
use crate::compare::{equal, hash_of, order_of_numbers, steps_of_number};
use crate::decimal::Decimal;
use crate::fault::{Fault, Faults, pointer_segment, type_name};
use crate::time::{TIME_RULE, Timestamp};

/// Characters of a value that a fault repeats at most.
pub(super) const SHOWN_CHARS_MAX: usize = 80;
/// Bytes of an email address at most (RFC 5321 section 4.5.3.1: 64 before the `@`, 255 behind it).
const EMAIL_BYTES_MAX: usize = 320;

impl Schema {
    /// What of `value`, which stands at `pointer` of the input, does not fit; nothing where it fits. See
    /// [`Faults`] for how many places are named.
    #[must_use]
    pub fn check(&self, value: &Value, pointer: &str) -> Faults {
        self.check_within(value, pointer, &Budget::of_event())
    }

    /// [`Self::check`] with what is left of a budget. Where that is not enough there is one fault that says
    /// so.
    #[must_use]
    pub fn check_within(&self, value: &Value, pointer: &str, budget: &Budget) -> Faults {
        let mut check = Check { schema: self, budget, faults: Some(Faults::default()), fits: true };
        check.node(&self.root, value, &At { parent: None, segment: Segment::Root(pointer) });
        if budget.is_spent() {
            return Fault::new(
                pointer,
                "takes too many steps to be checked against its schema; send less, or simplify the schema",
            )
            .into();
        }
        check.faults.unwrap_or_default()
    }
}

/// Where a value stands. Written out only for a fault, which most values don't have.
struct At<'a> {
    parent: Option<&'a Self>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    /// The pointer of the whole value.
    Root(&'a str),
    Name(&'a str),
    Index(usize),
}

impl At<'_> {
    fn pointer(&self) -> String {
        let before = self.parent.map(At::pointer).unwrap_or_default();
        match self.segment {
            Segment::Root(pointer) => String::from(pointer),
            Segment::Name(name) => format!("{before}/{}", pointer_segment(name)),
            Segment::Index(index) => format!("{before}/{index}"),
        }
    }
}

struct Check<'a> {
    schema: &'a Schema,
    budget: &'a Budget,
    /// What was found; `None` where only the verdict matters.
    faults: Option<Faults>,
    fits: bool,
}

impl<'a> Check<'a> {
    /// Whether nothing that follows can change the answer.
    fn is_over(&self) -> bool {
        self.budget.is_spent() || (self.faults.is_none() && !self.fits)
    }

    /// Notes a fault; its words are made only where they are read.
    fn fault<T: Into<String>>(&mut self, at: &At<'_>, detail: impl FnOnce() -> T) {
        self.fits = false;
        if let Some(faults) = self.faults.as_mut() {
            faults.push_with(|| Fault::new(at.pointer(), detail()));
        }
    }

    fn node(&mut self, node: &'a Node, value: &Value, at: &At<'_>) {
        if self.is_over() || !self.budget.pay(LOOK) {
            return;
        }
        match node {
            Node::Anything => {}
            Node::Nothing => self.fault(at, || "is not allowed"),
            Node::Rules(rules) => self.rules(rules, value, at),
        }
    }

    /// Whether `value` fits, without a word about why not.
    fn fits(&self, node: &'a Node, value: &Value) -> bool {
        let mut inner = Check { schema: self.schema, budget: self.budget, faults: None, fits: true };
        inner.node(node, value, &At { parent: None, segment: Segment::Root("") });
        inner.fits
    }

    fn rules(&mut self, rules: &'a Rules, value: &Value, at: &At<'_>) {
        // Whether a number is whole is seen by its digits.
        if let (Value::Number(number), Some(_)) = (value, rules.types)
            && !self.budget.pay(steps_of_number(number))
        {
            return;
        }
        if let Some(types) = rules.types
            && !types.hold(value)
        {
            // Whatever else is said is about a value of another type.
            self.fault(at, || format!("must be {}, not {}", types.names(), kind_of(value)));
            return;
        }
        if let Some(constant) = &rules.constant
            && !equal(constant, value, self.budget)
        {
            self.fault(at, || format!("must be {}", shown(constant)));
        }
        if let Some(known) = &rules.enumeration
            && !known.set.contains(value, self.budget)
        {
            self.fault(at, || format!("must be one of {}", known.words));
        }
        match value {
            Value::String(text) => self.text(rules, text, at),
            Value::Number(number) => self.number(rules, number, at),
            Value::Array(items) => self.array(rules, items, at),
            Value::Object(map) => self.object(rules, map, at),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(rules, value, at);
    }

    fn combined(&mut self, rules: &'a Rules, value: &Value, at: &At<'_>) {
        if let Some(name) = &rules.reference
            && let Some(node) = self.schema.defs.get(name)
        {
            self.node(node, value, at);
        }
        for part in &rules.all_of {
            self.node(part, value, at);
        }
        if self.is_over() {
            return;
        }
        if !rules.any_of.is_empty() && !rules.any_of.iter().any(|part| self.fits(part, value)) {
            self.fault(at, || format!("fits none of the {} schemas of anyOf", rules.any_of.len()));
        }
        if !rules.one_of.is_empty() {
            let fitting = rules.one_of.iter().filter(|part| self.fits(part, value)).count();
            if fitting != 1 {
                self.fault(at, || {
                    format!(
                        "must fit exactly one of the {} schemas of oneOf, and fits {fitting}",
                        rules.one_of.len()
                    )
                });
            }
        }
        if let Some(part) = &rules.not
            && self.fits(part, value)
        {
            self.fault(at, || "must not fit the schema of not");
        }
    }

    fn text(&mut self, rules: &Rules, text: &str, at: &At<'_>) {
        if rules.min_length.is_some() || rules.max_length.is_some() {
            if !self.budget.pay_bytes(text.len()) {
                return;
            }
            let chars = text.chars().count() as u64;
            if let Some(min) = rules.min_length.filter(|min| chars < *min) {
                self.fault(at, || format!("must have at least {min} characters, this has {chars}"));
            }
            if let Some(max) = rules.max_length.filter(|max| chars > *max) {
                self.fault(at, || format!("must have at most {max} characters, this has {chars}"));
            }
        }
        if let Some(format) = rules.format
            && !self.has_format(text, format)
        {
            self.fault(at, || format_rule(format));
        }
    }

    fn number(&mut self, rules: &Rules, number: &Number, at: &At<'_>) {
        let budget = self.budget;
        let compares =
            |limit: &Number, misses: fn(Ordering) -> bool| misses(order_of_numbers(number, limit, budget));
        if let Some(min) = rules.minimum.as_ref().filter(|min| compares(min, Ordering::is_lt)) {
            self.fault(at, || format!("must be at least {}", limit(min)));
        }
        if let Some(max) = rules.maximum.as_ref().filter(|max| compares(max, Ordering::is_gt)) {
            self.fault(at, || format!("must be at most {}", limit(max)));
        }
        if let Some(min) = rules.exclusive_minimum.as_ref().filter(|min| compares(min, Ordering::is_le)) {
            self.fault(at, || format!("must be greater than {}", limit(min)));
        }
        if let Some(max) = rules.exclusive_maximum.as_ref().filter(|max| compares(max, Ordering::is_ge)) {
            self.fault(at, || format!("must be less than {}", limit(max)));
        }
        if let Some((step, written)) = &rules.multiple_of
            && budget.pay(steps_of_number(number))
            && budget.pay(Decimal::from_number(number).divisions_by(step) * DIVISION_STEPS)
            && !Decimal::from_number(number).is_multiple_of(step)
        {
            self.fault(at, || format!("must be a multiple of {}", limit(written)));
        }
    }

    fn array(&mut self, rules: &'a Rules, items: &[Value], at: &At<'_>) {
        let count = items.len() as u64;
        if let Some(min) = rules.min_items.filter(|min| count < *min) {
            self.fault(at, || format!("must hold at least {min} items, this holds {count}"));
        }
        if let Some(max) = rules.max_items.filter(|max| count > *max) {
            self.fault(at, || format!("must hold at most {max} items, this holds {count}"));
        }
        if rules.unique_items {
            self.unique(items, at);
        }
        for (index, item) in items.iter().enumerate() {
            let Some(node) = rules.prefix_items.get(index).or(rules.items.as_ref()) else { break };
            if self.is_over() {
                return;
            }
            self.node(node, item, &At { parent: Some(at), segment: Segment::Index(index) });
        }
    }

    fn unique(&mut self, items: &[Value], at: &At<'_>) {
        let mut hashes = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let hash = hash_of(item, self.budget);
            if !self.budget.pay(LOOK) {
                return;
            }
            hashes.push((hash, index));
        }
        hashes.sort_unstable();
        // Items that share a hash are compared: nearly always they are the same.
        let is_same = |one: usize, other: usize| {
            let pair = items.get(one).zip(items.get(other));
            self.budget.pay(LOOK) && pair.is_some_and(|(one, other)| equal(one, other, self.budget))
        };
        let repeats = hashes.chunk_by(|one, other| one.0 == other.0).filter_map(|run| {
            (1..run.len()).find_map(|at| {
                let (_hash, index) = *run.get(at)?;
                let first = run
                    .iter()
                    .take(at)
                    .map(|(_hash, before)| *before)
                    .find(|before| is_same(*before, index))?;
                Some((index, first))
            })
        });
        if let Some((index, first)) = repeats.min() {
            let here = At { parent: Some(at), segment: Segment::Index(index) };
            self.fault(&here, || format!("is the same as item {first}; items must differ"));
        }
    }

    fn object(&mut self, rules: &'a Rules, map: &Map<String, Value>, at: &At<'_>) {
        let count = map.len() as u64;
        if let Some(min) = rules.min_properties.filter(|min| count < *min) {
            self.fault(at, || format!("must have at least {min} fields, this has {count}"));
        }
        if let Some(max) = rules.max_properties.filter(|max| count > *max) {
            self.fault(at, || format!("must have at most {max} fields, this has {count}"));
        }
        for name in &rules.required {
            // Each name is a look into the value, so that it costs what a part of the schema does.
            if self.is_over() || !self.budget.pay_look(name.len()) {
                return;
            }
            if !map.contains_key(name) {
                self.fault(&At { parent: Some(at), segment: Segment::Name(name) }, || "is required");
            }
        }
        if rules.properties.is_empty() && rules.additional_properties.is_none() {
            return;
        }
        for (name, value) in map {
            if self.is_over() || !self.budget.pay_look(name.len()) {
                return;
            }
            if let Some(node) = rules.properties.get(name).or(rules.additional_properties.as_ref()) {
                self.node(node, value, &At { parent: Some(at), segment: Segment::Name(name) });
            }
        }
    }

    fn has_format(&self, text: &str, format: Format) -> bool {
        match format {
            Format::DateTime => text.len() <= DATE_TIME_BYTES_MAX && Timestamp::parse_rfc3339(text).is_some(),
            Format::Uuid => is_uuid(text),
            Format::Email => {
                text.len() <= EMAIL_BYTES_MAX
                    && self.budget.pay_bytes(text.len() * LETTER_WEIGHT)
                    && is_email(text)
            }
            Format::Uri => self.budget.pay_bytes(text.len() * LETTER_WEIGHT) && is_uri(text),
        }
    }
}

/// Steps of a division of 128 bits.
const DIVISION_STEPS: u64 = 25;
/// A letter that is judged costs what eight bytes that are compared do.
const LETTER_WEIGHT: usize = 8;
/// Bytes of a moment at most: nobody writes fractions of a second with more than some digits.
const DATE_TIME_BYTES_MAX: usize = 100;

/// A limit of a schema, as a fault names it.
fn limit(number: &Number) -> String {
    crate::fault::cut(number.as_str(), SHOWN_CHARS_MAX)
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "this number",
        other => type_name(other),
    }
}

/// `value` as JSON, cut to what a fault repeats.
pub(super) fn shown(value: &Value) -> String {
    crate::fault::shown(value, SHOWN_CHARS_MAX)
}

const fn format_rule(format: Format) -> &'static str {
    match format {
        Format::DateTime => TIME_RULE,
        Format::Uuid => "must be a UUID such as 019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11",
        Format::Email => "must be an email address such as ada@example.com",
        Format::Uri => "must be an absolute URI such as https://example.com/a",
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

/// One `@` between a local part and a host name, without spaces: what a mail server would look at twice is
/// its own matter.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && !local.contains('@')
        && !local.starts_with('.')
        && !local.ends_with('.');
    local_fits
        && !local.contains("..")
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && host.split('.').all(is_label)
}

/// A scheme, a colon and something, in the characters of RFC 3986.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    scheme_fits && !rest.is_empty() && rest.bytes().all(allowed) && crate::route::decode_bytes(rest).is_some()
}
