//! What an audit found: problems, and which mutant fails which check.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lab_protocol::{CheckInfo, millis};
use serde::Serialize;

use super::Shard;
use crate::exit::ExitCode;
use crate::workspace::Lab;

/// What an audit found: `backend-labs/audit/v1`.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// The format's name and version.
    pub schema: String,
    /// Whether nothing was found that is wrong. What was left says nothing.
    pub passed: bool,
    /// Which part of the work this audit was to do, as `k/n`; none means all.
    pub shard: Option<String>,
    /// How many proofs this audit was to make: one for each lab's starter and solution, and one for each mutant.
    pub planned: usize,
    /// How many of them were left, because the time was over. Each lab names its own.
    pub left: usize,
    /// How long the audit took, in milliseconds.
    pub duration_ms: u64,
    /// The labs, in the order they stand in the workspace.
    pub labs: Vec<LabAudit>,
}

/// What an audit found in one lab.
#[derive(Debug, Clone, Serialize)]
pub struct LabAudit {
    /// The lab's id.
    pub lab: String,
    /// The lab's title.
    pub title: String,
    /// The lab's slug.
    pub slug: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The starter's points, and out of how many, if it is as it should be.
    pub starter: Option<(u32, u32)>,
    /// How long each round of the solution under load took, in milliseconds.
    pub rounds_ms: Vec<u64>,
    /// The mutants that were tried and what failed them, by name.
    pub mutants: Vec<MutantResult>,
    /// Whether each mutant was tried on every check; otherwise on those it names and what they need.
    pub all_checks: bool,
    /// For each check, the mutants that fail it, of those that were tried on it.
    pub checks: BTreeMap<String, BTreeSet<String>>,
    /// The checks that cannot be asked on this machine, so that this audit proves nothing of them.
    pub unseen: BTreeSet<String>,
    /// What is known of the suite's expectations.
    pub expectations: Option<Expectations>,
    /// What became of generated mutants, if these were what was audited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// What came of the lines for work by hand, if they were run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Lines>,
    /// The checks in the order they are declared.
    pub order: Vec<String>,
    /// How many of the proofs were on record when the audit began, made with the very same files. They come last.
    pub on_record: usize,
    /// What was left, because the time was over: `solution`, or `mutant` and its name.
    pub left: Vec<String>,
    /// How long the lab's proofs took together, in milliseconds. Waiting for each other is not in it.
    pub duration_ms: u64,
}

/// Something that is wrong with a lab.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// Of what: `README.md`, `starter`, `solution`, a check or a mutant.
    pub place: String,
    /// What.
    pub message: String,
    /// Whether a service, or we, failed, and nothing is said of the lab.
    pub infrastructure: bool,
}

/// What became of a mutant.
#[derive(Debug, Clone, Serialize)]
pub struct MutantResult {
    /// Its name.
    pub name: String,
    /// What it breaks.
    pub breaks: String,
    /// The checks it names.
    pub expected: Vec<String>,
    /// The checks that failed.
    pub failed: Vec<String>,
    /// Whether every check it names failed.
    pub caught: bool,
    /// How long cargo took to build it, in milliseconds.
    pub build_ms: u64,
    /// How long the checks took, from the start of the first to the end of the last, in milliseconds.
    pub checks_ms: u64,
    /// How long it took in all, in milliseconds. That it waited while others were built or graded is not in it.
    pub duration_ms: u64,
}

/// What is known of a suite's expectations.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Expectations {
    /// How many there are.
    pub total: usize,
    /// How many of them some mutant was seen to fail.
    pub seen: usize,
    /// How many were not seen to fail and have the reason beside them.
    pub reasoned: usize,
    /// How many mutants the lab has.
    pub mutants: usize,
    /// How many of these were ever tried here. Only once all were, it is known what is unproven.
    pub tried: usize,
    /// Those never seen to fail, without a reason.
    pub unproven: Vec<Unproven>,
}

