//! One check, run once: within its time, its panics caught, and our faults told from the learner's.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::panics;
use super::pulse::{Surroundings, Watch};
use crate::check::Check;
use crate::lab::{Lab, Shared};
use lab_check::{CheckResult, Failure};
use lab_protocol::{CheckReport, Explanation, SkipReason, Verdict, millis};

/// How long a check that is out of time may take to stop: it has only to reach its next await.
const LET_GO: Duration = Duration::from_secs(10);

/// What one try of a check came to.
#[derive(Debug)]
pub(super) struct Attempt {
    pub check: &'static Check,
    pub report: CheckReport,
    /// What befell the machine meanwhile.
    pub surroundings: Surroundings,
    /// What of ours was removed meanwhile, in a sentence.
    pub removed: Option<String>,
    /// What was used up of a service that others use too.
    pub shortage: Option<String>,
    /// Whether it ended at a statement or command of the grader's own, though nothing of ours has failed.
    pub grader_refused: bool,
}

impl Attempt {
    /// Whether it failed, and may have done so because the machine was slow or stood still, or because files of ours
    /// were removed. What was found without any clock is believed otherwise.
    pub fn is_doubtful(&self) -> bool {
        let by_time = self.report.explanation.as_ref().is_some_and(|explanation| explanation.by_time);
        let disturbed = self.surroundings.paused || self.removed.is_some() || self.shortage.is_some();
        // A shortage may have met the grader's own statements and commands as well.
        (self.is_failure() && (by_time || disturbed))
            || (self.report.verdict == Verdict::Error && self.shortage.is_some())
    }

    fn is_failure(&self) -> bool {
        matches!(self.report.verdict, Verdict::Failed | Verdict::TimedOut)
    }

    /// Whether the whole machine stood still, and not the suite alone: that can be a server's doing.
    pub fn stood_still(&self) -> bool {
        self.surroundings.paused && !self.surroundings.stopped
    }

    /// Why it is asked again, in a sentence.
    pub fn doubt(&self) -> String {
        let first = self.report.explanation.as_ref().map_or("its time was over", |found| found.message.as_str());
        if let Some(removed) = &self.removed {
            return format!("{removed}; the first time: {first}");
        }
        let why = match (self.surroundings.paused, self.surroundings.used) {
            (false, _) if self.shortage.is_some() => {
                format!("others may have used up what all share ({})", self.shortage.as_deref().unwrap_or_default())
            }
            (true, _) if self.surroundings.stopped => "the grader was stopped by a signal meanwhile".to_owned(),
            (true, _) => "the whole machine stood still meanwhile".to_owned(),
            (false, Some(used)) if self.surroundings.is_busy() => {
                format!("the machine was busy: {used} % of its processor time was in use")
            }
            (false, _) => "it failed by time".to_owned(),
        };
        format!("{why}; the first time: {first}")
    }
}

/// Runs `check` once more, with nothing of this run beside it. What is short then although nothing of ours was running, and
/// stays so, is used up by others, and no fault of the submission's. What was not short before is its own doing, also where
/// the grader is the first to notice.
pub(super) async fn attempt_alone(shared: Arc<Shared>, check: &'static Check, was_short: bool) -> Attempt {
    let crowd = if was_short { shared.services.until_calm().await } else { None };
    let mut attempt = attempt(shared, check).await;
    blame_alone(&mut attempt, crowd);
    attempt
}

/// Whose fault a shortage is that a check met with nothing of this run beside it, where `crowd` tells what others used up.
fn blame_alone(attempt: &mut Attempt, crowd: Option<String>) {
    let Some(shortage) = attempt.shortage.clone() else { return };
    let (verdict, message) = match crowd {
        Some(crowd) if attempt.is_failure() => (Verdict::Error, crowd),
        None if attempt.grader_refused => (Verdict::Failed, shortage),
        _ => return,
    };
    attempt.report.verdict = verdict;
    let old = attempt.report.explanation.take().unwrap_or_default();
    attempt.report.explanation = Some(match verdict {
        // What the grader met is what was found.
        Verdict::Failed => Explanation { message, actual: Some(old.message.clone()), ..old },
        _ => Explanation { message, ..Explanation::default() },
    });
}

