//! The checks of a suite, run once more on containers: what is deployed is the image, and not the program that was built
//! beside it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::attempt::attempt;
use crate::check::{self, Check};
use crate::lab::{Lab, Shared};
use crate::server::Container;
use lab_check::{CheckResult, Failure};
use lab_protocol::{CheckReport, SkipReason, Verdict};

/// A container that fails so many checks has one reason for all, and each may have waited for its time to be over.
const ENOUGH: usize = 3;

impl Lab {
    /// Runs the checks of this suite for which `wanted` holds once more, one after the other, each with its own database
    /// and with servers that are containers. Checks that cannot be seen here are left out.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// # let by_hand = lab_kit::ByHand { image: "box-office", variables: &["DATABASE_URL"] };
    /// let container = lab_kit::Container::of("docker", "box-office-check", by_hand);
    /// lab.check_containers(&container, |check| check.task <= 8).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure with that of the first check that fails, and the names of up to two more; ours, where a
    /// check meets a fault of ours.
    pub async fn check_containers(&self, container: &Container, wanted: impl Fn(&Check) -> bool) -> CheckResult {
        let mine = self.shared();
        if mine.config.sandbox.isolates() {
            return Err(Failure::not_applicable("images are neither built nor run where submissions are isolated"));
        }
        let shared = Arc::new(Shared {
            config: mine.config.clone(),
            clock: mine.clock,
            // What happens in them is part of this check, as far as it is told at all.
            events: None,
            container: Some(container.clone()),
            services: Arc::clone(&mine.services),
            keepsake: Arc::clone(&mine.keepsake),
        });
        let checks = check::planned(&[]).map_err(|error| Failure::Ours(error.to_string()))?;
        let mut lost = BTreeSet::new();
        let mut failed = Vec::new();
        for check in checks.into_iter().filter(|check| wanted(check)) {
            if failed.len() == ENOUGH || check.needs.iter().any(|need| lost.contains(need)) {
                lost.insert(check.id);
                continue;
            }
            self.note(format!("in the container: check `{}`", check.id));
            let mut tried = attempt(Arc::clone(&shared), check).await;
            container.remove_all().await?;
            if tried.is_doubtful() {
                self.note(format!("in the container: check `{}` once more: {}", check.id, tried.doubt()));
                tried = attempt(Arc::clone(&shared), check).await;
                container.remove_all().await?;
            }
            let report = tried.report;
            if report.verdict != Verdict::Passed {
                lost.insert(check.id);
            }
            match report.verdict {
                Verdict::Passed => {}
                Verdict::Skipped => self.note(left_out(&report)),
                Verdict::Error => return Err(Failure::Ours(ours(&report))),
                Verdict::Failed | Verdict::TimedOut => {
                    self.transcript().append(report.transcript.clone());
                    failed.push(report);
                }
            }
        }
        conclude(failed)
    }
}

fn left_out(report: &CheckReport) -> String {
    match &report.skip_reason {
        Some(SkipReason::NotApplicable { message }) => format!("skipped: {message}"),
        _ => "left out".to_owned(),
    }
}

fn ours(report: &CheckReport) -> String {
    let message = report.explanation.as_ref().map_or("no reason was given", |explanation| &explanation.message);
    format!("{}, in the container: {message}", report.id)
}

/// The first failure in full, the others by name.
fn conclude(failed: Vec<CheckReport>) -> CheckResult {
    let names: Vec<String> = failed.iter().skip(1).map(|report| format!("`{}`", report.id)).collect();
    let Some(first) = failed.into_iter().next() else { return Ok(()) };
    let mut explanation = first.explanation.unwrap_or_default();
    let others = if names.is_empty() { String::new() } else { format!(" (and so does {})", names.join(" and ")) };
    explanation.message = format!("in the container, `{}` fails{others}: {}", first.id, explanation.message);
    Err(Failure::Learner(Box::new(explanation)))
}