/// An expectation that was never seen to fail.
#[derive(Debug, Clone, Serialize)]
pub struct Unproven {
    /// The file, as seen from the lab's folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The function it stands in.
    pub function: String,
    /// What is written there.
    pub text: String,
}

/// What became of a lab's generated mutants, in this audit and in earlier ones of the very same files.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Generated {
    /// How many were made.
    pub made: usize,
    /// How many of them change nothing that a check could see, as the lab says with a reason.
    pub equivalent: usize,
    /// How many build and were graded.
    pub viable: usize,
    /// How many of these failed a check, or did not start.
    pub caught: usize,
    /// How many do not build.
    pub unviable: usize,
    /// For each check, how many it was the first to catch.
    pub by_check: BTreeMap<String, usize>,
    /// Those that passed every check.
    pub survivors: Vec<Survivor>,
}

/// A mutant that passed every check.
#[derive(Debug, Clone, Serialize)]
pub struct Survivor {
    /// The file, as seen from the solution's folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What was changed.
    pub change: String,
    /// What stands on the line.
    pub text: String,
}

/// What came of the lines that a lab's reports show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// How many were run.
    pub tried: usize,
    /// How many of them showed the mutant and the solution to differ.
    pub telling: usize,
}

impl AuditReport {
    /// The report on `labs`: `shard` of what there was to do, of which so many proofs were `planned`.
    pub fn new(labs: Vec<LabAudit>, shard: Option<Shard>, planned: usize, took: Duration) -> Self {
        let passed = labs.iter().all(|lab| lab.problems.is_empty());
        let left = labs.iter().map(|lab| lab.left.len()).sum();
        let (shard, duration_ms) = (shard.map(|shard| shard.to_string()), millis(took));
        Self { schema: "backend-labs/audit/v1".to_owned(), passed, shard, planned, left, duration_ms, labs }
    }

    /// The exit code that says the same in a number.
    pub fn exit_code(&self) -> ExitCode {
        let mut problems = self.labs.iter().flat_map(|lab| &lab.problems).peekable();
        if problems.peek().is_none() {
            ExitCode::Passed
        } else if problems.all(|problem| problem.infrastructure) {
            ExitCode::Infrastructure
        } else {
            ExitCode::NotPassed
        }
    }
}

impl LabAudit {
    /// Nothing found yet in `lab`, whose mutants are tried on `all_checks` or on those they name.
    pub fn new(lab: &Lab, all_checks: bool) -> Self {
        Self {
            lab: lab.id().to_owned(),
            title: lab.manifest.title.clone(),
            slug: lab.manifest.slug.clone(),
            problems: Vec::new(),
            starter: None,
            rounds_ms: Vec::new(),
            mutants: Vec::new(),
            all_checks,
            checks: BTreeMap::new(),
            unseen: BTreeSet::new(),
            expectations: None,
            generated: None,
            lines: None,
            order: Vec::new(),
            on_record: 0,
            left: Vec::new(),
            duration_ms: 0,
        }
    }

    /// The lab's suite declares `checks`.
    pub fn declare(&mut self, checks: &[CheckInfo]) {
        self.checks = checks.iter().map(|check| (check.id.clone(), BTreeSet::new())).collect();
        self.order = checks.iter().map(|check| check.id.clone()).collect();
    }

    /// Adds a fault of ours or of a service's at `place`, once for each `message`: many proofs meet the same one, and it says
    /// nothing of the lab.
    pub fn infrastructure(&mut self, place: &str, message: &str) {
        if !self.problems.iter().any(|problem| problem.infrastructure && problem.message == message) {
            let problem = Problem::of(place, message);
            self.problems.push(Problem { infrastructure: true, ..problem });
        }
    }

    /// Adds a problem of the lab itself at `place`.
    pub fn problem(&mut self, place: &str, message: &str) {
        self.problems.push(Problem::of(place, message));
    }
}

impl Problem {
    /// A problem of the lab itself at `place`.
    pub fn of(place: &str, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), message: message.into(), infrastructure: false }
    }
}
