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

/// A whole number, both ends included. JSON has one kind of number, and an `integer` of the document is any without a
/// fraction (JSON Schema 2020-12 Validation §6.1.1): 5.0 is 5.
fn whole<T: TryFrom<i64>>(value: &Value, least: i64, most: i64) -> Option<T> {
    let number = value.as_i64().or_else(|| value.as_f64().and_then(without_fraction))?;
    T::try_from(number).ok().filter(|_| (least..=most).contains(&number))
}

/// The whole number that a float is. Beyond 2^53 a float no longer tells neighbours apart, so that it names none.
fn without_fraction(number: f64) -> Option<i64> {
    const LAST_EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = number.fract() == 0.0 && number.abs() < LAST_EXACT;
    // Exact, as was just asked; the standard library has no conversion that says so.
    #[expect(clippy::cast_possible_truncation)]
    is_whole.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
        for (value, seats) in [(json!(5), 5), (json!(5.0), 5), (json!(1e2), 100), (json!(100_000.0), 100_000)] {
            assert_eq!(event_seats(&value), Ok(seats), "{value}");
        }
    }

    #[test]
    fn what_has_a_fraction_is_out_of_range_or_is_no_number_is_refused() {
        for value in [json!(5.5), json!(0.0), json!(-1.0), json!(100_001.0), json!(1e300), json!("5"), json!(true)] {
            assert!(event_seats(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_float_too_large_to_be_exact_is_no_id() {
        assert!(id(&json!(9_007_199_254_740_993_i64)).is_ok());
        assert!(id(&json!(9_007_199_254_740_992.0)).is_err());
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert!(title(&json!("ü".repeat(200))).is_ok());
        assert!(title(&json!("ü".repeat(201))).is_err());
    }

    #[test]
    fn an_address_has_an_at_between_other_characters_and_no_white_space() {
        for address in ["a@b", "ada@example.com", "a@b@c"] {
            assert!(email(&json!(address)).is_ok(), "{address}");
        }
        for address in ["", "@", "a@", "@b", "ada", "a b@c", "a@b\n", "a@\u{a0}b"] {
            assert!(email(&json!(address)).is_err(), "{address:?}");
        }
    }

    #[test]
    fn text_with_nul_is_refused() {
        assert!(note(&json!("a\0b")).is_err());
    }
}
