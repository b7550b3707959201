//! Whether a value fits a [`Schema`], and every place where it does not.

use serde_json::{Number, Value};

use super::{FAULTS_MAX, Format, Node, Rules, STEPS_MAX, Schema};
use crate::fault::{Fault, pointer_segment, type_name};
use crate::time::{TIME_RULE, Timestamp};

/// Characters of a value that a fault repeats at most.
const SHOWN_CHARS_MAX: usize = 80;

impl Schema {
    /// What of `value`, which stands at `pointer` of the input, does not fit; nothing where it fits. At most
    /// [`FAULTS_MAX`] places are named.
    #[must_use]
    pub fn check(&self, value: &Value, pointer: &str) -> Vec<Fault> {
        let mut check = Check { schema: self, faults: Vec::new(), steps: 0 };
        check.node(&self.root, value, pointer);
        if check.is_spent() {
            return vec![Fault::new(pointer, "takes too many steps to be checked against its schema; send less, or simplify the schema")];
        }
        check.faults
    }
}

struct Check<'a> {
    schema: &'a Schema,
    faults: Vec<Fault>,
    steps: u32,
}

impl<'a> Check<'a> {
    const fn is_spent(&self) -> bool {
        self.steps > STEPS_MAX
    }

    /// Whether as many faults were found as are named.
    fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    fn fault(&mut self, at: &str, detail: impl Into<String>) {
        if !self.is_full() {
            self.faults.push(Fault::new(at, detail));
        }
    }

    fn node(&mut self, node: &'a Node, value: &Value, at: &str) {
        self.steps = self.steps.saturating_add(1);
        if self.is_spent() {
            return;
        }
        match node {
            Node::Anything => {}
            Node::Nothing => self.fault(at, "is not allowed"),
            Node::Rules(rules) => self.rules(rules, value, at),
        }
    }

    /// Whether `value` fits, without a word about why not.
    fn fits(&mut self, node: &'a Node, value: &Value) -> bool {
        let mut inner = Check { schema: self.schema, faults: Vec::new(), steps: self.steps };
        inner.node(node, value, "");
        self.steps = inner.steps;
        inner.faults.is_empty()
    }

