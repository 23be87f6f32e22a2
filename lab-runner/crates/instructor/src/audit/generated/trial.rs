//! One generated mutant, graded until a check fails: that is all there is to know of it.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lab_protocol::Verdict;
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Request};
use lab_runner::error::Error;
use lab_runner::events::{EventKind, EventSink, RunEvent};
use lab_runner::interrupt::CancelToken;
use lab_runner::report::{Outcome, Report};
use lab_runner::workspace::Lab;

use super::fates::Fate;
use crate::audit::describe;

/// What a try came to.
#[derive(Debug)]
pub(super) struct Tried {
    /// What became of the mutant; if that is not known, why.
    pub fate: Result<Fate, String>,
    /// How long cargo and the checks took. Waiting for others is not in it.
    pub took: Duration,
}

/// Grades what `request` names until the first check has failed.
///
/// # Errors
/// Grading itself is broken, or the user interrupts.
pub(super) async fn until_a_failure(
    engine: &Engine,
    lab: &Lab,
    request: &Request,
    run: &RunContext,
) -> Result<Tried, Error> {
    let watch = Arc::new(FirstFailure::of(lab, run.cancel().of_another_run()));
    let graded = engine.grade(lab, request, &RunContext::part(watch.clone(), watch.cancel.clone())).await;
    let fate = match (graded, watch.check.get()) {
        (_, Some(check)) => Ok(Fate::Caught(format!("`{check}`"))),
        (Ok(report), None) => fate(&report),
        (Err(Error::Submission(error)), None) => Err(lab_protocol::in_full(&error)),
        (Err(error), None) => return Err(error),
    };
    Ok(Tried { fate, took: watch.took() })
}

/// What `report`, in which no check has failed, says of a mutant.
fn fate(report: &Report) -> Result<Fate, String> {
    match report.outcome {
        Outcome::BuildFailed => Ok(Fate::Unviable),
        Outcome::StartFailed => Ok(Fate::Caught("its start".to_owned())),
        Outcome::Graded if !report.checks.iter().any(|check| check.verdict == Verdict::Error) => Ok(Fate::Survived),
        Outcome::Graded | Outcome::InfrastructureError => Err(describe(report)),
    }
}

/// Cancels its run when a check has failed. What may have failed by chance, such as by the machine's slowness, the suite
/// has asked again by then.
#[derive(Debug)]
struct FirstFailure {
    /// What is built, beside the suite.
    package: String,
    cancel: CancelToken,
    built: OnceLock<Duration>,
    /// When the first check began.
    began: OnceLock<Instant>,
    /// The check that has failed.
    check: OnceLock<String>,
}

impl FirstFailure {
    fn of(lab: &Lab, cancel: CancelToken) -> Self {
        let (built, began, check) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { package: lab.package(), cancel, built, began, check }
    }

    fn took(&self) -> Duration {
        let checks = self.began.get().map(Instant::elapsed).unwrap_or_default();
        self.built.get().copied().unwrap_or_default() + checks
    }
}

impl EventSink for FirstFailure {
    fn emit(&self, event: &RunEvent) {
        match &event.kind {
            EventKind::BuildFinished { what, took_ms } if *what == self.package => {
                let _ = self.built.set(Duration::from_millis(*took_ms));
            }
            EventKind::CheckStarted => {
                self.began.get_or_init(Instant::now);
            }
            EventKind::CheckFinished { result }
                if matches!(result.verdict, Verdict::Failed | Verdict::TimedOut)
                    && self.check.set(result.id.clone()).is_ok() =>
            {
                self.cancel.cancel();
            }
            _ => {}
        }
    }
}
