//! Every mutant is caught by the checks it names, and every check catches some mutant.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use lab_protocol::{Verdict, in_full};
use lab_runner::audit::{LabAudit, MutantResult};
use lab_runner::engine::Request;
use lab_runner::error::Error;
use lab_runner::report::{Outcome, Report};
use lab_runner::submission::{Mutant, Source, SubmissionError};
use lab_runner::suggest;
use lab_runner::workspace::Lab;

use super::{Auditor, Options, Subject, Unit, describe, is_over, lines, seconds};

/// How many are on their way at once: some wait with their programs built, so that neither the compiler nor the suite
/// waits for the other where one mutant takes longer than the next.
const DEPTH: usize = 6;

/// Everything that can be proven of `labs`, lab by lab: each one's solution and its mutants, as `options` choose them.
/// Mutants that cannot be read are told in `audits`.
///
/// # Errors
/// A folder cannot be listed, or `options` names a mutant that no lab has.
pub(super) fn units(labs: &[Lab], options: &Options, audits: &mut [LabAudit]) -> Result<Vec<Unit>, Error> {
    let mut units = Vec::new();
    let mut names = BTreeSet::new();
    for (lab, audit) in audits.iter_mut().enumerate() {
        units.push(Unit { lab, subject: Subject::Solution });
        for mutant in Mutant::all(&labs[lab]).map_err(SubmissionError::from)? {
            match mutant {
                Ok(mutant) => {
                    names.insert(mutant.name.clone());
                    if options.mutants.is_empty() || options.mutants.contains(&mutant.name) {
                        units.push(Unit { lab, subject: Subject::Mutant(Box::new(mutant)) });
                    }
                }
                Err(error) => audit.problem("mutants", &in_full(&error)),
            }
        }
    }
    if let Some(name) = options.mutants.iter().find(|name| !names.contains(*name)) {
        let hints = suggest::did_you_mean(name, names.iter().map(String::as_str)).into_iter().collect();
        let ids: Vec<&str> = labs.iter().map(Lab::id).collect();
        return Err(Error::Usage { message: format!("{} has no mutant `{name}`", ids.join(", ")), hints });
    }
    Ok(units)
}

/// What came of a mutant: none, if there was no time for it.
type Graded = Option<Result<Report, Error>>;

