//! Has a suite serve a submission for work by hand: its server with databases of its own, until the run is cancelled.

use std::collections::BTreeMap;

use lab_protocol::{Envelope, Event, SuiteConfig, Target};

use super::replacing::InUse;
use super::stages::{Grading, Stop};
use super::{Engine, Request};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::report::{Diagnostics, Outcome, RunOutcome};
use crate::suite::{self, Message};
use crate::workspace::Lab;

/// The port that READMEs and the labs' own defaults name.
const USUAL_PORT: u16 = 8080;

/// How serving came to its end.
#[derive(Debug)]
pub enum Served {
    /// The user ended it.
    Ended,
    /// The submission does not build, its server does not start, or has ended by itself.
    NotRunnable,
}

impl Engine {
    /// Serves what `request` names until `run` is cancelled, with the variables in `env` beside the lab's own.
    ///
    /// # Errors
    /// There is no service or no suite, or we failed.
    pub async fn serve(
        &self,
        lab: &Lab,
        request: &Request,
        env: BTreeMap<String, String>,
        run: &RunContext,
    ) -> Result<Served, Error> {
        self.serve_until(lab, request, env, Some(USUAL_PORT), std::future::pending(), run).await
    }

    /// The same on `port`, or any that is free, and only until `enough` is over.
    ///
    /// # Errors
    /// There is no service or no suite, or we failed.
    pub async fn serve_until(
        &self,
        lab: &Lab,
        request: &Request,
        env: BTreeMap<String, String>,
        port: Option<u16>,
        enough: impl Future<Output = ()>,
        run: &RunContext,
    ) -> Result<Served, Error> {
        let run = &self.recorded(lab, request, run);
        let grading = Grading::new(self, lab, request, run);
        let prepared = match grading.prepare().await {
            Ok(prepared) => prepared,
            Err(Stop::Error(Error::Interrupted)) => return Ok(Served::Ended),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Outcome(_, outcome)) => return not_runnable(*outcome, run),
        };
        let endpoints = prepared.endpoints()?;
        let scratch = self.scratch.folder("serve");
        let scratch = scratch.map_err(|error| Error::io("create a folder in", self.scratch.path(), error))?;
        let mut config = SuiteConfig { port, ..grading.config(&prepared, endpoints, scratch.into()) };
        if let Target::Launch { env: variables, .. } = &mut config.target {
            variables.extend(env);
        }
        let executable = &prepared.suite.executable;
        let spawned = suite::spawn(executable, "serve", config, run.clock()).await;
        let mut session = spawned.map_err(|error| Error::io("start", executable, error))?;
        let mut services = InUse::of(endpoints, self, run);
        let mut enough = std::pin::pin!(enough);
        let served = loop {
            let message = tokio::select! {
                message = session.next() => message,
                () = &mut enough => break Ok(Served::Ended),
                () = run.cancel().cancelled() => break Ok(Served::Ended),
            };
            match message {
                Message::Event(Envelope { event: Event::ServiceEnded { name, why }, .. }) => {
                    session.say(&services.replace(name, why).await).await;
                }
                Message::Event(envelope) => {
                    if let Some(end) = take(envelope.event, run) {
                        break end;
                    }
                }
                Message::End => break Err(Error::Fault("the suite stopped early".into())),
            }
        };
        session.end(run.cancel().cancelled_twice()).await;
        served
    }
}

/// Passes on what is to be told. Gives the end, if this is one.
fn take(event: Event, run: &RunContext) -> Option<Result<Served, Error>> {
    let ended = |message: String, details: Vec<String>| {
        Some(give_up(Diagnostics { message, details, ..Diagnostics::default() }, run))
    };
    match event {
        Event::Serving { urls } => {
            let usual = urls.get("server").is_some_and(|url| url.ends_with(&format!(":{USUAL_PORT}")));
            run.emit(EventKind::Serving { urls, taken: (!usual).then_some(USUAL_PORT) });
        }
        Event::ServerLog { line } => run.emit(EventKind::ServerLog { line }),
        Event::ServerEnded { exit } => return ended(format!("the server has exited by itself: {exit}"), Vec::new()),
        Event::StartFailed { reason, log } => return ended(reason, log),
        Event::InfrastructureFailed { message } => {
            return Some(Err(Error::Infrastructure { message, hints: Vec::new() }));
        }
        Event::Alive
        | Event::ServiceEnded { .. }
        | Event::Note { .. }
        | Event::CheckPostponed { .. }
        | Event::SuiteStarted { .. }
        | Event::Held(_)
        | Event::CheckStarted { .. }
        | Event::Transcript { .. }
        | Event::CheckFinished(_)
        | Event::SuiteFinished => {}
    }
    None
}

fn not_runnable(outcome: RunOutcome, run: &RunContext) -> Result<Served, Error> {
    match outcome {
        RunOutcome::Nothing(Outcome::InfrastructureError, diagnostics) => {
            Err(Error::Infrastructure { message: diagnostics.message, hints: diagnostics.hints })
        }
        RunOutcome::Nothing(_, diagnostics) => give_up(diagnostics, run),
        RunOutcome::Checks { .. } => Err(Error::Fault("checks were run although none were requested".into())),
    }
}

fn give_up(diagnostics: Diagnostics, run: &RunContext) -> Result<Served, Error> {
    run.emit(EventKind::ServingFailed { diagnostics });
    Ok(Served::NotRunnable)
}
