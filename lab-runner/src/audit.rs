//! The proof that a lab grades fairly: its documents agree, its starter fails, its solution passes again and again, and
//! every mutant is caught by the checks it names.

mod documents;
mod findings;
mod load;
mod mutants;
mod pipeline;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lab_protocol::Verdict;

use crate::engine::{Engine, Request};
use crate::error::Error;
use crate::events::{Deaf, Listener, Progress};
use crate::report::{Check, Outcome, Report};
use crate::submission::Source;
use crate::workspace::Lab;

pub use findings::{AuditReport, LabAudit, MutantResult, Problem};
use load::Load;

/// How to audit.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often the solution has to pass in a row.
    pub repeat: u32,
    /// The mutants to grade; none means all.
    pub mutants: Vec<String>,
    /// Whether each mutant is tried on every check, and not only on those it names.
    pub all_checks: bool,
    /// How to grade, but for the submission.
    pub request: Request,
}

/// Audits `labs`, telling `listener` what is going on.
///
/// # Errors
/// Grading itself is broken, or the user has had enough. What is wrong with a lab is in the report.
pub async fn audit(
    engine: &Engine,
    labs: &[Lab],
    options: &Options,
    listener: &dyn Listener,
) -> Result<AuditReport, Error> {
    let mut audits = Vec::new();
    for lab in labs {
        audits.push(audit_lab(engine, lab, options, listener).await?);
    }
    documents::names_are_unique(&engine.workspace, &mut audits);
    Ok(AuditReport::new(audits))
}

async fn audit_lab(engine: &Engine, lab: &Lab, options: &Options, listener: &dyn Listener) -> Result<LabAudit, Error> {
    let began = Instant::now();
    let suite = engine.suite(lab, listener).await?;
    let mut audit = LabAudit::new(lab, &suite.checks, options.all_checks);
    let mut auditor = Auditor { engine, lab, options, listener, audit: &mut audit };
    auditor.audit.problems.extend(documents::examine(lab, &suite.checks));
    auditor.starter().await?;
    auditor.solution().await?;
    auditor.lint().await?;
    auditor.mutants().await?;
    audit.duration_ms = millis(began.elapsed());
    Ok(audit)
}

/// One lab's audit as it goes on.
struct Auditor<'a> {
    engine: &'a Engine,
    lab: &'a Lab,
    options: &'a Options,
    listener: &'a dyn Listener,
    audit: &'a mut LabAudit,
}

impl Auditor<'_> {
    fn say(&self, text: impl std::fmt::Display) {
        self.listener.hear(Progress::Doing(format!("{}: {text}", self.lab.id())));
    }

    fn request(&self, source: Source) -> Request {
        Request { source, checks: Vec::new(), remember: false, ..self.options.request.clone() }
    }

    async fn grade(&self, source: Source) -> Result<Report, Error> {
        let report = self.engine.grade(self.lab, &self.request(source), &Deaf).await?;
        Ok(report)
    }

    /// A starter that does not start teaches nothing, and one that passes leaves nothing to do.
    async fn starter(&mut self) -> Result<(), Error> {
        let report = self.grade(Source::WorkingTree).await?;
        let (score, max) = (report.score, report.max_score);
        self.say(format_args!("the starter has {score}/{max}, {}", seconds(report.duration_ms)));
        match report.outcome {
            Outcome::Graded if score < max => self.audit.starter = Some((score, max)),
            Outcome::Graded => self.audit.problem("starter", "the starter passes: there is nothing to do"),
            _ => self.audit.problem("starter", &told(&report)),
        }
        Ok(())
    }

    /// With every processor busy: what depends on speed fails here, and not for a learner with a slow machine.
    async fn solution(&mut self) -> Result<(), Error> {
        // Built before the load begins, which would only make everybody wait.
        let quiet = self.grade(Source::Solution).await?;
        self.say(format_args!("the solution has {}/{}, {}", quiet.score, quiet.max_score, seconds(quiet.duration_ms)));
        let mut expected = full_score(&quiet).then(BTreeMap::<String, u64>::new);
        if expected.is_none() {
            self.audit.problem("solution", &told(&quiet));
        }
        // What needs more than this machine has proves nothing here, neither for the solution nor for a mutant.
        for check in quiet.checks.iter().filter(|check| check.verdict != Verdict::Passed && check.is_fine()) {
            self.say(format_args!("`{}` cannot be asked here, and is not proven", check.id));
            self.audit.unseen.insert(check.id.clone());
        }
        if let Some(durations) = &mut expected {
            durations.extend(quiet.checks.iter().map(|check| (check.id.clone(), check.duration_ms)));
            self.engine.memory.remember(&quiet);
        }
        let load = Load::begin();
        for round in 1..=self.options.repeat {
            let report = self.grade(Source::Solution).await?;
            let time = seconds(report.duration_ms);
            self.say(format_args!(
                "round {round} of {} under load: {}/{}, {time}",
                self.options.repeat, report.score, report.max_score
            ));
            self.audit.rounds_ms.push(report.duration_ms);
            if !full_score(&report) {
                self.audit.problem("solution", &format!("round {round} under load: {}", told(&report)));
            }
        }
        drop(load);
        Ok(())
    }

    async fn lint(&mut self) -> Result<(), Error> {
        for (whose, source) in [("starter", Source::WorkingTree), ("solution", Source::Solution)] {
            let began = Instant::now();
            for complaint in self.engine.lint(self.lab, &source).await? {
                self.audit.problem(whose, &complaint);
            }
            self.say(format_args!("clippy and rustfmt have read the {whose}, {}", seconds(millis(began.elapsed()))));
        }
        Ok(())
    }
}

fn full_score(report: &Report) -> bool {
    let passes = report.checks.iter().any(|check| check.verdict == Verdict::Passed);
    report.outcome == Outcome::Graded && passes && report.checks.iter().all(Check::is_fine)
}

/// Why a report is not what it should be, in a line.
fn told(report: &Report) -> String {
    if let Some(diagnostics) = &report.diagnostics {
        let detail = diagnostics.details.first().map(|detail| format!("\n{detail}")).unwrap_or_default();
        return format!("{}{detail}", diagnostics.message);
    }
    let not_passed = report.checks.iter().filter(|check| check.verdict != Verdict::Passed);
    let named: Vec<String> = not_passed
        .map(|check| {
            let word = serde_json::to_value(check.verdict).ok().and_then(|word| word.as_str().map(str::to_owned));
            let message = check.message.as_deref().unwrap_or_default();
            format!("`{}` {}: {message}", check.id, word.unwrap_or_default())
        })
        .collect();
    format!("{}/{}: {} (seed {})", report.score, report.max_score, named.join("; "), report.seed)
}

fn seconds(millis: u64) -> String {
    format!("{:.1} s", Duration::from_millis(millis).as_secs_f64())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
