//! One run of `import` or `report`, from its first byte to its exit code.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::cli::{Command, Options};
use crate::error::Error;
use crate::input::Input;
use crate::lines;
use crate::order::{LineError, Order};
use crate::output::Output;
use crate::pipeline::{Ending, Pipeline};
use crate::report::Report;

const BAD_LINES: u8 = 1;
/// What a shell tells of a program that SIGINT has ended: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

/// What a worker makes of a block of lines.
#[derive(Debug, Default)]
pub struct Processed {
    /// How many lines there were.
    pub lines: usize,
    /// Its orders, written (`import`).
    pub output: String,
    /// Its orders, summed up (`report`).
    pub report: Report,
    /// Its bad lines, by their numbers within the block, from 1.
    pub bad: Vec<(usize, LineError)>,
}

/// Does what `options` say, and tells the exit code.
///
/// # Errors
/// It cannot be done.
pub fn run(options: &Options) -> Result<ExitCode, Error> {
    let command = options.command;
    let input = Input::open(options.input.as_deref())?;
    let mut output = options.output.as_deref().map_or_else(|| Ok(Output::standard()), Output::file)?;
    let mut pipeline = Pipeline::start(input, options.jobs, move |block| process(command, block));
    let mut report = Report::default();
    let (mut lines, mut has_bad) = (0, false);
    for processed in pipeline.by_ref() {
        has_bad |= !processed.bad.is_empty();
        complain(lines, &processed.bad);
        lines += processed.lines;
        report.merge(&processed.report);
        output.write(&processed.output)?;
    }
    let ending = pipeline.finish()?;
    if command == Command::Report {
        output.write(&report.lines()?)?;
    }
    end(output, ending, has_bad)
}

/// What a worker does.
pub fn process(command: Command, block: &[u8]) -> Processed {
    let mut processed = Processed::default();
    for line in lines::of_block(block) {
        processed.lines += 1;
        match Order::parse(line) {
            Ok(order) if command == Command::Import => order.write(&mut processed.output),
            Ok(order) => processed.report.add(&order),
            Err(_) if is_blank(line) => {}
            Err(error) => processed.bad.push((processed.lines, error)),
        }
    }
    processed
}

fn is_blank(line: &[u8]) -> bool {
    line.len() <= lines::LONGEST && line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Tells of bad lines on standard error. `before` lines were before their block.
fn complain(before: usize, bad: &[(usize, LineError)]) {
    let mut messages = String::new();
    for (number, error) in bad {
        // Writing to a string does not fail.
        let _ = writeln!(messages, "line {}: {error}", before + number);
    }
    // If nobody can be told, the exit code still tells.
    let _ = io::stderr().write_all(messages.as_bytes());
}

fn end(output: Output, ending: Ending, has_bad: bool) -> Result<ExitCode, Error> {
    if ending == Ending::Interrupted {
        // Half an output is for whoever watches, and must not replace a file.
        drop(output);
        return Ok(ExitCode::from(INTERRUPTED));
    }
    output.commit()?;
    Ok(if has_bad { ExitCode::from(BAD_LINES) } else { ExitCode::SUCCESS })
}
