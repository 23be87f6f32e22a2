//! What became of a submission: the document that `--format json` prints, `backend-labs/result/v1`.
//!
//! Every field is described here once; schema/result.schema.json is generated from these types and
//! schema/README.md explains it to readers.

mod build;
mod by_hand;
mod score;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lab_protocol::{Difference, SkipReason, TranscriptEntry, Verdict};
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::ExitCode;

pub use build::{RunFacts, RunOutcome};
pub use by_hand::depends_on_more;

/// The name and version of the format.
pub const SCHEMA: &str = "backend-labs/result/v1";

/// The result for one submission.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(title = "Backend Labs result", description = "What `cargo lab check --format json` prints.")
)]
pub struct Report {
    /// The format's name and version: `backend-labs/result/v1`. Within v1, fields are only added, never changed or removed.
    pub schema: String,
    /// The run's unique id; ids sort by time.
    pub run_id: String,
    /// The version of the runner.
    pub runner_version: String,
    /// The lab's id.
    pub lab: String,
    /// The lab's title.
    pub title: String,
    /// The lab's version. Null in results that older runners wrote.
    #[serde(default)]
    pub lab_version: Option<u32>,
    /// What was graded.
    pub submission: Submission,
    /// The suite that graded it.
    pub suite: SuiteIdentity,
    /// The seed of all random data; give it to `--seed` to repeat the run.
    pub seed: u64,
    /// The services that were used, by name.
    pub services: BTreeMap<String, UsedService>,
    /// The sandbox that the submission ran in: `none` while no isolation provider is used.
    pub isolation: String,
    /// The outcome for the submission as a whole.
    pub outcome: Outcome,
    /// The points earned. They are no score where the outcome is `infrastructure_error`.
    pub score: u32,
    /// The points of the checks that could be graded. A check that could not be, because of a fault of ours or of how the
    /// server is given, is not included.
    pub max_score: u32,
    /// Whether only some of the suite's checks were asked for.
    pub partial: bool,
    /// When grading began.
    pub started_at: DateTime<Utc>,
    /// How long grading took, the build included, in milliseconds.
    pub duration_ms: u64,
    /// How that time was spent.
    pub timings: Timings,
    /// Why nothing was graded. Null when it was.
    pub diagnostics: Option<Diagnostics>,
    /// Notes on the result, one sentence each.
    pub notes: Vec<String>,
    /// The SHA-256 of the lab's manifest. Null in results that older runners wrote.
    #[serde(default)]
    pub manifest_sha256: Option<String>,
    /// The machine: `os`, `arch` and `processors`.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The checks that the suite was to report, as it declares them, in its order. Empty where no suite was at hand.
    #[serde(default)]
    pub expected: Vec<ExpectedCheck>,
    /// The checks that were asked for and those they need, in the order they are declared.
    pub checks: Vec<Check>,
}

/// A check that the suite was to report.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ExpectedCheck {
    /// Its id.
    pub id: String,
    /// The points it is worth.
    pub max_points: u32,
}

/// What was graded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Submission {
    /// Where it came from.
    pub kind: SubmissionKind,
    /// Its folder, relative to the workspace's root when it lies inside; otherwise the command or the URL.
    pub path: String,
    /// The commit that its files are of, if they are of one in a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The SHA-256 of its editable files and their names. Null for a command or a URL.
    pub sha256: Option<String>,
    /// Files in the folder that were left out because the manifest does not list them as editable.
    pub left_out: Vec<String>,
}

/// Where a submission came from.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SubmissionKind {
    /// The lab's own folder, as the learner works in it.
    WorkingTree,
    /// The reference submission.
    Solution,
    /// A folder given by `--submission`.
    Folder,
    /// The reference submission with one known mistake.
    Mutant,
    /// A program given by `--command`.
    Command,
    /// A server that already ran, given by `--url`.
    Url,
}

/// The suite that graded the submission.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SuiteIdentity {
    /// The SHA-256 of its program. Null when nothing was graded.
    pub sha256: Option<String>,
}

/// A service that was used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct UsedService {
    /// Where it came from: `external`, `containers`, `native` or `embedded`.
    pub provider: String,
    /// The version it reports.
    pub version: Option<String>,
}

/// What became of a submission as a whole.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every check was graded.
    Graded,
    /// The submission does not build.
    BuildFailed,
    /// Its server never became ready.
    StartFailed,
    /// A service or the grader failed, and at least one check could not be graded.
    InfrastructureError,
}

