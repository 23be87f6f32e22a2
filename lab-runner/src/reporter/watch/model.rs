//! What is known while `watch` runs: the last result of every check, what goes on, and what has just turned green.

use std::collections::{BTreeMap, BTreeSet};

use lab_protocol::{CheckInfo, Verdict};

use super::super::inert::inert;
use crate::events::{EventKind, RunEvent};
use crate::guide::LabGuide;
use crate::report::{Check, Outcome, Report, SCHEMA, Submission, SubmissionKind, SuiteIdentity, Timings};

/// What goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing: the next save is waited for.
    Waiting,
    /// Something that takes its time.
    Busy(String),
    /// Checks are running.
    Checking,
}

/// Why there is no result, in the words of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub message: String,
    pub details: Vec<String>,
    pub hints: Vec<String>,
}

/// What is known.
#[derive(Debug)]
pub(super) struct Model {
    pub lab: String,
    pub title: String,
    /// Whether it grades a program, and no server.
    is_program: bool,
    pub doing: Doing,
    pub guide: LabGuide,
    /// What is known of the checks: of each the last result, also while others are still running.
    pub graded: Option<Report>,
    /// The last run's report, if there was nothing to check: the code does not compile, the server does not start.
    pub obstacle: Option<Report>,
    pub problem: Option<Problem>,
    /// The checks that have passed since the last save and had not before.
    pub green: Vec<String>,
    pub running: BTreeSet<String>,
    pub done: usize,
    pub planned: usize,
    /// Whether each check passed before this run, if it is known.
    before: BTreeMap<String, bool>,
}

impl Model {
    /// Nothing is known yet but the lab's id, its title, and whether it grades a program.
    pub(super) fn new(lab: &str, title: &str, is_program: bool) -> Self {
        Self {
            lab: lab.to_owned(),
            title: title.to_owned(),
            is_program,
            doing: Doing::Busy("getting ready".to_owned()),
            guide: LabGuide::default(),
            graded: None,
            obstacle: None,
            problem: None,
            green: Vec::new(),
            running: BTreeSet::new(),
            done: 0,
            planned: 0,
            before: BTreeMap::new(),
        }
    }

    /// Takes in what happened.
    pub(super) fn take(&mut self, event: &RunEvent) {
        match &event.kind {
            EventKind::RunStarted { .. } => {
                self.green.clear();
                self.running.clear();
                self.doing = Doing::Busy("building".to_owned());
            }
            EventKind::Step { text } => self.doing = Doing::Busy(inert(text).into_owned()),
            EventKind::BuildProgress { what, done, total, .. } => {
                self.doing = Doing::Busy(format!("building {what}: {done} of {total}"));
            }
            EventKind::BuildFinished { .. } => {
                // A program is started by each check.
                let next = if self.is_program { "starting the checks" } else { "starting your server" };
                self.doing = Doing::Busy(next.to_owned());
            }
            EventKind::LabGuided { guide } => self.guide = guide.as_ref().clone(),
            EventKind::ChecksPlanned { checks } => self.plan(checks),
            EventKind::CheckStarted => self.running.extend(event.check.clone()),
            EventKind::CheckFinished { result } => self.finished(result),
            EventKind::RunFinished { report } => self.end(report),
            EventKind::CommandFailed { message, details, hints } => {
                self.doing = Doing::Waiting;
                let (message, details, hints) = (message.clone(), details.clone(), hints.clone());
                self.problem = Some(Problem { message, details, hints });
            }
            _ => {}
        }
    }

    /// The checks to come are shown as they were last, and those that were never asked as open.
    fn plan(&mut self, checks: &[CheckInfo]) {
        (self.problem, self.obstacle, self.doing) = (None, None, Doing::Checking);
        (self.done, self.planned) = (0, checks.len());
        let earlier = self.graded.take();
        let known = |id: &str| earlier.as_ref().and_then(|report| report.checks.iter().find(|check| check.id == id));
        self.before = self.guide.known.iter().map(|(id, known)| (id.clone(), known.passed)).collect();
        let of = |info: &CheckInfo| match known(&info.id) {
            Some(check) => Check { title: info.title.clone(), task: info.task, ..check.clone() },
            None => open(info, self.guide.known.get(&info.id).is_some_and(|known| known.passed)),
        };
        let checks = checks.iter().map(of).collect();
        let report = earlier.unwrap_or_else(|| blank(&self.lab, &self.title));
        self.graded = Some(Report { checks, partial: self.guide.later_not_asked, ..report });
        self.sum_up();
    }

    fn finished(&mut self, result: &Check) {
        self.running.remove(&result.id);
        self.done += 1;
        if result.verdict == Verdict::Passed && self.before.get(&result.id) == Some(&false) {
            self.green.push(result.id.clone());
        }
        let Some(report) = &mut self.graded else { return };
        if let Some(known) = report.checks.iter_mut().find(|check| check.id == result.id) {
            *known = result.clone();
        }
        self.sum_up();
    }

    fn sum_up(&mut self) {
        let Some(report) = &mut self.graded else { return };
        let counted = || report.checks.iter().filter(|check| check.counted);
        report.max_score = counted().map(|check| check.max_points).sum();
        report.score = counted().map(|check| check.points).sum();
    }

    fn end(&mut self, report: &Report) {
        self.doing = Doing::Waiting;
        self.running.clear();
        if report.checks.is_empty() {
            self.obstacle = Some(report.clone());
        } else {
            self.graded = Some(report.clone());
        }
    }

    /// What there is to say in place of checks.
    pub(super) fn nothing_checked(&self) -> Option<&Report> {
        self.obstacle.as_ref().or_else(|| self.graded.as_ref().filter(|report| report.diagnostics.is_some()))
    }

    /// The failures, in the order in which a learner meets them.
    pub(super) fn failures(&self) -> Vec<&Check> {
        let failures = self.graded.iter().flat_map(Report::failures);
        let mut failures: Vec<&Check> = failures.filter(|check| check.verdict != Verdict::Error).collect();
        failures.sort_by_key(|check| check.task);
        failures
    }
}

/// A check that has not been asked here yet, as it was known before.
fn open(info: &CheckInfo, passed: bool) -> Check {
    let points = if passed { info.points } else { 0 };
    let verdict = if passed { Verdict::Passed } else { Verdict::Skipped };
    Check { verdict, points, message: None, ..Check::unreported(info) }
}

/// A report of which nothing is known yet.
fn blank(lab: &str, title: &str) -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        run_id: String::new(),
        runner_version: env!("CARGO_PKG_VERSION").to_owned(),
        lab: lab.to_owned(),
        title: title.to_owned(),
        lab_version: None,
        submission: Submission {
            kind: SubmissionKind::WorkingTree,
            path: String::new(),
            commit: None,
            sha256: None,
            left_out: Vec::new(),
        },
        suite: SuiteIdentity { sha256: None },
        seed: 0,
        services: BTreeMap::new(),
        isolation: String::new(),
        outcome: Outcome::Graded,
        score: 0,
        max_score: 0,
        partial: true,
        started_at: chrono::Utc::now(),
        duration_ms: 0,
        timings: Timings::default(),
        diagnostics: None,
        notes: Vec::new(),
        manifest_sha256: None,
        environment: BTreeMap::new(),
        expected: Vec::new(),
        checks: Vec::new(),
    }
}
