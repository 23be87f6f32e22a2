//! The box office as a program: orders in, the same orders in one form out, or a report about them.

mod cli;
mod error;
mod json;
mod order;
mod processing;
mod report;

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::cli::Request;
use crate::error::Error;

/// Your own test cases.
// TODO(step-11.9): write some into that file. README.md says what they look like.
const CASES: &str = include_str!("cases.ndjson");

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        // TODO(step-11.8): when standard output is closed, there is nothing to be said.
        Err(error) => {
            let _ = writeln!(io::stderr(), "boxoffice: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Error> {
    match Request::parse(std::env::args_os().skip(1))? {
        Request::Cases => {
            io::stdout().write_all(CASES.as_bytes()).map_err(Error::doing("write to standard output"))?;
            Ok(ExitCode::SUCCESS)
        }
        Request::Process(options) => processing::run(&options),
    }
}
