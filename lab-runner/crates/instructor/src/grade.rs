//! Grades many submissions in a row: a folder of them, archives, or commits of repositories. Each has services of its own, what is identical is
//! graded once, and an interrupted run goes on where it stopped.

mod archive;
mod entries;
mod ledger;
mod listed;
mod part;
mod repository;
mod summary;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use lab_protocol::millis;
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Request};
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::grade::{GradeReport, Graded, Standing};
use lab_runner::report::{Outcome, Report};
use lab_runner::submission::{self, Source};
use lab_runner::suite::Suite;
use lab_runner::workspace::Lab;
use lab_sandbox::Sandbox;

pub use entries::{Entry, Handed, Opened, find};
pub use ledger::Ledger;
pub use listed::{Listed, listed};
pub use part::{Times, keep};

/// How to grade many submissions.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many are graded at once. One more is being built meanwhile.
    pub jobs: usize,
    /// How each is graded, but for the submission itself.
    pub request: Request,
}

/// Grades `entries` as submissions for `lab`, writing each result to `ledger` as soon as there is one.
///
/// # Parameters
/// `engine` lends its turns for building and grading; each submission has services and files of its own.
///
/// # Errors
/// The suite is broken, a result cannot be written, or the user interrupts. What is wrong with a submission is in its
/// result.
pub async fn grade(
    engine: &Engine,
    lab: &Lab,
    entries: Vec<Entry>,
    ledger: &Ledger,
    options: &Options,
    run: &RunContext,
) -> Result<GradeReport, Error> {
    let began = Instant::now();
    let suite = engine.suite(lab, options.request.held_out, run).await?;
    engine.compile_dependencies(lab, run).await?;
    ledger.begin()?;
    let mut batch = Batch::new(lab, ledger, &suite, began, entries.len());
    let pending = batch.sort(entries, &suite.sha256, engine.sandbox(), run)?;
    batch.left = pending.len();
    run.emit(EventKind::GradingPlanned {
        lab: lab.id().to_owned(),
        submissions: batch.total,
        known: batch.done.len(),
        identical: batch.twins.values().map(Vec::len).sum(),
    });
    batch.share_known(run)?;
    let mut results = stream::iter(pending)
        .map(|pending| async move { (graded(engine, lab, &pending, options, run).await, pending) })
        .buffer_unordered(options.jobs + 1);
    while let Some((result, pending)) = results.next().await {
        batch.take(result, &pending.entry, run)?;
    }
    drop(results);
    let report = summary::summary(lab, engine.isolation(), ledger.terms(), &suite, batch.done, began.elapsed());
    ledger.conclude(&report)?;
    Ok(report)
}

/// A submission that has to be graded.
#[derive(Debug)]
struct Pending {
    entry: Entry,
    opened: Opened,
}

/// Grades one submission: once more, if the first time failed for a reason of ours.
async fn graded(
    engine: &Engine,
    lab: &Lab,
    pending: &Pending,
    options: &Options,
    run: &RunContext,
) -> Result<Report, Error> {
    let request = Request { source: Source::Folder(pending.opened.folder.clone()), ..options.request.clone() };
    let report = alone(engine, lab, &request, run).await?;
    if report.outcome == Outcome::InfrastructureError {
        return alone(engine, lab, &request, run).await;
    }
    Ok(report)
}

/// Grades with services that nobody else uses, and nobody after.
async fn alone(engine: &Engine, lab: &Lab, request: &Request, run: &RunContext) -> Result<Report, Error> {
    let own = engine.for_one_submission()?;
    let graded = own.grade(lab, request, &run.silent()).await;
    own.shutdown().await;
    graded
}

/// Has `report` tell what was handed in: where it was unpacked is gone, and those with the same files share a result.
fn name(report: &mut Report, entry: &Entry) {
    report.submission.path = entry.path.to_string();
    report.submission.commit.clone_from(&entry.commit);
}

/// A batch as it goes on.
struct Batch<'a> {
    lab: &'a Lab,
    ledger: &'a Ledger,
    began: Instant,
    /// The points of all checks.
    points: u32,
    total: usize,
    left: usize,
    graded: u32,
    done: Vec<Graded>,
    /// The submissions with the very files of another one, by that one's folder.
    twins: BTreeMap<String, Vec<Entry>>,
}

impl<'a> Batch<'a> {
    fn new(lab: &'a Lab, ledger: &'a Ledger, suite: &Suite, began: Instant, total: usize) -> Self {
        let points = suite.checks.iter().map(|check| check.points).sum();
        Self { lab, ledger, began, points, total, left: 0, graded: 0, done: Vec::new(), twins: BTreeMap::new() }
    }

