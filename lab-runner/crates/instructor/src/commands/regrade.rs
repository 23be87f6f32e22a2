//! `cargo lab regrade`: grades again what an earlier report has graded, and shows what would change and why.

use std::sync::Arc;

use lab_runner::cli::{GradeArgs, RegradeArgs};
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Format, Reporter, Style};
use lab_services::ProviderChoice;

use super::grade;
use crate::grade::Ledger;
use crate::results;

/// Grades what `args` name, and compares.
pub(super) async fn run(args: RegradeArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let json = grade::summary_format(args.format)? == Format::Json;
    let terms = Ledger::terms_of(&args.against)?;
    let again = GradeArgs {
        command: None,
        submissions: args.submissions,
        lab: Some(terms.lab),
        report: Some(args.report.clone()),
        pages: false,
        formats: Vec::new(),
        sign: None,
        shard: None,
        times: None,
        resume: args.resume,
        isolation: args.isolation,
        jobs: args.jobs,
        seed: Some(terms.seed),
        services: args.services,
        time_limit: None,
        // By the same names, or nothing could be compared.
        held_out: Some(terms.held_out.into()),
        // What is printed is the comparison.
        format: Format::Converted,
        quiet: false,
    };
    let code = grade::run(again, interrupt.clone()).await?;
    let reporter = Arc::new(Reporter::new(Style { format: args.format, ..Style::default() }));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let engine = Engine::new(choose::open(&run)?, ProviderChoice::default())?;
    let compared = results::compare(&engine, &args.against, &args.report, json, &run).await;
    engine.shutdown().await;
    let compared = compared?;
    run.emit(EventKind::ResultConverted { text: compared.text });
    reporter.finish()?;
    Ok(match code {
        ExitCode::Passed if !compared.yes => ExitCode::NotPassed,
        code => code,
    })
}
