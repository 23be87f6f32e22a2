//! Task 4: what an order holds.

use lab_kit::prelude::*;

use crate::random::{Style, random_order};
use crate::support::{Judged, Order, bad, expect, expect_judged, expect_outcome, good, quoted};

/// How many random orders are sent in one run.
const RANDOM: usize = 300;

/// What a program takes for granted, somebody leaves out (README, the program).
#[check(title = "an order has its five members, and others are left out", task = 4, points = 3, needs = ["json_accepted"],
        hints = ["What does your program do where a member is not there, or is `null`?",
                 "Of which type does each member have to be, and which of them may be empty?",
                 "A member that nobody knows is read as JSON, and then forgotten."])]
async fn order_fields(lab: &Lab) -> CheckResult {
    let order = Order::new(lab).note("1");
    let Order { id, event, seats, price, at, .. } = &order;
    let members = [("id", id), ("event", event), ("seats", seats), ("price", price), ("at", at)];
    let with = |changed: &str, value: Option<&str>| {
        let member = |(name, own): &(&str, &String)| {
            let value = if *name == changed { value } else { Some(own.as_str()) };
            value.map(|value| format!("\"{name}\":{value}"))
        };
        format!("{{{}}}", members.iter().filter_map(member).collect::<Vec<_>>().join(","))
    };
    let mut lines = Vec::new();
    for (name, value) in members {
        lines.push(bad(with(name, None)));
        lines.push(bad(with(name, None).replacen('{', &format!("{{\"{}\":{value},", name.to_uppercase()), 1)));
        lines.push(bad(with(name, None).replacen('{', &format!("{{\"note\":{{\"{name}\":{value}}},"), 1)));
        let others: &[&str] = if name == "seats" { &[] } else { &["\"\"", "1", "12.50"] };
        for other in ["null", "true", "[]", "{}", "[1]", "{\"a\":\"b\"}", "\" \\u0000\\\"\""].iter().chain(others) {
            // Every string that is not empty will do for these two.
            if !(["id", "event"].contains(&name) && other.len() > 2 && other.starts_with('"')) {
                lines.push(bad(with(name, Some(other))));
            }
        }
    }
    for text in [" ", "0", "null", "\\u0000", "\\\\", "a\\nb"] {
        let order = Order::new(lab).event(text);
        lines.push(good(&Order { id: quoted(text), ..order }));
    }
    let turned = |order: &[usize], more: &str| {
        let member = |index: &usize| format!("\"{}\":{}", members[*index].0, members[*index].1);
        let text = order.iter().map(member).collect::<Vec<_>>().join(&format!(",{more}"));
        (
            format!("{{{more}{text}}}").into_bytes(),
            Judged::Good(Order { note: None, ..order_of(members.map(|m| m.1)) }.canonical()),
        )
    };
    for more in
        ["", "\"more\":[{\"id\":\"\"}],", "\"ID\":1,\"Seats\":0,", "\"\":null,", "\"i\\u0064s\":\"x\",", "\"notes\":1,"]
    {
        lines.push(turned(&[0, 1, 2, 3, 4], more));
        lines.push(turned(&[4, 3, 2, 1, 0], more));
        lines.push(turned(&[2, 0, 4, 1, 3], more));
    }
    lines.push(good(&order));
    expect_judged(lab, &lines).await
}

fn order_of([id, event, seats, price, at]: [&String; 5]) -> Order {
    let [id, event, seats, price, at] = [id, event, seats, price, at].map(Clone::clone);
    Order { id, event, seats, price, at, note: None }
}

/// Money is counted in whole cents: a binary fraction holds hardly any of them (What Every Computer Scientist Should Know About
/// Floating-Point Arithmetic, D. Goldberg, 1991; README, task 4).
#[check(title = "money is exact to the cent", task = 4, points = 3, needs = ["order_fields"],
        hints = ["Which type holds a price in your program, and can it hold 0.10?",
                 "What would a parser for numbers take for a price that is none here: signs, exponents, other digits?",
                 "Take the digits before the point and the two behind it as one whole number of cents."])]