/// Runs `check` and reports it.
pub(super) async fn attempt(shared: Arc<Shared>, check: &'static Check) -> Attempt {
    let lab = Arc::new(Lab::of_check(Arc::clone(&shared), check.id));
    let attempt = play(&shared, &lab, check).await;
    // The next check need not wait until this one's database is dropped; the end of the run waits for all.
    tokio::spawn(async move { lab.release().await });
    attempt
}

/// Runs `check` in `lab`, which keeps what the check used.
pub(super) async fn play(shared: &Shared, lab: &Arc<Lab>, check: &'static Check) -> Attempt {
    let began = Instant::now();
    let (watch, losses) = (Watch::begin(), shared.keepsake.losses());
    let started_us = shared.clock.micros();
    let limit = check.limit(Duration::from_millis(shared.config.check_limit_ms));
    let conclusion = conclude(lab, check, limit).await;
    if conclusion.may_be_ours() {
        lab.drain_logs().await;
    }
    let conclusion = if conclusion.may_be_ours() { blame(shared, lab, conclusion).await } else { conclusion };
    let shortage = lab.shortage();
    let grader_refused = conclusion.refused && shortage.is_some() && fault_of_ours(shared, lab).await.is_none();
    let surroundings = watch.end().await;
    let removed = (shared.keepsake.losses() > losses)
        .then(|| "a file of the grader's was removed meanwhile, and was put back".to_owned());
    let transcript = lab.transcript().conclude();
    let explanation = conclusion.explanation.map(|explanation| finish(explanation, lab, shortage.as_deref()));
    let report = CheckReport {
        id: check.id.into(),
        verdict: conclusion.verdict,
        skip_reason: conclusion.skip_reason,
        started_us: Some(started_us),
        duration_ms: millis(began.elapsed()),
        explanation,
        transcript,
        asked_again: None,
    };
    Attempt { check, report, surroundings, removed, shortage, grader_refused }
}

/// What a check came to.
struct Conclusion {
    verdict: Verdict,
    skip_reason: Option<SkipReason>,
    explanation: Option<Explanation>,
    /// Whether something that the grader itself asked for was refused it.
    refused: bool,
}

impl Conclusion {
    fn new(verdict: Verdict, explanation: Option<Explanation>) -> Self {
        Self { verdict, skip_reason: None, explanation, refused: false }
    }

    fn ours(message: String) -> Self {
        Self::new(Verdict::Error, Some(Explanation { message, ..Explanation::default() }))
    }

    fn may_be_ours(&self) -> bool {
        matches!(self.verdict, Verdict::Failed | Verdict::TimedOut)
    }
}

/// Runs the check in a task of its own, so that a panic ends the task and not the suite.
async fn conclude(lab: &Arc<Lab>, check: &'static Check, limit: Duration) -> Conclusion {
    let owned = Arc::clone(lab);
    let mut task = tokio::spawn(async move { (check.run)(&owned).await });
    let id = task.id();
    let joined = timeout(limit, &mut task).await;
    match joined {
        Ok(Ok(result)) => judge(result),
        Ok(Err(_)) => {
            let how = panics::of(id).unwrap_or_else(|| "without a message".to_owned());
            Conclusion::ours(format!("the check itself panicked {how}"))
        }
        Err(_) => {
            // The check's servers are dropped, and so killed, with the task.
            task.abort();
            if timeout(LET_GO, task).await.is_err() {
                return Conclusion::ours(format!(
                    "the check itself does not let go of its thread: its {} s are over",
                    limit.as_secs()
                ));
            }
            let message = format!("not finished within {} s", limit.as_secs_f32());
            Conclusion::new(Verdict::TimedOut, Some(Explanation { message, by_time: true, ..Explanation::default() }))
        }
    }
}

fn judge(result: CheckResult) -> Conclusion {
    match result {
        Ok(()) => Conclusion::new(Verdict::Passed, None),
        Err(Failure::Learner(explanation)) => Conclusion::new(Verdict::Failed, Some(*explanation)),
        Err(Failure::Ours(message)) => Conclusion { refused: true, ..Conclusion::ours(message) },
        Err(Failure::NotApplicable(message)) => Conclusion {
            verdict: Verdict::Skipped,
            skip_reason: Some(SkipReason::NotApplicable { message }),
            explanation: None,
            refused: false,
        },
    }
}

