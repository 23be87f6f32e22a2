//! Task 5: the report.

use lab_kit::prelude::*;

use crate::random::{canonical_text, shuffle};
use crate::support::{AT, Order, expect, expect_unable, quoted};

/// A line of the report whose `first` and `last` are [`AT`].
fn line(event: &str, orders: usize, revenue: &str, seats: u64) -> String {
    between(event, AT, AT, orders, revenue, seats)
}

fn between(event: &str, first: &str, last: &str, orders: usize, revenue: &str, seats: u64) -> String {
    let times = format!("\"first\":\"{first}\",\"last\":\"{last}\"");
    format!("{{\"event\":{event},{times},\"orders\":{orders},\"revenue\":\"{revenue}\",\"seats\":{seats}}}\n")
}

/// What is counted together has to be the same, and what is the same has to be counted together (README, task 5).
#[check(title = "each event has its sums", task = 5, points = 3, needs = ["json_strings", "money"],
        hints = ["By what does your program find the event that an order belongs to: the text as it stands there, or what it means?",
                 "Revenue is price times seats: for each order, and then the sum.",
                 "Does anything make two names equal that are not, such as white space or case?"])]
async fn report_sums(lab: &Lab) -> CheckResult {
    let names = ["Jazz", "Jazz ", "jazz", "Jazz\u{301}", "\u{1f3b7}", "é", "e\u{301}", "Jazz."];
    let escaped = |name: &str| name.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
    let (mut orders, mut lines) = (Vec::new(), Vec::new());
    for name in names {
        let (mut cents, mut seats) = (0, 0);
        let count = lab.number(2, 30);
        for number in 0..count {
            let (some, price) = (lab.number(1, 1_000), lab.number(0, 99_999));
            let event = if number % 2 == 0 { name.to_owned() } else { escaped(name) };
            let order = Order::new(lab).event(&event).seats(some).price(&format!("{}.{:02}", price / 100, price % 100));
            orders.push(order.line());
            (cents, seats) = (cents + some * price, seats + some);
        }
        let revenue = format!("{}.{:02}", cents / 100, cents % 100);
        lines.push((name, line(&quoted(name), usize::try_from(count).unwrap_or(0), &revenue, seats.unsigned_abs())));
    }
    // Equal orders are orders of their own.
    let twice = Order::new(lab).event("twice").line();
    orders.extend([twice.clone(), twice]);
    lines.push(("twice", line("\"twice\"", 2, "50.00", 4)));
    lab.random(|random| shuffle(random, &mut orders));
    lines.sort();
    let report: String = lines.into_iter().map(|(_, line)| line).collect();
    expect(lab.program().arg("report"), orders.concat(), &report, &[]).await
}

/// The order of a report is part of what it says: two of them can be compared only if it does not change (README, task 5).
#[check(title = "events are sorted by code points", task = 5, points = 2, needs = ["report_sums"],
        hints = ["In which order does your program's container give back its keys, and is it the same each time?",
                 "How does your language compare strings: by code points, by UTF-16, or by a country's rules?",
                 "In UTF-8, the order of the bytes is that of the code points."])]
async fn report_order(lab: &Lab) -> CheckResult {
    let mut names = [
        "\u{1}",
        "\t",
        "\n",
        " ",
        "!",
        "\"",
        "\"a",
        "/",
        "0",
        "10",
        "9",
        "A",
        "Ab",
        "Z",
        "Za",
        "\\",
        "\\a",
        "_",
        "a",
        "aZ",
        "aa",
        "ab",
        "z",
        "\u{7f}",
        "ß",
        "é",
        "éa",
        "ø",
        "Ω",
        "я",
        "\u{2028}",
        "京",
        "\u{e000}",
        "\u{ff5e}",
        "\u{ffff}",
        "\u{10000}",
        "\u{1f3b7}",
        "\u{10ffff}",
    ];
    names.sort_unstable();
    let names = names.map(canonical_text);
    let report: String = names.iter().map(|name| line(name, 1, "25.00", 2)).collect();
    let mut orders: Vec<_> = names.iter().map(|name| Order { event: name.clone(), ..Order::new(lab) }.line()).collect();
    for _ in 0..2 {
        lab.random(|random| shuffle(random, &mut orders));
        expect(lab.program().arg("report"), orders.concat(), &report, &[]).await?;
    }
    Ok(())
}

/// One instant has many names, and their order as text is not that of the instants (RFC 3339 §5.1).
#[check(title = "first and last are instants", task = 5, points = 3, needs = ["times", "report_sums"],
        hints = ["What does your program compare: the text of a time, or the instant that it stands for?",
                 "Is `.5` before or after `.45`, and `+01:00` before or after `Z`?",
                 "The first order of an event is its first and its last."])]