async fn money(lab: &Lab) -> CheckResult {
    let mut prices: Vec<String> = [
        "0.00",
        "0.01",
        "0.09",
        "0.10",
        "0.29",
        "0.57",
        "1.00",
        "1.10",
        "4.35",
        "19.99",
        "1234567.89",
        "999999999999.99",
    ]
    .map(Into::into)
    .into();
    prices.extend(["90071992547409.93", "9007199254740993.01", "1000000000000000.01"].map(Into::into));
    prices.extend((0..40).map(|_| format!("{}.{:02}", lab.number(0, 99_999), lab.number(0, 99))));
    let mut lines: Vec<_> = prices.iter().map(|price| good(&Order::new(lab).seats(1).price(price))).collect();
    let wrong = [
        "1",
        "1.5",
        "1.505",
        "01.00",
        "00.50",
        "-1.00",
        "+1.00",
        "1,00",
        " 1.00",
        "1.00 ",
        "1e2",
        ".50",
        "",
        "1.",
        ".",
        "-0.00",
        "1.0O",
        "0x1.00",
        "1_000.00",
        "1,000.00",
        "1.00.00",
        "1. 0",
        "1 .00",
        "$1.00",
        "1.00 €",
        "NaN",
        "inf",
        "１.00",
        "1.٠٠",
        "٣.50",
        "1.5e",
        "1e2.00",
        "1.-1",
        "1.+1",
        "1.00\\u0000",
        "\\u00001.00",
        "1.00\\n",
        "²1.00",
        "1.²0",
    ];
    lines.extend(wrong.iter().map(|price| bad(Order::new(lab).price(price).text())));
    lines.extend(
        ["12.50", "12", "1250", "null"].map(|price| bad(Order { price: price.into(), ..Order::new(lab) }.text())),
    );
    expect_judged(lab, &lines).await?;
    let (event, mut cents, mut orders) = (lab.word(), 0_i64, String::new());
    let drawn = (0..500).map(|_| (lab.number(1, 999), lab.number(1, 99_999))).chain([
        (1, 9_007_199_254_740_993),
        (3, 1),
        (1_000, 29),
    ]);
    let (mut seats, mut count) = (0, 0);
    for (number, price) in drawn {
        let order = Order::new(lab).event(&event).seats(number).price(&format!("{}.{:02}", price / 100, price % 100));
        orders += &order.line();
        (cents, seats, count) = (cents + number * price, seats + number, count + 1);
    }
    let time = "2026-03-01T19:00:00Z";
    let sums = format!("\"orders\":{count},\"revenue\":\"{}.{:02}\",\"seats\":{seats}", cents / 100, cents % 100);
    let report = format!("{{\"event\":\"{event}\",\"first\":\"{time}\",\"last\":\"{time}\",{sums}}}\n");
    expect(lab.program().arg("report"), orders, &report, &[]).await
}

/// A sum that wraps around is no error that anybody sees: it is a wrong number (CWE-190).
#[check(title = "what no cents can hold is a bad line", task = 4, points = 3, needs = ["money"],
        hints = ["What does your language do when a whole number gets too large: an error, another number, another type?",
                 "A price may be right, and the price of all seats too much.",
                 "Look for a multiplication that tells of an overflow."])]
async fn money_overflow(lab: &Lab) -> CheckResult {
    let mut lines = Vec::new();
    // Seats and the highest price that they may have, in cents: the next is too high.
    let largest = 9_223_372_036_854_775_807_u128;
    for seats in [1, 2, 3, 10, 999, 1_000] {
        let most = largest / seats;
        let price = |cents: u128| format!("{}.{:02}", cents / 100, cents % 100);
        let order = |cents: u128| Order::new(lab).seats(seats).price(&price(cents));
        lines.push(good(&order(most)));
        lines.push(bad(order(most + 1).text()));
        // What wraps around to something small, in 64 bits with and without a sign.
        lines.extend(
            [(2 * largest + 1) / seats, (2 * largest + 2) / seats + 1, largest + 1, 2 * largest + 1]
                .map(|cents| bad(order(cents).text())),
        );
    }
    lines.push(good(&Order::new(lab).seats(1).price("92233720368547758.07")));
    for price in ["92233720368547758.08", "184467440737095516.16", "184467440737095517.16", "100000000000000000000.00"]
    {
        lines.push(bad(Order::new(lab).seats(1).price(price).text()));
    }
    for zeros in [18, 19, 20, 37, 38, 100, 400] {
        lines.push(bad(Order::new(lab).seats(1).price(&format!("1{}.00", "0".repeat(zeros))).text()));
    }
    // 2^128 and 2^64 cents and one.
    lines.push(bad(Order::new(lab).seats(1).price("3402823669209384634633746074317682114.57").text()));
    lines.push(bad(Order::new(lab).seats(1).price("184467440737095516.17").text()));
    expect_judged(lab, &lines).await
}

/// An offset says how the clock of a place differs from UTC: it has to be taken off (RFC 3339 §4.2, §5.6, appendix C).
#[check(title = "times come out in UTC", task = 4, points = 3, needs = ["order_fields"],
        hints = ["Is the time of `+01:00` in UTC an hour earlier or an hour later?",
                 "What if taking the offset off leads into another day, month or year?",
                 "Count seconds since a day that you choose, and make a date of them again."])]
