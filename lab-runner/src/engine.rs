//! The one function that turns a submission into a report. Every command that grades calls it.
//!
//! Building the submission, building the suite and starting the services go on at the same time; then the suite runs
//! the checks. Whoever grades many submissions in a row may ask for the next before the last is done: one at a time is
//! built, and one at a time is graded.

mod clock;
mod judge;
mod lint;
mod noop;
mod pool;
mod program;
mod serve;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::Error;
use crate::events::{Listener, Progress};
use crate::interrupt::Interrupt;
use crate::manifest::ServiceName;
use crate::report::{Findings, Gathered, Report};
use crate::scratch::Scratch;
use crate::state::Memory;
use crate::submission::Source;
use crate::suite::Suite;
use crate::workspace::{Lab, Workspace};
use lab_services::{Choice, Wanted};

use clock::Clock;
pub use pool::{Endpoints, Pool};
pub use program::Runnable;
pub use serve::Served;

/// What to grade, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to grade.
    pub source: Source,
    /// The checks to run; with what they need. None means all.
    pub checks: Vec<String>,
    /// Where random data comes from.
    pub seed: u64,
    /// How many checks may run at once.
    pub jobs: usize,
    /// How long a check may take that states no limit of its own; the manifest's, if not given.
    pub check_limit: Option<Duration>,
    /// Whether the result counts as the learner's progress, and its times as what to expect.
    pub remember: bool,
}

/// What grading works with.
#[derive(Debug)]
pub struct Engine {
    /// The workspace.
    pub workspace: Workspace,
    /// What is remembered.
    pub memory: Memory,
    /// Tells when to stop.
    pub interrupt: Interrupt,
    services: Pool,
    scratch: Scratch,
    building: Semaphore,
    grading: Semaphore,
}

/// Why grading stopped before a check was run.
#[derive(Debug)]
enum Stop {
    /// There is no report.
    Error(Error),
    /// There is one, and it has no checks.
    Findings(Box<crate::report::Submission>, Box<Findings>),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl Engine {
    /// An engine for `workspace`, with services from `choice`; `yes` answers every question.
    ///
    /// # Errors
    /// The run's own folder cannot be made.
    pub fn new(workspace: Workspace, choice: Choice, yes: bool, interrupt: Interrupt) -> Result<Self, Error> {
        let folder = workspace.lab_folder().join("scratch");
        let scratch = Scratch::create(&folder).map_err(|source| Error::io("make a folder in", &folder, source))?;
        Ok(Self {
            memory: Memory::of(&workspace),
            workspace,
            interrupt,
            services: Pool::new(choice, yes),
            scratch,
            building: Semaphore::new(1),
            grading: Semaphore::new(1),
        })
    }

    /// Grades what `request` names, as a submission for `lab`.
    ///
    /// # Errors
    /// The request makes no sense, the suite is broken, or the user has had enough. All else is a report.
    pub async fn grade(&self, lab: &Lab, request: &Request, listener: &dyn Listener) -> Result<Report, Error> {
        let clock = Clock::start();
        let graded = self.try_grade(lab, request, &clock, listener).await;
        let (gathered, findings) = match graded {
            Ok(graded) => graded,
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Findings(named, findings)) => (gather(lab, request, &clock, *named), *findings),
        };
        let report = gathered.conclude(findings, clock.elapsed());
        if request.remember {
            self.memory.remember(&report);
        }
        listener.hear(Progress::Finished(Box::new(report.clone())));
        Ok(report)
    }

    async fn try_grade(
        &self,
        lab: &Lab,
        request: &Request,
        clock: &Clock,
        listener: &dyn Listener,
    ) -> Result<(Gathered, Findings), Stop> {
        // The submission is first in the queue for cargo: a learner's mistake is worth knowing early.
        let program = async {
            let program = program::build(self, lab, &request.source, listener).await?;
            clock.mark(|times| &mut times.built_ms);
            clock.note(|times| &mut times.cargo_ms, program.cargo);
            Ok(program)
        };
        let suite = async {
            let suite = self.suite(lab, listener).await?;
            clock.mark(|times| &mut times.suite_ready_ms);
            // An unknown check is told at once, whatever the builds come to.
            let expected = suite.closure(&request.checks, lab)?;
            Ok::<_, Stop>((suite, expected))
        };
        let services = async {
            let endpoints = self.services.get(wanted(lab, &request.source), listener).await;
            clock.mark(|times| &mut times.services_ready_ms);
            Ok(endpoints)
        };
        let (program, (suite, expected), services) = tokio::select! {
            all = async { tokio::try_join!(program, suite, services) } => all?,
            // The builds notice by themselves; services may be long in coming.
            () = self.interrupt.wait() => return Err(Error::Interrupted.into()),
        };
        let mut gathered = gather(lab, request, clock, program.named.clone());
        gathered.suite_sha256 = Some(suite.sha256.clone());
        let endpoints = match services {
            Ok(endpoints) => endpoints,
            Err(error) => return Ok((gathered, Findings::infrastructure(error.to_string(), error.hints()))),
        };
        gathered.services = endpoints.told();
        let _turn = self.grading.acquire().await;
        let trial = judge::Trial { engine: self, lab, request, program: &program, suite: &suite, expected, clock };
        let findings = trial.run(&endpoints, &mut gathered, listener).await?;
        gathered.timings = clock.times();
        Ok((gathered, findings))
    }

    /// The suite of `lab`, built if it has to be.
    ///
    /// # Errors
    /// It cannot be built, or does not list its checks.
    pub async fn suite(&self, lab: &Lab, listener: &dyn Listener) -> Result<Suite, Error> {
        let held = program::run_folder(self)?;
        if let Some(suite) = Suite::as_built(&self.workspace, lab, &held) {
            return Ok(suite);
        }
        let _turn = self.building.acquire().await;
        Ok(Suite::build(&self.workspace, lab, held, listener, &self.interrupt).await?)
    }

    /// Stops the services that were started for this engine, and removes its files.
    pub async fn shutdown(self) {
        self.services.shutdown().await;
    }
}

/// The services that `lab` asks for. A server that already runs has its own.
fn wanted(lab: &Lab, source: &Source) -> Wanted {
    if matches!(source, Source::Url(_)) {
        return Wanted::default();
    }
    let services = &lab.manifest.services;
    Wanted { postgres: services.contains(&ServiceName::Postgres), redis: services.contains(&ServiceName::Redis) }
}

/// Sorts by time, and differs for runs that began in the same second.
fn run_id(clock: &Clock) -> String {
    let word = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}", clock.began().wall.format("%Y%m%dT%H%M%SZ"), &word[..8])
}

fn gather(lab: &Lab, request: &Request, clock: &Clock, submission: crate::report::Submission) -> Gathered {
    Gathered {
        lab: lab.id().to_owned(),
        title: lab.manifest.title.clone(),
        submission,
        suite_sha256: None,
        seed: request.seed,
        services: BTreeMap::new(),
        run_id: run_id(clock),
        started_at: clock.began().wall,
        timings: clock.times(),
        partial: !request.checks.is_empty(),
        notes: Vec::new(),
    }
}
