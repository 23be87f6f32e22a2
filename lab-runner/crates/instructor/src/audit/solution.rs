//! The starter teaches, the solution passes again and again, and both are models.

use std::time::{Duration, Instant};

use lab_protocol::{Verdict, millis};
use lab_runner::error::Error;
use lab_runner::report::{Check, Outcome, Report};
use lab_runner::submission::Source;

use super::load::Load;
use super::{Auditor, Unit, describe, seconds};

impl Auditor<'_> {
    /// Proves the starter and the solution of the lab of `unit`. Where the time ends meanwhile, all of it is left; a fault
    /// that is not the lab's ends it without a verdict.
    pub(super) async fn solution(&mut self, unit: &Unit) -> Result<(), Error> {
        let (lab, began) = (unit.lab, Instant::now());
        let before = self.audits[lab].problems.len();
        let whole = !self.time_is_over()
            && self.starter(lab).await?
            && self.quiet_round(lab).await?
            && self.rounds(lab).await?
            && self.lint(lab).await?;
        let audit = &mut self.audits[lab];
        audit.duration_ms += millis(began.elapsed());
        let holds = audit.problems.len() == before;
        let ours = self.untold.contains(&(lab, unit.place()));
        if ours || !whole && holds {
            audit.starter = None;
            audit.rounds_ms.clear();
        }
        if ours {
            return Ok(());
        }
        if !whole && holds {
            self.leave(unit);
        } else {
            self.conclude(unit, holds);
        }
        Ok(())
    }

    /// The report on `source`; none if a service failed, or we did, which is told once.
    async fn grade(&mut self, lab: usize, source: Source) -> Result<Option<Report>, Error> {
        let report = self.engine.grade(&self.labs[lab], &self.request(source), &self.run.silent()).await?;
        if report.outcome != Outcome::InfrastructureError {
            return Ok(Some(report));
        }
        let why = describe(&report);
        self.step(lab, format_args!("the starter and the solution cannot be tried: {why}"));
        self.audits[lab].infrastructure("solution", &why);
        self.untold.insert((lab, "solution".to_owned()));
        Ok(None)
    }

    /// A starter that does not start teaches nothing, and one that passes leaves nothing to do. Tells whether there is
    /// time to go on.
    async fn starter(&mut self, lab: usize) -> Result<bool, Error> {
        let Some(report) = self.grade(lab, Source::WorkingTree).await? else { return Ok(false) };
        let (score, max) = (report.score, report.max_score);
        self.step(lab, format_args!("the starter scores {score}/{max}, {}", seconds(report.duration_ms)));
        let audit = &mut self.audits[lab];
        match report.outcome {
            Outcome::Graded if score < max => audit.starter = Some((score, max)),
            Outcome::Graded => audit.problem("starter", "the starter passes every check: there is nothing left to do"),
            _ => audit.problem("starter", &describe(&report)),
        }
        Ok(!self.time_is_over())
    }

    /// The solution passes on a quiet machine: it is built before the load begins, which would only make everybody
    /// wait.
    async fn quiet_round(&mut self, lab: usize) -> Result<bool, Error> {
        let Some(quiet) = self.grade(lab, Source::Solution).await? else { return Ok(false) };
        let time = seconds(quiet.duration_ms);
        self.step(lab, format_args!("the solution scores {}/{}, {time}", quiet.score, quiet.max_score));
        // What needs more than this machine has proves nothing here, neither for the solution nor for a mutant.
        for check in quiet.checks.iter().filter(|check| check.verdict != Verdict::Passed && check.is_fine()) {
            self.step(lab, format_args!("`{}` cannot run here and is not proven", check.id));
            self.audits[lab].unseen.insert(check.id.clone());
        }
        if full_score(&quiet) {
            self.engine.state.record(&quiet, &[]);
        } else {
            self.audits[lab].problem("solution", &describe(&quiet));
        }
        Ok(!self.time_is_over())
    }

    /// With every processor busy: what depends on speed fails here, and not for a learner with a slow machine.
    async fn rounds(&mut self, lab: usize) -> Result<bool, Error> {
        let load = Load::begin();
        for round in 1..=self.options.repeat {
            let Some(report) = self.grade(lab, Source::Solution).await? else { return Ok(false) };
            let time = seconds(report.duration_ms);
            self.step(
                lab,
                format_args!(
                    "round {round} of {} under load: {}/{}, {time}",
                    self.options.repeat, report.score, report.max_score
                ),
            );
            self.audits[lab].rounds_ms.push(report.duration_ms);
            if !full_score(&report) {
                let message = format!("round {round} under load: {}", describe(&report));
                self.audits[lab].problem("solution", &message);
            }
            if self.time_is_over() {
                return Ok(false);
            }
        }
        drop(load);
        Ok(true)
    }

    async fn lint(&mut self, lab: usize) -> Result<bool, Error> {
        for (whose, source) in [("starter", Source::WorkingTree), ("solution", Source::Solution)] {
            let began = Instant::now();
            for finding in self.engine.lint(&self.labs[lab], &source, self.run).await? {
                self.audits[lab].problem(whose, &finding);
            }
            let took: Duration = began.elapsed();
            self.step(lab, format_args!("clippy and rustfmt have checked the {whose}, {}", seconds(millis(took))));
        }
        Ok(true)
    }
}

/// Whether everything that can be asked here has passed.
pub(super) fn full_score(report: &Report) -> bool {
    let passes = report.checks.iter().any(|check| check.verdict == Verdict::Passed);
    report.outcome == Outcome::Graded && passes && report.checks.iter().all(Check::is_fine)
}
