//! What standard error is told of an event: its words, and how long they stay.

use std::collections::BTreeSet;

use super::super::grades;
use super::super::inert::{self, inert};
use super::super::style::{bad, dim, warn};
use crate::events::{EventKind, RunEvent};

/// What is built in less, in milliseconds, is not worth a line.
const SOON: u64 = 1000;

/// Words for standard error.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::reporter) enum Shown {
    /// None.
    Nothing,
    /// None, and those before are over.
    Clear,
    /// What goes on, until it is replaced; where nothing can be replaced, a line of its own.
    Now(String),
    /// The same, but where nothing can be replaced, now and then is enough.
    NowAndThen(String),
    /// The same, but where nothing can be replaced, it is left out.
    OnlyNow(String),
    /// What went on before is over; where nothing can be replaced, this line says so.
    Over(String),
    /// A line that stays.
    Line(String),
    /// A warning: lines that stay even where everything else is silent.
    Message(String),
    /// The same, of an error, after which nothing goes on.
    Failure(String),
}

/// How far the checks are.
#[derive(Debug, Default)]
pub(in crate::reporter) struct Words {
    running: BTreeSet<String>,
    done: usize,
    planned: usize,
}

impl Words {
    /// What is to be shown of `event`; with `narrate`, steps stay.
    pub(in crate::reporter) fn of(&mut self, event: &RunEvent, narrate: bool) -> Shown {
        match &event.kind {
            EventKind::Warning { message, hints } => Shown::Message(warning(message, hints)),
            EventKind::Step { text } if narrate => Shown::Line(inert(text).into_owned()),
            EventKind::Step { text } => Shown::Now(inert(text).into_owned()),
            EventKind::BuildProgress { what, done, total, now } => {
                Shown::NowAndThen(format!("building {what}: {done} of {total} crates, now {}", inert(now)))
            }
            EventKind::BuildFinished { what, took_ms } if *took_ms > SOON => {
                Shown::Over(format!("built {what} in {:.1} s", *took_ms as f64 / 1000.0))
            }
            EventKind::BuildFinished { .. } => Shown::Clear,
            EventKind::ChecksPlanned { checks } => {
                *self = Self { planned: checks.len(), ..Self::default() };
                Shown::Nothing
            }
            EventKind::CheckStarted => {
                self.running.extend(event.check.clone());
                self.checks()
            }
            EventKind::CheckFinished { result } => {
                self.running.remove(&result.id);
                self.done += 1;
                self.checks()
            }
            EventKind::GradingPlanned { submissions, known, identical, .. } => {
                Shown::Line(grades::planned(*submissions, *known, *identical))
            }
            EventKind::SubmissionGraded { graded, done, total, left_ms, .. } => {
                Shown::Line(grades::progress(graded, *done, *total, *left_ms))
            }
            EventKind::GradesFinished { .. } => Shown::Clear,
            EventKind::RunFinished { .. }
            | EventKind::Serving { .. }
            | EventKind::SiteServed { .. }
            | EventKind::ResultConverted { .. }
            | EventKind::CheckHeld { .. } => Shown::Clear,
            EventKind::ServingFailed { diagnostics } => {
                let why = inert::diagnostics(diagnostics);
                let details = if why.coloured.is_empty() { why.details } else { why.coloured };
                Shown::Failure(failure(&why.message, &details, &[]))
            }
            EventKind::CommandFailed { message, details, hints } => {
                let details: Vec<String> = details.iter().map(|detail| inert(detail).into_owned()).collect();
                Shown::Failure(failure(message, &details, hints))
            }
            _ => Shown::Nothing,
        }
    }

    fn checks(&self) -> Shown {
        let names: Vec<&str> = self.running.iter().map(String::as_str).take(4).collect();
        let now = if names.is_empty() { String::new() } else { format!(", now {}", names.join(", ")) };
        Shown::OnlyNow(format!("{} of {} checks{now}", self.done, self.planned))
    }
}

fn warning(message: &str, hints: &[String]) -> String {
    let mut text = format!("{} {}\n", warn("warning:"), inert(message));
    for hint in hints {
        text.push_str(&format!("  {} {}\n", dim("hint:"), inert(hint)));
    }
    text
}

/// What happened, then what may help, on lines of its own.
pub(in crate::reporter) fn failure(message: &str, details: &[String], hints: &[String]) -> String {
    let mut text = format!("{} {}\n", bad("error:"), inert(message));
    for detail in details {
        text.push_str(&format!("\n{detail}\n"));
    }
    if !hints.is_empty() {
        text.push('\n');
    }
    for hint in hints {
        text.push_str(&format!("{} {}\n", dim("hint:"), inert(hint)));
    }
    text
}
