//! `cargo lab down` and `cargo lab doctor`: what the machine has, and what we left on it.

use std::sync::Arc;

use crate::cli::{DoctorArgs, DownArgs};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style, ask};

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

/// Examines the machine, and sets up what is missing if that is asked for.
pub(super) async fn doctor(args: DoctorArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style { format: args.format, narrate: true, ..Style::default() }));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let progress = |text| run.emit(EventKind::Step { text });
    let yes = args.yes;
    let consent = move |question: &str| yes || ask(question);
    let examined = tokio::select! {
        report = lab_services::doctor(args.fix, consent, &progress) => report,
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