async fn times(lab: &Lab) -> CheckResult {
    // As written, and in UTC.
    let pairs = [
        ("2026-03-01T19:00:00Z", "2026-03-01T19:00:00Z"),
        ("2026-03-01T19:00:00+01:00", "2026-03-01T18:00:00Z"),
        ("2026-03-01T12:30:00-05:30", "2026-03-01T18:00:00Z"),
        ("2026-03-01T00:00:00+00:00", "2026-03-01T00:00:00Z"),
        ("2026-03-01T00:00:00-00:00", "2026-03-01T00:00:00Z"),
        ("2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00Z"),
        ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z"),
        ("2024-02-29T23:30:00-00:45", "2024-03-01T00:15:00Z"),
        ("2025-02-28T23:30:00-01:00", "2025-03-01T00:30:00Z"),
        ("2000-02-29T12:00:00Z", "2000-02-29T12:00:00Z"),
        ("2000-03-01T00:00:00+00:01", "2000-02-29T23:59:00Z"),
        ("2100-03-01T00:00:00+00:01", "2100-02-28T23:59:00Z"),
        ("2400-02-29T00:00:00Z", "2400-02-29T00:00:00Z"),
        ("2026-01-01T00:00:00+00:01", "2025-12-31T23:59:00Z"),
        ("2025-12-31T23:59:59-00:01", "2026-01-01T00:00:59Z"),
        ("2026-05-01T02:00:00+05:45", "2026-04-30T20:15:00Z"),
        ("2026-07-01T00:00:00+14:00", "2026-06-30T10:00:00Z"),
        ("2026-08-01T00:00:00+23:59", "2026-07-31T00:01:00Z"),
        ("2026-07-31T23:59:59-23:59", "2026-08-01T23:58:59Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00Z"),
        ("1970-01-01T05:00:00+05:00", "1970-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ("9999-12-31T23:59:59+00:01", "9999-12-31T23:58:59Z"),
        ("2026-03-01T19:00:00.5Z", "2026-03-01T19:00:00.5Z"),
        ("2026-03-01T19:00:00.500Z", "2026-03-01T19:00:00.5Z"),
        ("2026-03-01T19:00:00.000Z", "2026-03-01T19:00:00Z"),
        ("2026-03-01T19:00:00.0Z", "2026-03-01T19:00:00Z"),
        ("2026-03-01T19:00:00.050Z", "2026-03-01T19:00:00.05Z"),
        ("2026-03-01T19:00:00.000000001+01:00", "2026-03-01T18:00:00.000000001Z"),
        ("2026-03-01T19:00:00.123456780-01:00", "2026-03-01T20:00:00.12345678Z"),
        ("2026-03-01T19:00:00.100000000Z", "2026-03-01T19:00:00.1Z"),
        ("2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"),
        ("2106-02-07T06:28:16Z", "2106-02-07T06:28:16Z"),
        ("2262-04-12T00:00:00.000000001Z", "2262-04-12T00:00:00.000000001Z"),
    ];
    let mut lines: Vec<_> = pairs.iter().map(|(written, utc)| in_utc(lab, written, utc)).collect();
    // The ends of all months, of a leap year and of another.
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, days) in (1..=12).zip(days) {
        for (year, days) in [(2023, days), (2028, if month == 2 { 29 } else { days })] {
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let last = format!("{year}-{month:02}-{days}T23:00:00");
            let first = format!("{next_year}-{next:02}-01T01:00:00");
            lines.push(in_utc(lab, &format!("{last}-02:00"), &format!("{first}Z")));
            lines.push(in_utc(lab, &format!("{first}+02:00"), &format!("{last}Z")));
        }
    }
    expect_judged(lab, &lines).await
}

fn in_utc(lab: &Lab, written: &str, utc: &str) -> (Vec<u8>, Judged) {
    let order = Order::new(lab).at(written);
    (order.text().into_bytes(), Judged::Good(order.at(utc).canonical()))
}

/// A day that is on no calendar has no place in a sum (RFC 3339 §5.6, §5.7).
#[check(title = "times that do not exist are bad lines", task = 4, points = 2, needs = ["times"],
        hints = ["How many days has February in 2100, and how do you know?",
                 "Which characters does your parser pass over, and which does it take for a digit?",
                 "From 1970 to 9999: in UTC, not as it is written."])]
