//! Has a suite serve a submission for work by hand: its server with databases of its own, until the user ends it.

use lab_protocol::{Event, SuiteConfig};

use super::judge::Trial;
use super::{Clock, Engine, Request, Stop, program, wanted};
use crate::error::Error;
use crate::events::{Listener, Progress};
use crate::report::Diagnostics;
use crate::suite::{self, Spoken};
use crate::workspace::Lab;

/// The port that READMEs and the labs' own defaults name.
const USUAL_PORT: u16 = 8080;

/// How serving came to its end.
#[derive(Debug)]
pub enum Served {
    /// The user ended it.
    Ended,
    /// The submission does not build, its server does not start, or has ended by itself.
    NotRunnable(Diagnostics),
}

impl Engine {
    /// Serves what `request` names until the interrupt is raised.
    ///
    /// # Errors
    /// There is no service or no suite, or we failed.
    pub async fn serve(&self, lab: &Lab, request: &Request, listener: &dyn Listener) -> Result<Served, Error> {
        let program = async { program::build(self, lab, &request.source, listener).await };
        let suite = async { Ok(self.suite(lab, listener).await?) };
        let services =
            async { Ok(self.services.get(wanted(lab, &request.source), listener).await.map_err(Error::from)?) };
        let prepared = tokio::select! {
            all = async { tokio::try_join!(program, suite, services) } => all,
            () = self.interrupt.wait() => return Ok(Served::Ended),
        };
        let (program, suite, endpoints) = match prepared {
            Ok(prepared) => prepared,
            Err(Stop::Error(Error::Interrupted)) => return Ok(Served::Ended),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Findings(_, findings)) => return not_runnable(*findings),
        };
        let clock = Clock::start();
        let trial =
            Trial { engine: self, lab, request, program: &program, suite: &suite, expected: Vec::new(), clock: &clock };
        let scratch = self.scratch.folder("serve");
        let scratch = scratch.map_err(|error| Error::io("make a folder in", self.scratch.path(), error))?;
        let config = SuiteConfig { port: Some(USUAL_PORT), ..trial.config(&endpoints, scratch.into()) };
        let mut session = suite::spawn(&suite.executable, "serve", config, clock.run())
            .await
            .map_err(|error| Error::io("start", &suite.executable, error))?;
        let served = loop {
            let spoken = tokio::select! {
                spoken = session.next() => spoken,
                () = self.interrupt.wait() => break Ok(Served::Ended),
            };
            match spoken {
                Spoken::Event(event) => {
                    if let Some(end) = hear(event, listener) {
                        break end;
                    }
                }
                Spoken::End => break Err(Error::Fault("the suite ended before its time".into())),
            }
        };
        session.end(self.interrupt.wait_for_impatience()).await;
        served
    }
}

/// Passes on what is to be told. Gives the end, if this is one.
fn hear(event: Event, listener: &dyn Listener) -> Option<Result<Served, Error>> {
    let ended = |message: String, details: Vec<String>| {
        Some(Ok(Served::NotRunnable(Diagnostics { message, details, ..Diagnostics::default() })))
    };
    match event {
        Event::Serving { urls } => {
            let usual = urls.get("server").is_some_and(|url| url.ends_with(&format!(":{USUAL_PORT}")));
            listener.hear(Progress::Serving { urls, taken: (!usual).then_some(USUAL_PORT) });
        }
        Event::ServerLog { line } => listener.hear(Progress::ServerLog(line)),
        Event::ServerEnded { exit } => return ended(format!("the server has ended by itself: {exit}"), Vec::new()),
        Event::StartFailed { reason, log } => return ended(reason, log),
        Event::InfrastructureFailed { message } => {
            return Some(Err(Error::Infrastructure { message, hints: Vec::new() }));
        }
        Event::SuiteStarted { .. } | Event::CheckStarted { .. } | Event::CheckFinished(_) | Event::SuiteFinished => {}
    }
    None
}

fn not_runnable(findings: crate::report::Findings) -> Result<Served, Error> {
    use crate::report::{Findings, Outcome};
    match findings {
        Findings::Nothing(Outcome::InfrastructureError, diagnostics) => {
            Err(Error::Infrastructure { message: diagnostics.message, hints: diagnostics.hints })
        }
        Findings::Nothing(_, diagnostics) => Ok(Served::NotRunnable(diagnostics)),
        Findings::Checks { .. } => Err(Error::Fault("checks were run where none were asked for".into())),
    }
}
