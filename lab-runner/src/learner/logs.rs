//! What a lab's server wrote in the last run, check by check, read back from that run's recording.

use std::io;

use camino::Utf8Path;
use chrono::{DateTime, Utc};
use lab_protocol::{Happening, TranscriptEntry, Verdict};
use serde::Serialize;

use crate::events::{EventKind, Recording, RunEvent, recordings};
use crate::report::{Check, Outcome};

/// The server's log of one run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunLog {
    /// The lab's id.
    pub lab: String,
    /// When the run began.
    pub began: Option<DateTime<Utc>>,
    /// What was graded: its path, its command or its URL.
    pub submission: Option<String>,
    /// Why no check ran, if none did.
    pub obstacle: Option<String>,
    /// The lines that belong to no check: of a server that did not start, or that was run for work by hand.
    pub lines: Vec<String>,
    /// The checks that ran, in their order.
    pub checks: Vec<CheckLog>,
}

/// The server's log of one check.
#[derive(Debug, Clone, Serialize)]
pub struct CheckLog {
    /// The check's id.
    pub id: String,
    /// The behaviour it asks for.
    pub title: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What the server wrote, and what the check did to it, with the milliseconds since the check began.
    pub lines: Vec<LogLine>,
}

/// A line of a check's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Milliseconds since the check began.
    pub at_ms: u64,
    /// The line.
    pub text: String,
    /// Whether the server wrote it; else it tells what the check did to the server.
    pub written: bool,
}

/// The log of the newest run of `lab` among the recordings in `folder`, in which `check` ran if one is named.
///
/// # Errors
/// The folder cannot be read.
pub fn last(folder: &Utf8Path, lab: &str, check: Option<&str>) -> io::Result<Option<RunLog>> {
    let runs = match recordings(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        runs => runs?,
    };
    for path in runs.iter().rev() {
        let mut recording = Recording::open(path)?;
        let Some(first) = recording.next().filter(|event| is_of(event, lab)) else { continue };
        let mut log = RunLog { lab: lab.to_owned(), began: Some(first.at.wall), ..RunLog::default() };
        recording.for_each(|event| log.take(event));
        if let Some(check) = check {
            log.checks.retain(|one| one.id == check);
        }
        let tells = check.is_none() && (log.obstacle.is_some() || !log.lines.is_empty());
        if tells || !log.checks.is_empty() {
            return Ok(Some(log));
        }
    }
    Ok(None)
}

/// The seed of the newest run of `lab` among the recordings in `folder` in which `check` failed, if one did.
pub fn last_seed(folder: &Utf8Path, lab: &str, check: &str) -> Option<u64> {
    let failed = |check: &Check| matches!(check.verdict, Verdict::Failed | Verdict::TimedOut);
    recordings(folder).ok()?.iter().rev().find_map(|path| {
        let mut recording = Recording::open(path).ok()?;
        recording.next().filter(|event| is_of(event, lab))?;
        recording.find_map(|event| match event.kind {
            EventKind::RunFinished { report } => {
                report.checks.iter().any(|one| one.id == check && failed(one)).then_some(report.seed)
            }
            _ => None,
        })
    })
}

fn is_of(event: &RunEvent, id: &str) -> bool {
    matches!(&event.kind, EventKind::RunStarted { lab, .. } if lab == id)
}

impl RunLog {
    fn take(&mut self, event: RunEvent) {
        match event.kind {
            EventKind::ServerLog { line } => self.lines.push(line),
            EventKind::CheckFinished { result } => self.add(&result),
            EventKind::RunFinished { report } => {
                // In their order, not in that in which they ended.
                self.checks.clear();
                report.checks.iter().for_each(|check| self.add(check));
                self.submission = Some(report.submission.path.clone());
                if let Some(why) = &report.diagnostics {
                    self.obstacle = Some(why.message.clone());
                    if report.outcome == Outcome::StartFailed {
                        self.lines.clone_from(&why.details);
                    }
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, check: &Check) {
        let Some(began) = check.started_us else { return };
        let line = |entry: &TranscriptEntry| {
            let (text, written) = match &entry.what {
                Happening::Log { line, .. } => (line.clone(), true),
                Happening::Note { text, .. } => (text.clone(), false),
                _ => return None,
            };
            Some(LogLine { at_ms: entry.at_us.saturating_sub(began) / 1000, text, written })
        };
        let lines = check.transcript.iter().filter_map(line).collect();
        self.checks.push(CheckLog { id: check.id.clone(), title: check.title.clone(), verdict: check.verdict, lines });
    }
}
