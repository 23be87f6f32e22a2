//! Has a suite judge a program: its configuration, its events, its deadline, and what to make of its silence.

use std::time::Duration;

use lab_protocol::{CheckInfo, CheckReport, Event, SuiteConfig};
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::{Endpoints, Engine, Request, Runnable, Stop};
use crate::error::Error;
use crate::events::{Listener, Progress};
use crate::report::{self, Diagnostics, Findings, Gathered, Outcome};
use crate::suite::{self, Session, Spoken, Suite};
use crate::workspace::Lab;

/// What a suite may need beside its checks: the first start, databases made and dropped.
const OVERHEAD: Duration = Duration::from_secs(120);

/// One run of a suite against one program.
pub(super) struct Trial<'a> {
    pub engine: &'a Engine,
    pub lab: &'a Lab,
    pub request: &'a Request,
    pub program: &'a Runnable,
    pub suite: &'a Suite,
    pub expected: Vec<CheckInfo>,
    pub clock: &'a Clock,
}

/// What a suite has said so far.
#[derive(Default)]
struct Heard {
    reported: Vec<CheckReport>,
    stopped: Option<Findings>,
    finished: bool,
}

/// Why we stopped listening.
enum Silence {
    /// The suite closed its socket.
    Ended,
    /// It took longer than all its checks may take together.
    TooLate,
    /// The user has had enough.
    Interrupted,
}

impl Trial<'_> {
    /// Runs the suite to its end.
    pub(super) async fn run(
        mut self,
        endpoints: &Endpoints,
        gathered: &mut Gathered,
        listener: &dyn Listener,
    ) -> Result<Findings, Stop> {
        listener.hear(Progress::Planned(self.expected.clone()));
        let scratch = self.engine.scratch.folder(&uuid::Uuid::new_v4().simple().to_string()[..8]);
        let scratch = scratch.map_err(|error| Error::io("make a folder in", self.engine.scratch.path(), error))?;
        let config = self.config(endpoints, scratch.clone().into());
        let mut session = suite::spawn(&self.suite.executable, "run", config, self.clock.run())
            .await
            .map_err(|error| Error::io("start", &self.suite.executable, error))?;
        let mut heard = Heard::default();
        let silence = self.listen(&mut session, &mut heard, gathered, listener).await;
        self.clock.mark(|times| &mut times.last_check_ms);
        let forged = session.forged;
        let ending = session.end(self.engine.interrupt.wait_for_impatience()).await;
        let _ = std::fs::remove_dir_all(scratch);
        if forged > 0 {
            gathered.notes.push(format!("{forged} lines on the suite's channel were not its own, and were ignored"));
        }
        if let Some(findings) = heard.stopped {
            return Ok(findings);
        }
        let interruption = match silence {
            Silence::Interrupted => return Err(Error::Interrupted.into()),
            Silence::TooLate => Some("the suite did not come to an end and was stopped".to_owned()),
            Silence::Ended if heard.finished => None,
            Silence::Ended => Some(crash(&ending.output)),
        };
        let expected = std::mem::take(&mut self.expected);
        Ok(Findings::Checks { expected, reported: heard.reported, interruption })
    }

    async fn listen(
        &self,
        session: &mut Session,
        heard: &mut Heard,
        gathered: &mut Gathered,
        listener: &dyn Listener,
    ) -> Silence {
        let deadline = Instant::now() + self.limit();
        loop {
            let spoken = tokio::select! {
                spoken = session.next() => spoken,
                () = sleep_until(deadline) => return Silence::TooLate,
                () = self.engine.interrupt.wait() => return Silence::Interrupted,
            };
            match spoken {
                Spoken::End => return Silence::Ended,
                Spoken::Event(event) => self.hear(event, heard, gathered, listener),
            }
            if heard.finished || heard.stopped.is_some() {
                return Silence::Ended;
            }
        }
    }

    fn hear(&self, event: Event, heard: &mut Heard, gathered: &mut Gathered, listener: &dyn Listener) {
        match event {
            Event::SuiteStarted { services, .. } => {
                for (name, version) in services {
                    if let Some(service) = gathered.services.get_mut(&name) {
                        service.version = Some(version);
                    }
                }
            }
            Event::CheckStarted { id } => {
                self.clock.mark(|times| &mut times.first_check_ms);
                listener.hear(Progress::CheckStarted(id));
            }
            Event::CheckFinished(report) => self.finish_check(*report, heard, listener),
            Event::StartFailed { reason, log } => {
                let diagnostics = Diagnostics { message: reason, details: log, ..Diagnostics::default() };
                heard.stopped = Some(Findings::Nothing(Outcome::StartFailed, diagnostics));
            }
            Event::InfrastructureFailed { message } => {
                heard.stopped = Some(Findings::infrastructure(message, Vec::new()));
            }
            Event::SuiteFinished => heard.finished = true,
            // Only `serve` speaks of these.
            Event::Serving { .. } | Event::ServerLog { .. } | Event::ServerEnded { .. } => {}
        }
    }

    /// Takes a report of a check that was asked for, the first one of it.
    fn finish_check(&self, report: CheckReport, heard: &mut Heard, listener: &dyn Listener) {
        let Some(info) = self.expected.iter().find(|info| info.id == report.id) else { return };
        if heard.reported.iter().any(|known| known.id == report.id) {
            return;
        }
        listener.hear(Progress::CheckFinished(Box::new(report::Check::new(info, report.clone()))));
        heard.reported.push(report);
    }

    /// What the suite is told.
    pub(super) fn config(&self, endpoints: &Endpoints, scratch: std::path::PathBuf) -> SuiteConfig {
        let secret = || uuid::Uuid::new_v4().simple().to_string();
        SuiteConfig {
            nonce: format!("{}{}", secret(), secret()),
            sent_at: self.clock.run().now(),
            lab: self.lab.id().to_owned(),
            seed: self.request.seed,
            checks: self.request.checks.clone(),
            jobs: self.request.jobs,
            check_limit_ms: millis(self.check_limit()),
            start_limit_ms: millis(self.lab.manifest.limits.start()),
            target: self.program.target.clone(),
            readiness: self.lab.manifest.server.readiness.clone(),
            services: endpoints.for_suite(),
            expected_ms: self.engine.memory.lab(self.lab.id()).expected_ms,
            port: None,
            tree: self.program.tree.clone(),
            scratch,
        }
    }

    fn check_limit(&self) -> Duration {
        self.request.check_limit.unwrap_or_else(|| self.lab.manifest.limits.check())
    }

    /// As if all checks ran one after the other, each up to its limit, and each starting the server more than once: only
    /// a suite that hangs takes longer.
    fn limit(&self) -> Duration {
        let starts = 2 * self.lab.manifest.limits.start();
        let each = |check: &CheckInfo| {
            let own = check.limit_seconds.map(Duration::from_secs);
            own.unwrap_or_default().max(3 * self.check_limit()) + starts
        };
        OVERHEAD + self.expected.iter().map(each).sum::<Duration>()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What a suite that ended early printed is for us to read: a panic, or a signal's message.
fn crash(output: &str) -> String {
    let last: Vec<&str> = output.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    if last.is_empty() {
        return "the suite ended before its time".to_owned();
    }
    format!("the suite ended before its time: {}", last.join(" / "))
}