/// How the time was spent, in milliseconds since grading began.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Timings {
    /// When the submission was built.
    pub built_ms: Option<u64>,
    /// How long cargo took to build it; 0 when nothing had to be built.
    pub cargo_ms: Option<u64>,
    /// When the services were ready.
    pub services_ready_ms: Option<u64>,
    /// When the suite was ready to run.
    pub suite_ready_ms: Option<u64>,
    /// When the first check began. The server has been started once by then.
    pub first_check_ms: Option<u64>,
    /// When the last check had ended.
    pub last_check_ms: Option<u64>,
}

/// Why nothing was graded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Diagnostics {
    /// What happened, in one sentence.
    pub message: String,
    /// The compiler's first errors, or the last lines the server wrote.
    pub details: Vec<String>,
    /// How many more errors the compiler had.
    pub omitted: usize,
    /// Hints that may help.
    pub hints: Vec<String>,
    /// The compiler's errors with terminal colours. Never written to a file.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub coloured: Vec<String>,
}

/// The result of one check.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Check {
    /// Its id, unique in the lab.
    pub id: String,
    /// The behaviour it asks for.
    pub title: String,
    /// The task of the lab's README that it belongs to.
    pub task: u32,
    /// The points it earned.
    pub points: u32,
    /// The points it is worth.
    pub max_points: u32,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it was not run. Null when it was.
    pub skip_reason: Option<SkipReason>,
    /// When it started, in microseconds since the run began at `started_at`. Null when it was not run.
    pub started_us: Option<u64>,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
    /// What is wrong. Null when it passed.
    pub message: Option<String>,
    /// What was sent to the server.
    pub sent: Option<String>,
    /// What the server answered.
    pub received: Option<String>,
    /// What was expected.
    pub expected: Option<String>,
    /// What was found instead.
    pub actual: Option<String>,
    /// Where the two differ.
    pub diff: Vec<Difference>,
    /// Why the behaviour is asked for.
    pub why: String,
    /// The source of that rule.
    pub source: String,
    /// The first hint. Null when it passed.
    pub hint: Option<String>,
    /// All hints, from the vaguest to the most explicit, after the one for the case that failed, if there is one. Empty when
    /// it passed.
    pub hints: Vec<String>,
    /// The hint for the case that failed, where the check gives that case one of its own; then it is the first of `hints`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_hint: Option<String>,
    /// Commands that reproduce it by hand.
    pub reproduce: Option<String>,
    /// The last lines the server wrote; of a program that is run and ends, the last of its standard error.
    pub server_log: Vec<String>,
    /// Whether it has run a program that ends, and no server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_program: bool,
    /// Whether it is held out, and only graded in CI.
    pub held_out: bool,
    /// Whether its points are part of `max_score`.
    pub counted: bool,
    /// Why it was asked a second time, with nothing beside it, if it was: it had failed by time, and what is reported is
    /// what it came to then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_again: Option<String>,
    /// What happened, in order.
    pub transcript: Vec<TranscriptEntry>,
    /// Where in the suite's source it was found, the innermost place first. Only an audit asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub places: Vec<String>,
}

impl Check {
    /// What `server_log` holds, in two words: a server writes a log, and a program that is run and ends writes to its standard
    /// error.
    #[must_use]
    pub fn log_name(&self) -> &'static str {
        if self.of_program { "stderr" } else { "server log" }
    }
}

impl Report {
    /// Whether its points say anything: after a fault of ours or of a service they are of what happened to be graded.
    #[must_use]
    pub fn has_score(&self) -> bool {
        self.outcome != Outcome::InfrastructureError
    }

    /// The points that could be had. A submission that does not run has had the chance of all.
    #[must_use]
    pub fn possible_points(&self) -> u32 {
        match self.outcome {
            Outcome::BuildFailed | Outcome::StartFailed if self.checks.is_empty() => {
                self.expected.iter().map(|check| check.max_points).sum()
            }
            _ => self.max_score,
        }
    }

    /// The exit code that says the same in a number.
    pub fn exit_code(&self) -> ExitCode {
        match self.outcome {
            Outcome::BuildFailed | Outcome::StartFailed => ExitCode::NotRunnable,
            Outcome::InfrastructureError => ExitCode::Infrastructure,
            Outcome::Graded if self.checks.iter().all(Check::is_fine) => ExitCode::Passed,
            Outcome::Graded => ExitCode::NotPassed,
        }
    }

    /// The checks that did not pass and were run.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !matches!(check.verdict, Verdict::Passed | Verdict::Skipped))
    }
}

impl Check {
    /// Whether it passed, or could not be asked of this submission.
    pub fn is_fine(&self) -> bool {
        match self.verdict {
            Verdict::Passed => true,
            Verdict::Skipped => !self.counted,
            Verdict::Failed | Verdict::TimedOut | Verdict::Error => false,
        }
    }
}
