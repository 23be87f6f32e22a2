//! From the command line to a command, and from its result to an exit code.

mod args;
mod course;
mod documents;
mod export;
mod gradebook;
mod learner;
mod panic;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;

use crate::commands;
use crate::context::RunContext;
use crate::error::{Error, ExpectedError as _};
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};

pub use args::{
    Args, AuditArgs, BenchArgs, BenchCommand, BenchGradeArgs, CheckArgs, CheckFormat, CollectArgs, ColorChoice,
    Command, DoctorArgs, DownArgs, DraftArgs, EditMutantArgs, FmtArgs, GradeArgs, GradeCommand, GradingArgs,
    HeldOutChoice, HintArgs, IsolationChoice, MutantArgs, MutantCommand, NewArgs, NewMutantArgs, RefreshArgs,
    RegradeArgs, RunArgs, SaveMutantArgs, ShowMutantArgs, SourceArgs, SubmissionsArgs, TestArgs, VerifyArgs, WatchArgs,
};
pub use course::NewCourseArgs;
pub use documents::{CompletionsArgs, ManArgs, Shell};
pub(crate) use documents::{completions, man_page, write_man_pages};
pub use export::{ExportArgs, ExportCommand, JplagArgs, KitArgs};
pub use gradebook::GradebookArgs;
pub use learner::{LogsArgs, NextArgs, ResetArgs, SolutionArgs, TryArgs, WebArgs};

/// Runs `cargo lab` with this process's arguments.
pub fn main() -> ExitCode {
    main_with(commands::dispatch)
}

/// The same for a program that `dispatch` has the commands of: the command line, its errors, colours and panics are one.
pub fn main_with(dispatch: impl AsyncFnOnce(Args, Interrupt) -> Result<ExitCode, Error>) -> ExitCode {
    panic::explain_panics();
    // What we build and start may run as the same user. Where the system does not do it, nothing else is lost.
    let _ = lab_sandbox::keep_memory_private();
    let args = match Args::try_parse_from(arguments()) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage } else { ExitCode::Passed };
        }
    };
    choose_color(args.color);
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| run(args, dispatch)));
    match result {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            report(&error);
            error.exit_code()
        }
        // The panic hook has told it.
        Err(_) => ExitCode::Fault,
    }
}

/// Has `error` told like everything else.
fn report(error: &Error) {
    let (_raise, interrupt) = Interrupt::new();
    let run = RunContext::new(Arc::new(Reporter::new(Style::default())), &interrupt);
    let details = error.details().to_vec();
    run.emit(EventKind::CommandFailed { message: error.message(), details, hints: error.hints() });
}

/// Installed as `cargo-lab`, cargo calls us with `lab` as the first argument.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "lab") {
        arguments.remove(1);
    }
    arguments
}

fn choose_color(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// One thread runs everything: the kernel ends children that must not outlive us when the *thread* that started them
/// ends, and this one lives as long as the process.
fn run(args: Args, dispatch: impl AsyncFnOnce(Args, Interrupt) -> Result<ExitCode, Error>) -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Fault(format!("no runtime: {error}")))?;
    let result = runtime.block_on(async {
        let interrupt = Interrupt::from_signals().map_err(|error| Error::Fault(format!("no signals: {error}")))?;
        dispatch(args, interrupt).await
    });
    // A thread that waits for a lock of another run's must not hold us.
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}
