//! The recordings of the last runs, read when they are asked for and kept until they change.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::{CheckInfo, Verdict};
use lab_runner::events::{EventKind, Recording, recordings};
use lab_runner::report::{Check, SubmissionKind};

/// A run that has written nothing for so long does not go on.
const SILENT: Duration = Duration::from_secs(30);

/// The recordings in one folder.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: Utf8PathBuf,
    /// What was read, by the file and its size: recordings only grow.
    read: Mutex<BTreeMap<Utf8PathBuf, (u64, Arc<Run>)>>,
}

/// What a recording tells.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    /// The lab's id.
    lab: String,
    /// What was graded, as far as it is known.
    kind: Option<SubmissionKind>,
    /// Every check that the suite declares.
    declared: Vec<CheckInfo>,
    /// The checks that have ended.
    checks: Vec<Check>,
    /// Whether its end was recorded.
    finished: bool,
    /// Whether it may go on.
    going_on: bool,
}

/// What is known of a lab.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Its checks as they were asked last, in their order; those that never were, as skipped.
    pub checks: Vec<Check>,
    /// Whether a run of it is going on.
    pub going_on: bool,
}

impl Shelf {
    pub(super) fn new(folder: Utf8PathBuf) -> Self {
        Self { folder, read: Mutex::default() }
    }

    /// What the last runs of the learner's own files tell of `lab`.
    pub(super) fn known(&self, lab: &str) -> Known {
        let runs = self.runs(lab);
        let own: Vec<&Arc<Run>> = runs.iter().filter(|run| run.is_own()).collect();
        let declared = runs.iter().map(|run| &run.declared).find(|declared| !declared.is_empty());
        let asked = |info: &CheckInfo| {
            let found =
                own.iter().find_map(|run| run.checks.iter().find(|check| check.id == info.id && was_asked(check)));
            found.cloned().unwrap_or_else(|| never_asked(info))
        };
        let checks = declared.map(|declared| declared.iter().map(asked).collect()).unwrap_or_default();
        Known { checks, going_on: own.first().is_some_and(|run| run.going_on) }
    }

    /// `check` of `lab` as the model answer passed it last.
    pub(super) fn model(&self, lab: &str, check: &str) -> Option<Check> {
        let runs = self.runs(lab);
        let solutions = runs.iter().filter(|run| run.kind == Some(SubmissionKind::Solution));
        let passed = |one: &&Check| one.id == check && one.verdict == Verdict::Passed;
        solutions.flat_map(|run| &run.checks).find(passed).cloned()
    }

    /// The recorded runs of `lab`, the newest first.
    fn runs(&self, lab: &str) -> Vec<Arc<Run>> {
        let mut paths = recordings(&self.folder).unwrap_or_default();
        paths.reverse();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|path, _| paths.contains(path));
        let runs = paths.into_iter().filter_map(|path| {
            let metadata = path.metadata().ok()?;
            let run = match read.get(&path) {
                Some((size, run)) if *size == metadata.len() && !run.going_on => run.clone(),
                _ => {
                    let age = metadata.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
                    let run = Arc::new(Run::read(&path, age.unwrap_or_default() < SILENT).ok()?);
                    read.insert(path, (metadata.len(), run.clone()));
                    run
                }
            };
            (run.lab == lab).then_some(run)
        });
        runs.collect()
    }
}

impl Run {
    fn read(path: &Utf8Path, is_fresh: bool) -> io::Result<Self> {
        let mut run = Self::default();
        for event in Recording::open(path)? {
            run.take(event.kind);
        }
        run.going_on = !run.finished && is_fresh;
        Ok(run)
    }

    fn take(&mut self, event: EventKind) {
        match event {
            EventKind::RunStarted { lab, submission, .. } => (self.lab, self.kind) = (lab, submission),
            EventKind::LabGuided { guide } => self.declared = guide.checks,
            EventKind::CheckFinished { result } => {
                self.checks.retain(|check| check.id != result.id);
                self.checks.push(*result);
            }
            EventKind::RunFinished { report } => {
                self.kind = Some(report.submission.kind);
                self.checks = report.checks;
                self.finished = true;
            }
            _ => {}
        }
    }

    /// Whether the learner's own files were graded.
    fn is_own(&self) -> bool {
        self.kind == Some(SubmissionKind::WorkingTree)
    }
}

fn was_asked(check: &Check) -> bool {
    check.started_us.is_some() || check.skip_reason.is_some()
}

fn never_asked(info: &CheckInfo) -> Check {
    Check { verdict: Verdict::Skipped, message: None, ..Check::unreported(info) }
}
