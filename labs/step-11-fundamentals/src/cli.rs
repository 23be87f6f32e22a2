//! The command line: what is asked for, known before the first byte of input is read.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::Error;

const USAGE: &str = "usage: boxoffice import|report [--jobs N] [--output FILE] [FILE], or boxoffice cases";

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To write its own test cases.
    Cases,
    /// To process orders.
    Process(Options),
}

/// Which orders to process, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// What becomes of them.
    pub command: Command,
    /// How many workers there are (task 7).
    #[allow(dead_code)]
    pub jobs: usize,
    /// The file they are in, if not standard input.
    pub input: Option<PathBuf>,
    /// The file to write, if not standard output (task 8).
    #[allow(dead_code)]
    pub output: Option<PathBuf>,
}

/// What becomes of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Each is written in the canonical form.
    Import,
    /// They are summed up by event.
    Report,
}

impl Request {
    /// Reads the arguments behind the program's name.
    ///
    /// # Errors
    /// They are none that the program knows.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let mut arguments = arguments.into_iter();
        let command = arguments.next().unwrap_or_default();
        match command.to_str() {
            Some("import") => Options::parse(Command::Import, arguments).map(Self::Process),
            Some("report") => Options::parse(Command::Report, arguments).map(Self::Process),
            Some("cases") => Ok(Self::Cases),
            _ => Err(Error::Usage(format!("no such command: {} ({USAGE})", command.display()))),
        }
    }
}

impl Options {
    fn parse(command: Command, arguments: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut options = Self { command, jobs: 1, input: None, output: None };
        for argument in arguments {
            match argument.to_str() {
                // TODO(step-11.1): `--jobs N` and `--output FILE`, whose values are the next argument. Whatever else
                // begins with `-` is an error, and so is a second file.
                Some(option) if option.starts_with("--") => {}
                _ => options.input = Some(argument.into()),
            }
        }
        Ok(options)
    }
}
