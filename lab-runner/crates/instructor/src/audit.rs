//! The proof that a lab grades fairly: its documents agree, its starter fails, its solution passes again and again, and
//! every mutant is caught by the checks it names.

mod by_hand;
mod documents;
mod expectations;
mod generated;
mod lines;
mod load;
mod mutants;
mod plan;
mod ratchet;
mod record;
mod seen;
mod solution;
mod source;
mod tables;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lab_protocol::PlanError;
use lab_runner::audit::{AuditReport, LabAudit, Shard};
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Request};
use lab_runner::error::{Error, ExpectedError as _};
use lab_runner::events::EventKind;
use lab_runner::held_out::Disclosure;
use lab_runner::report::Report;
use lab_runner::submission::Source;
use lab_runner::workspace::Lab;

use plan::{Subject, Unit};
use record::Record;
use seen::Seen;
use source::SuiteCode;

/// How to audit.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often the solution has to pass in a row.
    pub repeat: u32,
    /// The mutants to grade; none means all.
    pub mutants: Vec<String>,
    /// Whether generated mutants are graded, and nothing else: those whose names hold this text.
    pub generated: Option<String>,
    /// Whether each mutant is tried on every check, and not only on those it names.
    pub all_checks: bool,
    /// Whether each lab's promise of its expectations is written anew where it has become better.
    pub ratchet: bool,
    /// Whether the lines that reports show for work by hand are run.
    pub try_lines: bool,
    /// After how long nothing more is begun.
    pub within: Option<Duration>,
    /// The part of the work to do; none means all.
    pub shard: Option<Shard>,
    /// How to grade, but for the submission.
    pub request: Request,
}

/// Audits `labs`, telling `run` what is going on.
///
/// # Errors
/// Grading itself is broken, or the user interrupts. What is wrong with a lab is in the report.
pub async fn audit(engine: &Engine, labs: &[Lab], options: &Options, run: &RunContext) -> Result<AuditReport, Error> {
    if let Some(part) = &options.generated {
        return generated::audit(engine, labs, options, part, run).await;
    }
    let began = Instant::now();
    let mut audits: Vec<LabAudit> = labs.iter().map(|lab| LabAudit::new(lab, options.all_checks)).collect();
    let mut all = mutants::units(labs, options, &mut audits)?;
    let mut units = plan::share(all.clone(), options.shard, options.repeat);
    let deadline = options.within.map(|within| began + within);
    let mut auditor = Auditor {
        engine,
        labs,
        options,
        run,
        deadline,
        audits,
        records: Vec::new(),
        sources: Vec::new(),
        untold: BTreeSet::new(),
        seen: Vec::new(),
        shown: Vec::new(),
    };
    auditor.sources = labs.iter().map(SuiteCode::of).collect();
    auditor.seen = labs.iter().map(|lab| Seen::load(&engine.workspace, lab)).collect();
    auditor.documents(&mut units).await?;
    // Only now: cargo may have brought Cargo.lock up to date for the suites.
    auditor.records = labs.iter().map(|lab| Record::load(&engine.workspace, lab)).collect();
    let planned: BTreeSet<(usize, String)> = units.iter().map(|unit| (unit.lab, unit.place())).collect();
    auditor.services(&mut units).await;
    auditor.prove(units).await?;
    auditor.lines().await?;
    if options.mutants.is_empty() {
        all.retain(|unit| auditor.is_untried(unit, &planned));
        auditor.every_check_catches_one(&all);
    }
    for lab in 0..labs.len() {
        auditor.expectations(lab)?;
    }
    documents::names_are_unique(&engine.workspace, &mut auditor.audits);
    Ok(AuditReport::new(auditor.of_this_shard(), options.shard, planned.len(), began.elapsed()))
}

/// An audit as it goes on.
struct Auditor<'a> {
    engine: &'a Engine,
    labs: &'a [Lab],
    options: &'a Options,
    run: &'a RunContext,
    /// When nothing more is begun.
    deadline: Option<Instant>,
    /// What was found, lab by lab.
    audits: Vec<LabAudit>,
    /// What is proven, lab by lab.
    records: Vec<Record>,
    /// The suites as they are written, lab by lab.
    sources: Vec<SuiteCode>,
    /// What was to be proven and could not be tried, by lab and place, for a fault that is not the lab's.
    untold: BTreeSet<(usize, String)>,
    /// Which expectations have been seen to fail, lab by lab.
    seen: Vec<Seen>,
    /// The lines that reports showed, where they are to be run.
    shown: Vec<lines::Shown>,
}

