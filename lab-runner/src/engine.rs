//! The one engine that turns a submission into a report, in three stages: prepare (build the submission and the suite,
//! start the services), run (the suite runs its checks), conclude (make the report). Every command that grades calls it.
//!
//! What is prepared is prepared side by side. Whoever grades many submissions in a row may ask for the next before the
//! last is done. One at a time is built, as cargo allows no more in the folder that holds everybody's dependencies; one
//! at a time is graded, unless more are asked for.

mod bounds;
mod dependencies;
mod direct;
mod hold;
mod laps;
mod lint;
mod noop;
mod own_tests;
mod program;
mod replacing;
mod serve;
mod stages;
mod trial;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::context::RunContext;
use crate::error::Error;
use crate::events::{EventKind, Recorder};
use crate::held_out::Disclosure;
use crate::report::Report;
use crate::scratch::Scratch;
use crate::state::State;
use crate::submission::Source;
use crate::suite::{Suite, SuiteSource};
use crate::workspace::{Lab, Workspace};
use lab_sandbox::{Sandbox, User};
use lab_services::{ProviderChoice, ServicePool, ServicesError};

pub(crate) use bounds::PROCESSES;
pub use hold::Tried;
pub use own_tests::OwnTests;
pub use program::Runnable;
pub use serve::Served;
use stages::Grading;

/// How much of a lab is asked where no check is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// One task, with what its checks need.
    Task(u32),
    /// Everything up to the first task that is not done, and what has passed before.
    NextTask,
}

/// What to grade, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to grade.
    pub source: Source,
    /// The checks to run, with what they need. None means all.
    pub checks: Vec<String>,
    /// What to run where no check is named.
    pub extent: Extent,
    /// Groups of checks to run before the others, for whoever waits for the result of one: see
    /// [`lab_protocol::SuiteConfig::first`].
    pub first: Vec<Vec<String>>,
    /// Where random data comes from.
    pub seed: u64,
    /// How many checks may run at once.
    pub jobs: usize,
    /// How long a check may take that states no limit of its own; the manifest's, if not given.
    pub check_limit: Option<Duration>,
    /// Whether the run is recorded, its result counts as the learner's progress, and its times as what to expect.
    pub record: bool,
    /// Whether held-out checks are asked as well, and what is shown of them.
    pub held_out: Option<Disclosure>,
    /// Whether failures name where in the suite's source they were found.
    pub places: bool,
}

/// What grading works with.
#[derive(Debug)]
pub struct Engine {
    /// The workspace.
    pub workspace: Workspace,
    /// What is kept from one run to the next.
    pub state: State,
    services: ServicePool,
    /// What submissions are built in, and what their servers run in.
    sandbox: Sandbox,
    /// The user that they run as, kept from others.
    #[expect(dead_code, reason = "it is held")]
    user: Option<User>,
    scratch: Scratch,
    /// Where services come from.
    choice: ProviderChoice,
    building: Arc<Semaphore>,
    grading: Arc<Semaphore>,
    /// How many submissions are graded at once.
    at_once: usize,
    /// Whether it is for one of many submissions, which may have to wait for others when it is built.
    is_one_of_many: bool,
}

impl Engine {
    /// An engine for `workspace`, with services from `choice`.
    ///
    /// # Errors
    /// The engine's own folder cannot be made.
    pub fn new(workspace: Workspace, choice: ProviderChoice) -> Result<Self, Error> {
        Self::isolated_by(Sandbox::none(), workspace, choice)
    }

    /// The same with submissions in `sandbox`, their builds and their servers.
    ///
    /// # Errors
    /// The engine's own folder cannot be made.
    pub fn isolated_by(sandbox: Sandbox, workspace: Workspace, choice: ProviderChoice) -> Result<Self, Error> {
        Ok(Self {
            state: State::of(&workspace),
            scratch: scratch_of(&workspace)?,
            workspace,
            services: ServicePool::new(choice),
            sandbox,
            user: None,
            choice,
            building: Arc::new(Semaphore::new(1)),
            grading: Arc::new(Semaphore::new(1)),
            at_once: 1,
            is_one_of_many: false,
        })
    }

