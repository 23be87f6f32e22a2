//! The run of a suite against one program: its configuration, its events, its deadline, and why it stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use lab_protocol::{CheckInfo, CheckReport, Envelope, Event, SuiteConfig, TranscriptEntry, millis};

use super::replacing::InUse;
use super::stages::{Grading, Prepared};
use super::watchdog::Watchdog;
use crate::awake::sleep_awake;
use crate::error::Error;
use crate::events::EventKind;
use crate::report::{self, Diagnostics, Outcome, RunFacts, RunOutcome};
use crate::suite::{self, Message, Session, Suite};
use lab_services::Endpoints;

/// What a suite may need beside its checks: the first start, databases made and dropped.
const OVERHEAD: Duration = Duration::from_secs(120);

/// How often it is looked whether the suite is at a standstill.
const GLANCE: Duration = Duration::from_secs(1);

/// What a suite has told so far.
#[derive(Default)]
struct SuiteState {
    /// What has happened in each check that is running, by its id.
    transcripts: BTreeMap<String, Vec<TranscriptEntry>>,
    reported: Vec<CheckReport>,
    stopped: Option<RunOutcome>,
    finished: bool,
}

/// Why the runner stopped reading from a suite.
enum StopReason {
    /// The suite closed its socket, or has told all.
    Ended,
    /// It took longer than all its checks may take together.
    TimedOut,
    /// It is at a standstill: which part, in a sentence.
    Standstill(String),
    /// The run was cancelled.
    Cancelled,
}