impl Auditor<'_> {
    fn step(&self, lab: usize, text: impl std::fmt::Display) {
        self.run.emit(EventKind::Step { text: format!("{}: {text}", self.labs[lab].id()) });
    }

    fn request(&self, source: Source) -> Request {
        Request { source, checks: Vec::new(), record: false, ..self.options.request.clone() }
    }

    fn time_is_over(&self) -> bool {
        is_over(self.deadline)
    }

    /// What can be told of the labs of `units` without running a submission. Takes out the mutants that name no check.
    async fn documents(&mut self, units: &mut Vec<Unit>) -> Result<(), Error> {
        let mut unplanned = BTreeSet::new();
        for lab in units.iter().map(|unit| unit.lab).collect::<BTreeSet<_>>() {
            let suite = self.engine.suite(&self.labs[lab], Some(Disclosure::Full), self.run).await?;
            let audit = &mut self.audits[lab];
            audit.declare(&suite.checks);
            audit.problems.extend(documents::examine(&self.labs[lab], &suite.checks, &self.sources[lab]));
            if let Err(PlanError::UnknownNeed { .. }) = lab_protocol::plan(&suite.checks, &[]) {
                unplanned.insert(lab);
            }
        }
        // A suite that cannot plan its checks runs none of them.
        units.retain(|unit| !unplanned.contains(&unit.lab));
        units.retain(|unit| unit.mutant().is_none_or(|mutant| self.names_checks(unit.lab, mutant)));
        Ok(())
    }

    /// Has the services of the labs of `units`. Of a lab that cannot have its own nothing can be told: it is said once, and
    /// its units are taken out.
    async fn services(&mut self, units: &mut Vec<Unit>) {
        for lab in units.iter().map(|unit| unit.lab).collect::<BTreeSet<_>>() {
            if let Err(error) = self.engine.have_services(&self.labs[lab], self.run).await {
                let hints = error.hints().into_iter().map(|hint| format!("\n{hint}"));
                let message: String = std::iter::once(error.message()).chain(hints).collect();
                self.step(lab, format_args!("not audited: {}", error.message()));
                self.audits[lab].infrastructure("services", &message);
                let (without, others): (Vec<Unit>, Vec<Unit>) =
                    std::mem::take(units).into_iter().partition(|unit| unit.lab == lab);
                self.untold.extend(without.iter().map(|unit| (lab, unit.place())));
                *units = others;
            }
        }
    }

    /// Proves `units` in the order that counts, until the time is over.
    async fn prove(&mut self, units: Vec<Unit>) -> Result<(), Error> {
        for unit in units.iter().filter(|unit| self.records[unit.lab].holds(&unit.place())) {
            self.audits[unit.lab].on_record += 1;
        }
        let seed = plan::seed(&self.engine.workspace, &self.records);
        let ordered = plan::order(units, &self.records, &seed);
        // Rounds under load have the machine for themselves; mutants are built and graded side by side.
        for units in ordered.chunk_by(|one, next| one.mutant().is_some() && next.mutant().is_some()) {
            match &units[0].subject {
                Subject::Solution => self.solution(&units[0]).await?,
                Subject::Mutant(_) => self.mutants(units).await?,
            }
        }
        Ok(())
    }

    /// Whether `unit` is another shard's, was left, or could not be tried.
    fn is_untried(&self, unit: &Unit, planned: &BTreeSet<(usize, String)>) -> bool {
        let place = unit.place();
        let key = (unit.lab, place);
        self.audits[unit.lab].left.contains(&key.1) || !planned.contains(&key) || self.untold.contains(&key)
    }

    /// Records that `unit` was tried, and proven if it `holds`.
    fn conclude(&mut self, unit: &Unit, holds: bool) {
        let record = &mut self.records[unit.lab];
        if holds {
            record.add(&unit.place());
        } else {
            record.remove(&unit.place());
        }
        record.save(&self.engine.workspace, &self.labs[unit.lab]);
    }

    /// Records that there was no time for `unit`.
    fn leave(&mut self, unit: &Unit) {
        self.audits[unit.lab].left.push(unit.place());
    }

    /// The labs of which this shard had to prove something, or of which something is wrong.
    fn of_this_shard(self) -> Vec<LabAudit> {
        let mut audits = self.audits;
        audits.retain(|audit| !audit.order.is_empty() || !audit.problems.is_empty());
        for audit in &mut audits {
            audit.mutants.sort_by(|one, other| one.name.cmp(&other.name));
            audit.left.sort();
        }
        audits
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// Why a report is not what it should be, in a line.
fn describe(report: &Report) -> String {
    if let Some(diagnostics) = &report.diagnostics {
        let detail = diagnostics.details.first().map(|detail| format!("\n{detail}")).unwrap_or_default();
        return format!("{}{detail}", diagnostics.message);
    }
    let not_passed = report.checks.iter().filter(|check| check.verdict != lab_protocol::Verdict::Passed);
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
