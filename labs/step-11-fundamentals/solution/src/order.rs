//! An order: what a line has to say to be one, and how it is written again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::json::{self, Value};
use crate::lines::LONGEST;
use crate::moment::Moment;
use crate::money::{Cents, PriceError};

/// The most seats of one order.
const MOST_SEATS: u64 = 1_000;

/// An order. It borrows from its line what needs no decoding.
#[derive(Debug, Clone, PartialEq)]
pub struct Order<'a> {
    /// What the shop calls it.
    pub id: Cow<'a, str>,
    /// What it is for.
    pub event: Cow<'a, str>,
    /// How many seats.
    pub seats: u64,
    /// The price of one.
    pub price: Cents,
    /// The price of all.
    pub total: Cents,
    /// When it was made.
    pub at: Moment,
    /// Whatever else there is to say.
    pub note: Option<Value<'a>>,
}

/// Why a line is no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineError {
    /// It is longer than what is looked at.
    TooLong,
    /// Its bytes are not UTF-8.
    NotUtf8,
    /// It is not JSON.
    Json(json::Error),
    /// It is JSON, but no object.
    NoObject,
    /// This member is not there.
    Missing(&'static str),
    /// This member is not what it has to be.
    Wrong(&'static str, &'static str),
}

impl<'a> Order<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// The line is no order.
    pub fn parse(line: &'a [u8]) -> Result<Self, LineError> {
        if line.len() > LONGEST {
            return Err(LineError::TooLong);
        }
        let text = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
        let Value::Object(mut members) = json::parse(text).map_err(LineError::Json)? else {
            return Err(LineError::NoObject);
        };
        let (seats, price) = (seats(&mut members)?, price(&mut members)?);
        Ok(Self {
            id: text_of(&mut members, "id")?,
            event: text_of(&mut members, "event")?,
            seats,
            price,
            total: price.times(seats).ok_or(LineError::Wrong("price", "is too much for so many seats"))?,
            at: at(&mut members)?,
            note: members.remove("note"),
        })
    }

    /// Writes it as a line in the canonical form.
    pub fn write(self, out: &mut String) {
        let mut members = BTreeMap::from([
            ("at".into(), Value::String(self.at.to_string().into())),
            ("event".into(), Value::String(self.event)),
            ("id".into(), Value::String(self.id)),
            ("price".into(), Value::String(self.price.to_string().into())),
            ("seats".into(), Value::Number(self.seats.to_string().into())),
        ]);
        members.extend(self.note.map(|note| ("note".into(), note)));
        Value::Object(members).write(out);
        out.push('\n');
    }
}

type Members<'a> = BTreeMap<Cow<'a, str>, Value<'a>>;

fn text_of<'a>(members: &mut Members<'a>, name: &'static str) -> Result<Cow<'a, str>, LineError> {
    match members.remove(name).ok_or(LineError::Missing(name))? {
        Value::String(text) if text.is_empty() => Err(LineError::Wrong(name, "is empty")),
        Value::String(text) => Ok(text),
        _ => Err(LineError::Wrong(name, "is no string")),
    }
}

fn seats(members: &mut Members<'_>) -> Result<u64, LineError> {
    let wrong = LineError::Wrong("seats", "is no whole number from 1 to 1000");
    match members.remove("seats").ok_or(LineError::Missing("seats"))? {
        Value::Number(digits) => digits.parse().ok().filter(|seats| (1..=MOST_SEATS).contains(seats)).ok_or(wrong),
        _ => Err(wrong),
    }
}

fn price(members: &mut Members<'_>) -> Result<Cents, LineError> {
    text_of(members, "price")?.parse().map_err(|error| {
        LineError::Wrong(
            "price",
            match error {
                PriceError::Form => "is not digits, a point and two digits",
                PriceError::TooMuch => "is too much",
            },
        )
    })
}

fn at(members: &mut Members<'_>) -> Result<Moment, LineError> {
    Moment::parse(&text_of(members, "at")?)
        .ok_or(LineError::Wrong("at", "is no time from 1970 to 9999, as in RFC 3339"))
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {LONGEST} bytes"),
            Self::NotUtf8 => write!(f, "not UTF-8"),
            Self::Json(error) => write!(f, "no JSON: {error}"),
            Self::NoObject => write!(f, "no object"),
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Wrong(name, why) => write!(f, "`{name}` {why}"),
        }
    }
}

impl std::error::Error for LineError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(line: &str) -> Result<String, LineError> {
        let mut out = String::new();
        Order::parse(line.as_bytes())?.write(&mut out);
        Ok(out)
    }

    #[test]
    fn an_order_is_written_in_the_canonical_form() {
        let line = r#" {"note":{"b":1E5,"a":[true , null]}, "seats":2,"id":"o\u002d17","price":"12.50","shop":"here",
            "at":"2026-03-01T19:00:00+01:00", "event":"Jazz\u0020Night"} "#;
        let wanted = concat!(
            r#"{"at":"2026-03-01T18:00:00Z","event":"Jazz Night","id":"o-17","note":{"a":[true,null],"b":1E5},"#,
            r#""price":"12.50","seats":2}"#,
            "\n"
        );
        assert_eq!(canonical(line).unwrap(), wanted);
        assert_eq!(canonical(wanted).unwrap(), wanted);
    }

    #[test]
    fn a_line_that_is_no_order_says_why() {
        let order = r#"{"id":"1","event":"Jazz","seats":2,"price":"12.50","at":"2026-03-01T19:00:00Z"}"#;
        assert!(canonical(order).is_ok());
        for (from, to, why) in [
            (r#""id":"1","#, "", "`id` is missing"),
            (r#""id":"1""#, r#""id":1"#, "`id` is no string"),
            (r#""Jazz""#, r#""""#, "`event` is empty"),
            ("12.50", "12.5", "`price` is not digits, a point and two digits"),
            ("12.50", "92233720368547758.08", "`price` is too much"),
            ("12.50", "92233720368547758.07", "`price` is too much for so many seats"),
            ("2026-03-01", "2026-02-30", "`at` is no time from 1970 to 9999, as in RFC 3339"),
        ] {
            assert_eq!(canonical(&order.replace(from, to)).unwrap_err().to_string(), why);
        }
        for seats in ["0", "1001", "-1", "2.0", "2e0", "\"2\"", "null", "99999999999999999999"] {
            let line = order.replace(":2,", &format!(":{seats},"));
            assert!(matches!(canonical(&line), Err(LineError::Wrong("seats", _))), "{seats}");
        }
        assert_eq!(canonical("[]"), Err(LineError::NoObject));
        assert_eq!(Order::parse(b"\xff"), Err(LineError::NotUtf8));
        assert_eq!(Order::parse(&vec![b' '; LONGEST + 1]), Err(LineError::TooLong));
    }
}
