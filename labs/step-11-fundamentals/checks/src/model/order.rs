//! The model's orders.

use super::Mistake;
use super::json::{self, Value};
use super::time::{Instant, is_leap};

/// An order.
#[derive(Debug)]
pub struct Order {
    id: String,
    /// The event's name.
    pub event: String,
    /// How many seats.
    pub seats: u16,
    cents: i64,
    /// The price of all seats, in cents.
    pub total: u128,
    /// When it was made.
    pub at: Instant,
    /// The same as the order has it.
    pub at_as_written: String,
    note: Option<Value>,
}

impl Order {
    /// The order on `line`, if it holds one.
    pub fn read(line: &[u8], mistake: Option<Mistake>) -> Option<Self> {
        let Value::Object(members) = Value::read(line, mistake)? else { return None };
        let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let text = |name: &str| match member(name)? {
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let Value::Number(seats) = member("seats")? else { return None };
        let seats = if seats.bytes().all(|byte| byte.is_ascii_digit()) { seats.parse().ok()? } else { 0 };
        if !(1..=1_000).contains(&seats) {
            return None;
        }
        let (cents, at) = (cents(&text("price")?, mistake)?, text("at")?);
        let total = match mistake {
            Some(Mistake::ProductsWrap) => u128::from(cents.wrapping_mul(i64::from(seats)).unsigned_abs()),
            _ => u128::from(cents.checked_mul(i64::from(seats))?.unsigned_abs()),
        };
        let is_leap: fn(i64) -> bool =
            if mistake == Some(Mistake::EveryFourthYear) { |year| year % 4 == 0 } else { is_leap };
        Some(Self {
            id: text("id")?,
            event: text("event")?,
            seats,
            cents,
            total,
            at: Instant::read(&at, is_leap)?,
            at_as_written: at,
            note: member("note").cloned(),
        })
    }

    /// Its line in the canonical form.
    pub fn canonical(&self) -> String {
        let mut members = vec![
            ("at", Value::Text(self.at.to_string())),
            ("event", Value::Text(self.event.clone())),
            ("id", Value::Text(self.id.clone())),
        ];
        members.extend(self.note.clone().map(|note| ("note", note)));
        members.push(("price", Value::Text(price(self.cents))));
        members.push(("seats", Value::Number(self.seats.to_string())));
        let mut line = String::new();
        json::write_members(members.iter().map(|(name, value)| (*name, value)), &mut line);
        line + "\n"
    }
}

/// The cents of a price.
fn cents(price: &str, mistake: Option<Mistake>) -> Option<i64> {
    let (whole, part) = price.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() != 2 || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    if mistake == Some(Mistake::MoneyInFloats) {
        #[expect(clippy::cast_possible_truncation, reason = "that is the mistake")]
        return Some((price.parse::<f64>().ok()? * 100.0) as i64);
    }
    format!("{whole}{part}").parse().ok()
}

/// `cents` as a price.
pub fn price(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