async fn report_times(lab: &Lab) -> CheckResult {
    // The times of one event's orders, and its first and last.
    let cases: &[(&[&str], &str, &str)] = &[
        (&["2026-03-01T19:00:00+01:00", "2026-03-01T18:30:00Z"], "2026-03-01T18:00:00Z", "2026-03-01T18:30:00Z"),
        (&["2026-03-01T12:30:00-05:30", "2026-03-01T17:59:59Z"], "2026-03-01T17:59:59Z", "2026-03-01T18:00:00Z"),
        (&["2026-03-02T00:30:00+02:00", "2026-03-01T23:00:00Z"], "2026-03-01T22:30:00Z", "2026-03-01T23:00:00Z"),
        (&["2025-12-31T23:00:00-02:00", "2026-01-01T00:30:00Z"], "2026-01-01T00:30:00Z", "2026-01-01T01:00:00Z"),
        (&["2026-03-01T18:00:00.5Z", "2026-03-01T18:00:00.45Z"], "2026-03-01T18:00:00.45Z", "2026-03-01T18:00:00.5Z"),
        (&["2026-03-01T18:00:00.100Z", "2026-03-01T18:00:00.1Z"], "2026-03-01T18:00:00.1Z", "2026-03-01T18:00:00.1Z"),
        (
            &["2026-03-01T18:00:00Z", "2026-03-01T18:00:00.000000001Z"],
            "2026-03-01T18:00:00Z",
            "2026-03-01T18:00:00.000000001Z",
        ),
        (
            &["2026-03-01T18:00:00.000000001Z", "2026-03-01T18:00:00.000000002Z", "2026-03-01T18:00:00Z"],
            "2026-03-01T18:00:00Z",
            "2026-03-01T18:00:00.000000002Z",
        ),
        (
            &["2026-03-01T18:00:00.9+00:00", "2026-03-01T19:00:01+01:00"],
            "2026-03-01T18:00:00.9Z",
            "2026-03-01T18:00:01Z",
        ),
        (&["2026-03-01T18:00:00Z"], "2026-03-01T18:00:00Z", "2026-03-01T18:00:00Z"),
        (
            &["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2026-03-01T18:00:00Z"],
            "1970-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ),
        (
            &["2026-03-01T18:00:00Z", "2026-03-01T17:00:00Z", "2026-03-01T16:00:00Z"],
            "2026-03-01T16:00:00Z",
            "2026-03-01T18:00:00Z",
        ),
        (
            &["2026-03-01T16:00:00Z", "2026-03-01T17:00:00Z", "2026-03-01T18:00:00Z"],
            "2026-03-01T16:00:00Z",
            "2026-03-01T18:00:00Z",
        ),
    ];
    let (mut orders, mut report) = (String::new(), String::new());
    for (number, (times, first, last)) in (10..).zip(cases) {
        for turned in [false, true] {
            let event = format!("{number} {turned}");
            let lines = times.iter().map(|time| Order::new(lab).event(&event).seats(1).price("0.01").at(time).line());
            let mut lines: Vec<_> = lines.collect();
            if turned {
                lines.reverse();
            }
            let revenue = format!("0.{:02}", times.len());
            let seats = u64::try_from(times.len()).unwrap_or(0);
            report += &between(&quoted(&event), first, last, times.len(), &revenue, seats);
            orders += &lines.concat();
        }
    }
    expect(lab.program().arg("report"), orders, &report, &[]).await
}

/// Each order may be right and their sum too much: a report that is wrong is worse than none (CWE-190; README, task 5).
#[check(title = "a revenue that is too much ends with exit code 2", task = 5, points = 2, needs = ["money_overflow", "report_sums"],
        hints = ["Which additions of your program can overflow, and what do they do then?",
                 "What has been written when it turns out, and can it be taken back?"])]
async fn report_overflow(lab: &Lab) -> CheckResult {
    let (name, other) = (lab.word(), lab.word());
    let order =
        |cents: u64| Order::new(lab).event(&name).seats(1).price(&format!("{}.{:02}", cents / 100, cents % 100)).line();
    let most = i64::MAX.unsigned_abs();
    let half = most / 2;
    let fits = [vec![most], vec![most - 1, 1], vec![1, most - 1, 0], vec![half, half, 1]];
    for cents in fits {
        let input: String = cents.iter().map(|cents| order(*cents)).collect();
        let seats = u64::try_from(cents.len()).unwrap_or(0);
        let report = line(&quoted(&name), cents.len(), "92233720368547758.07", seats);
        expect(lab.program().arg("report"), input, &report, &[]).await?;
    }
    let before = Order::new(lab).event("a").line();
    let behind = Order::new(lab).event(&other).line();
    for cents in
        [vec![most, 1], vec![1, most], vec![half, half, 2], vec![most, most], vec![most, most, 2], vec![most; 5]]
    {
        let input: String = cents.iter().map(|cents| order(*cents)).collect();
        for jobs in ["1", "2"] {
            let program = lab.program().args(["report", "--jobs", jobs]).input(format!("{before}{input}{behind}"));
            expect_unable(&program.run().await?)?;
        }
    }
    // Two events that hold as much each are no sum.
    let input = order(most) + &Order::new(lab).event(&other).seats(1).price("92233720368547758.07").line();
    let mut lines = [&name, &other].map(|event| line(&quoted(event), 1, "92233720368547758.07", 1));
    lines.sort();
    expect(lab.program().arg("report"), input, &lines.concat(), &[]).await
}
