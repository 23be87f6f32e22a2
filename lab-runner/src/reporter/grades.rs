//! A batch of submissions for people: a line for each as it is done, then how the points are spread and which checks
//! failed most often.

use std::fmt::Write as _;

use super::inert::line;
use super::style::{bad, dim, good, strong, warn};
use crate::grade::{GradeReport, Graded, Standing};
use crate::report::Outcome;

/// How many checks are listed.
const MOST_CHECKS: usize = 10;
/// How long the longest bar is.
const BAR: usize = 40;
/// The longest name that is shown.
const NAME: usize = 32;

/// What there is to do.
pub(super) fn planned(submissions: usize, known: usize, identical: usize) -> String {
    let mut text = counted(submissions, "submission");
    if known > 0 {
        let _ = write!(text, ", {known} of them done already");
    }
    if identical > 0 {
        let _ = write!(text, ", {identical} with the files of another");
    }
    text
}

/// One submission, and how long the rest will take.
pub(super) fn progress(graded: &Graded, done: usize, total: usize, left_ms: Option<u64>) -> String {
    let width = total.to_string().len();
    let mut text = format!("{done:>width$}/{total}  {:<NAME$}  {}", name(graded), result(graded));
    if let Standing::SameAs { folder } = &graded.standing {
        let _ = write!(text, "  as {folder}");
    } else {
        let _ = write!(text, "  {:.1} s", graded.duration_ms as f64 / 1000.0);
    }
    if let Some(left) = left_ms.filter(|left| *left > 0) {
        let _ = write!(text, "  · about {} left", rounded(left));
    }
    text
}

/// The whole batch.
pub(super) fn table(report: &GradeReport) -> String {
    let mut text = format!("{} {}\n\n", strong(&report.lab), line(&report.title));
    let width = report.submissions.iter().map(|graded| name(graded).chars().count()).max().unwrap_or_default();
    for graded in &report.submissions {
        let why = graded.message.as_ref().filter(|_| graded.score.is_none_or(|score| score == 0));
        let why = why.map(|message| format!("  {}", dim(line(message)))).unwrap_or_default();
        let _ = writeln!(text, "  {:<width$}  {}{why}", name(graded), result(graded));
    }
    text.push_str(&spread(report));
    text.push_str(&failures(report));
    text.push_str(&last_line(report));
    text
}

/// How the points are spread, in tenths of what could be had.
fn spread(report: &GradeReport) -> String {
    let mut counts = [0_usize; 11];
    let share = |graded: &Graded| Some((u64::from(graded.score?), u64::from(graded.max_score?).max(1)));
    for (score, max) in report.submissions.iter().filter_map(share) {
        counts[usize::try_from((10 * score / max).min(10)).unwrap_or(10)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    if most == 0 {
        return String::new();
    }
    let mut text = format!("\n{}\n", strong("  points, in percent"));
    for (tenth, count) in counts.iter().enumerate().rev() {
        let label = if tenth == 10 { "100".to_owned() } else { format!("{}–{}", 10 * tenth, 10 * tenth + 9) };
        let bar = "█".repeat((count * BAR).div_ceil(most));
        let _ = writeln!(text, "{}", format!("  {label:>5}  {count:>4}  {bar}").trim_end());
    }
    text
}

fn failures(report: &GradeReport) -> String {
    if report.checks.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", strong("  checks that failed most often"));
    let width = report.checks.iter().take(MOST_CHECKS).map(|check| check.id.len()).max().unwrap_or_default();
    for check in report.checks.iter().take(MOST_CHECKS) {
        let _ = writeln!(text, "  {:>4}  {:<width$}  {}", check.failed, check.id, dim(&check.title));
    }
    let more = report.checks.len().saturating_sub(MOST_CHECKS);
    if more > 0 {
        let _ = writeln!(text, "        {}", dim(format_args!("and {more} more")));
    }
    text
}

fn last_line(report: &GradeReport) -> String {
    let without = report.ungraded().count();
    let mut text = format!("\n{}", counted(report.submissions.len(), "submission"));
    if without > 0 {
        let _ = write!(text, ", {}", bad(format_args!("{without} without a grade")));
    }
    let missing = report.missing().count();
    if missing > 0 {
        let _ = write!(text, ", {}", warn(format_args!("{missing} missing")));
    }
    let _ = write!(text, " · {} · isolation {}", rounded(report.duration_ms), report.isolation);
    let _ = writeln!(text, " · seed {}", report.seed);
    text
}

fn result(graded: &Graded) -> String {
    match (graded.outcome, graded.score, graded.max_score) {
        (Some(Outcome::BuildFailed), ..) => warn("does not build"),
        (Some(Outcome::StartFailed), ..) => warn("does not start"),
        (Some(Outcome::Graded), Some(score), Some(max)) if score == max => good(format_args!("{score}/{max}")),
        (Some(Outcome::Graded), Some(score), Some(max)) => format!("{score}/{max}"),
        (Some(_), ..) => bad("not graded"),
        (None, ..) if graded.standing == Standing::Missing => warn("missing"),
        (None, ..) => bad("cannot be read"),
    }
}

fn name(graded: &Graded) -> String {
    let name = line(&graded.name);
    if name.chars().count() <= NAME { name } else { name.chars().take(NAME - 1).collect::<String>() + "…" }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A length of time as one would say it.
fn rounded(millis: u64) -> String {
    match millis / 1000 {
        seconds @ ..=90 => format!("{seconds} s"),
        seconds @ 91..=5_400 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
