//! What the runner and a suite say to each other: one JSON document in, one JSON line out for each event.
//!
//! The suite's standard input is one end of a private socket pair. The runner writes a [`SuiteConfig`] to it and
//! reads [`Envelope`]s from it. A submission never gets a handle on that socket, and a socket, unlike a pipe,
//! cannot be reopened through `/proc`; the nonce makes a line that came from anywhere else worthless.

mod agents;
mod causes;
mod clock;
mod container;
mod new_lab;
mod plan;
mod screen;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lab_sandbox::Sandbox;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use agents::AGENTS;
pub use causes::in_full;
pub use clock::{RunClock, Stamp, micros, millis};
pub use container::{CgroupShare, ContainerSpec};
pub use new_lab::{NewLab, NewLabService};
pub use plan::{PlanError, plan};
pub use screen::{FromScreen, Key, ToScreen};
pub use transcript::{Asked, Exchange, Happening, Mark, TranscriptEntry};

/// The version of what the two say to each other. A suite that comes as a program may be older or newer than the runner:
/// raise this with every change after which one of them could misread the other.
pub const VERSION: u32 = 1;

/// What a suite answers to `list`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SuiteList {
    /// The [`VERSION`] that it speaks.
    pub protocol: u32,
    /// The checks it declares, in order.
    pub checks: Vec<CheckInfo>,
}

/// Everything a suite needs to know for one run. The runner sends it as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SuiteConfig {
    /// The secret that every event of this run repeats.
    pub nonce: String,
    /// When this was sent: the suite's clock goes on from here, so that its events are on the runner's.
    pub sent_at: Stamp,
    /// The lab's id, for messages.
    pub lab: String,
    /// The seed of all random data of the run.
    pub seed: u64,
    /// The checks to run, besides those they need. Empty means all.
    pub checks: Vec<String>,
    /// How many checks may run at once.
    pub jobs: usize,
    /// The time limit of a check that sets none of its own, in milliseconds.
    pub check_limit_ms: u64,
    /// How long the server may take to answer its readiness request, in milliseconds.
    pub start_limit_ms: u64,
    /// The server under test.
    pub target: Target,
    /// What the server runs in, if the suite starts it: the same as what its build ran in.
    pub sandbox: Sandbox,
    /// The request that tells whether the server is ready. None where the lab grades a program that is run, and no server.
    #[serde(default)]
    pub readiness: Option<Readiness>,
    /// The services that the lab asks for, by name, such as `postgres`.
    pub services: BTreeMap<String, ServiceEndpoint>,
    /// How long each check took last time, in milliseconds. The slowest start first.
    pub expected_ms: BTreeMap<String, u64>,
    /// Groups of checks to be run before all others, each with what it needs: a group begins when the one before it has
    /// ended. Names that the suite does not have are passed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<Vec<String>>,
    /// `serve` only: the port to start the server on, so that printed commands fit. Free ports are taken where it
    /// is absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// The folder with the submission's files, for the labs whose work is more than a program. None where only a
    /// program or a URL is graded.
    #[serde(default)]
    pub tree: Option<PathBuf>,
    /// `hold` only: whether the server is to stand even if the check passes.
    #[serde(default)]
    pub hold_passed: bool,
    /// Whether failures name where in the suite's source they were found, which takes time.
    #[serde(default)]
    pub places: bool,
    /// A folder for the run's own files. The runner removes it.
    pub scratch: PathBuf,
}

/// The argument that tells a suite that servers will be isolated: it has to see to that before it does anything else.
pub const ISOLATED: &str = "isolated";

/// What a program that we built sees of the environment: what a shell needs to be one, and nothing of ours.
pub const PASSED_ON: [&str; 10] =
    ["HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"];