    /// Those of `entries` that are to be graded. What has a result already, or can have none, is done, and what has the
    /// files of another one waits for that one's result.
    fn sort(
        &mut self,
        entries: Vec<Entry>,
        suite: &str,
        sandbox: &Sandbox,
        run: &RunContext,
    ) -> Result<Vec<Pending>, Error> {
        let mut pending = Vec::new();
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        for mut entry in entries {
            if run.cancel().is_cancelled() {
                return Err(Error::Interrupted);
            }
            if entry.handed == Handed::Nothing {
                self.done.push(summary::missing(&entry));
                continue;
            }
            let (opened, sha256) = match self.read(&entry, sandbox) {
                Ok(read) => read,
                Err(error) => {
                    self.done.push(summary::unreadable(&entry, &error));
                    continue;
                }
            };
            entry.commit.clone_from(&opened.commit);
            if let Some(mut report) = self.ledger.known(&entry, &sha256, suite) {
                if report.submission.commit != entry.commit {
                    name(&mut report, &entry);
                    self.ledger.write(&entry, &report)?;
                }
                first.entry(sha256).or_insert_with(|| entry.folder.clone());
                self.done.push(summary::graded(&entry, &report, self.points, Standing::Known));
            } else if let Some(of) = first.get(&sha256) {
                self.twins.entry(of.clone()).or_default().push(entry);
            } else {
                first.insert(sha256, entry.folder.clone());
                pending.push(Pending { entry, opened });
            }
        }
        Ok(pending)
    }

    /// The files of `entry`, and their hash.
    fn read(&self, entry: &Entry, sandbox: &Sandbox) -> Result<(Opened, String), Error> {
        let opened = entry.open(self.lab, self.ledger.unpacked(), sandbox)?;
        let sha256 = submission::hash_of(&opened.folder, self.lab)?;
        Ok((opened, sha256))
    }

    fn take(&mut self, result: Result<Report, Error>, entry: &Entry, run: &RunContext) -> Result<(), Error> {
        let mut report = match result {
            Ok(report) => report,
            // What changed or vanished since it was read.
            Err(error @ Error::Submission(_)) => {
                self.left -= 1;
                self.done.push(summary::unreadable(entry, &error));
                let twins = self.twins.remove(&entry.folder).unwrap_or_default();
                self.done.extend(twins.iter().map(|twin| summary::unreadable(twin, &error)));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        name(&mut report, entry);
        self.ledger.write(entry, &report)?;
        self.left -= 1;
        self.graded += 1;
        self.report(summary::graded(entry, &report, self.points, Standing::Graded), report.clone(), run);
        self.share(&entry.folder, &report, run)
    }

    /// Gives the results that an earlier run left to those with the same files.
    fn share_known(&mut self, run: &RunContext) -> Result<(), Error> {
        let known = self.done.iter().filter(|graded| graded.standing == Standing::Known);
        for of in known.map(|graded| graded.folder.clone()).collect::<Vec<_>>() {
            if self.twins.contains_key(&of)
                && let Some(report) = self.ledger.result_of(&of)
            {
                self.share(&of, &report, run)?;
            }
        }
        Ok(())
    }

    /// Gives `report`, of the submission in the folder `of`, to those with the same files.
    fn share(&mut self, of: &str, report: &Report, run: &RunContext) -> Result<(), Error> {
        for entry in self.twins.remove(of).unwrap_or_default() {
            let mut report = report.clone();
            name(&mut report, &entry);
            self.ledger.write(&entry, &report)?;
            let standing = Standing::SameAs { folder: of.to_owned() };
            self.report(summary::graded(&entry, &report, self.points, standing), report, run);
        }
        Ok(())
    }

    fn report(&mut self, graded: Graded, report: Report, run: &RunContext) {
        self.done.push(graded.clone());
        let left_ms = self.time_left().map(millis);
        let (done, total) = (self.done.len(), self.total);
        run.emit(EventKind::SubmissionGraded { graded, report: Box::new(report), done, total, left_ms });
    }

    /// How long the rest will take if it takes as long as what was graded in this run: unknown until two are.
    fn time_left(&self) -> Option<Duration> {
        (self.graded >= 2).then(|| self.began.elapsed() / self.graded * u32::try_from(self.left).unwrap_or(u32::MAX))
    }
}
