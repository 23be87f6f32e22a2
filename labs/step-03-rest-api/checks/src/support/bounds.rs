//! How far each member of an event and of an order may go, by the README's tables: the last value that is taken, and the
//! first that is not, on both sides; and text that a server might like to write in another way.

use lab_kit::prelude::*;

/// A member, and a value for it.
pub type Member = (&'static str, Value);

/// The members of an event at the ends of their ranges.
pub fn of_an_event() -> Vec<Member> {
    vec![
        ("title", json!("x")),
        ("title", json!("ü".repeat(200))),
        ("title", json!(" Jazz <b>&</b> \"Soul\" 🎷  at Noon ")),
        ("description", json!("")),
        ("description", json!("ß".repeat(2000))),
        ("description", Value::Null),
        ("seats", json!(1)),
        ("seats", json!(100_000)),
        ("price_cents", json!(0)),
        ("price_cents", json!(10_000_000)),
    ]
}

/// The members of an event just beyond their ranges, and values that only look right.
pub fn beyond_an_event() -> Vec<Member> {
    vec![
        ("title", json!("")),
        ("title", json!("x".repeat(201))),
        ("title", json!("   ")),
        ("title", json!("a\u{0}b")),
        ("description", json!("x".repeat(2001))),
        ("description", json!("a\u{0}b")),
        ("starts_at", json!("2031-05-01")),
        ("starts_at", json!("2031-05-01T19:30:00")),
        ("starts_at", json!("2031-02-30T19:30:00Z")),
        ("seats", json!(0)),
        ("seats", json!(100_001)),
        ("seats", json!(-1)),
        ("seats", json!(3_000_000_000_i64)),
        ("price_cents", json!(-1)),
        ("price_cents", json!(10_000_001)),
        ("price_cents", json!(3_000_000_000_i64)),
    ]
}

/// The members of an order at the ends of their ranges.
pub fn of_an_order() -> Vec<Member> {
    vec![
        ("seats", json!(1)),
        ("seats", json!(10)),
        ("email", json!("a@b")),
        ("email", json!(address(254))),
        ("email", json!("Ada.Lovelace@Example.com")),
        ("note", json!("")),
        ("note", json!("ü".repeat(500))),
        ("note", Value::Null),
    ]
}

/// The members of an order just beyond their ranges, and values that only look right.
pub fn beyond_an_order() -> Vec<Member> {
    vec![
        ("seats", json!(0)),
        ("seats", json!(11)),
        ("seats", json!(-1)),
        ("note", json!("x".repeat(501))),
        ("note", json!("a\u{0}b")),
        ("email", json!("")),
        ("email", json!("@example.com")),
        ("email", json!("ada@")),
        ("email", json!("ada @example.com")),
        ("email", json!("ada@exam\u{0}ple.com")),
        ("email", json!(address(255))),
    ]
}

/// Those members of an order that a `PATCH` changes.
pub fn patched(members: Vec<Member>) -> impl Iterator<Item = Member> {
    members.into_iter().filter(|(name, _)| *name != "seats")
}

/// An address of so many characters, 195 to 255, in which no part is longer than mail allows (RFC 5321 §4.5.3.1), so
/// that only the whole can be too long.
fn address(length: usize) -> String {
    let (name, label) = ("n".repeat(64), "h".repeat(63));
    format!("{name}@{label}.{label}.{}", "h".repeat(length - name.len() - 2 * label.len() - 3))
}