/// The server under test.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A program that the suite starts, as often as its checks ask.
    Launch {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The folder it is started in.
        cwd: PathBuf,
        /// Variables it gets beside `HOST`, `PORT` and those of its services. Nothing else is inherited.
        env: BTreeMap<String, String>,
        /// Which of these come from the environment of whoever asked, whose own shells have them.
        #[serde(default)]
        inherited: BTreeSet<String>,
        /// What a learner types to start it by hand, for the lines that reproduce a failure.
        by_hand: String,
    },
    /// A server that already runs and that nobody here may stop.
    Attached {
        /// Its base URL, such as `http://127.0.0.1:8080`.
        url: String,
    },
}

/// The request that tells whether a server is ready.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// The path to GET.
    pub path: String,
    /// The status that means ready.
    #[serde(default = "Readiness::default_status")]
    pub status: u16,
}

impl Readiness {
    fn default_status() -> u16 {
        200
    }
}

/// How a suite reaches a service as its administrator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceEndpoint {
    /// The administrator's URL.
    pub url: String,
    /// Whether it was started for grading: such a server may be ended, and the runner puts another in its place.
    #[serde(default)]
    pub ours: bool,
    /// Its program, where it runs one of this machine's: with it, a check can have an instance of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
}

/// What the runner says to a suite after its configuration, one line of JSON each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToSuite {
    /// A service that had ended, as [`Event::ServiceEnded`] told, is there again.
    ServiceReplaced {
        /// The service.
        name: String,
        /// The administrator's URL of the new one.
        url: String,
    },
    /// It is not.
    ServiceLost {
        /// The service.
        name: String,
        /// Why there is no other.
        message: String,
    },
}

/// One line from a suite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// The nonce of the run's [`SuiteConfig`].
    pub nonce: String,
    /// When it happened.
    pub at: Stamp,
    /// The id of the check that it belongs to, if it belongs to one.
    pub check: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a suite tells while it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The services answered and the server starts: the checks begin.
    SuiteStarted {
        /// The version each service states of itself, by service name.
        services: BTreeMap<String, String>,
        /// The ids of the checks that will be reported, in the order they are declared.
        checks: Vec<String>,
    },
    /// The server never became ready; no check was run.
    StartFailed {
        /// What was seen, in terms a learner understands.
        reason: String,
        /// The last lines the server wrote.
        log: Vec<String>,
    },
    /// A service failed through no fault of the submission; no check was run.
    InfrastructureFailed {
        /// What failed, with its causes.
        message: String,
    },
    /// The suite is at work: told every few seconds, whatever else happens.
    Alive,
    /// A check began.
    CheckStarted {
        /// The check's id.
        id: String,
    },
    /// A check that has run is to be asked once more, when nothing else runs.
    CheckPostponed {
        /// The check's id.
        id: String,
    },
    /// Something happened in the check that the envelope names.
    Transcript {
        /// What.
        entry: TranscriptEntry,
    },
    /// A check ended. Its transcript is what was told of it since it began, for the last time: the report comes without.
    CheckFinished(Box<CheckReport>),
    /// A service of the run's own has ended, or had to be ended: the suite waits for another in its place, which the
    /// runner tells it of ([`ToSuite`]).
    ServiceEnded {
        /// The service.
        name: String,
        /// What had happened, in a sentence.
        why: String,
    },
    /// Something that whoever reads the result should know.
    Note {
        /// What, in a sentence.
        text: String,
    },
    /// Every declared check has been reported.
    SuiteFinished,
    /// `serve` only: the server is ready.
    Serving {
        /// The URLs to work with by hand: `server`, and one for each service.
        urls: BTreeMap<String, String>,
    },
    /// `hold` only: the check is over, and this stands as it left it.
    Held(Box<Held>),
    /// `serve` and `hold` only: the server wrote a line.
    ServerLog {
        /// The line.
        line: String,
    },
    /// `serve` and `hold` only: the server ended.
    ServerEnded {
        /// How.
        exit: String,
    },
}

/// What stands when a check is over that was run to be looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Held {
    /// The URLs of the servers that run, in the order in which they were started.
    pub servers: Vec<String>,
    /// The URLs of the check's own share of each service, by name.
    pub services: BTreeMap<String, String>,
    /// The variables that the server was started with: the services', the lab's own, and those of the check.
    pub variables: BTreeMap<String, String>,
    /// A line to paste that shows what the check saw last.
    pub line: Option<String>,
    /// What is otherwise than when the check ended, one sentence each.
    pub notes: Vec<String>,
}

