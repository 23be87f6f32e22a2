//! One run of `import` or `report`, from its first byte to its exit code.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use crate::cli::{Command, Options};
use crate::error::Error;
use crate::order::Order;
use crate::report::Report;

/// Does what `options` say, and tells the exit code.
///
/// # Errors
/// It cannot be done.
pub fn run(options: &Options) -> Result<ExitCode, Error> {
    // TODO(step-11.6): this holds the whole input, and then the whole output. Read a piece, work on it, write it, forget it.
    // TODO(step-11.7): have `options.jobs` threads work on the lines, and put what they make back in order.
    // TODO(step-11.8): SIGINT ends the input early: see the crates `signal-hook` (`low_level::pipe`) and `rustix`
    // (`event::poll`).
    let input = read(options)?;
    let (mut output, mut report, mut has_bad) = (String::new(), Report::default(), false);
    for (index, line) in input.lines().enumerate() {
        // TODO(step-11.1): lines that are empty, or hold only spaces and tabs, are neither good nor bad.
        match Order::parse(line) {
            Ok(order) if options.command == Command::Import => order.write(&mut output),
            Ok(order) => report.add(&order),
            Err(error) => {
                has_bad = true;
                let _ = writeln!(io::stderr(), "line {}: {error}", index + 1);
            }
        }
    }
    if options.command == Command::Report {
        output = report.lines();
    }
    // TODO(step-11.8): write to `options.output`, so that the file is the old one or the new one at any moment.
    io::stdout().write_all(output.as_bytes()).map_err(Error::doing("write to standard output"))?;
    Ok(if has_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(options: &Options) -> Result<String, Error> {
    // TODO(step-11.3): a line whose bytes are not UTF-8 is a bad line, and the others are read as usual.
    match &options.input {
        Some(path) => fs::read_to_string(path).map_err(Error::doing(&format!("read {}", path.display()))),
        None => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(Error::doing("read standard input"))?;
            Ok(text)
        }
    }
}
