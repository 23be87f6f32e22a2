//! `cargo lab down` and `cargo lab doctor`: what the machine has, and what we left on it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::cli::{DoctorArgs, DownArgs};
use crate::error::Error;
use crate::events::{Listener as _, Progress};
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::Narrator;
use lab_services as services;

/// Removes what was kept warm.
pub(super) async fn down(args: DownArgs) -> Result<ExitCode, Error> {
    let report = services::down(args.all)
        .await
        .map_err(|problem| Error::Infrastructure { message: problem.to_string(), hints: problem.hints().to_vec() })?;
    let _ = write!(anstream::stdout(), "{report}");
    Ok(code(report.exit_code()))
}

/// Examines the machine, and mends what is missing if that is asked for.
pub(super) async fn doctor(args: DoctorArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let narrator = Narrator::new();
    let progress = |text| narrator.hear(Progress::Doing(text));
    let yes = args.yes;
    let consent = move |question: &str| yes || ask(question);
    let examined = tokio::select! {
        report = services::doctor(args.fix, consent, &progress) => report,
        () = interrupt.wait() => return Err(Error::Interrupted),
    };
    let report = examined.ok_or_else(|| Error::Fault("the examination ended before its time".into()))?;
    let _ = write!(anstream::stdout(), "{report}");
    Ok(code(report.exit_code()))
}

fn code(number: u8) -> ExitCode {
    if number == 0 { ExitCode::Passed } else { ExitCode::Infrastructure }
}

/// Asks on the terminal. Where there is none, nobody has agreed.
fn ask(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let _ = write!(anstream::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
