//! What stands below the table: why nothing was graded, the score, what it was graded with, and what to do next.

use lab_protocol::Verdict;

use super::super::style::{bad, dim, good, strong, warn};
use super::explain::wrap;
use crate::report::{Diagnostics, Outcome, Report, SubmissionKind};

/// Why nothing was graded, if nothing was.
pub(super) fn obstacle(report: &Report) -> String {
    let Some(diagnostics) = &report.diagnostics else { return String::new() };
    let head = match report.outcome {
        Outcome::BuildFailed => bad("build failed"),
        Outcome::StartFailed => bad("start failed"),
        _ => warn("infrastructure error"),
    };
    let above = if report.checks.is_empty() { "" } else { "\n" };
    let mut text = format!("{above}{head}: {}\n", diagnostics.message);
    let details = if diagnostics.coloured.is_empty() { &diagnostics.details } else { &diagnostics.coloured };
    match report.outcome {
        Outcome::StartFailed => text.push_str(&log(details)),
        _ => details.iter().for_each(|one| text.push_str(&format!("\n{one}\n"))),
    }
    if diagnostics.omitted > 0 {
        text.push_str(&format!("\n… and {}\n", count(diagnostics.omitted, "more error")));
    }
    text.push_str(&hints(diagnostics));
    text
}

fn log(lines: &[String]) -> String {
    if lines.is_empty() {
        return format!("\n  {}\n", dim("the server wrote nothing"));
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("  {} {line}\n", dim("|"))).collect();
    format!("\n  the last lines it wrote:\n{}", lines.concat())
}

fn hints(diagnostics: &Diagnostics) -> String {
    let hints: Vec<String> = diagnostics.hints.iter().map(|hint| format!("{} {hint}\n", dim("hint:"))).collect();
    if hints.is_empty() { String::new() } else { format!("\n{}", hints.concat()) }
}

/// The score and everything around it.
pub(super) fn summary(report: &Report, width: usize) -> String {
    let mut text = String::from("\n");
    for name in &report.submission.left_out {
        text.push_str(&format!("{} not used from the submission: {name}\n", warn("note:")));
    }
    for note in &report.notes {
        text.push_str(&format!("{} {note}\n", warn("note:")));
    }
    text.push_str(&score_line(report));
    text.push_str(&format!("{}\n", dim(made_with(report))));
    if let Some(next) = next(report) {
        text.push_str(&wrap(&next, width).join("\n"));
        text.push('\n');
    }
    text
}

/// The score in one line.
pub(super) fn quiet(report: &Report) -> String {
    let reason = match (report.outcome, &report.diagnostics) {
        (Outcome::Graded, _) | (_, None) => String::new(),
        (Outcome::BuildFailed, Some(why)) => format!(" build failed: {}", why.message),
        (Outcome::StartFailed, Some(why)) => format!(" start failed: {}", why.message),
        (Outcome::InfrastructureError, Some(why)) => format!(" infrastructure error: {}", why.message),
    };
    if !report.has_score() {
        let comma = if reason.is_empty() { "" } else { "," };
        return format!("{} no score{comma}{reason}\n", report.lab);
    }
    format!("{} {}/{}{reason}\n", report.lab, report.score, report.max_score)
}

fn score_line(report: &Report) -> String {
    let seconds = format!("{:.1} s", report.duration_ms as f64 / 1000.0);
    if report.checks.is_empty() {
        return format!("{}  {} {}, nothing was graded, {seconds}\n", bad("no score"), report.lab, report.title);
    }
    if !report.has_score() {
        let ours = report.checks.iter().filter(|check| check.verdict == Verdict::Error).count();
        let all = report.checks.len();
        return format!(
            "{}  {} {}, {ours} of {all} checks could not be graded, {seconds}\n",
            bad("no score"),
            report.lab,
            report.title
        );
    }
    let score = format!("{}/{}", report.score, report.max_score);
    let full = report.checks.iter().all(crate::report::Check::is_fine);
    let score = if full { good(score) } else { strong(score) };
    let passed = report.checks.iter().filter(|check| check.verdict == Verdict::Passed).count();
    let asked = report.checks.len();
    let part = if report.partial { "not all checks were requested, " } else { "" };
    let out: u32 = report.checks.iter().filter(|check| !check.counted).map(|check| check.max_points).sum();
    let out = match out {
        0 => String::new(),
        1 => " (1 point could not be graded and does not count)".to_owned(),
        _ => format!(" ({out} points could not be graded and do not count)"),
    };
    format!(
        "{score} points{out}  {} {}, {passed} of {asked} checks passed, {part}{seconds}\n",
        report.lab, report.title
    )
}

/// What a report was made with, as much as fits one line: `run` always does.
pub(super) fn graded_with(report: &Report, run: &str, width: usize) -> String {
    let mut text = run.to_owned();
    let services = report.services.iter().map(|(name, service)| {
        let version = service.version.as_deref().unwrap_or(name);
        format!("{version} ({})", service.provider)
    });
    let own = report.submission.kind == SubmissionKind::WorkingTree;
    let submission = (!own).then(|| report.submission.path.clone());
    for part in services.chain(submission) {
        if text.chars().count() + 3 + part.chars().count() <= width {
            text.push_str(&format!(" · {part}"));
        }
    }
    text
}

fn made_with(report: &Report) -> String {
    let mut parts: Vec<String> = report
        .services
        .iter()
        .map(|(name, service)| {
            let version = service.version.as_deref().unwrap_or(name);
            format!("{version} ({})", service.provider)
        })
        .collect();
    parts.push(format!("seed {}", report.seed));
    parts.push(format!("submission {}", report.submission.path));
    parts.join(" · ")
}

/// The next step of a learner.
fn next(report: &Report) -> Option<String> {
    let own = report.submission.kind == SubmissionKind::WorkingTree;
    match report.outcome {
        Outcome::BuildFailed => Some(format!("next: fix the first error, then run `cargo lab check {}`", report.lab)),
        Outcome::StartFailed => Some(
            "next: a server is ready when it answers its readiness request; the README says how it is started".into(),
        ),
        Outcome::InfrastructureError => {
            Some("The grade is not affected. Fix the cause and run the command again.".into())
        }
        Outcome::Graded => {
            let first = report.failures().next();
            match first {
                Some(check) if own => Some(format!(
                    "next: work on task {} of the README, then run `cargo lab check {} {}`",
                    check.task, report.lab, check.id
                )),
                None if own && !report.partial => {
                    Some("all checks of this lab pass. Well done! `cargo lab` shows what comes next".into())
                }
                _ => None,
            }
        }
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