impl Auditor<'_> {
    /// Whether `mutant` names a check of its lab. Each name that is none is told.
    pub(super) fn names_checks(&mut self, lab: usize, mutant: &Mutant) -> bool {
        let audit = &mut self.audits[lab];
        let (known, unknown): (Vec<&String>, Vec<&String>) =
            mutant.fails.iter().partition(|id| audit.checks.contains_key(*id));
        for id in unknown {
            let nearest = suggest::did_you_mean(id, audit.order.iter().map(String::as_str));
            let hint = nearest.map(|hint| format!("; {hint}")).unwrap_or_default();
            let message = format!("{}:{}: `{id}` is not a check of this lab{hint}", mutant.path, mutant.fails_line);
            audit.problem(&format!("mutant {}", mutant.name), &message);
        }
        !known.is_empty()
    }

    /// Grades the mutants of `units`, several on their way at once, and takes their results in order.
    pub(super) async fn mutants(&mut self, units: &[Unit]) -> Result<(), Error> {
        let (engine, labs, run, deadline) = (self.engine, self.labs, self.run, self.deadline);
        let requests: Vec<(&Unit, Request)> = units.iter().filter_map(|unit| self.to_be_tried(unit)).collect();
        let count = requests.len();
        let mut results = stream::iter(requests)
            .map(|(unit, request)| async move {
                let graded: Graded = match is_over(deadline) {
                    true => None,
                    false => Some(engine.grade(&labs[unit.lab], &request, &run.silent()).await),
                };
                (unit, graded)
            })
            .buffered(DEPTH)
            .zip(stream::iter(1..));
        while let Some(((unit, graded), number)) = results.next().await {
            self.take(unit, graded, &format!("mutant {number} of {count}"))?;
        }
        Ok(())
    }

    /// How the mutant of `unit` is graded: on the checks it names, which run with what they need, unless all are asked
    /// for.
    fn to_be_tried<'a>(&self, unit: &'a Unit) -> Option<(&'a Unit, Request)> {
        let mutant = unit.mutant()?;
        let known = |id: &&String| self.audits[unit.lab].checks.contains_key(*id);
        let checks = match self.options.all_checks {
            true => Vec::new(),
            false => mutant.fails.iter().filter(known).cloned().collect(),
        };
        Some((unit, Request { checks, places: true, ..self.request(Source::Mutant(mutant.clone())) }))
    }

    fn take(&mut self, unit: &Unit, graded: Graded, number: &str) -> Result<(), Error> {
        let (Some(graded), Some(mutant)) = (graded, unit.mutant()) else {
            self.leave(unit);
            return Ok(());
        };
        let before = self.audits[unit.lab].problems.len();
        match graded {
            Ok(report) if report.outcome == Outcome::InfrastructureError => {
                // Nobody knows whether it would have been caught.
                let why = describe(&report);
                self.step(unit.lab, format_args!("{number}, {}: cannot be tried: {why}", mutant.name));
                self.audits[unit.lab].infrastructure(&unit.place(), &why);
                self.untold.insert((unit.lab, unit.place()));
                return Ok(());
            }
            Ok(report) => {
                self.seen[unit.lab].add(mutant, &report.checks, &self.sources[unit.lab]);
                self.seen[unit.lab].save(&self.engine.workspace, &self.labs[unit.lab]);
                if self.options.try_lines {
                    self.shown.extend(lines::shown(unit.lab, mutant, &report));
                }
                let result = self.judge(unit.lab, mutant, &report);
                let word = if result.caught { "caught" } else { "NOT CAUGHT" };
                let (build, checks) = (seconds(result.build_ms), seconds(result.checks_ms));
                self.step(
                    unit.lab,
                    format_args!("{number}, {}: {word}, built in {build}, checked in {checks}", mutant.name),
                );
                self.audits[unit.lab].duration_ms += result.duration_ms;
                self.audits[unit.lab].mutants.push(result);
            }
            Err(Error::Submission(error)) => self.audits[unit.lab].problem(&unit.place(), &in_full(&error)),
            Err(error) => return Err(error),
        }
        self.conclude(unit, self.audits[unit.lab].problems.len() == before);
        Ok(())
    }

    fn judge(&mut self, lab: usize, mutant: &Mutant, report: &Report) -> MutantResult {
        let place = format!("mutant {}", mutant.name);
        let audit = &mut self.audits[lab];
        match report.outcome {
            Outcome::BuildFailed | Outcome::StartFailed => audit.problem(&place, &describe(report)),
            Outcome::Graded | Outcome::InfrastructureError => {}
        }
        // The solution may be another shard's, or have been left.
        let skipped = report.checks.iter().filter(|check| check.verdict == Verdict::Skipped && check.is_fine());
        audit.unseen.extend(skipped.map(|check| check.id.clone()));
        let caught_it = |verdict: Verdict| matches!(verdict, Verdict::Failed | Verdict::TimedOut);
        let failed: Vec<String> =
            report.checks.iter().filter(|check| caught_it(check.verdict)).map(|check| check.id.clone()).collect();
        for id in &failed {
            audit.checks.entry(id.clone()).or_default().insert(mutant.name.clone());
        }
        let missed: Vec<&String> =
            mutant.fails.iter().filter(|id| !failed.contains(id) && !audit.unseen.contains(*id)).collect();
        for id in &missed {
            // Of names that are no checks the audit has told already, and of what was not graded above.
            if let Some(check) = report.checks.iter().find(|check| check.id == **id) {
                audit.problem(&place, &format!("`{id}` should fail, but {}", describe_verdict(check.verdict)));
            }
        }
        let timings = &report.timings;
        let build_ms = timings.cargo_ms.unwrap_or_default();
        let checks_ms =
            timings.last_check_ms.unwrap_or_default().saturating_sub(timings.first_check_ms.unwrap_or_default());
        MutantResult {
            name: mutant.name.clone(),
            breaks: mutant.breaks.clone(),
            expected: mutant.fails.clone(),
            caught: missed.is_empty(),
            failed,
            build_ms,
            checks_ms,
            duration_ms: build_ms + checks_ms,
        }
    }

    /// Every check has failed a mutant, or is named by one that was not tried.
    pub(super) fn every_check_catches_one(&mut self, untried: &[Unit]) {
        for (lab, audit) in self.audits.iter_mut().enumerate() {
            let untried = untried.iter().filter(|unit| unit.lab == lab).filter_map(Unit::mutant);
            let named: BTreeSet<&String> = untried.flat_map(|mutant| &mutant.fails).collect();
            let idle = |id: &&String| {
                let failed_one = audit.checks.get(*id).is_some_and(|by| !by.is_empty());
                !failed_one && !audit.unseen.contains(*id) && !named.contains(*id)
            };
            let idle: Vec<String> = audit.order.iter().filter(idle).cloned().collect();
            for id in idle {
                audit.problem(&format!("check {id}"), "no mutant fails it, so nothing proves that it can fail");
            }
        }
    }
}

fn describe_verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed | Verdict::TimedOut => "failed",
        Verdict::Skipped => "was skipped, because a check it needs did not pass",
        Verdict::Error => "hit an internal error of the grader",
    }
}
