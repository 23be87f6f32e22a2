//! Generated mutants: small changes of the solution that a program makes without knowing what for. What survives the whole
//! suite shows what no check looks at.

mod equivalent;
mod fates;
mod list;
mod related;
mod trial;

use std::time::Instant;

use futures::{StreamExt as _, stream};
use lab_runner::audit::{AuditReport, Generated, LabAudit, Survivor};
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Request};
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::hash;
use lab_runner::submission::{Mutant, Source, SubmissionError};
use lab_runner::workspace::Lab;

use super::{Options, describe, is_over, plan, record, seconds, solution};
use equivalent::Equivalents;
use fates::{Fate, Fates};
use list::{Made, Maker};
use related::Related;
use trial::Tried;

/// How many of a hundred viable mutants a suite has to catch.
const AIM: usize = 90;
/// How many are on their way at once: one is built, two are graded, and the others wait with their programs built.
const DEPTH: usize = 5;

/// One mutant of one lab that is to be tried.
struct Trial<'a> {
    lab: usize,
    made: &'a Made,
    request: Request,
}

/// Grades generated mutants of `labs`, those whose name holds `part`, telling `run` what is going on.
///
/// # Errors
/// The program that makes them is missing, grading itself is broken, or the user interrupts.
pub(super) async fn audit(
    engine: &Engine,
    labs: &[Lab],
    options: &Options,
    part: &str,
    run: &RunContext,
) -> Result<AuditReport, Error> {
    let began = Instant::now();
    let maker = Maker::find(&engine.workspace)?;
    let mut surveys = Vec::new();
    for lab in labs {
        surveys.push(Survey::of(engine, lab, &maker, part, run).await?);
    }
    let mut auditor =
        Auditor { engine, labs, options, run, deadline: options.within.map(|within| began + within), surveys };
    for lab in 0..labs.len() {
        auditor.solution(lab).await?;
    }
    let planned = auditor.mutants(part).await?;
    let audits = auditor.surveys.into_iter().map(Survey::conclude).collect();
    Ok(AuditReport::new(audits, options.shard, planned, began.elapsed()))
}

/// What is known of a lab's generated mutants.
struct Survey {
    audit: LabAudit,
    /// Those that are to be graded.
    made: Vec<Made>,
    /// The lab's own mutants, which tell what is likely to catch one of these.
    related: Related,
    fates: Fates,
    /// How many were made, and how many of these the lab calls equivalent.
    counts: (usize, usize),
    /// Whether what fails is a mutant's doing: the solution passes.
    sound: bool,
}

impl Survey {
    async fn of(engine: &Engine, lab: &Lab, maker: &Maker, part: &str, run: &RunContext) -> Result<Self, Error> {
        let mut audit = LabAudit::new(lab, true);
        let mut made = maker.list(&engine.workspace, lab, run).await?;
        let all = made.len();
        let equivalents = Equivalents::load(lab).unwrap_or_else(|problem| {
            audit.problems.push(problem);
            Equivalents::default()
        });
        audit.problems.extend(equivalents.stale(&made));
        made.retain(|one| !equivalents.name(one));
        let counts = (all, all - made.len());
        made.retain(|one| one.name.contains(part));
        let known = Mutant::all(lab).map_err(SubmissionError::from)?.into_iter().flatten();
        Ok(Self {
            audit,
            made,
            related: Related::new(known, &lab.manifest.editable),
            fates: Fates::load(&engine.workspace, lab),
            counts,
            sound: false,
        })
    }

    fn conclude(self) -> LabAudit {
        let Self { mut audit, made, fates, counts, .. } = self;
        let mut found = Generated { made: counts.0, equivalent: counts.1, ..Generated::default() };
        for one in &made {
            match fates.of(&one.name) {
                None => {}
                Some(Fate::Unviable) => found.unviable += 1,
                Some(Fate::Caught(by)) => {
                    found.caught += 1;
                    *found.by_check.entry(by.clone()).or_default() += 1;
                }
                Some(Fate::Survived) => found.survivors.push(Survivor {
                    file: one.file.to_string(),
                    line: one.line,
                    change: one.change.clone(),
                    text: one.text.clone(),
                }),
            }
        }
        found.viable = found.caught + found.survivors.len();
        if found.caught * 100 < found.viable * AIM {
            let message = format!(
                "{} of {} viable ones are caught, and it should be {AIM} of 100: each survivor asks for a case in a \
                 check, or for a line in {} that says why nothing can see it",
                found.caught,
                found.viable,
                equivalent::FILE
            );
            audit.problem("generated mutants", &message);
        }
        audit.generated = Some(found);
        audit
    }
}

