//! Has a suite play one check, and leave the server and its services standing as the check left them.

use lab_protocol::{Event, Held, SuiteConfig, TranscriptEntry, Verdict};

use super::replacing::InUse;
use super::stages::{Grading, Prepared, Stop};
use super::{Engine, Request};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::report::{Check, Diagnostics, Outcome, RunOutcome};
use crate::suite::{self, Message, Session, SuiteError};
use crate::workspace::Lab;

/// What became of a check that was played to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It passed.
    Passed,
    /// It did not, and the user has seen enough of it.
    Failed,
    /// The submission does not build.
    NotRunnable,
}

impl Engine {
    /// Plays the one check that `request` names, and keeps what it leaves until `enough` is over or `run` is cancelled.
    /// What passes is kept only with `always`.
    ///
    /// # Errors
    /// There is no service or no suite, the check cannot be asked here, or we failed.
    pub async fn hold(
        &self,
        lab: &Lab,
        request: &Request,
        always: bool,
        enough: impl Future<Output = ()>,
        run: &RunContext,
    ) -> Result<Tried, Error> {
        let grading = Grading::new(self, lab, request, run);
        let prepared = match grading.prepare().await {
            Ok(prepared) => prepared,
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Outcome(_, outcome)) => return not_runnable(*outcome, run),
        };
        let endpoints = prepared.endpoints()?;
        let scratch = self.scratch.folder("hold");
        let scratch = scratch.map_err(|error| Error::io("create a folder in", self.scratch.path(), error))?;
        let config = grading.config(&prepared, endpoints, scratch.into());
        let config = SuiteConfig { hold_passed: always, ..config };
        let executable = &prepared.suite.executable;
        let spawned = suite::spawn(executable, "hold", config, run.clock()).await;
        let mut session = spawned.map_err(|error| Error::io("start", executable, error))?;
        let services = InUse::of(endpoints, self, run);
        let tried = follow(&mut session, services, &prepared, request, lab, enough, run).await;
        session.end(run.cancel().cancelled_twice()).await;
        tried
    }
}

/// What the suite has told so far.
#[derive(Default)]
struct Progress {
    transcript: Vec<TranscriptEntry>,
    check: Option<Check>,
}

async fn follow(
    session: &mut Session,
    mut services: InUse<'_>,
    prepared: &Prepared,
    request: &Request,
    lab: &Lab,
    enough: impl Future<Output = ()>,
    run: &RunContext,
) -> Result<Tried, Error> {
    let name = request.checks.first().map(String::as_str).unwrap_or_default();
    let mut progress = Progress::default();
    let mut enough = std::pin::pin!(enough);
    let mut held = false;
    loop {
        let message = tokio::select! {
            message = session.next() => message,
            () = run.cancel().cancelled() => return if held { progress.came_to() } else { Err(Error::Interrupted) },
            () = &mut enough, if held => return progress.came_to(),
        };
        let Message::Event(envelope) = message else {
            return Err(Error::Fault("the suite stopped early".into()));
        };
        match envelope.event {
            Event::Transcript { entry } => progress.transcript.push(entry),
            Event::CheckFinished(mut report) => {
                report.transcript = std::mem::take(&mut progress.transcript);
                let info = prepared.expected.iter().find(|info| info.id == report.id);
                let Some(info) = info else { return Err(unknown(name, lab)) };
                progress.check = Some(Check::new(info, *report));
            }
            Event::Held(what) => {
                held = true;
                run.emit(shown(&progress, lab, Some(*what)));
            }
            Event::SuiteFinished => {
                let tried = progress.came_to()?;
                run.emit(shown(&progress, lab, None));
                return Ok(tried);
            }
            Event::ServerLog { line } => run.emit(EventKind::ServerLog { line }),
            Event::ServerEnded { exit } => {
                let message = format!("the server has exited by itself: {exit}");
                run.emit(EventKind::Warning { message, hints: vec!["its data still stands".into()] });
            }
            Event::ServiceEnded { name, why } => session.say(&services.replace(name, why).await).await,
            Event::InfrastructureFailed { message } => {
                return Err(Error::Infrastructure { message, hints: Vec::new() });
            }
            _ => {}
        }
    }
}

fn shown(progress: &Progress, lab: &Lab, held: Option<Held>) -> EventKind {
    EventKind::CheckHeld { lab: lab.id().to_owned(), result: Box::new(progress.check.clone()), held: Box::new(held) }
}

impl Progress {
    /// What the check came to.
    ///
    /// # Errors
    /// It could not be asked, which says nothing of the submission.
    fn came_to(&self) -> Result<Tried, Error> {
        let Some(check) = &self.check else { return Err(Error::Fault("the suite reported no check".into())) };
        let why = || check.message.clone().unwrap_or_default();
        match (check.verdict, &check.skip_reason) {
            (Verdict::Passed, _) => Ok(Tried::Passed),
            (Verdict::Failed | Verdict::TimedOut, _) => Ok(Tried::Failed),
            (Verdict::Error, _) => Err(Error::Infrastructure { message: why(), hints: Vec::new() }),
            (Verdict::Skipped, Some(lab_protocol::SkipReason::NotApplicable { message })) => {
                Err(Error::usage(format!("`{}` cannot be asked here: {message}", check.id)))
            }
            (Verdict::Skipped, _) => Err(Error::usage(format!("`{}` cannot be asked here", check.id))),
        }
    }
}

fn unknown(name: &str, lab: &Lab) -> Error {
    SuiteError::UnknownCheck { name: name.to_owned(), lab: lab.id().to_owned(), suggestion: None }.into()
}

fn not_runnable(outcome: RunOutcome, run: &RunContext) -> Result<Tried, Error> {
    match outcome {
        RunOutcome::Nothing(Outcome::InfrastructureError, Diagnostics { message, hints, .. }) => {
            Err(Error::Infrastructure { message, hints })
        }
        RunOutcome::Nothing(_, diagnostics) => {
            run.emit(EventKind::ServingFailed { diagnostics });
            Ok(Tried::NotRunnable)
        }
        RunOutcome::Checks { .. } => Err(Error::Fault("checks were run before any was asked for".into())),
    }
}
