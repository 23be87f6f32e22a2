//! Every mutant is caught by the checks it names, and every check catches some mutant.

use lab_protocol::Verdict;

use super::pipeline::pipeline;
use super::{Auditor, MutantResult, Problem, seconds, told};
use crate::engine::Request;
use crate::error::Error;
use crate::events::Deaf;
use crate::report::{Outcome, Report};
use crate::submission::{Mutant, Source, SubmissionError};
use crate::suggest;

/// One is graded, one waits with its program built, one is being built.
const DEPTH: usize = 3;

impl Auditor<'_> {
    pub(super) async fn mutants(&mut self) -> Result<(), Error> {
        let mutants = self.readable_mutants()?;
        let count = mutants.len();
        let (engine, lab) = (self.engine, self.lab);
        let work: Vec<_> = mutants
            .iter()
            .map(|mutant| {
                let source = Source::Mutant(mutant.clone());
                let request = Request { checks: self.tried_on(mutant), ..self.request(source) };
                async move { (mutant, engine.grade(lab, &request, &Deaf).await) }
            })
            .collect();
        let mut number = 0;
        pipeline(work, DEPTH, |(mutant, graded)| {
            number += 1;
            self.take(mutant, graded, &format!("mutant {number} of {count}"))
        })
        .await?;
        if self.options.mutants.is_empty() {
            self.every_check_catches_one();
        }
        Ok(())
    }

    /// The checks that the mutant is tried on: those it names, which run with what they need, unless all are asked for.
    fn tried_on(&self, mutant: &Mutant) -> Vec<String> {
        if self.options.all_checks {
            return Vec::new();
        }
        mutant.fails.iter().filter(|id| self.audit.checks.contains_key(*id)).cloned().collect()
    }

    fn readable_mutants(&mut self) -> Result<Vec<Mutant>, Error> {
        let all = Mutant::all(self.lab).map_err(SubmissionError::from)?;
        let mut readable = Vec::new();
        for mutant in all {
            match mutant {
                Ok(mutant) => readable.push(mutant),
                Err(error) => self.audit.problem("mutants", &error.to_string()),
            }
        }
        for name in &self.options.mutants {
            if !readable.iter().any(|mutant| mutant.name == *name) {
                let names = readable.iter().map(|mutant| mutant.name.as_str());
                let hints = suggest::did_you_mean(name, names).into_iter().collect();
                return Err(Error::Usage { message: format!("{} has no mutant `{name}`", self.lab.id()), hints });
            }
        }
        readable.retain(|mutant| self.options.mutants.is_empty() || self.options.mutants.contains(&mutant.name));
        Ok(readable)
    }

    fn take(&mut self, mutant: &Mutant, graded: Result<Report, Error>, place: &str) -> Result<(), Error> {
        let report = match graded {
            Ok(report) => report,
            Err(Error::Submission(error)) => {
                self.audit.problem(&format!("mutant {}", mutant.name), &error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let result = self.judge(mutant, &report);
        let word = if result.caught { "caught" } else { "NOT CAUGHT" };
        self.say(format_args!("{place}, {}: {word}, {}", mutant.name, seconds(report.duration_ms)));
        self.audit.mutants.push(result);
        Ok(())
    }

    fn judge(&mut self, mutant: &Mutant, report: &Report) -> MutantResult {
        let place = format!("mutant {}", mutant.name);
        match report.outcome {
            Outcome::Graded => {}
            Outcome::BuildFailed | Outcome::StartFailed => self.audit.problem(&place, &told(report)),
            Outcome::InfrastructureError => {
                let problem = Problem::of(&place, told(report));
                self.audit.problems.push(Problem { infrastructure: true, ..problem });
            }
        }
        let caught_it = |verdict: Verdict| matches!(verdict, Verdict::Failed | Verdict::TimedOut);
        let failed: Vec<String> =
            report.checks.iter().filter(|check| caught_it(check.verdict)).map(|check| check.id.clone()).collect();
        for id in &failed {
            self.audit.checks.entry(id.clone()).or_default().insert(mutant.name.clone());
        }
        let missed: Vec<&String> =
            mutant.fails.iter().filter(|id| !failed.contains(id) && !self.audit.unseen.contains(*id)).collect();
        for id in &missed {
            let message = match report.checks.iter().find(|check| check.id == **id) {
                Some(check) => format!("`{id}` should fail and {}", verdict_told(check.verdict)),
                None if self.audit.checks.contains_key(*id) => continue,
                None => format!("`{id}`, which it names, is no check of this lab"),
            };
            self.audit.problem(&place, &message);
        }
        MutantResult {
            name: mutant.name.clone(),
            breaks: mutant.breaks.clone(),
            expected: mutant.fails.clone(),
            caught: missed.is_empty(),
            failed,
            duration_ms: report.duration_ms,
        }
    }

    fn every_check_catches_one(&mut self) {
        let idle: Vec<String> = self
            .audit
            .order
            .iter()
            .filter(|id| !self.audit.unseen.contains(*id))
            .filter(|id| self.audit.checks.get(*id).is_none_or(|by| by.is_empty()))
            .cloned()
            .collect();
        for id in idle {
            self.audit.problem(&format!("check {id}"), "no mutant fails it: nothing proves that it can fail");
        }
    }
}

fn verdict_told(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed | Verdict::TimedOut => "failed",
        Verdict::Skipped => "was skipped, as a check it needs did not pass",
        Verdict::Error => "met a fault of the grader",
    }
}
