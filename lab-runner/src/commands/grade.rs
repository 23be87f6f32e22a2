//! `cargo lab grade`: grades a folder of submissions that nobody has read.

use std::sync::Arc;

use super::choose;
use crate::cli::{GradeArgs, GradingArgs, IsolationChoice};
use crate::context::RunContext;
use crate::engine::{Engine, Request};
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::grade::{self, Ledger, Options, Terms};
use crate::interrupt::Interrupt;
use crate::reporter::{Format, Reporter, Style};
use crate::submission::Source;
use lab_sandbox::{Choice, Sandbox};

/// What is left where nothing isolates.
const IN_THE_OPEN: &str = "--isolation none runs each submission with your own rights: use a container or virtual machine \
                           that you throw away afterwards";

/// Grades what `args` name.
pub(super) async fn run(args: GradeArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if args.format == Format::Junit {
        return Err(Error::usage(
            "the summary can be shown as human or json; each submission's folder has a junit.xml",
        ));
    }
    let sandbox = sandbox(args.isolation)?;
    let folder = Some(args.report.clone());
    let style = Style { format: args.format, quiet: args.quiet, narrate: true, folder, ..Style::default() };
    let reporter = Arc::new(Reporter::new(style));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let entries = grade::find(&args.paths, &lab)?;
    let engine = Engine::isolated_by(sandbox, workspace, args.services)?.grading_at_once(args.jobs.into());
    let request = request(&args);
    let terms = Terms {
        lab: lab.id().to_owned(),
        seed: request.seed,
        isolation: engine.isolation().to_owned(),
        runner_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let unpacked = engine.workspace.lab_folder().join("unpacked");
    let ledger = Ledger::open(&args.report, terms, args.seed, args.resume, unpacked)?;
    let options = Options { jobs: args.jobs.into(), request: Request { seed: ledger.terms().seed, ..request } };
    let graded = grade::grade(&engine, &lab, entries, &ledger, &options, &run).await;
    engine.shutdown().await;
    if let Err(Error::Interrupted) = graded {
        run.emit(how_to_go_on(&args));
    }
    let report = graded?;
    let code = report.exit_code();
    run.emit(EventKind::GradesFinished { report: Box::new(report) });
    reporter.finish()?;
    Ok(code)
}

/// Nobody runs what nobody has read without having said so.
fn sandbox(choice: IsolationChoice) -> Result<Sandbox, Error> {
    let choice = match choice {
        IsolationChoice::Auto => Choice::Auto,
        IsolationChoice::Bubblewrap => Choice::Bubblewrap,
        IsolationChoice::None => Choice::None,
    };
    choice.sandbox().map_err(|error| Error::Infrastructure {
        message: error.to_string(),
        hints: error.hints().into_iter().chain([IN_THE_OPEN.to_owned()]).collect(),
    })
}

fn request(args: &GradeArgs) -> Request {
    let grading = GradingArgs { seed: args.seed, services: args.services, jobs: None, time_limit: args.time_limit };
    let request = choose::request(&grading, Source::Solution, Vec::new());
    Request { record: false, ..request }
}

fn how_to_go_on(args: &GradeArgs) -> EventKind {
    EventKind::Warning {
        message: format!("not all submissions were graded; the results so far are in {}", args.report),
        hints: vec!["the same command with --resume goes on from there".into()],
    }
}
