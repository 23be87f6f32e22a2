//! Orders summed up by event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::Error;
use crate::json::Value;
use crate::moment::Moment;
use crate::money::Cents;
use crate::order::Order;

/// What is known of each event, by its name. Reports of parts of the input add up, in any order.
#[derive(Debug, Default)]
pub struct Report(BTreeMap<String, Totals>);

#[derive(Debug, Clone, Copy)]
struct Totals {
    orders: u64,
    seats: u64,
    /// In cents. It may be more than can be told, but no input is long enough for it to wrap.
    revenue: u128,
    first: Moment,
    last: Moment,
}

impl Report {
    /// Adds an order.
    pub fn add(&mut self, order: &Order<'_>) {
        let one = Totals { orders: 1, seats: order.seats, revenue: order.total.get(), first: order.at, last: order.at };
        self.add_totals(&order.event, one);
    }

    /// Adds the report of another part of the input.
    pub fn merge(&mut self, other: &Self) {
        for (event, totals) in &other.0 {
            self.add_totals(event, *totals);
        }
    }

    fn add_totals(&mut self, event: &str, more: Totals) {
        match self.0.get_mut(event) {
            Some(totals) => totals.add(more),
            None => drop(self.0.insert(event.to_owned(), more)),
        }
    }

    /// One line for each event, sorted by its name.
    ///
    /// # Errors
    /// The revenue of an event is more than can be told.
    pub fn lines(&self) -> Result<String, Error> {
        let mut out = String::new();
        for (event, totals) in &self.0 {
            let line = totals.line(event).ok_or_else(|| Error::TooMuch(event.clone()))?;
            line.write(&mut out);
            out.push('\n');
        }
        Ok(out)
    }
}

impl Totals {
    fn add(&mut self, more: Self) {
        self.orders += more.orders;
        self.seats += more.seats;
        self.revenue += more.revenue;
        self.first = self.first.min(more.first);
        self.last = self.last.max(more.last);
    }

    fn line<'a>(&self, event: &'a str) -> Option<Value<'a>> {
        let text = |text: String| Value::String(text.into());
        let number = |number: u64| Value::Number(number.to_string().into());
        Some(Value::Object(BTreeMap::from([
            ("event".into(), Value::String(Cow::Borrowed(event))),
            ("first".into(), text(self.first.to_string())),
            ("last".into(), text(self.last.to_string())),
            ("orders".into(), number(self.orders)),
            ("revenue".into(), text(Cents::new(self.revenue)?.to_string())),
            ("seats".into(), number(self.seats)),
        ])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(orders: &[(&str, &str, &str)]) -> Report {
        let mut report = Report::default();
        for (event, price, at) in orders {
            let line = format!(r#"{{"id":"1","event":"{event}","seats":1,"price":"{price}","at":"{at}"}}"#);
            report.add(&Order::parse(line.as_bytes()).unwrap());
        }
        report
    }

    #[test]
    fn parts_add_up_to_the_whole_in_any_order() {
        let orders = [
            ("b", "0.10", "2026-03-01T19:00:00+01:00"),
            ("a", "0.20", "2026-03-01T18:30:00Z"),
            ("b", "0.20", "2026-03-01T18:30:00Z"),
        ];
        let whole = report(&orders).lines().unwrap();
        let wanted = concat!(
            r#"{"event":"a","first":"2026-03-01T18:30:00Z","last":"2026-03-01T18:30:00Z","orders":1,"revenue":"0.20","seats":1}"#,
            "\n",
            r#"{"event":"b","first":"2026-03-01T18:00:00Z","last":"2026-03-01T18:30:00Z","orders":2,"revenue":"0.30","seats":2}"#,
            "\n"
        );
        assert_eq!(whole, wanted);
        let mut parts = report(&orders[2..]);
        parts.merge(&report(&orders[..2]));
        assert_eq!(parts.lines().unwrap(), whole);
    }

    #[test]
    fn events_are_sorted_by_code_points() {
        let at = "2026-03-01T18:30:00Z";
        let names = ["\u{1f3b7}", "é", "a", "\u{ff5e}", "Z"].map(|name| (name, "1.00", at));
        let lines = report(&names).lines().unwrap();
        let order: Vec<_> = lines.lines().map(|line| line.split('"').nth(3).unwrap()).collect();
        assert_eq!(order, ["Z", "a", "é", "\u{ff5e}", "\u{1f3b7}"]);
    }

    #[test]
    fn a_sum_that_is_too_large_is_an_error() {
        let at = "2026-03-01T18:30:00Z";
        let most = ("a", "92233720368547758.06", at);
        assert!(report(&[most, ("a", "0.01", at)]).lines().unwrap().contains("\"92233720368547758.07\""));
        assert!(matches!(report(&[most, ("a", "0.02", at)]).lines(), Err(Error::TooMuch(_))));
    }
}
