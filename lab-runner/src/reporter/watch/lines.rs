//! `watch` as plain lines, one for each event: where the output is no terminal, or one that can do nothing but print.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::Verdict;

use super::super::inert::{self, inert};
use super::super::live::Live;
use super::super::{EventSink, print};
use super::model::Model;
use crate::error::Error;
use crate::events::{EventKind, RunEvent};
use crate::report::{Check, Diagnostics, Outcome, Report};

/// Prints a line for each event.
#[derive(Debug)]
pub struct WatchLines {
    live: Live,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    model: Model,
    /// The checks that failed when they were asked last.
    failing: BTreeSet<String>,
    /// The first result that could not be written.
    failed: Option<Error>,
}

impl WatchLines {
    /// Lines for the lab called `id`, which grades a program or a server.
    pub fn new(id: &str, title: &str, is_program: bool) -> Self {
        let state = State { model: Model::new(id, title, is_program), failing: BTreeSet::new(), failed: None };
        Self { live: Live::lines(), state: Mutex::new(state) }
    }

    /// Ends the report.
    ///
    /// # Errors
    /// A line could not be written.
    pub fn finish(&self) -> Result<(), Error> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failed.take().map_or(Ok(()), Err)
    }
}

impl EventSink for WatchLines {
    fn emit(&self, event: &RunEvent) {
        self.live.show(event);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = state.line(event);
        state.model.take(event);
        let Some(line) = line else { return };
        let line = anstream::adapter::strip_str(&line).to_string();
        if let Err(source) = print(&format!("{line}\n")) {
            state.failed.get_or_insert(Error::io("write to", Utf8Path::new("standard output"), source));
        }
    }
}

impl State {
    fn line(&mut self, event: &RunEvent) -> Option<String> {
        match &event.kind {
            EventKind::WatchStarted { lab, title } => {
                Some(format!("watching {} {}: every save is checked, Ctrl-C ends", inert(lab), inert(title)))
            }
            EventKind::SourceChanged { paths } => Some(format!("changed: {}", named(paths))),
            EventKind::CheckFinished { result } => self.check(result),
            EventKind::RunFinished { report } => Some(summary(report)),
            _ => None,
        }
    }

    /// What has become of a check, if that is new.
    fn check(&mut self, result: &Check) -> Option<String> {
        match result.verdict {
            Verdict::Passed => {
                let known = self.model.guide.known.get(&result.id).is_some_and(|known| known.passed);
                let again = self.failing.remove(&result.id);
                (again || !known).then(|| format!("passed: {}", inert::line(&result.id)))
            }
            Verdict::Failed | Verdict::TimedOut => {
                self.failing.insert(result.id.clone());
                let why = result.message.as_deref().unwrap_or("it ran out of time");
                Some(format!("failed: {}: {}", inert::line(&result.id), inert::line(why)))
            }
            Verdict::Skipped | Verdict::Error => None,
        }
    }
}

/// The files' names, in a line.
pub(super) fn named(paths: &[Utf8PathBuf]) -> String {
    let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
    paths.first().map(|path| format!("{}{more}", inert::line(path.as_str()))).unwrap_or_default()
}

/// A run's result.
fn summary(report: &Report) -> String {
    let seconds = report.duration_ms as f64 / 1000.0;
    let why = |what: &str, why: &Diagnostics| format!("{what}: {}{}", inert::line(&why.message), first(why));
    match (report.outcome, &report.diagnostics) {
        (Outcome::BuildFailed, Some(diagnostics)) => why("build failed", diagnostics),
        (Outcome::StartFailed, Some(diagnostics)) => why("start failed", diagnostics),
        (Outcome::InfrastructureError, Some(diagnostics)) => why("not graded", diagnostics),
        _ => {
            let passed = report.checks.iter().filter(|check| check.verdict == Verdict::Passed).count();
            let (asked, lab) = (report.checks.len(), inert::line(&report.lab));
            let part = if report.partial { " so far" } else { "" };
            let (score, max) = (report.score, report.max_score);
            format!("{lab}: {score} of {max} points{part}, {passed} of {asked} checks passed, {seconds:.1} s")
        }
    }
}

/// The first error's own first line, and its place in the code.
fn first(diagnostics: &Diagnostics) -> String {
    let Some(detail) = diagnostics.details.first() else { return String::new() };
    let mut lines = detail.lines().map(str::trim).filter(|line| !line.is_empty());
    let head = lines.next().unwrap_or_default();
    let place = lines.find_map(|line| line.strip_prefix("--> ")).map(|place| format!(" at {place}"));
    format!(": {}", inert::line(&format!("{head}{}", place.unwrap_or_default())))
}
