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

/// The end of the server's log: a cause stands there. It may stand at the end of a long line, which is wrapped, not cut.
fn log(log: &[String], room: usize, width: usize) -> Vec<String> {
    let (room, inside) = (room.saturating_sub(1).max(1), width.saturating_sub(LABELS));
    let mut lines: Vec<String> = Vec::new();
    for line in log.iter().rev() {
        let mut rows: Vec<String> = wrap(line, inside).into_iter().map(|row| cut(&row, inside)).collect();
        if lines.len() + rows.len() > room {
            // Of a line that alone is too long, the end.
            rows.drain(..if lines.is_empty() { rows.len() - room } else { rows.len() });
        }
        if rows.is_empty() {
            break;
        }
        lines.splice(..0, rows);
    }
    if lines.is_empty() {
        lines.push(dim("nothing"));
    }
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

#[cfg(test)]
mod tests {
    use super::log;

    #[test]
    fn a_cause_at_the_end_of_a_long_line_is_shown() {
        let line =
            format!("ERROR the server stopped error=running the migrations: {} near \")\"", "word ".repeat(20).trim());
        let shown: Vec<String> =
            log(&[line], 10, 60).iter().map(|row| anstream::adapter::strip_str(row).to_string()).collect();
        assert!(shown.iter().any(|row| row.ends_with("near \")\"")), "{shown:#?}");
        assert!(shown.iter().all(|row| row.chars().count() <= 60), "{shown:#?}");
        let many: Vec<String> = (0..20).map(|number| format!("line {number}")).collect();
        assert!(log(&many, 4, 60).last().is_some_and(|row| row.ends_with("line 19")));
        assert_eq!(log(&many, 4, 60).len(), 4);
    }
}
