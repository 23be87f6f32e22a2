//! `cargo lab check`: grades one submission and tells the result.

use std::io::IsTerminal as _;
use std::sync::Arc;

use super::choose;
use crate::cli::{CheckArgs, CheckFormat};
use crate::context::RunContext;
use crate::engine::{Engine, Extent, Request};
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::learner::starter::Starter;
use crate::reporter::{Reporter, Style};
use crate::results;
use crate::submission::Source;
use crate::web;

/// Grades what `args` name.
pub(super) async fn run(args: CheckArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let (format, foreign) = args.format.parts();
    let style = Style {
        format,
        quiet: args.quiet,
        all_hints: args.hints,
        everything: args.all,
        narrate: false,
        folder: args.report.clone(),
    };
    let reporter = Arc::new(Reporter::new(style));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let (lab, checks, task) = match choose::task_of_name(&workspace, &args.names) {
        Some((lab, task)) => (lab, args.names[1..].to_vec(), Some(task)),
        None => {
            let (lab, checks) = choose::lab_and_checks(&workspace, &args.names)?;
            (lab, checks, args.task)
        }
    };
    if task.is_some() && !checks.is_empty() {
        return Err(Error::usage("name a task or checks, not both"));
    }
    let source = choose::source(&args.source, &lab)?;
    let extent = extent(&args, task, &source);
    let held_out = args.held_out.map(|shown| shown.disclosure(&lab));
    let request = Request { extent, held_out, ..choose::request(&args.grading, source, checks) };
    // What an instructor asks is no learner's progress.
    let request = Request { record: request.record && held_out.is_none(), ..request };
    let engine = Engine::new(workspace, args.grading.services)?;
    if matches!(request.source, Source::WorkingTree) {
        Starter::keep_first(&lab, &engine.state);
    }
    let graded = engine.grade(&lab, &request, &run).await;
    // The result has been told by now, and its other files are written.
    if let (Ok(_), Some(folder)) = (&graded, &args.report) {
        web::write_page(&engine, folder, &run).await;
    }
    let converted = match (&graded, foreign) {
        (Ok(report), Some(format)) => results::convert(&engine, report, format, &run).await.map(Some),
        _ => Ok(None),
    };
    engine.shutdown().await;
    let report = graded?;
    if let Some(text) = converted? {
        run.emit(EventKind::ResultConverted { text });
    }
    reporter.finish()?;
    Ok(report.exit_code())
}

/// How much to ask. A learner at work waits for no task behind the one that is not done; a machine wants to know
/// everything.
fn extent(args: &CheckArgs, task: Option<u32>, source: &Source) -> Extent {
    let watched = || std::io::stdout().is_terminal() && std::env::var_os("CI").is_none();
    let own = matches!(source, Source::WorkingTree);
    let for_machines = args.format != CheckFormat::Human || args.report.is_some() || args.quiet;
    match task {
        Some(task) => Extent::Task(task),
        None if args.all || for_machines || !own || args.held_out.is_some() => Extent::Whole,
        None if args.next_task || watched() => Extent::NextTask,
        None => Extent::Whole,
    }
}
