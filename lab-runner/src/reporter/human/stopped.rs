//! Why nothing was graded, on one screen: what the compiler refused, or why the server did not start.

use super::super::style::{bad, dim, strong, warn};
use super::explain::wrap;
use super::screen::{Size, bounded, cut, labelled, notes};
use super::summary;
use crate::report::{Diagnostics, Outcome, Report, SubmissionKind};

/// The label column's width, and what keeps it from the text.
const LABELS: usize = 13;
/// The least of an error that is worth showing, in lines.
const LEAST: usize = 4;

/// The screen for `report`, which is inert and has no checks, because of `why`.
pub(super) fn screen(report: &Report, why: &Diagnostics, size: Size) -> String {
    let mut lines = vec![head(report, size.columns), String::new()];
    let (mark, what) = match report.outcome {
        Outcome::BuildFailed => (bad("✗"), "build failed"),
        Outcome::StartFailed => (bad("✗"), "start failed"),
        _ => (warn("!"), "infrastructure error"),
    };
    let message = wrap(&format!("{what}: {}", why.message), size.columns.saturating_sub(2));
    for (index, line) in message.into_iter().enumerate() {
        let line = if report.outcome == Outcome::InfrastructureError { warn(line) } else { bad(line) };
        lines.push(if index == 0 { format!("{mark} {line}") } else { format!("  {line}") });
    }
    let mut end: Vec<String> = why.hints.iter().map(|hint| format!("{} {hint}", dim("hint:"))).collect();
    end.extend(closing(report, size.columns));
    lines.extend(notes(report, size.columns));
    let room = size.rows.saturating_sub(lines.len() + end.len() + 1);
    lines.extend(match report.outcome {
        Outcome::StartFailed => log(&why.details, room, size.columns),
        _ => errors(why, room, size.columns),
    });
    lines.push(String::new());
    lines.extend(end);
    lines.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn head(report: &Report, width: usize) -> String {
    const SCORE: &str = "not graded";
    let name = cut(&format!("{} {}", report.lab, report.title), width.saturating_sub(SCORE.len() + 2));
    let gap = width.saturating_sub(name.chars().count() + SCORE.len());
    format!("{}{}{}", strong(&name), " ".repeat(gap), bad(SCORE))
}

/// Whole errors, as many as there is room for; of the first as much as there is.
fn errors(why: &Diagnostics, room: usize, width: usize) -> Vec<String> {
    let all = if why.coloured.is_empty() { &why.details } else { &why.coloured };
    // The line that counts what is left out, and the one above it.
    let room = room.saturating_sub(2);
    let (mut lines, mut shown, mut used) = (Vec::new(), 0, 0);
    for error in all {
        let left = room.saturating_sub(used + 1);
        let own: Vec<String> = error.lines().map(str::to_owned).collect();
        let rows: usize = own.iter().map(|line| rows(line, width)).sum();
        if rows > left && (shown > 0 || left < LEAST) {
            break;
        }
        lines.push(String::new());
        lines.extend(bounded(own, left, "--all"));
        used += rows + 1;
        shown += 1;
    }
    match all.len() + why.omitted - shown {
        0 => {}
        1 => lines.extend([String::new(), dim("… and 1 more: --all")]),
        more => lines.extend([String::new(), dim(format_args!("… and {more} more: --all"))]),
    }
    lines
}

/// How many rows of a terminal `line` takes.
fn rows(line: &str, width: usize) -> usize {
    let plain = anstream::adapter::strip_str(line).to_string();
    plain.chars().count().div_ceil(width.max(1)).max(1)
}

/// The end of the server's log: a cause stands there.
fn log(log: &[String], room: usize, width: usize) -> Vec<String> {
    let room = room.saturating_sub(1);
    let fit = |line: &String| cut(line, width.saturating_sub(LABELS));
    let lines: Vec<String> = match log {
        [] => vec![dim("nothing")],
        log => log[log.len().saturating_sub(room.max(1))..].iter().map(fit).collect(),
    };
    let mut shown = vec![String::new()];
    shown.extend(labelled("server log", lines.into_iter()));
    shown
}

fn closing(report: &Report, width: usize) -> Vec<String> {
    let own = report.submission.kind == SubmissionKind::WorkingTree;
    let again = if own { format!(", then cargo lab check {}", report.lab) } else { String::new() };
    let next = match report.outcome {
        Outcome::BuildFailed => format!("mend the first error{again}"),
        Outcome::StartFailed => {
            format!("a server is ready when it answers its readiness request; the README says how it is started{again}")
        }
        _ => "the grade is not affected: fix the cause and run the command again".to_owned(),
    };
    let run = format!("{:.1} s · seed {}", report.duration_ms as f64 / 1000.0, report.seed);
    let mut lines: Vec<String> = Vec::new();
    for (index, line) in wrap(&next, width.saturating_sub(7)).into_iter().enumerate() {
        lines.push(format!("{} {line}", if index == 0 { strong("next  ") } else { " ".repeat(6) }));
    }
    lines.push(dim(summary::graded_with(report, &run, width)));
    lines
}
