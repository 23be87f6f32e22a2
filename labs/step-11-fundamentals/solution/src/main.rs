//! The box office as a program: orders in, the same orders in one form out, or a report about them.

mod cli;
mod error;
mod input;
mod json;
mod lines;
mod moment;
mod money;
mod order;
mod output;
mod pipeline;
mod processing;
mod report;
#[cfg(test)]
mod tests;

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::cli::Request;
use crate::error::Error;
use crate::output::Output;

/// The learner's own test cases (task 9), one JSON object a line.
const CASES: &str = include_str!("cases.ndjson");

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        // Whoever has stopped reading has what they wanted: `boxoffice import | head -1`.
        Err(Error::ReaderGone) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is gone as well, the exit code is all that can be said.
            let _ = writeln!(io::stderr(), "boxoffice: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Error> {
    match Request::parse(std::env::args_os().skip(1))? {
        Request::Cases => {
            let mut output = Output::standard();
            output.write(CASES)?;
            output.commit()?;
            Ok(ExitCode::SUCCESS)
        }
        Request::Process(options) => processing::run(&options),
    }
}
