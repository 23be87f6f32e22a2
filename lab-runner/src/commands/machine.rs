//! `cargo lab down` and `cargo lab doctor`: what the machine has, and what we left on it.

use std::sync::Arc;

use lab_services::{Examination, LabNeeds};

use super::choose;
use crate::cli::{DoctorArgs, DownArgs};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style, ask};
use crate::workspace::{Lab, Workspace};

/// Removes what was kept warm.
pub(super) async fn down(args: DownArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let report = lab_services::down(args.all)
        .await
        .map_err(|error| Error::Infrastructure { message: error.to_string(), hints: error.hints().to_vec() })?;
    let code = code(report.exit_code());
    run.emit(EventKind::DownFinished { report: Box::new(report) });
    reporter.finish()?;
    Ok(code)
}

/// Examines the machine for the labs that are named, or for all, and sets up what is missing if that is asked for.
pub(super) async fn doctor(args: DoctorArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style { format: args.format, narrate: true, ..Style::default() }));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let named = !args.labs.is_empty();
    // Without a course it is about the machine alone.
    let labs = match Workspace::discover() {
        Ok(workspace) => choose::labs(&workspace, &args.labs)?,
        Err(error) if named => return Err(error.into()),
        Err(_) => Vec::new(),
    };
    let needs = |lab: &Lab| LabNeeds { lab: lab.id().to_owned(), services: lab.manifest.services.clone() };
    let examination = Examination { labs: labs.iter().map(needs).collect(), named, fix: args.fix };
    let progress = |text| run.emit(EventKind::Step { text });
    let yes = args.yes;
    let consent = move |question: &str| yes || ask(question);
    let examined = tokio::select! {
        report = lab_services::doctor(examination, consent, &progress) => report,
        () = run.cancel().cancelled() => return Err(Error::Interrupted),
    };
    let report = examined.ok_or_else(|| Error::Fault("the examination stopped early".into()))?;
    let code = code(report.exit_code());
    run.emit(EventKind::DoctorFinished { report: Box::new(report) });
    reporter.finish()?;
    Ok(code)
}

fn code(number: u8) -> ExitCode {
    if number == 0 { ExitCode::Passed } else { ExitCode::Infrastructure }
}
