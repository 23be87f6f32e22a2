//! What each field may hold. A rule gives the value, or says in words what it should be.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An event's title.
pub fn title(value: &Value) -> Result<String, &'static str> {
    let title = text(value, 200).filter(|title| !title.trim().is_empty());
    title.ok_or("must be a text of 1 to 200 characters that is not blank")
}

/// An event's description.
pub fn description(value: &Value) -> Result<String, &'static str> {
    text(value, 2000).ok_or("must be null or a text of at most 2000 characters")
}

/// An order's note.
pub fn note(value: &Value) -> Result<String, &'static str> {
    text(value, 500).ok_or("must be null or a text of at most 500 characters")
}

/// An address. Whether it exists can only be found out by writing to it, so little is asked of it.
pub fn email(value: &Value) -> Result<String, &'static str> {
    let email = text(value, 254).filter(|email| {
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
            && !email.contains(char::is_whitespace)
    });
    email.ok_or("must be an e-mail address of at most 254 characters")
}

/// A point in time.
pub fn time(value: &Value) -> Result<DateTime<Utc>, &'static str> {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map(|time| time.to_utc()).ok_or("must be a time such as 2030-05-01T19:30:00Z")
}

/// How many seats an event has.
pub fn event_seats(value: &Value) -> Result<i32, &'static str> {
    whole(value, 1, 100_000).ok_or("must be a whole number from 1 to 100000")
}

/// How many seats an order has.
pub fn order_seats(value: &Value) -> Result<i32, &'static str> {
    whole(value, 1, 10).ok_or("must be a whole number from 1 to 10")
}

/// What a seat costs.
pub fn price_cents(value: &Value) -> Result<i64, &'static str> {
    whole(value, 0, 10_000_000).ok_or("must be a whole number from 0 to 10000000")
}

/// An id.
pub fn id(value: &Value) -> Result<i64, &'static str> {
    whole(value, 1, i64::MAX).ok_or("must be an id")
}

/// A text of at most so many characters. NUL is none that Postgres can store.
fn text(value: &Value, longest: usize) -> Option<String> {
    let text = value.as_str()?;
    (text.chars().count() <= longest && !text.contains('\0')).then(|| text.to_owned())
}

/// A whole number, both ends included.
fn whole<T: TryFrom<i64>>(value: &Value, least: i64, most: i64) -> Option<T> {
    let number = value.as_i64().filter(|number| (least..=most).contains(number))?;
    T::try_from(number).ok()
}