impl Grading<'_> {
    /// Runs the suite to its end.
    pub(super) async fn try_checks(
        &self,
        prepared: &Prepared,
        endpoints: &Endpoints,
        facts: &mut RunFacts,
    ) -> Result<RunOutcome, Error> {
        self.run.emit(EventKind::ChecksPlanned { checks: prepared.expected.clone() });
        let folder = uuid::Uuid::new_v4().simple().to_string();
        let scratch = self.engine.scratch.folder(&folder[..8]);
        let scratch = scratch.map_err(|error| Error::io("create a folder in", self.engine.scratch.path(), error))?;
        let mut config = self.config(prepared, endpoints, scratch.clone().into());
        let (bounded, _group) = self.engine.bounded(&config.sandbox, self.request.jobs)?;
        config.sandbox = bounded;
        let sandbox = config.sandbox.clone();
        let executable = &prepared.suite.executable;
        let spawned = suite::spawn(executable, "run", config, self.run.clock()).await;
        let mut session = spawned.map_err(|error| Error::io("start", executable, error))?;
        let mut state = SuiteState::default();
        let services = InUse::of(endpoints, self.engine, self.run);
        let reason = self.follow(prepared, &mut session, services, &mut state, facts).await;
        self.laps.mark(|times| &mut times.last_check_ms);
        let forged = session.forged;
        let ending = session.end(self.run.cancel().cancelled_twice()).await;
        let _ = std::fs::remove_dir_all(scratch);
        facts.notes.extend(sandbox.shortage().map(|shortage| shortage.to_string()));
        if forged > 0 {
            facts
                .notes
                .push(format!("{forged} lines on the suite's channel did not come from the suite and were ignored"));
        }
        if let Some(outcome) = state.stopped {
            return Ok(outcome);
        }
        let interruption = match reason {
            StopReason::Cancelled => return Err(Error::Interrupted),
            StopReason::TimedOut => Some("the suite did not finish and was stopped".to_owned()),
            StopReason::Standstill(what) => Some(what),
            StopReason::Ended if state.finished => None,
            StopReason::Ended => Some(crash(&ending.output)),
        };
        Ok(RunOutcome::Checks { expected: prepared.expected.clone(), reported: state.reported, interruption })
    }

    async fn follow(
        &self,
        Prepared { expected, suite: Suite { cover, .. }, .. }: &Prepared,
        session: &mut Session,
        mut services: InUse<'_>,
        state: &mut SuiteState,
        facts: &mut RunFacts,
    ) -> StopReason {
        let mut over = std::pin::pin!(sleep_awake(self.limit(expected)));
        let mut watchdog = Watchdog::new();
        let mut glance = tokio::time::interval(GLANCE);
        loop {
            let message = tokio::select! {
                // Its end loses nothing of a message: the session keeps what it has read of one.
                message = session.next() => message,
                _ = glance.tick() => match watchdog.look(|id| self.check_limit_of(expected, id)) {
                    Some(what) => return StopReason::Standstill(what),
                    None => continue,
                },
                () = &mut over => return StopReason::TimedOut,
                () = self.run.cancel().cancelled() => return StopReason::Cancelled,
            };
            match message {
                Message::End => return StopReason::Ended,
                Message::Event(Envelope { event: Event::ServiceEnded { name, why }, .. }) => {
                    let answer = tokio::select! {
                        answer = services.replace(name, why) => answer,
                        () = self.run.cancel().cancelled() => return StopReason::Cancelled,
                    };
                    session.say(&answer).await;
                }
                Message::Event(envelope) => {
                    let envelope = cover.cover(envelope);
                    watchdog.on_event(&envelope.event);
                    self.take(expected, envelope, state, facts);
                }
            }
            if state.finished || state.stopped.is_some() {
                return StopReason::Ended;
            }
        }
    }

    fn take(&self, expected: &[CheckInfo], envelope: Envelope, state: &mut SuiteState, facts: &mut RunFacts) {
        let Envelope { at, check, event, .. } = envelope;
        match event {
            Event::SuiteStarted { services, .. } => {
                for (name, version) in services {
                    if let Some(service) = facts.services.get_mut(&name) {
                        service.version = Some(version.clone());
                        self.run.emit(EventKind::ServiceVersion { name, version });
                    }
                }
            }
            Event::CheckStarted { id } => {
                self.laps.mark(|times| &mut times.first_check_ms);
                // A check may be tried more than once: the last time counts.
                state.transcripts.insert(id.clone(), Vec::new());
                self.run.emit_of(&id, at, EventKind::CheckStarted);
            }
            Event::Transcript { entry } => {
                if let Some((id, told)) = check.and_then(|id| state.transcripts.get_mut(&id).map(|told| (id, told))) {
                    told.push(entry.clone());
                    self.run.emit_of(&id, at, EventKind::Transcript { entry });
                }
            }
            Event::CheckFinished(mut report) => {
                report.transcript = state.transcripts.remove(&report.id).unwrap_or_default();
                let expected = expected.iter().find(|info| info.id == report.id);
                // A report of a check that was asked for, the first one of it.
                if let Some(info) = expected.filter(|info| state.reported.iter().all(|known| known.id != info.id)) {
                    let result = Box::new(report::Check::new(info, (*report).clone()));
                    // What follows the last of them is cleaning up.
                    self.laps.note(|times| &mut times.last_check_ms, Duration::from_micros(self.run.clock().micros()));
                    self.run.emit_of(&info.id, at, EventKind::CheckFinished { result });
                    state.reported.push(*report);
                }
            }
            Event::StartFailed { reason, log } => {
                let diagnostics = Diagnostics { message: reason, details: log, ..Diagnostics::default() };
                state.stopped = Some(RunOutcome::Nothing(Outcome::StartFailed, diagnostics));
            }
            Event::InfrastructureFailed { message } => {
                state.stopped = Some(RunOutcome::infrastructure(message, Vec::new()));
            }
            Event::Note { text } => facts.notes.push(text),
            Event::SuiteFinished => state.finished = true,
            Event::Alive | Event::CheckPostponed { .. } | Event::ServiceEnded { .. } => {}
            // Only `serve` and `hold` send these.
            Event::Serving { .. } | Event::Held(_) | Event::ServerLog { .. } | Event::ServerEnded { .. } => {}
        }
    }

    /// What the suite is told.
    pub(super) fn config(&self, prepared: &Prepared, endpoints: &Endpoints, scratch: PathBuf) -> SuiteConfig {
        let secret = || uuid::Uuid::new_v4().simple().to_string();
        SuiteConfig {
            nonce: format!("{}{}", secret(), secret()),
            sent_at: self.run.clock().now(),
            lab: self.lab.id().to_owned(),
            seed: self.request.seed,
            checks: prepared.suite.cover.names(&prepared.asked, &prepared.suite.checks),
            jobs: self.request.jobs,
            check_limit_ms: millis(self.check_limit()),
            start_limit_ms: millis(self.lab.manifest.limits.start()),
            target: prepared.program.target.clone(),
            sandbox: self.engine.sandbox.clone(),
            readiness: self.lab.manifest.readiness().cloned(),
            services: endpoints.for_suite(),
            expected_ms: self.engine.state.lab(self.lab.id()).expected_ms,
            first: self.request.first.clone(),
            port: None,
            hold_passed: false,
            tree: prepared.program.tree.clone(),
            places: self.request.places,
            scratch,
        }
    }

    fn check_limit(&self) -> Duration {
        self.request.check_limit.unwrap_or_else(|| self.lab.manifest.limits.check())
    }

    /// How long the check `id` may take.
    fn check_limit_of(&self, expected: &[CheckInfo], id: &str) -> Duration {
        let own = expected.iter().find(|check| check.id == id).and_then(|check| check.limit_seconds);
        own.map_or_else(|| self.check_limit(), Duration::from_secs).max(self.check_limit())
    }

    /// As if all checks ran one after the other, each up to its limit and asked again, and each starting the server more
    /// than once: only a suite that hangs takes longer.
    fn limit(&self, expected: &[CheckInfo]) -> Duration {
        let starts = 2 * self.lab.manifest.limits.start();
        let each = |check: &CheckInfo| {
            let own = check.limit_seconds.map(Duration::from_secs);
            own.unwrap_or_default().max(3 * self.check_limit()) + starts
        };
        OVERHEAD + 2 * expected.iter().map(each).sum::<Duration>()
    }
}

/// What a suite that ended early printed is for us to read: a panic, or a signal's message.
fn crash(output: &str) -> String {
    let last: Vec<&str> = output.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    if last.is_empty() {
        return "the suite stopped early".to_owned();
    }
    format!("the suite stopped early: {}", last.join(" / "))
}