async fn bad_times(lab: &Lab) -> CheckResult {
    let wrong = [
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2200-02-29T12:00:00+01:00",
        "2024-02-30T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-06-31T00:00:00Z",
        "2026-09-31T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T19:60:00Z",
        "2026-03-01T19:00:60Z",
        "2026-03-01T25:00:00Z",
        "2026-03-01T19:00:00+24:00",
        "2026-03-01T19:00:00+01:60",
        "2026-03-01T19:00:00-24:00",
        "2026-03-01T19:00:00+99:00",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:30:00+01:00",
        "9999-12-31T23:30:00-01:00",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0026-03-01T19:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "2026-03-01T19:00:00",
        "2026-03-01T19:00Z",
        "2026-03-01T19Z",
        "2026-03-01",
        "2026-03-01Z",
        "19:00:00Z",
        "",
        "2026-03-01T19:00:00.Z",
        "2026-03-01T19:00:00.",
        "2026-03-01T19:00:00.1234567890Z",
        "2026-03-01T19:00:00.0000000000Z",
        "2026-03-01T19:00:00,5Z",
        "2026-03-01T19:00.5Z",
        "2026-03-01T19:00:00.5",
        "2026-03-01T19:00:00.-5Z",
        "2026-03-01 19:00:00Z",
        "2026-03-01_19:00:00Z",
        "2026-03-0119:00:00Z",
        "20260301T190000Z",
        "2026/03/01T19:00:00Z",
        "2026-3-01T19:00:00Z",
        "2026-03-1T19:00:00Z",
        "26-03-01T19:00:00Z",
        "2026-03-01T9:00:00Z",
        "2026-03-01T19:0:00Z",
        "2026-03-01T19:00:00+1:00",
        "2026-03-01T19:00:00+0100",
        "2026-03-01T19:00:00+01",
        "2026-03-01T19:00:00+01:0",
        "2026-03-01T19:00:00+01:00:00",
        "2026-03-01T19:00:0001:00",
        "2026-03-01T19:00:00UTC",
        "2026-03-01T19:00:00 Z",
        "2026-03-01T19:00:00 +01:00",
        "2026-03-01T19:00:00Z+01:00",
        "2026-03-01T19:00:00+01:00Z",
        "2026-03-01T19:00:00ZZ",
        " 2026-03-01T19:00:00Z",
        "2026-03-01T19:00:00Z ",
        "2026-03-01T19:00:00Z\\n",
        "\\t2026-03-01T19:00:00Z",
        "+2026-03-01T19:00:00Z",
        "-2026-03-01T19:00:00Z",
        "2026-+3-01T19:00:00Z",
        "2026-03--1T19:00:00Z",
        "2026-03-01T+9:00:00Z",
        "2026-03-01T 9:00:00Z",
        "2026-03-01T19:00:00+-1:00",
        "2026-03-01T19:00:00+ 1:00",
        "２026-03-01T19:00:00Z",
        "2026-03-01T19:00:00.٥Z",
        "2026-03-01T19:00:00−01:00",
        "2026-W09-7T19:00:00Z",
        "2026-060T19:00:00Z",
        "Sun, 01 Mar 2026 19:00:00 GMT",
        "1772391600",
        "now",
        "2026-03-01T19:00:00é",
        "é026-03-01T19:00:00Z",
        "2026-03-01T19:00:0é",
        "2026-03-01T19:00:00Z\\u0000",
    ];
    let mut lines: Vec<_> = wrong.iter().map(|time| bad(Order::new(lab).at(time).text())).collect();
    lines.push(bad(Order { at: "1772391600".into(), ..Order::new(lab) }.text()));
    lines.push(good(&Order::new(lab)));
    expect_judged(lab, &lines).await
}

/// What is written in the canonical form and read again is what it was (README, the program; RFC 8259 §7).
#[check(title = "random orders come out in the canonical form, and stay so", task = 4, points = 3,
        needs = ["order_fields"],
        hints = ["Take the line in the report: which character of it does your program read or write differently?",
                 "Import the output of `import`: what does your program change the second time?"])]
async fn round_trips(lab: &Lab) -> CheckResult {
    let orders: Vec<_> = (0..RANDOM).map(|_| random_order(lab, Style::Free)).collect();
    let lines: Vec<_> = orders
        .iter()
        .map(|order| (order.written.clone().into_bytes(), Judged::Good(order.canonical.clone())))
        .collect();
    expect_judged(lab, &lines).await?;
    let canonical: String = orders.iter().map(|order| order.canonical.as_str()).collect();
    let again = lab.program().arg("import").input(canonical.as_str()).run().await?;
    // never fails alone: the canonical form is one of those that were drawn above, and comes out as they do
    expect_outcome(&again, canonical.as_bytes(), &[])
        .because("what is in the canonical form already comes out as it is")
}