/// A check that failed while a service was gone, or a file of ours is gone for good, says nothing of the submission. A
/// file that can be put back is: the check is asked once more, and whoever removes it again has failed.
async fn blame(shared: &Shared, lab: &Lab, conclusion: Conclusion) -> Conclusion {
    match fault_of_ours(shared, lab).await {
        Some(message) => Conclusion::ours(message),
        None => conclusion,
    }
}

/// What failed of what the server under test was given, if anything did: a service, or a file of ours.
pub(super) async fn fault_of_ours(shared: &Shared, lab: &Lab) -> Option<String> {
    match lab.service_error().or_else(|| shared.keepsake.restore().err()) {
        Some(message) => Some(message),
        None => shared.services.failure().await,
    }
}

/// Adds what only the whole check knows: that the server died on the way, what became of a service meanwhile, and what the
/// server wrote last.
fn finish(mut explanation: Explanation, lab: &Lab, shortage: Option<&str>) -> Explanation {
    let endings = lab.endings();
    if let Some(ending) = endings.lock().unwrap_or_else(PoisonError::into_inner).first() {
        explanation.message =
            format!("{}; by then the server had exited by itself ({})", explanation.message, ending.exit);
    }
    if let Some(shortage) = shortage.filter(|shortage| !explanation.message.contains(shortage)) {
        explanation.message = format!("{}; meanwhile: {shortage}", explanation.message);
    }
    if explanation.server_log.is_empty() {
        explanation.server_log = lab.transcript().log_tail();
    }
    explanation
}

#[cfg(test)]
mod tests {
    use super::*;

    static CHECK: Check = Check {
        id: "asks",
        title: "",
        task: 1,
        points: 1,
        needs: &[],
        why: "",
        source: "",
        hints: &[],
        held_out: false,
        alone: false,
        limit_seconds: None,
        file: "",
        line: 1,
        run: |_| Box::pin(async { Ok(()) }),
    };
    const SHORT: &str = "the memory for locks was used up";

    fn short(verdict: Verdict, grader_refused: bool) -> Attempt {
        let report = CheckReport {
            id: CHECK.id.into(),
            verdict,
            skip_reason: None,
            started_us: None,
            duration_ms: 0,
            explanation: Some(Explanation { message: "refused".into(), ..Explanation::default() }),
            transcript: Vec::new(),
            asked_again: None,
        };
        let surroundings = Surroundings { paused: false, stopped: false, used: None };
        Attempt { check: &CHECK, report, surroundings, removed: None, shortage: Some(SHORT.into()), grader_refused }
    }

    fn alone(mut attempt: Attempt, crowd: Option<&str>) -> (Verdict, String) {
        blame_alone(&mut attempt, crowd.map(str::to_owned));
        (attempt.report.verdict, attempt.report.explanation.unwrap_or_default().message)
    }

    #[test]
    fn whoever_meets_a_shortage_beside_others_is_asked_again() {
        assert!(short(Verdict::Failed, false).is_doubtful());
        assert!(short(Verdict::Error, true).is_doubtful());
        assert!(!short(Verdict::Passed, false).is_doubtful());
        assert!(short(Verdict::Failed, false).doubt().contains(SHORT));
    }

    #[test]
    fn what_runs_short_alone_has_used_it_up_itself_unless_others_go_on_using_it_up() {
        assert_eq!(alone(short(Verdict::Failed, false), None).0, Verdict::Failed);
        assert_eq!(
            alone(short(Verdict::Failed, false), Some("others use it up")),
            (Verdict::Error, "others use it up".into())
        );
        assert_eq!(alone(short(Verdict::Passed, false), Some("others use it up")).0, Verdict::Passed);
    }

    #[test]
    fn what_the_grader_itself_is_refused_by_a_shortage_is_held_against_who_brought_it_about_alone() {
        assert_eq!(alone(short(Verdict::Error, true), None), (Verdict::Failed, SHORT.into()));
        assert_eq!(alone(short(Verdict::Error, true), Some("others use it up")).0, Verdict::Error);
        // A panic of a check's, or a service that has failed, is ours all the same.
        assert_eq!(alone(short(Verdict::Error, false), None).0, Verdict::Error);
    }
}