impl Event {
    /// The id of the check that this belongs to, if it belongs to one.
    #[must_use]
    pub fn check(&self) -> Option<&str> {
        match self {
            Self::CheckStarted { id } => Some(id),
            Self::CheckFinished(report) => Some(&report.id),
            _ => None,
        }
    }
}

/// What a check declares about itself; `list` prints these.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct CheckInfo {
    /// The check's name, unique in its suite.
    pub id: String,
    /// The behaviour it checks, as shown to learners.
    pub title: String,
    /// The task of the README, and the number of the starter's `TODO(step-NN.task)`, that it belongs to.
    pub task: u32,
    /// What it is worth.
    pub points: u32,
    /// The checks that must pass before this one is meaningful.
    pub needs: Vec<String>,
    /// Why the behaviour is asked for.
    pub why: String,
    /// The source of that rule: a section of an RFC, an OWASP id, a chapter of a manual.
    pub source: String,
    /// Hints, from the vaguest to the most explicit.
    pub hints: Vec<String>,
    /// Whether it is held out, and only graded in CI.
    pub held_out: bool,
    /// Whether it measures time and therefore runs by itself.
    pub alone: bool,
    /// Its own time limit in seconds, when the suite's does not fit.
    #[serde(default)]
    pub limit_seconds: Option<u64>,
}

/// The verdict on a check.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The behaviour was seen.
    Passed,
    /// A different behaviour was seen.
    Failed,
    /// The check ran out of time before it had an answer.
    TimedOut,
    /// It was not run; the skip reason says why.
    Skipped,
    /// The grader or a service failed, which is never the learner's fault.
    Error,
}

/// Why a check was skipped.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SkipReason {
    /// A check it needs did not pass. Its points are lost with that check's.
    NeedsFailed {
        /// The check that did not pass.
        check: String,
    },
    /// It cannot be run here. Its points do not count towards the total.
    NotApplicable {
        /// Why not, in terms a learner understands.
        message: String,
    },
}

/// The result of one check, as its suite saw it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckReport {
    /// The check's id.
    pub id: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it was skipped, when it was.
    pub skip_reason: Option<SkipReason>,
    /// When it started, in microseconds since the run began. None when it was not run.
    pub started_us: Option<u64>,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
    /// What was wrong. None when it passed.
    pub explanation: Option<Explanation>,
    /// What happened, in order. On the way from suite to runner it is empty: it has been told entry by entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<TranscriptEntry>,
    /// Why it was asked a second time, alone, if it was. All else is about the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_again: Option<String>,
}

/// What a learner is told about a check that did not pass.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Explanation {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was sent to the server.
    pub sent: Option<String>,
    /// What came back.
    pub received: Option<String>,
    /// What was expected instead.
    pub expected: Option<String>,
    /// What was found.
    pub actual: Option<String>,
    /// Where the two differ, one line each.
    pub diff: Vec<Difference>,
    /// Why it is expected, when there is a more specific reason than the check's own.
    pub because: Option<String>,
    /// The hint for the case that failed, where the check's own would miss the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Commands that reproduce it by hand.
    pub reproduce: Option<String>,
    /// The last lines the server wrote.
    pub server_log: Vec<String>,
    /// Whether it was found because a time was over: with more time it might have been otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub by_time: bool,
    /// Where in the suite's source it was found, as `src/file.rs:line:column`, the innermost place first. Only an audit asks
    /// for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub places: Vec<String>,
}

/// One place in which an answer differs from what was expected.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Difference {
    /// Where: `status`, `header content-type`, a JSON pointer such as `/items/0/id`, `body byte 12`.
    pub place: String,
    /// What was expected there.
    pub expected: String,
    /// What was found there.
    pub actual: String,
}
