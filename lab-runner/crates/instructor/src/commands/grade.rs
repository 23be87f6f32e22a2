//! `cargo lab grade`: grades a folder of submissions that nobody has read.

use std::sync::Arc;

use camino::Utf8Path;
use lab_runner::cli::{CollectArgs, GradeArgs, GradeCommand, GradingArgs, SubmissionsArgs};
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Request};
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::grade::{Roster, Terms};
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Format, Reporter, Style};
use lab_runner::submission::Source;
use lab_runner::web;
use lab_runner::workspace::Lab;
use lab_services::ProviderChoice;

use crate::grade::{self, Entry, Handed, Ledger, Listed, Options, Times};
use crate::isolation::{self, Isolation};
use crate::results;

/// Grades what `args` name, or joins what was graded.
pub(super) async fn run(args: GradeArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if let Some(GradeCommand::Collect(args)) = args.command {
        return collect(args, interrupt).await;
    }
    summary_format(args.format)?;
    let report = args.report.clone().ok_or_else(|| Error::usage("--report names no folder"))?;
    let folder = Some(report.clone());
    let style = Style { format: args.format, quiet: args.quiet, narrate: true, folder, ..Style::default() };
    let reporter = Arc::new(Reporter::new(style));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let Isolation { sandbox, places: _places } = isolation::choose(args.isolation, &workspace, &run).await?;
    let entries = entries(&args.submissions, &lab, &run)?;
    let (entries, shard) = match args.shard {
        Some(shard) => {
            let times = args.times.as_deref().map(Times::of).transpose()?.unwrap_or_default();
            let (entries, part) = grade::keep(entries, shard, &times);
            (entries, Some(part))
        }
        None => (entries, None),
    };
    let engine = Engine::isolated_by(sandbox, workspace, args.services)?.grading_at_once(args.jobs.into());
    let held_out = args.held_out.unwrap_or_default().disclosure(&lab);
    let request = Request { held_out: Some(held_out), ..request(&args) };
    let terms = Terms {
        lab: lab.id().to_owned(),
        seed: request.seed,
        isolation: engine.isolation().to_owned(),
        runner_version: env!("CARGO_PKG_VERSION").to_owned(),
        shard,
        held_out,
    };
    let unpacked = engine.workspace.lab_folder().join("unpacked");
    let ledger = Ledger::open(&report, terms, args.seed, args.resume, unpacked)?;
    let options = Options { jobs: args.jobs.into(), request: Request { seed: ledger.terms().seed, ..request } };
    let graded = grade::grade(&engine, &lab, entries, &ledger, &options, &run).await;
    let written = match &graded {
        Ok(_) if !args.formats.is_empty() || args.sign.is_some() => {
            results::write_files(&engine, &report, &args.formats, args.sign.as_deref(), &run).await
        }
        _ => Ok(()),
    };
    if graded.is_ok() && args.pages {
        web::write_batch(&engine, &report, &run).await;
    }
    engine.shutdown().await;
    if let Err(Error::Interrupted) = graded {
        run.emit(how_to_go_on(&report));
    }
    let grades = graded?;
    let code = grades.exit_code();
    run.emit(EventKind::GradesFinished { report: Box::new(grades) });
    reporter.finish()?;
    written?;
    Ok(code)
}

/// The submissions that `args` name, and a line for each learner who has none.
fn entries(args: &SubmissionsArgs, lab: &Lab, run: &RunContext) -> Result<Vec<Entry>, Error> {
    let revision = args.rev.as_deref();
    let found = grade::find(&args.paths, lab, revision)?;
    let Some(path) = &args.roster else { return with_git(found) };
    let roster = Roster::read(path, args.key.as_deref()).map_err(|error| Error::usage(error.to_string()))?;
    let beside = path.parent().unwrap_or(Utf8Path::new(""));
    let Listed { entries, strangers } = grade::listed(&roster, beside, found, revision);
    if !strangers.is_empty() {
        let message = format!("not in the roster, and graded all the same: {}", strangers.join(", "));
        run.emit(EventKind::Warning { message, hints: Vec::new() });
    }
    with_git(entries)
}

/// `entries`, if what reads commits is there.
fn with_git(entries: Vec<Entry>) -> Result<Vec<Entry>, Error> {
    let needs_git = entries.iter().any(|entry| matches!(entry.handed, Handed::Commit(_)));
    if needs_git && which::which("git").is_err() {
        return Err(Error::Infrastructure {
            message: "git is not on PATH, and commits are to be graded".into(),
            hints: Vec::new(),
        });
    }
    Ok(entries)
}

/// Joins the report folders of shards.
async fn collect(args: CollectArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let format = summary_format(args.format)?;
    let reporter = Arc::new(Reporter::new(Style { format, ..Style::default() }));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let engine = Engine::new(choose::open(&run)?, ProviderChoice::default())?;
    let collected = async {
        let report = results::collect(&engine, &args.folders, &args.report, &run).await?;
        if let Some(key) = &args.sign {
            results::write_files(&engine, &args.report, &[], Some(key), &run).await?;
        }
        Ok::<_, Error>(report)
    };
    let collected = collected.await;
    engine.shutdown().await;
    let report = collected?;
    let code = report.exit_code();
    run.emit(EventKind::GradesFinished { report: Box::new(report) });
    reporter.finish()?;
    Ok(code)
}

/// `format`, if the summary of a batch can be had in it.
pub(super) fn summary_format(format: Format) -> Result<Format, Error> {
    match format {
        Format::Junit => {
            Err(Error::usage("the summary can be shown as human or json; each submission's folder has a junit.xml"))
        }
        format => Ok(format),
    }
}

fn request(args: &GradeArgs) -> Request {
    let grading = GradingArgs { seed: args.seed, services: args.services, jobs: None, time_limit: args.time_limit };
    let request = choose::request(&grading, Source::Solution, Vec::new());
    Request { record: false, jobs: checks_at_once(request.jobs, args.jobs.into()), ..request }
}

/// How many checks of each submission run at once where so many would of one `alone`: together not more, as what each check has
/// of databases and connections takes memory. Few are slow, as checks wait a lot.
fn checks_at_once(alone: usize, submissions: usize) -> usize {
    (alone / submissions.max(1)).max(4)
}

fn how_to_go_on(report: &Utf8Path) -> EventKind {
    EventKind::Warning {
        message: format!("not all submissions were graded; the results so far are in {report}"),
        hints: vec!["the same command with --resume goes on from there".into()],
    }
}
