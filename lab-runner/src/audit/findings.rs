//! What an audit found: problems, and which mutant fails which check.

use std::collections::{BTreeMap, BTreeSet};

use lab_protocol::CheckInfo;
use serde::Serialize;

use crate::exit::ExitCode;
use crate::workspace::Lab;

/// What an audit found: `backend-labs/audit/v1`.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// The format's name and version.
    pub schema: &'static str,
    /// Whether every lab grades fairly.
    pub passed: bool,
    /// The labs, in the order they were audited.
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
    /// The mutants and what failed them.
    pub mutants: Vec<MutantResult>,
    /// Whether each mutant was tried on every check; otherwise on those it names and what they need.
    pub all_checks: bool,
    /// For each check, the mutants that fail it, of those that were tried on it.
    pub checks: BTreeMap<String, BTreeSet<String>>,
    /// The checks that cannot be asked on this machine, so that this audit proves nothing of them.
    pub unseen: BTreeSet<String>,
    /// The checks in the order they are declared.
    pub order: Vec<String>,
    /// How long the audit took, in milliseconds.
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
    /// How long it took, building included, in milliseconds.
    pub duration_ms: u64,
}

impl AuditReport {
    pub(super) fn new(labs: Vec<LabAudit>) -> Self {
        let passed = labs.iter().all(|lab| lab.problems.is_empty());
        Self { schema: "backend-labs/audit/v1", passed, labs }
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
    pub(super) fn new(lab: &Lab, checks: &[CheckInfo], all_checks: bool) -> Self {
        Self {
            lab: lab.id().to_owned(),
            title: lab.manifest.title.clone(),
            slug: lab.manifest.slug.clone(),
            problems: Vec::new(),
            starter: None,
            rounds_ms: Vec::new(),
            mutants: Vec::new(),
            all_checks,
            checks: checks.iter().map(|check| (check.id.clone(), BTreeSet::new())).collect(),
            unseen: BTreeSet::new(),
            order: checks.iter().map(|check| check.id.clone()).collect(),
            duration_ms: 0,
        }
    }

    pub(super) fn problem(&mut self, place: &str, message: &str) {
        self.problems.push(Problem::of(place, message));
    }
}

impl Problem {
    pub(super) fn of(place: &str, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), message: message.into(), infrastructure: false }
    }
}
