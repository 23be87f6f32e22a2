//! A result as a trace that Chrome's tracing page and Perfetto open (Trace Event Format): a process for each check, a
//! thread for each lane.

use lab_runner::report::Report;
use serde_json::{Value, json};

use crate::text;
use crate::timeline::{Event, Kind, Timeline};

/// The longest argument, in bytes.
const LONGEST: usize = 2_000;

/// The trace of `report`, as JSON. Times are microseconds since the run began.
#[must_use]
pub fn trace(report: &Report) -> String {
    let mut events = Vec::new();
    for (number, check) in report.checks.iter().enumerate() {
        let timeline = Timeline::new(&check.transcript);
        if timeline.events.is_empty() {
            continue;
        }
        let process = number + 1;
        events.push(name("process_name", process, 0, &format!("{} · {}", check.id, crate::check::mark(check).2)));
        // Bars of one thread must not overlap, so that each row of a lane is a thread.
        for (lane, of) in timeline.lanes.iter().enumerate() {
            for row in 0..of.rows {
                let called = if row == 0 { of.name.clone() } else { format!("{} ({})", of.name, row + 1) };
                events.push(name("thread_name", process, thread(lane, row), &called));
                events.push(sorted(process, thread(lane, row)));
            }
        }
        events.extend(timeline.events.iter().map(|event| traced(event, timeline.begin_us, process)));
    }
    let run = json!({"lab": report.lab, "run": report.run_id, "runner": report.runner_version});
    let mut text = json!({"traceEvents": events, "displayTimeUnit": "ms", "otherData": run}).to_string();
    text.push('\n');
    text
}

fn name(what: &str, process: usize, thread: usize, name: &str) -> Value {
    json!({"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": text::title(name, 200)}})
}

fn sorted(process: usize, thread: usize) -> Value {
    json!({"ph": "M", "name": "thread_sort_index", "pid": process, "tid": thread, "args": {"sort_index": thread}})
}

/// The thread of a row of a lane.
fn thread(lane: usize, row: usize) -> usize {
    1 + lane * 100 + row
}

fn traced(event: &Event, begin_us: u64, process: usize) -> Value {
    let mut args = serde_json::Map::new();
    if !event.result.is_empty() {
        args.insert("result".into(), text::title(&event.result, 400).into());
    }
    for (number, part) in event.parts.iter().enumerate() {
        args.insert(format!("{} {}", number + 1, part.mark), text::shown(&part.text, LONGEST).into());
    }
    let mut value = json!({
        "name": text::title(&event.title, 200), "cat": category(event.kind), "ph": "i", "ts": begin_us + event.from_us,
        "pid": process, "tid": thread(event.lane, event.row), "args": args,
    });
    match event.kind {
        Kind::Request(_) | Kind::Run | Kind::Exchange { .. } => {
            value["ph"] = "X".into();
            value["dur"] = event.took_us().into();
        }
        // An instant of its thread alone.
        _ => value["s"] = "t".into(),
    }
    value
}

fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::Request(_) => "request",
        Kind::Run => "program",
        Kind::Exchange { .. } => "service",
        Kind::Line => "log",
        Kind::Fault | Kind::Restored => "fault",
        Kind::Born | Kind::Ready | Kind::Signal | Kind::Ended => "server",
        Kind::Note => "check",
    }
}
