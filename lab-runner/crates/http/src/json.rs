//! Comparing JSON: every place in which an answer differs, by JSON pointer (RFC 6901).

use serde_json::{Map, Value};

use super::any::StandIn;
use super::pattern::Pattern;
use super::text::excerpt;
use lab_protocol::Difference;

/// The most places that are listed.
const MOST: usize = 20;
/// The most characters of one value that are shown.
const LONGEST_VALUE: usize = 300;
/// How a member that is not there is shown.
const NOTHING: &str = "(nothing)";

/// The places in which `actual` lacks something of `expected`. Objects may have more members, unless they are to be
/// exact; arrays are compared whole; numbers by their value.
pub(super) fn differences(expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut comparison = Comparison::default();
    comparison.compare(expected, Some(actual));
    let mut found = comparison.found;
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(Difference { place: format!("{more} more"), expected: "…".into(), actual: "…".into() });
    }
    found
}

/// A walk through two values side by side.
#[derive(Default)]
struct Comparison {
    /// Where it stands, as a JSON pointer.
    place: String,
    /// Whether objects may have no other members here.
    exact: bool,
    found: Vec<Difference>,
}

impl Comparison {
    fn compare(&mut self, expected: &Value, actual: Option<&Value>) {
        if let (Some(Pattern::Exactly(inner)), Some(_)) = (Pattern::of(expected), actual) {
            let outer = std::mem::replace(&mut self.exact, true);
            self.compare(inner, actual);
            self.exact = outer;
            return;
        }
        let agree = match (StandIn::of(expected), expected, actual) {
            (Some(StandIn::Absent), _, None) => true,
            (Some(stand_in), _, Some(actual)) => stand_in.takes(actual),
            (_, _, None) => false,
            (None, expected, Some(actual)) => match (Pattern::of(expected), expected, actual) {
                (Some(pattern), _, actual) => self.matches(pattern, actual),
                (None, Value::Object(expected), Value::Object(actual)) => return self.members(expected, actual),
                (None, Value::Array(expected), Value::Array(actual)) => return self.items(expected, actual),
                (None, Value::Number(a), Value::Number(b)) => equal_numbers(a, b),
                (None, expected, actual) => expected == actual,
            },
        };
        if !agree {
            self.differs(show_expected(expected), actual.map_or_else(|| NOTHING.to_owned(), show));
        }
    }

    /// Whether the pattern holds of `actual`.
    fn matches(&self, pattern: Pattern<'_>, actual: &Value) -> bool {
        let has = |elements: &[Value], wanted: &Value| elements.iter().any(|element| self.alike(wanted, element));
        match (pattern, actual) {
            (Pattern::Exactly(wanted), actual) => self.alike(wanted, actual),
            (Pattern::Contains(Value::String(part)), Value::String(text)) => text.contains(part.as_str()),
            (Pattern::Contains(Value::Array(wanted)), Value::Array(elements)) => {
                wanted.iter().all(|wanted| has(elements, wanted))
            }
            (Pattern::AnyElement(wanted), Value::Array(elements)) => has(elements, wanted),
            _ => false,
        }
    }

    fn alike(&self, expected: &Value, actual: &Value) -> bool {
        let mut within = Self { exact: self.exact, ..Self::default() };
        within.compare(expected, Some(actual));
        within.found.is_empty()
    }

    fn members(&mut self, expected: &Map<String, Value>, actual: &Map<String, Value>) {
        for (name, value) in expected {
            self.within(&step(name), |here| here.compare(value, actual.get(name)));
        }
        if self.exact {
            for (name, value) in actual.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                self.within(&step(name), |here| here.differs(NOTHING.to_owned(), show(value)));
            }
        }
    }

    fn items(&mut self, expected: &[Value], actual: &[Value]) {
        for (index, value) in expected.iter().enumerate() {
            self.within(&index.to_string(), |here| here.compare(value, actual.get(index)));
        }
        for (index, value) in actual.iter().enumerate().skip(expected.len()) {
            self.within(&index.to_string(), |here| here.differs(NOTHING.to_owned(), show(value)));
        }
    }

    fn within(&mut self, step: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        self.place.push('/');
        self.place.push_str(step);
        visit(self);
        self.place.truncate(length);
    }

    fn differs(&mut self, expected: String, actual: String) {
        self.found.push(Difference { place: place(&self.place).to_owned(), expected, actual });
    }
}

/// A member's name as a step of a pointer.
fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn equal_numbers(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

/// A value as a learner reads it, cut where it is long.
pub(super) fn show(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn show_expected(value: &Value) -> String {
    match (StandIn::of(value), Pattern::of(value)) {
        (Some(stand_in), _) => stand_in.shown().to_owned(),
        (None, Some(pattern)) => pattern.describe(|value| show(&readable(value))),
        (None, None) => show(&readable(value)),
    }
}

/// `value` with its stand-ins in words.
pub(super) fn readable(value: &Value) -> Value {
    if let Some(stand_in) = StandIn::of(value) {
        return Value::String(format!("<{}>", stand_in.shown()));
    }
    if let Some(pattern) = Pattern::of(value) {
        return Value::String(format!("<{}>", pattern.describe(|value| show(&readable(value)))));
    }
    match value {
        Value::Array(items) => items.iter().map(readable).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), readable(value))).collect())
        }
        other => other.clone(),
    }
}

/// A pointer as it stands in a sentence.
pub(super) fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "(the whole body)" } else { pointer }
}

/// Why nothing stands at `pointer`: the first step that leads nowhere, and what stands beside it.
pub(super) fn nothing_at(body: &Value, pointer: &str) -> String {
    let mut known = "";
    for (index, _) in pointer.match_indices('/').skip(1).chain([(pointer.len(), "")]) {
        if body.pointer(&pointer[..index]).is_none() {
            break;
        }
        known = &pointer[..index];
    }
    let there = body.pointer(known).unwrap_or(body);
    let beside = match there {
        Value::Object(members) if members.is_empty() => "is an empty object".to_owned(),
        Value::Object(members) => {
            let names: Vec<_> = members.keys().take(MOST).map(|name| format!("`{name}`")).collect();
            format!("has the members {}", names.join(", "))
        }
        Value::Array(items) => format!("is an array of {} items", items.len()),
        other => format!("is {}", show(other)),
    };
    let whole = if known.is_empty() { "the body" } else { known };
    format!("the JSON body has nothing at {pointer}: {whole} {beside}")
}

/// Why a body is not JSON.
pub(super) fn not_json(body: &[u8], content_type: Option<&str>, error: &serde_json::Error) -> String {
    let kind = match content_type {
        Some(value) => format!("its Content-Type is `{value}`"),
        None => "it has no Content-Type".to_owned(),
    };
    if body.is_empty() {
        return format!("the body is not JSON: it is empty ({kind})");
    }
    format!("the body is not JSON: {error} ({kind}); it begins with {}", excerpt(body))
}