    /// An engine that shares nothing with this one but its turns for building and grading: with services and files that
    /// no other submission has seen.
    ///
    /// # Errors
    /// Its folder cannot be made.
    pub fn for_one_submission(&self) -> Result<Self, Error> {
        let user = self.sandbox.user().map(|_| User::take()).transpose();
        let user = user.map_err(|error| Error::Infrastructure {
            message: format!("no user id for a submission can be had: {error}"),
            hints: Vec::new(),
        })?;
        Ok(Self {
            state: self.state.clone(),
            scratch: scratch_of(&self.workspace)?,
            workspace: self.workspace.place(),
            services: ServicePool::new(self.choice),
            sandbox: user.as_ref().map_or_else(|| self.sandbox.clone(), |user| self.sandbox.of_user(user)),
            user,
            choice: self.choice,
            building: self.building.clone(),
            grading: self.grading.clone(),
            at_once: self.at_once,
            is_one_of_many: true,
        })
    }

    /// What submissions are isolated by.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// How a report names what submissions are isolated by.
    pub fn isolation(&self) -> &'static str {
        self.sandbox.name()
    }

    /// The same engine, grading up to `count` submissions at once: for whoever has many of which each waits a lot.
    #[must_use]
    pub fn grading_at_once(self, count: usize) -> Self {
        Self { grading: Arc::new(Semaphore::new(count)), at_once: count, ..self }
    }

    /// Grades what `request` names, as a submission for `lab`, in the run that `run` describes.
    ///
    /// # Errors
    /// The request makes no sense, the suite is broken, or the run was cancelled. All else is a report.
    pub async fn grade(&self, lab: &Lab, request: &Request, run: &RunContext) -> Result<Report, Error> {
        let run = self.recorded(lab, request, run);
        Grading::new(self, lab, request, &run).grade().await
    }

    /// The same run, recorded if it counts.
    fn recorded(&self, lab: &Lab, request: &Request, run: &RunContext) -> RunContext {
        let runs = self.state.runs();
        let recorder = || match request.source {
            Source::Solution => Recorder::of_solution(&runs, run.id(), lab.id()),
            _ => Recorder::create(&runs, run.id()),
        };
        match request.record.then(recorder) {
            Some(Ok(recorder)) => run.with_sink(Arc::new(recorder)),
            _ => run.clone(),
        }
    }

    /// The suite of `lab`, built if it has to be and does not come as a program: with its held-out checks, shown as
    /// `held_out` says, or without them.
    ///
    /// # Errors
    /// It cannot be built, or does not list its checks.
    pub async fn suite(&self, lab: &Lab, held_out: Option<Disclosure>, run: &RunContext) -> Result<Suite, Error> {
        Ok(self.whole_suite(lab, run).await?.asking(held_out))
    }

    async fn whole_suite(&self, lab: &Lab, run: &RunContext) -> Result<Suite, Error> {
        let held = program::run_folder(self)?;
        if let SuiteSource::Prebuilt(program) = SuiteSource::of(lab) {
            return Ok(Suite::prebuilt(&program, &held).await?);
        }
        if let Some(suite) = Suite::as_built(&self.workspace, lab, &held) {
            return Ok(suite);
        }
        let _turn = self.building.acquire().await;
        Ok(Suite::build(&self.workspace, lab, held, run).await?)
    }

    /// A folder of its own for something that is built beside a run. It is gone when the engine is tidied.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn folder(&self) -> Result<camino::Utf8PathBuf, Error> {
        program::run_folder(self)
    }

    /// Removes what earlier runs have left in the engine's folder, such as the programs they were held in: for whoever
    /// grades again and again, between two runs.
    pub fn tidy(&self) {
        self.scratch.clear();
    }

    /// Starts the services that `lab` needs, as far as they do not run: whoever grades it many times learns once, and before
    /// anything is built, what it cannot have.
    ///
    /// # Errors
    /// There is no such service.
    pub async fn have_services(&self, lab: &Lab, run: &RunContext) -> Result<(), ServicesError> {
        let progress = |text| run.emit(EventKind::Step { text });
        self.services.get(&lab.manifest.services, &progress).await.map(drop)
    }

    /// Stops the services that were started for this engine, and removes its files.
    pub async fn shutdown(self) {
        self.services.shutdown().await;
    }
}

fn scratch_of(workspace: &Workspace) -> Result<Scratch, Error> {
    let folder = workspace.lab_folder().join("scratch");
    Scratch::create(&folder).map_err(|source| Error::io("create a folder in", &folder, source))
}
