//! Comparing JSON: every place in which an answer differs, by JSON pointer (RFC 6901).

use serde_json::{Map, Value};

use super::any::StandIn;
use super::text::excerpt;
use lab_protocol::Difference;

/// The most places that are listed.
const MOST: usize = 20;
/// The most characters of one value that are shown.
const LONGEST_VALUE: usize = 300;
/// How a member that is not there is shown.
const NOTHING: &str = "(nothing)";

/// The places in which `actual` lacks something of `expected`. Objects may have more members; arrays are compared
/// whole; numbers by their value.
pub(super) fn differences(expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(expected, Some(actual), &mut String::new(), &mut found);
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(Difference { place: format!("{more} more"), expected: "…".into(), actual: "…".into() });
    }
    found
}

fn compare(expected: &Value, actual: Option<&Value>, place: &mut String, found: &mut Vec<Difference>) {
    let agree = match (StandIn::of(expected), expected, actual) {
        (Some(StandIn::Absent), _, None) => true,
        (Some(stand_in), _, Some(actual)) => stand_in.takes(actual),
        (_, _, None) => false,
        (None, Value::Object(expected), Some(Value::Object(actual))) => {
            return compare_members(expected, actual, place, found);
        }
        (None, Value::Array(expected), Some(Value::Array(actual))) => {
            return compare_items(expected, actual, place, found);
        }
        (None, Value::Number(a), Some(Value::Number(b))) => equal_numbers(a, b),
        (None, expected, Some(actual)) => expected == actual,
    };
    if !agree {
        found.push(Difference {
            place: self::place(place).to_owned(),
            expected: show_expected(expected),
            actual: actual.map_or_else(|| NOTHING.to_owned(), show),
        });
    }
}

fn compare_members(
    expected: &Map<String, Value>,
    actual: &Map<String, Value>,
    place: &mut String,
    found: &mut Vec<Difference>,
) {
    for (name, value) in expected {
        within(place, &name.replace('~', "~0").replace('/', "~1"), |place| {
            compare(value, actual.get(name), place, found);
        });
    }
}

fn compare_items(expected: &[Value], actual: &[Value], place: &mut String, found: &mut Vec<Difference>) {
    for (index, value) in expected.iter().enumerate() {
        within(place, &index.to_string(), |place| compare(value, actual.get(index), place, found));
    }
    for (index, value) in actual.iter().enumerate().skip(expected.len()) {
        within(place, &index.to_string(), |place| {
            found.push(Difference { place: place.clone(), expected: NOTHING.into(), actual: show(value) });
        });
    }
}

fn within(place: &mut String, step: &str, visit: impl FnOnce(&mut String)) {
    let length = place.len();
    place.push('/');
    place.push_str(step);
    visit(place);
    place.truncate(length);
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
    StandIn::of(value).map_or_else(|| show(&readable(value)), |stand_in| stand_in.shown().to_owned())
}

/// `value` with its stand-ins in words.
pub(super) fn readable(value: &Value) -> Value {
    if let Some(stand_in) = StandIn::of(value) {
        return Value::String(format!("<{}>", stand_in.shown()));
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