    fn rules(&mut self, rules: &'a Rules, value: &Value, at: &str) {
        if let Some(types) = rules.types
            && !types.hold(value)
        {
            // Whatever else is said is about a value of another type.
            self.fault(at, format!("must be {}, not {}", types.names(), kind_of(value)));
            return;
        }
        if let Some(constant) = &rules.constant
            && !equal(constant, value)
        {
            self.fault(at, format!("must be {}", shown(constant)));
        }
        if let Some(values) = &rules.enumeration {
            self.steps = self.steps.saturating_add(u32::try_from(values.len()).unwrap_or(u32::MAX));
            if !values.iter().any(|known| equal(known, value)) {
                let known: Vec<String> = values.iter().map(shown).collect();
                self.fault(at, format!("must be one of {}", cut(&known.join(", "))));
            }
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

    fn combined(&mut self, rules: &'a Rules, value: &Value, at: &str) {
        if let Some(name) = &rules.reference
            && let Some(node) = self.schema.defs.get(name)
        {
            self.node(node, value, at);
        }
        for part in &rules.all_of {
            self.node(part, value, at);
        }
        if !rules.any_of.is_empty() && !rules.any_of.iter().any(|part| self.fits(part, value)) {
            self.fault(at, format!("fits none of the {} schemas of anyOf", rules.any_of.len()));
        }
        if !rules.one_of.is_empty() {
            let fitting = rules.one_of.iter().filter(|part| self.fits(part, value)).count();
            if fitting != 1 {
                self.fault(at, format!("must fit exactly one of the {} schemas of oneOf, and fits {fitting}", rules.one_of.len()));
            }
        }
        if let Some(part) = &rules.not
            && self.fits(part, value)
        {
            self.fault(at, "fits the schema of not, which it must not");
        }
    }

    fn text(&mut self, rules: &Rules, text: &str, at: &str) {
        if rules.min_length.is_some() || rules.max_length.is_some() {
            let chars = text.chars().count() as u64;
            if let Some(min) = rules.min_length.filter(|min| chars < *min) {
                self.fault(at, format!("must have at least {min} characters, this has {chars}"));
            }
            if let Some(max) = rules.max_length.filter(|max| chars > *max) {
                self.fault(at, format!("must have at most {max} characters, this has {chars}"));
            }
        }
        if let Some(format) = rules.format
            && !has_format(text, format)
        {
            self.fault(at, format_rule(format));
        }
    }

    fn number(&mut self, rules: &Rules, number: &Number, at: &str) {
        let Some(value) = number.as_f64() else { return };
        if let Some(min) = rules.minimum.filter(|min| value < *min) {
            self.fault(at, format!("must be at least {min}"));
        }
        if let Some(max) = rules.maximum.filter(|max| value > *max) {
            self.fault(at, format!("must be at most {max}"));
        }
        if let Some(min) = rules.exclusive_minimum.filter(|min| value <= *min) {
            self.fault(at, format!("must be greater than {min}"));
        }
        if let Some(max) = rules.exclusive_maximum.filter(|max| value >= *max) {
            self.fault(at, format!("must be less than {max}"));
        }
        if let Some(step) = rules.multiple_of.filter(|step| !is_multiple(value, *step)) {
            self.fault(at, format!("must be a multiple of {step}"));
        }
    }

    fn array(&mut self, rules: &'a Rules, items: &[Value], at: &str) {
        let count = items.len() as u64;
        if let Some(min) = rules.min_items.filter(|min| count < *min) {
            self.fault(at, format!("must hold at least {min} items, this holds {count}"));
        }
        if let Some(max) = rules.max_items.filter(|max| count > *max) {
            self.fault(at, format!("must hold at most {max} items, this holds {count}"));
        }
        if rules.unique_items {
            self.unique(items, at);
        }
        for (index, item) in items.iter().enumerate() {
            if let Some(node) = rules.prefix_items.get(index).or(rules.items.as_ref()) {
                self.node(node, item, &format!("{at}/{index}"));
            }
            if self.is_spent() {
                return;
            }
        }
    }

    fn unique(&mut self, items: &[Value], at: &str) {
        for (index, item) in items.iter().enumerate() {
            self.steps = self.steps.saturating_add(u32::try_from(index).unwrap_or(u32::MAX));
            if self.is_spent() {
                return;
            }
            if let Some(first) = items.iter().take(index).position(|before| equal(before, item)) {
                self.fault(&format!("{at}/{index}"), format!("is the same as item {first}; items must differ"));
                return;
            }
        }
    }

    fn object(&mut self, rules: &'a Rules, map: &serde_json::Map<String, Value>, at: &str) {
        let count = map.len() as u64;
        if let Some(min) = rules.min_properties.filter(|min| count < *min) {
            self.fault(at, format!("must have at least {min} fields, this has {count}"));
        }
        if let Some(max) = rules.max_properties.filter(|max| count > *max) {
            self.fault(at, format!("must have at most {max} fields, this has {count}"));
        }
        // Each name is a look into the value, so that it costs a step as a part of the schema does.
        self.steps = self.steps.saturating_add(u32::try_from(rules.required.len()).unwrap_or(u32::MAX));
        for name in rules.required.iter().filter(|name| !map.contains_key(*name)) {
            if self.is_full() {
                break;
            }
            self.fault(&format!("{at}/{}", pointer_segment(name)), "is required");
        }
        for (name, value) in map {
            if let Some(node) = rules.properties.get(name).or(rules.additional_properties.as_ref()) {
                self.node(node, value, &format!("{at}/{}", pointer_segment(name)));
            }
            if self.is_spent() {
                return;
            }
        }
    }
}

/// Equality of JSON Schema: numbers by their value, whatever their spelling.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64() && !(is_large(one) || is_large(other)),
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other)),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|found| equal(value, found)))
        }
        _ => one == other,
    }
}

/// Whether two different integers may have the same float.
fn is_large(number: &Number) -> bool {
    const EXACT_MAX: u64 = 1 << 53;
    number.as_i64().is_some_and(|number| number.unsigned_abs() > EXACT_MAX) || number.as_u64().is_some_and(|number| number > EXACT_MAX)
}

/// Whether `value / step` is whole, as far as floats can say: `0.3` is a multiple of `0.1`.
fn is_multiple(value: f64, step: f64) -> bool {
    let ratio = value / step;
    (ratio - ratio.round()).abs() <= f64::EPSILON * ratio.abs().max(1.0)
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "this number",
        other => type_name(other),
    }
}

fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return String::from(text);
    }
    format!("{}…", text.chars().take(SHOWN_CHARS_MAX).collect::<String>())
}

fn has_format(text: &str, format: Format) -> bool {
    match format {
        Format::DateTime => Timestamp::parse_rfc3339(text).is_some(),
        Format::Uuid => is_uuid(text),
        Format::Email => is_email(text),
        Format::Uri => is_uri(text),
    }
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
        && text.bytes().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// One `@` between a local part and a host name, without spaces: what a mail server would look at twice is its own matter.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let is_label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let local_fits = !local.is_empty() && local.len() <= 64 && !local.contains('@') && !local.starts_with('.') && !local.ends_with('.');
    local_fits && !local.contains("..") && !text.chars().any(|c| c.is_whitespace() || c.is_control()) && host.split('.').all(is_label)
}

/// A scheme, a colon and something, in the characters of RFC 3986.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    scheme_fits && !rest.is_empty() && rest.bytes().all(allowed) && crate::route::decode_bytes(rest).is_some()
}
