//! Task 6: names of members that somebody has chosen to keep a program busy.

use lab_kit::prelude::*;
use tokio::time::timeout;

use crate::support::{Order, expect_outcome};

/// How long a line is, in bytes.
const LINE: usize = 990_000;
/// How many such lines are sent.
const LINES: usize = 3;
/// How many members the objects of harmless lines have.
const FEW: usize = 10;
/// How many times as long as a harmless line a hostile one may take.
const TIMES: u32 = 8;
/// What starting a program may take and vary by, on a busy machine.
const GRACE: Duration = Duration::from_millis(500);
/// How often the shortest time is looked for.
const ROUNDS: usize = 3;
/// How long a run may take whose lines are harmless.
const HARMLESS: Duration = Duration::from_secs(30);

/// A few kilobytes must not keep a program busy for minutes, whoever has written them (CWE-407; oCERT-2011-003, hash flooding).
#[check(title = "tens of thousands of members take no longer than their bytes", task = 6, points = 3, needs = ["json_members"],
        alone, limit = 240,
        hints = ["How long does your program look for a name that it may have seen before in the object?",
                 "Twice as many members: does it take twice as long, or four times?",
                 "A sorted map, or one sort at the object's end, takes n log n. A list that is searched for each member takes n²."])]
async fn hostile_keys(lab: &Lab) -> CheckResult {
    let harmless = shortest(lab, &input(lab, harmless), None).await?;
    let most = harmless * TIMES + GRACE;
    for (what, note) in [
        ("all different", different as fn(usize) -> Note),
        ("all the same", same),
        ("equal to simple hash functions", colliding),
    ] {
        let took = shortest(lab, &input(lab, note), Some(most)).await?;
        if took > most {
            return Err(Failure::learner(format!(
                "objects whose names are {what} take much longer than others of that size"
            ))
            .expected(format!(
                "at most {} ms: {TIMES} times what {LINES} lines of small objects took, and a little",
                most.as_millis()
            ))
            .actual(format!("{} ms or more", took.as_millis()))
            .sent(format!("$ import\n{LINES} lines of about 1 MB, each with one object of names that are {what}"))
            .by_time());
        }
    }
    Ok(())
}

/// A note as it is written and in the canonical form.
struct Note {
    written: String,
    canonical: String,
}

/// Orders with notes of that kind, and what they come out as.
fn input(lab: &Lab, note: fn(usize) -> Note) -> (String, String) {
    let note = note(LINE);
    let orders: Vec<_> = (0..LINES).map(|_| Order::new(lab)).collect();
    let written = orders.iter().map(|order| order.clone().note(&note.written).line()).collect();
    let canonical = orders.iter().map(|order| order.clone().note(&note.canonical).canonical()).collect();
    (written, canonical)
}

/// The shortest time of several runs; fewer if it is short enough. What takes far longer than enough is not waited for.
async fn shortest(lab: &Lab, (input, output): &(String, String), enough: Option<Duration>) -> CheckResult<Duration> {
    let mut shortest = Duration::MAX;
    let within = enough.map_or(HARMLESS, |enough| enough + GRACE * 4);
    for _ in 0..ROUNDS {
        let run = lab.program().arg("import").input(input.as_str()).within(within.max(HARMLESS)).run();
        let done = match enough {
            None => run.await?,
            Some(_) => match timeout(within, run).await {
                Ok(done) => done?,
                Err(_) => {
                    shortest = shortest.min(within);
                    continue;
                }
            },
        };
        expect_outcome(&done, output.as_bytes(), &[])?;
        shortest = shortest.min(done.took());
        if enough.is_some_and(|enough| shortest <= enough) {
            break;
        }
    }
    Ok(shortest)
}

/// The names, turned so that they do not come sorted, as members of one object, and sorted.
fn object(names: &[String]) -> Note {
    // Far apart in the order of the names, and each once: the step has no divisor in common with the count.
    let step = (names.len() / 2 + 1..).find(|step| divisor(*step, names.len()) == 1).unwrap_or(1);
    let written = (0..names.len()).map(|index| format!("\"{}\":1", names[index * step % names.len()]));
    let written = format!("{{{}}}", written.collect::<Vec<_>>().join(","));
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let canonical: Vec<_> = sorted.iter().map(|name| format!("\"{name}\":1")).collect();
    Note { written, canonical: format!("{{{}}}", canonical.join(",")) }
}

fn divisor(one: usize, other: usize) -> usize {
    if other == 0 { one } else { divisor(other, one % other) }
}

/// Objects of few members, one behind another.
fn harmless(length: usize) -> Note {
    let names: Vec<_> = (0..FEW).map(|number| format!("k{number:07}")).collect();
    let one = object(&names);
    let count = length / (one.written.len() + 1);
    let list = |text: &str| format!("[{}]", vec![text; count].join(","));
    Note { written: list(&one.written), canonical: list(&one.canonical) }
}

fn different(length: usize) -> Note {
    let names: Vec<_> = (0..length / "\"k1234567\":1,".len()).map(|number| format!("k{number:07}")).collect();
    object(&names)
}

fn same(length: usize) -> Note {
    let count = length / "\"k1234567\":1,".len();
    let members = vec!["\"k1234567\":1"; count - 1].join(",");
    Note { written: format!("{{{members},\"k1234567\":2}}"), canonical: "{\"k1234567\":2}".into() }
}

/// Names to which h = 31 h + c gives one value, and names to which h = 33 h + c does: half of them each.
fn colliding(length: usize) -> Note {
    const PARTS: usize = 9;
    let name = |parts: [&str; 3], number: usize| -> String {
        (0..PARTS).scan(number, |rest, _| Some(parts[std::mem::replace(rest, *rest / 3) % 3])).collect()
    };
    let count = (length / "\"123456789012345678\":1,".len() / 2).min(3_usize.pow(9));
    let both = [["Aa", "BB", "C#"], ["Bb", "CA", "D "]];
    object(&both.iter().flat_map(|parts| (0..count).map(|number| name(*parts, number))).collect::<Vec<_>>())
}
