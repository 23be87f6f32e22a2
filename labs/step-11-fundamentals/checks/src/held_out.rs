//! Held out: what the other checks ask one by one, drawn at random and mixed.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::model::{self, Command};
use crate::random::{Style, random_order};
use crate::support::{Judged, Order, bad, expect_as_model, expect_judged};

/// How many lines are changed in one place.
const CHANGED: usize = 1_200;
/// How many lines are mixed.
const MIXED: usize = 400;
/// How many orders of many events there are.
const MANY: usize = 6_000;

/// A line that was right until somebody has touched one byte of it is either right still or a bad line (RFC 8259 §2 to §9).
#[check(title = "lines that differ from right ones in one place", task = 2, points = 3,
        needs = ["json_accepted"], held_out,
        hints = ["Which rule of the grammar does the line in the report break, or keep?"])]
async fn one_byte_changed(lab: &Lab) -> CheckResult {
    let mut lines = Vec::new();
    while lines.len() < CHANGED {
        let line = changed(lab, random_order(lab, Style::FewEvents).written.into_bytes());
        // A lone surrogate is anybody's guess, and so is what is not UTF-8 in an escape.
        let lower = line.to_ascii_lowercase();
        if lower.windows(3).any(|three| three == br"\ud") || line.iter().all(|byte| b" \t\r".contains(byte)) {
            continue;
        }
        let outcome = model::right(Command::Import, &line);
        lines.push(match String::from_utf8(outcome.output) {
            Ok(output) if outcome.bad.is_empty() => (line, Judged::Good(output)),
            _ => bad(line),
        });
    }
    for lines in lines.chunks(CHANGED / 4) {
        expect_judged(lab, lines).await?;
    }
    Ok(())
}

/// `line` with a byte left out, doubled, replaced or added.
fn changed(lab: &Lab, mut line: Vec<u8>) -> Vec<u8> {
    const BYTES: &[u8] = b"{}[]\",:\\/.+-0123456789eEaunlx_ \t\r\x0b\x0c\x00\x7f\x80\xc3\xff'#";
    lab.random(|random| {
        let place = random.random_range(0..line.len());
        let byte = BYTES[random.random_range(0..BYTES.len())];
        match random.random_range(0..4) {
            0 => drop(line.remove(place)),
            1 => line.insert(place, line[place]),
            2 => line[place] = byte,
            _ => line.insert(place, byte),
        }
    });
    line
}

/// Lines of all kinds follow each other, and come as they come (README, tasks 3 and 7).
#[check(title = "lines of all kinds, mixed, in pieces of any size", task = 3, points = 3,
        needs = ["bad_line"], held_out,
        hints = ["Does anything of one line live on when the next one is read?"])]
async fn mixed_lines(lab: &Lab) -> CheckResult {
    for (name, command) in [("import", Command::Import), ("report", Command::Report)] {
        let mut input = Vec::new();
        for _ in 0..MIXED {
            input.extend(match lab.random(|random| random.random_range(0..9)) {
                0 => b" \t".to_vec(),
                1 => Vec::new(),
                2 => lab.word().into_bytes(),
                3 => [Order::new(lab).text().as_bytes(), b"\xe2\x82"].concat(),
                4 => b"[".repeat(5_000),
                _ => random_order(lab, Style::FewEvents).written.into_bytes(),
            });
            input.extend(if lab.random(|random| random.random()) { &b"\n"[..] } else { b"\r\n" });
        }
        input.extend(random_order(lab, Style::FewEvents).written.into_bytes());
        let jobs = lab.number(1, 5).to_string();
        let mut running = lab.program().args([name, "--jobs", &jobs]).start().await?;
        let mut rest = &input[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(lab.random(|random| random.random_range(1..4_000))));
            running.send(piece).await?;
            running.has_read_all().await?;
            rest = behind;
        }
        running.end_input();
        expect_as_model(&running.finish().await?, &model::right(command, &input))?;
    }
    Ok(())
}

/// A report of thousands of events is made as one of three is (README, task 5).
#[check(title = "a report of thousands of events", task = 5, points = 3,
        needs = ["report_sums"], held_out,
        hints = ["Take the event in the report: which of its orders does your program count otherwise?"])]
async fn many_events(lab: &Lab) -> CheckResult {
    let mut input = String::new();
    let names: Vec<_> = (0..MANY / 3).map(|_| lab.word()).collect();
    for _ in 0..MANY {
        let name = &names[lab.random(|random| random.random_range(0..names.len()))];
        let (seats, cents) = (lab.number(1, 1_000), lab.number(0, 999_999));
        let order = Order::new(lab).event(name).seats(seats).price(&format!("{}.{:02}", cents / 100, cents % 100));
        let time = format!(
            "20{:02}-{:02}-{:02}T{:02}:{:02}:59.{}{}{:02}:{:02}",
            lab.number(24, 25),
            lab.number(1, 12),
            lab.number(1, 28),
            lab.number(0, 23),
            lab.number(0, 59),
            lab.number(0, 99),
            if lab.number(0, 1) == 0 { '+' } else { '-' },
            lab.number(0, 23),
            lab.number(0, 59),
        );
        input += &order.at(&time).line();
    }
    for jobs in ["1", "3"] {
        let done = lab.program().args(["report", "--jobs", jobs]).input(input.as_str()).run().await?;
        expect_as_model(&done, &model::right(Command::Report, input.as_bytes()))?;
    }
    Ok(())
}
