//! A program of our own that does what the README asks: it says what random input becomes, and judges learners' cases. It
//! can make mistakes, one at a time.

mod json;
mod order;
mod time;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use order::Order;
pub use time::Instant;

/// What a program is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Orders in, orders out.
    Import,
    /// Orders in, a line about each event out.
    Report,
}

/// What a wrong program has wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Leaves `\u004a` as it is.
    KeepsUnicodeEscapes,
    /// Reads numbers into an f64 and writes that.
    RewritesNumbers,
    /// Takes the first of members with the same name.
    FirstMemberCounts,
    /// Sorts the order's own members only.
    SortsTheOutermost,
    /// Counts no lines without content.
    SkipsEmptyLines,
    /// Reads prices into an f64 and cuts what is left of a cent.
    MoneyInFloats,
    /// Takes every fourth year for a leap year.
    EveryFourthYear,
    /// Multiplies without looking for an overflow.
    ProductsWrap,
    /// Compares times as text.
    TimesAsText,
    /// Sorts events without regard to case.
    CaseIgnored,
}

impl Mistake {
    /// All of them, with the task that they have misread.
    pub const ALL: [(Self, u32); 10] = [
        (Self::KeepsUnicodeEscapes, 2),
        (Self::RewritesNumbers, 2),
        (Self::FirstMemberCounts, 2),
        (Self::SortsTheOutermost, 2),
        (Self::SkipsEmptyLines, 3),
        (Self::MoneyInFloats, 4),
        (Self::EveryFourthYear, 4),
        (Self::ProductsWrap, 4),
        (Self::TimesAsText, 5),
        (Self::CaseIgnored, 5),
    ];
}

/// What a run comes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output.
    pub output: Vec<u8>,
    /// The numbers of the bad lines.
    pub bad: Vec<usize>,
    /// The exit code.
    pub code: i32,
}

/// Longer lines are bad ones. The README leaves open what is between 1,000,000 and 2,000,000 bytes.
const LONGEST_LINE: usize = 1_500_000;

/// What the right program makes of `input`.
pub fn right(command: Command, input: &[u8]) -> Outcome {
    run(command, input, None)
}

/// What a program with `mistake` makes of `input`; the right one without.
pub fn run(command: Command, input: &[u8], mistake: Option<Mistake>) -> Outcome {
    let (mut orders, mut bad) = (Vec::new(), Vec::new());
    let mut number = 0;
    for line in input.split(|byte| *byte == b'\n') {
        let is_empty = line.iter().all(|byte| b" \t\r".contains(byte));
        if !(is_empty && mistake == Some(Mistake::SkipsEmptyLines)) {
            number += 1;
        }
        if is_empty {
            continue;
        }
        let order = if line.len() > LONGEST_LINE { None } else { Order::read(line, mistake) };
        match order {
            Some(order) => orders.push(order),
            None => bad.push(number),
        }
    }
    let output = match command {
        Command::Import => Some(orders.iter().flat_map(|order| order.canonical().into_bytes()).collect()),
        Command::Report => report(orders, mistake),
    };
    let code = if output.is_none() { 2 } else { i32::from(!bad.is_empty()) };
    Outcome { output: output.unwrap_or_default(), bad, code }
}

/// What is known of one event.
struct Sums {
    orders: u64,
    seats: u64,
    cents: u128,
    first: (String, Instant),
    last: (String, Instant),
}

/// The report; nothing where a sum is too large.
fn report(orders: Vec<Order>, mistake: Option<Mistake>) -> Option<Vec<u8>> {
    let mut events: BTreeMap<String, Sums> = BTreeMap::new();
    for order in orders {
        let time = (order.at_as_written, order.at);
        let (seats, cents) = (u64::from(order.seats), order.total);
        match events.entry(order.event) {
            Entry::Vacant(entry) => {
                entry.insert(Sums { orders: 1, seats, cents, first: time.clone(), last: time });
            }
            Entry::Occupied(mut entry) => {
                let sums = entry.get_mut();
                sums.orders += 1;
                sums.seats += seats;
                sums.cents += cents;
                if is_earlier(&time, &sums.first, mistake) {
                    sums.first = time;
                } else if is_earlier(&sums.last, &time, mistake) {
                    sums.last = time;
                }
            }
        }
    }
    let mut events: Vec<_> = events.into_iter().collect();
    if mistake == Some(Mistake::CaseIgnored) {
        events.sort_by_key(|(name, _)| name.to_lowercase());
    }
    let mut report = Vec::new();
    for (name, sums) in events {
        let mut line = String::from("{\"event\":");
        json::write_text(&name, &mut line);
        let (first, last) = (sums.first.1, sums.last.1);
        let (orders, seats, revenue) = (sums.orders, sums.seats, order::price(i64::try_from(sums.cents).ok()?));
        line += &format!(",\"first\":\"{first}\",\"last\":\"{last}\",\"orders\":{orders}");
        line += &format!(",\"revenue\":\"{revenue}\",\"seats\":{seats}}}\n");
        report.extend(line.into_bytes());
    }
    Some(report)
}

fn is_earlier(one: &(String, Instant), other: &(String, Instant), mistake: Option<Mistake>) -> bool {
    if mistake == Some(Mistake::TimesAsText) { one.0 < other.0 } else { one.1 < other.1 }
}
