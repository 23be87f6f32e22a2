//! The one event stream: everything that happens in a run, with its time and its check.
//!
//! The engine and the commands emit; reporters, recordings and whoever else wants to know are sinks. Nothing else
//! passes between the two sides.

mod recording;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use lab_protocol::{CheckInfo, Held, Stamp, TranscriptEntry};
use serde::{Deserialize, Serialize};

use crate::audit::AuditReport;
use crate::bench::{Batch, Bench};
use crate::course::RoadmapStep;
use crate::engine::OwnTests;
use crate::grade::{GradeReport, Graded};
use crate::guide::LabGuide;
use crate::learner::compare::FileDifference;
use crate::learner::logs::RunLog;
use crate::learner::next::NextStep;
use crate::learner::reset::Change;
use crate::learner::starter::Origin;
use crate::learner_kit::{Exported, Updated};
use crate::report::{Check, Diagnostics, Report, SubmissionKind};
use crate::similarity::ForJplag;
use crate::state::LabProgress;
use crate::submission::mutant::Refreshed;
use lab_services::{DoctorReport, DownReport};

pub use recording::{Recorder, Recording, recordings};

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunEvent {
    /// When.
    pub at: Stamp,
    /// The id of the check that it belongs to, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kinds of things that happen.
///
/// What the engine tells of a run is recorded and read back. What commands answer never is, and to read it would be a third
/// of what there is to compile of this enumeration: it is written alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// A submission is about to be graded or served.
    RunStarted {
        /// The run's id.
        run_id: String,
        /// The runner's version.
        runner_version: String,
        /// The lab's id.
        lab: String,
        /// The lab's title.
        title: String,
        /// What kind of submission it is. Older recordings do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        submission: Option<SubmissionKind>,
    },
    /// A lab is watched from now on: it is graded on every save.
    WatchStarted {
        /// The lab's id.
        lab: String,
        /// The lab's title.
        title: String,
    },
    /// Files of the watched lab have changed, and it is graded anew.
    SourceChanged {
        /// The files, relative to the workspace.
        paths: Vec<Utf8PathBuf>,
    },
    /// Something may be wrong, and the run goes on.
    Warning {
        /// What, as a sentence fragment.
        message: String,
        /// What may help.
        hints: Vec<String>,
    },
    /// Something began that takes long enough to be worth a line, such as fetching a program.
    Step {
        /// What, as a sentence fragment.
        text: String,
    },
    /// Cargo has built some of what it has to.
    BuildProgress {
        /// What is built: a package, or `the suite of …`.
        what: String,
        /// Units that are done.
        done: u64,
        /// Units in all.
        total: u64,
        /// What is being compiled now.
        now: String,
    },
    /// Cargo has ended, in success or failure.
    BuildFinished {
        /// What was built.
        what: String,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// These services are looked for, and started if they have to be.
    ServicesRequested {
        /// Their names, such as `postgres`.
        names: Vec<String>,
    },
    /// A service is there.
    ServiceReady {
        /// Its name.
        name: String,
        /// The provider it came from.
        provider: String,
        /// What is known of its version without asking it.
        version: Option<String>,
    },
    /// A service has stated its version.
    ServiceVersion {
        /// Its name.
        name: String,
        /// The version it states of itself.
        version: String,
    },
    /// The suite is known: what a learner needs beside the result to find the way.
    LabGuided {
        /// The way.
        guide: Box<LabGuide>,
    },
    /// These checks will be reported, in this order.
    ChecksPlanned {
        /// What they declare of themselves.
        checks: Vec<CheckInfo>,
    },
    /// The event's check began.
    CheckStarted,
    /// Something happened in the event's check, just now: an HTTP message, a statement, a command, a line of the
    /// server's log.
    Transcript {
        /// What.
        entry: TranscriptEntry,
    },
    /// The event's check ended. Its points are final, `counted` is not yet.
    CheckFinished {
        /// What became of it.
        result: Box<Check>,
    },
    /// The submission has a report.
    RunFinished {
        /// The report.
        report: Box<Report>,
    },
    /// A server is up for work by hand.
    Serving {
        /// The URLs of it and of its services, by name.
        urls: BTreeMap<String, String>,
        /// The port that it was meant to have, if another program has it.
        taken: Option<u16>,
    },
    /// The course's site is served until Ctrl-C.
    #[serde(skip_deserializing)]
    SiteServed {
        /// Its address, with the secret in it.
        url: String,
    },
    /// That server wrote a line.
    ServerLog {
        /// The line.
        line: String,
    },
    /// There is no server to work with, or it has ended by itself.
    ServingFailed {
        /// Why.
        diagnostics: Diagnostics,
    },
    /// The labs and how far the learner has come.
    #[serde(skip_deserializing)]
    Overview {
        /// What the course is called.
        title: String,
        /// The steps of its roadmap.
        roadmap: Vec<RoadmapStep>,
        /// The languages that submissions may be written in; empty for any.
        languages: Vec<String>,
        /// The labs, in the course's order.
        labs: Vec<LabOverview>,
        /// The lab that was graded last.
        here: Option<String>,
    },
    /// Hints for a check that does not pass yet.
    #[serde(skip_deserializing)]
    Hints {
        /// The lab's id.
        lab: String,
        /// The check's id.
        id: String,
        /// The behaviour it asks for.
        title: String,
        /// The hints to show, from the vaguest.
        hints: Vec<String>,
        /// How many there are.
        total: usize,
    },
    /// A batch of submissions is about to be graded.
    #[serde(skip_deserializing)]
    GradingPlanned {
        /// The lab's id.
        lab: String,
        /// How many there are.
        submissions: usize,
        /// How many have a result already, or can have none.
        known: usize,
        /// How many have the very files of another one.
        identical: usize,
    },
    /// One submission of a batch has a result.
    #[serde(skip_deserializing)]
    SubmissionGraded {
        /// In short.
        graded: Graded,
        /// In full.
        report: Box<Report>,
        /// How many are done, this one included.
        done: usize,
        /// How many there are.
        total: usize,
        /// How long the rest will take, in milliseconds, if it takes as long as what was graded in this run.
        left_ms: Option<u64>,
    },
    /// All submissions of a batch have a result.
    #[serde(skip_deserializing)]
    GradesFinished {
        /// What became of them.
        report: Box<GradeReport>,
    },
    /// What was made of results for others is there.
    #[serde(skip_deserializing)]
    ResultConverted {
        /// Its text.
        text: String,
    },
    /// A document about the program itself, such as its man page.
    #[serde(skip_deserializing)]
    DocumentMade {
        /// Its text.
        text: String,
    },
    /// A check was played to be looked at.
    CheckHeld {
        /// The lab's id.
        lab: String,
        /// What became of the check.
        result: Box<Option<Check>>,
        /// What stands as it left it, if anything does.
        held: Box<Option<Held>>,
    },
    /// What is to be done next in a lab.
    #[serde(skip_deserializing)]
    NextShown {
        /// The step.
        step: Box<NextStep>,
    },
    /// What a lab's server wrote in its last run.
    #[serde(skip_deserializing)]
    LogsShown {
        /// The log.
        log: Box<RunLog>,
    },
    /// A lab's model answer beside the learner's own files.
    #[serde(skip_deserializing)]
    SolutionCompared {
        /// The lab's id.
        lab: String,
        /// The files that differ.
        files: Vec<FileDifference>,
    },
    /// A lab's starter is about to come back.
    #[serde(skip_deserializing)]
    ResetPlanned {
        /// The lab's folder, relative to the workspace.
        folder: Utf8PathBuf,
        /// How the starter is known.
        origin: Origin,
        /// What will be done to each file.
        changes: Vec<Change>,
    },
    /// A lab's starter is back, or nobody wanted it after all.
    #[serde(skip_deserializing)]
    ResetFinished {
        /// The lab's id.
        lab: String,
        /// Whether anything was changed.
        done: bool,
        /// Where the files are that were replaced, if any were.
        kept: Option<Utf8PathBuf>,
    },
    /// An audit is done.
    #[serde(skip_deserializing)]
    AuditFinished {
        /// What it found.
        report: Box<AuditReport>,
    },
    /// The patches of mutants have been carried over to the solutions as they are now.
    #[serde(skip_deserializing)]
    MutantsRefreshed {
        /// What became of each.
        mutants: Vec<MutantRefresh>,
        /// Whether they were rewritten, or it was only asked what would be.
        written: bool,
    },
    /// A copy of the solution stands ready for a mutant to be made of it.
    #[serde(skip_deserializing)]
    MutantOpened {
        /// The lab's id.
        lab: String,
        /// The mutant's name.
        name: String,
        /// The copy, relative to the workspace.
        folder: Utf8PathBuf,
        /// What of it can be changed.
        editable: Vec<Utf8PathBuf>,
        /// The program that opens it.
        editor: Option<String>,
    },
    /// A mutant in the making was built and graded.
    #[serde(skip_deserializing)]
    MutantProven {
        /// What came of it.
        proof: Box<MutantProof>,
    },
    /// A mutant is to be looked at.
    #[serde(skip_deserializing)]
    MutantShown {
        /// Its patch, relative to the workspace.
        path: Utf8PathBuf,
        /// The patch.
        patch: String,
    },
    /// A lab has been written.
    #[serde(skip_deserializing)]
    LabCreated {
        /// What.
        lab: Box<CreatedLab>,
    },
    /// A course has been written.
    #[serde(skip_deserializing)]
    CourseCreated {
        /// What.
        course: Box<CreatedCourse>,
    },
    /// A learner kit has been written.
    #[serde(skip_deserializing)]
    KitExported {
        /// What.
        kit: Box<Exported>,
    },
    /// A new version of the course has been brought into a learner kit.
    #[serde(skip_deserializing)]
    KitUpdated {
        /// What.
        kit: Box<Updated>,
    },
    /// Submissions have been laid out for JPlag.
    #[serde(skip_deserializing)]
    SubmissionsLaidOut {
        /// What.
        layout: Box<ForJplag>,
    },
    /// The sources of labs have been formatted.
    #[serde(skip_deserializing)]
    LabsFormatted {
        /// The files that were not, relative to the workspace.
        files: Vec<Utf8PathBuf>,
        /// Whether they are now, or it was only asked which they are.
        written: bool,
    },
    /// The tests that a lab's submission brings along have been run.
    #[serde(skip_deserializing)]
    OwnTestsFinished {
        /// The lab's id.
        lab: String,
        /// What became of them.
        tests: Box<OwnTests>,
    },
    /// A measurement is done.
    #[serde(skip_deserializing)]
    BenchFinished {
        /// What was measured.
        bench: Box<Bench>,
    },
    /// A measurement of batches is done.
    #[serde(skip_deserializing)]
    BatchMeasured {
        /// What was measured.
        batch: Box<Batch>,
    },
    /// The machine has been examined.
    #[serde(skip_deserializing)]
    DoctorFinished {
        /// What was found.
        report: Box<DoctorReport>,
    },
    /// What was kept warm has been removed.
    #[serde(skip_deserializing)]
    DownFinished {
        /// What was removed.
        report: Box<DownReport>,
    },
    /// The command could not be carried out.
    #[serde(skip_deserializing)]
    CommandFailed {
        /// Why not.
        message: String,
        /// More lines that explain it, such as a compiler's errors.
        details: Vec<String>,
        /// What may help.
        hints: Vec<String>,
    },
}

/// What came of a mutant in the making.
#[derive(Debug, Clone, Serialize)]
pub struct MutantProof {
    /// The lab's id.
    pub lab: String,
    /// The mutant's name.
    pub name: String,
    /// Its patch, relative to the workspace.
    pub path: Utf8PathBuf,
    /// The copy it was made in, relative to the workspace.
    pub folder: Utf8PathBuf,
    /// What it breaks.
    pub breaks: String,
    /// The checks that it should fail, and whether each did.
    pub fails: Vec<(String, bool)>,
    /// Why it was not graded, if it does not build or start.
    pub diagnostics: Option<Diagnostics>,
    /// Whether the patch was written.
    pub written: bool,
}

impl MutantProof {
    /// Whether it builds and every check that it names has failed it.
    pub fn is_caught(&self) -> bool {
        self.diagnostics.is_none() && self.fails.iter().all(|(_, caught)| *caught)
    }
}

/// A lab that has been written.
#[derive(Debug, Clone, Serialize)]
pub struct CreatedLab {
    /// Its id.
    pub id: String,
    /// Its folder, relative to the workspace.
    pub folder: Utf8PathBuf,
    /// How many files it has.
    pub files: usize,
    /// The services it needs, as sentences name them.
    pub services: Vec<String>,
}

/// A course that was made.
#[derive(Debug, Clone, Serialize)]
pub struct CreatedCourse {
    /// Its folder.
    pub folder: Utf8PathBuf,
    /// What it is called.
    pub title: String,
    /// The workspace that it has the grader from.
    pub sources: Utf8PathBuf,
}

/// What became of one mutant's patch.
#[derive(Debug, Clone, Serialize)]
pub struct MutantRefresh {
    /// The lab's id.
    pub lab: String,
    /// The mutant's name.
    pub name: String,
    /// The patch, relative to the workspace.
    pub path: Utf8PathBuf,
    /// How it was carried over, if it was.
    pub refreshed: Option<Refreshed>,
    /// Why it cannot be.
    pub cannot: Option<String>,
}

/// One lab of an overview.
#[derive(Debug, Clone, Serialize)]
pub struct LabOverview {
    /// Its id.
    pub id: String,
    /// Its package, which is its folder's name.
    pub package: String,
    /// Its title.
    pub title: String,
    /// What it is about, in a line.
    pub summary: String,
    /// The steps of the roadmap that it serves.
    pub roadmap: Vec<u32>,
    /// How far the learner has come in it.
    pub progress: LabProgress,
}

/// Where events go.
pub trait EventSink: Send + Sync + std::fmt::Debug {
    /// Takes the next event. Events of one run come in the order in which they were noticed; `at` tells when they
    /// happened.
    fn emit(&self, event: &RunEvent);
}

/// Takes events and keeps nothing.
#[derive(Debug, Clone, Copy)]
pub struct NullSink;

impl EventSink for NullSink {
    fn emit(&self, _: &RunEvent) {}
}
