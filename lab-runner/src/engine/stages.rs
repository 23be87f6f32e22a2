//! The stages of grading: prepare, run, conclude.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use lab_protocol::CheckInfo;
use lab_services::{Endpoint, Endpoints, ServiceId, ServicesError};

use super::laps::Laps;
use super::{Engine, Extent, Request, Runnable, program};
use crate::context::RunContext;
use crate::error::{Error, ExpectedError as _};
use crate::events::EventKind;
use crate::guide::LabGuide;
use crate::hash;
use crate::manifest;
use crate::report::{self, ExpectedCheck, Report, RunFacts, RunOutcome, Submission};
use crate::submission::Source;
use crate::suite::Suite;
use crate::workspace::Lab;

/// What a lab's versions have changed.
const CHANGELOG: &str = "CHANGELOG.md";

/// One submission on its way through the stages.
#[derive(Debug)]
pub(super) struct Grading<'a> {
    pub engine: &'a Engine,
    pub lab: &'a Lab,
    pub request: &'a Request,
    pub run: &'a RunContext,
    pub laps: Laps,
    /// What the suite declares, and which of its checks are asked for by name, once that is known.
    asked: OnceLock<(Vec<CheckInfo>, Vec<String>)>,
}

/// All that checks need to be run.
pub(super) struct Prepared {
    pub program: Runnable,
    pub suite: Suite,
    /// The checks to name to the suite. None means all.
    pub asked: Vec<String>,
    /// The checks that the suite is to report.
    pub expected: Vec<CheckInfo>,
    /// None where they are started when it is this submission's turn.
    pub services: Option<Result<Endpoints, ServicesError>>,
}

impl Prepared {
    /// Where services answer.
    pub(super) fn endpoints(&self) -> Result<&Endpoints, Error> {
        let services = self.services.as_ref().ok_or_else(|| Error::Fault("services were not started".into()))?;
        services.as_ref().map_err(|error| Error::from(error.clone()))
    }
}