/// The audit as it goes on.
struct Auditor<'a> {
    engine: &'a Engine,
    labs: &'a [Lab],
    options: &'a Options,
    run: &'a RunContext,
    deadline: Option<Instant>,
    surveys: Vec<Survey>,
}

impl Auditor<'_> {
    fn step(&self, lab: usize, text: impl std::fmt::Display) {
        self.run.emit(EventKind::Step { text: format!("{}: {text}", self.labs[lab].id()) });
    }

    fn request(&self, source: Source) -> Request {
        Request { source, checks: Vec::new(), record: false, ..self.options.request.clone() }
    }

    /// Of a solution that fails by itself no mutant proves anything.
    async fn solution(&mut self, lab: usize) -> Result<(), Error> {
        if self.surveys[lab].made.is_empty() {
            return Ok(());
        }
        if is_over(self.deadline) {
            // Its mutants are left then.
            self.surveys[lab].sound = true;
            return Ok(());
        }
        let request = self.request(Source::Solution);
        let report = self.engine.grade(&self.labs[lab], &request, &self.run.silent()).await?;
        let time = seconds(report.duration_ms);
        self.step(lab, format_args!("the solution scores {}/{}, {time}", report.score, report.max_score));
        self.surveys[lab].sound = solution::full_score(&report);
        if !self.surveys[lab].sound {
            self.surveys[lab].audit.problem("solution", &describe(&report));
        }
        Ok(())
    }

    /// Tries what has no fate yet, in an order drawn from the commit, and tells how many that were to be.
    async fn mutants(&mut self, part: &str) -> Result<usize, Error> {
        let (engine, labs, run, deadline) = (self.engine, self.labs, self.run, self.deadline);
        let lists: Vec<Vec<Made>> = self.surveys.iter().map(|survey| survey.made.clone()).collect();
        let trials = self.trials(&lists, part);
        let count = trials.len();
        let mut results = stream::iter(trials)
            .map(|trial| async move {
                let tried = match is_over(deadline) {
                    true => None,
                    false => Some(trial::until_a_failure(engine, &labs[trial.lab], &trial.request, run).await),
                };
                (trial, tried)
            })
            .buffer_unordered(DEPTH)
            .zip(stream::iter(1..));
        while let Some(((trial, tried), number)) = results.next().await {
            match tried {
                Some(tried) => self.take(&trial, tried?, &format!("mutant {number} of {count}")),
                None => self.surveys[trial.lab].audit.left.push(format!("mutant {}", trial.made.name)),
            }
        }
        Ok(count)
    }

    fn trials<'a>(&self, lists: &'a [Vec<Made>], part: &str) -> Vec<Trial<'a>> {
        let inputs: String = self.surveys.iter().map(|survey| survey.fates.inputs()).collect();
        let seed = plan::commit(&self.engine.workspace).unwrap_or(inputs);
        let mut trials = Vec::new();
        for (lab, (survey, made)) in self.surveys.iter().zip(lists).enumerate().filter(|(_, (one, _))| one.sound) {
            for one in made {
                // What is asked for by its name is tried whatever is known of it.
                let rank = match survey.fates.of(&one.name) {
                    Some(Fate::Caught(_) | Fate::Unviable) if part.is_empty() => continue,
                    Some(_) => 1,
                    None => 0,
                };
                let first = survey.related.to(one);
                let request = Request { first, ..self.request(Source::Mutant(one.mutant())) };
                let drawn = hash::text(&format!("{seed}\n{lab}\n{}", one.name));
                trials.push(((rank, drawn), Trial { lab, made: one, request }));
            }
        }
        trials.sort_by(|(one, _), (other, _)| one.cmp(other));
        let trials = trials.into_iter().map(|(_, trial)| trial).collect();
        match self.options.shard {
            Some(shard) => shard.keep(trials, |_| 1),
            None => trials,
        }
    }

    fn take(&mut self, trial: &Trial<'_>, tried: Tried, number: &str) {
        let (lab, name) = (trial.lab, &trial.made.name);
        let Tried { fate, took } = tried;
        let told = match &fate {
            Ok(Fate::Caught(by)) => format!("caught by {by}"),
            Ok(Fate::Survived) => "SURVIVED".to_owned(),
            Ok(Fate::Unviable) => "does not build".to_owned(),
            Err(message) => format!("cannot be tried: {message}"),
        };
        self.step(lab, format_args!("{number}, {name}: {told}, {:.1} s", took.as_secs_f64()));
        let survey = &mut self.surveys[lab];
        survey.audit.duration_ms += lab_protocol::millis(took);
        match fate {
            Ok(fate) => {
                survey.fates.settle(name, fate);
                survey.fates.save(&self.engine.workspace, &self.labs[lab]);
            }
            Err(message) => {
                survey.audit.infrastructure(&format!("mutant {name}"), &message);
            }
        }
    }
}
