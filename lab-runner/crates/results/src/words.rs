//! What other programs show of a check: a few plain words, and the failure in full.

use lab_protocol::{SkipReason, Verdict};
use lab_runner::report::{Check, Diagnostics, Outcome, Report};

/// The verdict as a word.
#[must_use]
pub fn verdict(check: &Check) -> &'static str {
    match check.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::TimedOut => "timed_out",
        Verdict::Skipped => "skipped",
        Verdict::Error => "error",
    }
}

/// What became of the submission, as a word.
#[must_use]
pub fn outcome(report: &Report) -> &'static str {
    match report.outcome {
        Outcome::Graded => "graded",
        Outcome::BuildFailed => "build_failed",
        Outcome::StartFailed => "start_failed",
        Outcome::InfrastructureError => "infrastructure_error",
    }
}

/// Why a check did not pass, in one sentence. Empty when it did.
#[must_use]
pub fn reason(check: &Check) -> String {
    match &check.skip_reason {
        Some(SkipReason::NeedsFailed { check }) => format!("needs `{check}`, which did not pass"),
        Some(SkipReason::NotApplicable { message }) => message.clone(),
        None => check.message.clone().unwrap_or_default(),
    }
}

/// All that is known of a check that did not pass, as text. Empty when it did.
#[must_use]
pub fn explanation(check: &Check) -> String {
    match check.verdict {
        Verdict::Passed => String::new(),
        Verdict::Skipped => reason(check),
        _ => lab_runner::reporter::explain(check),
    }
}

/// Why nothing was graded, as text. Empty when something was.
#[must_use]
pub fn obstacle(report: &Report) -> String {
    report.diagnostics.as_ref().map(obstacle_of).unwrap_or_default()
}

/// The same of the reason itself.
#[must_use]
pub fn obstacle_of(why: &Diagnostics) -> String {
    std::iter::once(&why.message).chain(&why.details).cloned().collect::<Vec<_>>().join("\n\n")
}

/// The result in one line.
#[must_use]
pub fn line(report: &Report) -> String {
    match report.outcome {
        Outcome::Graded => format!("{} of {} points", report.score, report.max_score),
        Outcome::BuildFailed => "the submission does not build".to_owned(),
        Outcome::StartFailed => "the submission's server does not start".to_owned(),
        Outcome::InfrastructureError => "not graded: a fault that is not the submission's".to_owned(),
    }
}

/// At most `bytes` of `text`, and whether something was cut.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}\n(cut: {} bytes more)", &text[..end], text.len() - end)
}