/// Why no check can be run.
#[derive(Debug)]
pub(super) enum Stop {
    /// There is no report.
    Error(Error),
    /// There is one, of the submission named, and it has no checks.
    Outcome(Box<Submission>, Box<RunOutcome>),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl<'a> Grading<'a> {
    pub(super) fn new(engine: &'a Engine, lab: &'a Lab, request: &'a Request, run: &'a RunContext) -> Self {
        Self { engine, lab, request, run, laps: Laps::new(*run.clock()), asked: OnceLock::new() }
    }

    /// All stages, one after the other.
    pub(super) async fn grade(&self) -> Result<Report, Error> {
        let (facts, outcome) = match self.prepare().await {
            Ok(prepared) => {
                let mut facts = self.facts(prepared.program.named.clone());
                let outcome = self.run(prepared, &mut facts).await?;
                (facts, outcome)
            }
            Err(Stop::Outcome(submission, outcome)) => (self.facts(*submission), *outcome),
            Err(Stop::Error(error)) => return Err(error),
        };
        Ok(self.conclude(facts, outcome))
    }

    /// Builds the submission and the suite and starts the services, side by side. Where others are graded before this one,
    /// services of its own would only take memory until then.
    pub(super) async fn prepare(&self) -> Result<Prepared, Stop> {
        self.run.emit(EventKind::RunStarted {
            run_id: self.run.id().to_owned(),
            runner_version: env!("CARGO_PKG_VERSION").to_owned(),
            lab: self.lab.id().to_owned(),
            title: self.lab.manifest.title.clone(),
            submission: Some(self.request.source.kind()),
        });
        self.tell_of_a_new_version();
        // The submission is first in the queue for cargo: a learner's mistake is worth knowing early.
        let program = async {
            let program = program::build(self).await?;
            self.laps.mark(|times| &mut times.built_ms);
            self.laps.note(|times| &mut times.cargo_ms, program.cargo);
            Ok(program)
        };
        let suite = async {
            let suite = self.engine.suite(self.lab, self.request.held_out, self.run).await?;
            self.laps.mark(|times| &mut times.suite_ready_ms);
            // An unknown check is told at once, whatever the builds come to.
            let asked = self.asked(&suite)?;
            let expected = suite.closure(&asked, self.lab)?;
            let _ = self.asked.set((suite.checks.clone(), asked.clone()));
            Ok::<_, Stop>((suite, asked, expected))
        };
        let services = async {
            let services = if self.engine.is_one_of_many { None } else { Some(self.services().await) };
            Ok(services)
        };
        let (program, (suite, asked, expected), services) = tokio::select! {
            all = async { tokio::try_join!(program, suite, services) } => all?,
            // The builds notice by themselves; services may be long in coming.
            () = self.run.cancel().cancelled() => return Err(Error::Interrupted.into()),
        };
        self.guide(&suite, &asked, &program);
        Ok(Prepared { program, suite, asked, expected, services })
    }

    /// Whoever comes back to a lab that has moved on is told, once: what passed may not any more.
    fn tell_of_a_new_version(&self) {
        let own = matches!(self.request.source, Source::WorkingTree) && self.request.record;
        let (known, now) = (self.engine.state.lab(self.lab.id()).version, self.lab.manifest.version);
        if let Some(known) = known.filter(|known| own && *known != now) {
            let changes = self.lab.folder.join(CHANGELOG);
            let changes = changes.is_file().then(|| self.engine.workspace.relative(&changes).to_string());
            self.run.emit(EventKind::Warning {
                message: format!(
                    "{} has changed since you were here last: from version {known} to {now}",
                    self.lab.id()
                ),
                hints: changes.map(|path| format!("{path} says what is new")).into_iter().collect(),
            });
        }
    }

    /// The checks that are asked for by name; none means all.
    fn asked(&self, suite: &Suite) -> Result<Vec<String>, Error> {
        if !self.request.checks.is_empty() {
            return Ok(self.request.checks.clone());
        }
        let known = self.engine.state.lab(self.lab.id()).checks;
        // Of a tree that was never graded nothing is known: it is asked everything once.
        let extent = match self.request.extent {
            Extent::NextTask if known.is_empty() => Extent::Whole,
            extent => extent,
        };
        let passed = |id: &str| known.get(id).is_some_and(|check| check.passed);
        Ok(suite.within(extent, &passed, self.lab)?)
    }

    /// Tells what a learner needs beside the result to find the way.
    fn guide(&self, suite: &Suite, asked: &[String], program: &Runnable) {
        let tree = program.tree.clone().and_then(|tree| camino::Utf8PathBuf::try_from(tree).ok());
        let mut guide = LabGuide::new(&self.engine.workspace, self.lab, &suite.checks, tree.as_deref());
        if matches!(self.request.source, Source::WorkingTree) {
            guide.known = self.engine.state.lab(self.lab.id()).checks;
        }
        guide.later_not_asked = self.request.extent == Extent::NextTask && !asked.is_empty();
        self.run.emit(EventKind::LabGuided { guide: Box::new(guide) });
    }

    async fn services(&self) -> Result<Endpoints, ServicesError> {
        let wanted = wanted(self.lab, &self.request.source);
        let names: Vec<String> = wanted.iter().map(|service| service.id().to_owned()).collect();
        if !names.is_empty() {
            self.run.emit(EventKind::ServicesRequested { names });
        }
        let endpoints = self.engine.services.get(wanted, &|text| self.run.emit(EventKind::Step { text })).await;
        self.laps.mark(|times| &mut times.services_ready_ms);
        if let Ok(endpoints) = &endpoints {
            for (name, service) in used(endpoints) {
                let (provider, version) = (service.provider, service.version);
                self.run.emit(EventKind::ServiceReady { name, provider, version });
            }
        }
        endpoints
    }

    /// Runs the suite on what was prepared.
    async fn run(&self, prepared: Prepared, facts: &mut RunFacts) -> Result<RunOutcome, Error> {
        facts.suite_sha256 = Some(prepared.suite.sha256.clone());
        let _turn = self.engine.grading.acquire().await;
        let started = match &prepared.services {
            Some(services) => services,
            None => &self.services().await,
        };
        let endpoints = match started {
            Ok(endpoints) => endpoints,
            Err(error) => return Ok(RunOutcome::infrastructure(error.message(), error.hints())),
        };
        facts.services = used(endpoints);
        let outcome = self.try_checks(&prepared, endpoints, facts).await;
        if prepared.services.is_none() {
            // Whoever is next starts its own.
            self.engine.services.stop().await;
        }
        outcome
    }

    /// Makes the report, records it if it counts, and tells that the run is over.
    fn conclude(&self, mut facts: RunFacts, outcome: RunOutcome) -> Report {
        facts.timings = self.laps.times();
        let report = outcome.into_report(facts, Duration::from_micros(self.run.clock().micros()));
        if self.request.record {
            self.engine.state.record(&report, self.asked.get().map_or(&[], |(declared, _)| declared));
        }
        self.run.emit(EventKind::RunFinished { report: Box::new(report.clone()) });
        report
    }

    /// The checks that the suite is to report, as far as is known without building it: a submission that does not build may
    /// have ended the run before its suite was there.
    fn expected(&self) -> Vec<ExpectedCheck> {
        let (declared, asked) = match self.asked.get() {
            Some((declared, asked)) => (declared.clone(), asked.clone()),
            None => match Suite::known_checks(&self.engine.workspace, self.lab) {
                (declared, true) => (declared, self.request.checks.clone()),
                (_, false) => return Vec::new(),
            },
        };
        let planned = lab_protocol::plan(&declared, &asked).unwrap_or_default();
        let expected = |check: &CheckInfo| ExpectedCheck { id: check.id.clone(), max_points: check.points };
        planned.into_iter().filter_map(|index| declared.get(index)).map(expected).collect()
    }

    fn facts(&self, submission: Submission) -> RunFacts {
        RunFacts {
            run_id: self.run.id().to_owned(),
            lab: self.lab.id().to_owned(),
            title: self.lab.manifest.title.clone(),
            lab_version: self.lab.manifest.version,
            submission,
            suite_sha256: None,
            seed: self.request.seed,
            services: BTreeMap::new(),
            isolation: self.engine.sandbox.name().to_owned(),
            started_at: self.run.clock().began().wall,
            timings: self.laps.times(),
            manifest_sha256: hash::file(&self.lab.folder.join(manifest::FILE_NAME)).ok(),
            expected: self.expected(),
            partial: self.asked.get().is_some_and(|(_, asked)| !asked.is_empty()),
            notes: Vec::new(),
        }
    }
}

/// The services that `lab` asks for. A server that already runs has its own.
fn wanted<'a>(lab: &'a Lab, source: &Source) -> &'a [ServiceId] {
    if matches!(source, Source::Url(_)) { &[] } else { &lab.manifest.services }
}

/// How a report names services.
fn used(endpoints: &Endpoints) -> BTreeMap<String, report::UsedService> {
    let used = |(service, endpoint): (ServiceId, &Endpoint)| {
        let used = report::UsedService { provider: endpoint.provider.to_string(), version: endpoint.version.clone() };
        (service.id().to_owned(), used)
    };
    endpoints.iter().map(used).collect()
}
