//! The program that a suite is: lists its checks, runs them against a server, serves one for work by hand, or leaves one standing as a
//! check left it.

mod attempt;
pub(crate) mod channel;
mod contained;
mod hold;
mod panics;
mod pulse;
pub(crate) mod replacements;
mod schedule;
mod session;

use std::process::ExitCode;

use crate::check;
use lab_check::service::ServiceDriver;
use lab_protocol::SuiteList;

/// The drivers of the services that a suite can use.
type Drivers = &'static [&'static dyn ServiceDriver];

/// What the `main` of a suite without services calls. The checks are found by themselves.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main()
/// }
/// ```
pub fn main() -> ExitCode {
    main_with(&[])
}

/// What the `main` of a suite calls whose lab asks for services. The checks are found by themselves.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main_with(&[&lab_postgres::Driver, &lab_redis::Driver])
/// }
/// ```
pub fn main_with(drivers: &'static [&'static dyn ServiceDriver]) -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("list") => list(),
        Some("run") => session::with_runtime(|| session::run(drivers)),
        Some("hold") => session::with_runtime(|| session::hold(drivers)),
        Some("serve") => session::with_runtime(|| session::serve(drivers)),
        _ => usage(),
    }
}

/// The answer to `list` is the contract that a report must cover.
#[allow(clippy::print_stdout)]
fn list() -> ExitCode {
    let checks = check::all().into_iter().map(check::Check::info).collect();
    match serde_json::to_string(&SuiteList { protocol: lab_protocol::VERSION, checks }) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string()),
    }
}

fn usage() -> ExitCode {
    fail("a suite is run by `cargo lab check`; by hand it understands only `list`")
}

#[allow(clippy::print_stderr)]
fn fail(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(2)
}
