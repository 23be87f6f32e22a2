//! The command line: what is asked for, known before the first byte of input is read.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::Error;

const USAGE: &str = "usage: boxoffice import|report [--jobs N] [--output FILE] [FILE], or boxoffice cases";
/// The most workers that can be asked for.
const MOST_JOBS: usize = 64;

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
    /// How many workers there are, one at least.
    pub jobs: usize,
    /// The file they are in, if not standard input.
    pub input: Option<PathBuf>,
    /// The file to write, if not standard output.
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
        let command = arguments.next().ok_or_else(|| usage("no command"))?;
        let command = match command.to_str() {
            Some("import") => Command::Import,
            Some("report") => Command::Report,
            Some("cases") => {
                return match arguments.next() {
                    None => Ok(Self::Cases),
                    Some(more) => Err(usage(&format!("cases takes no argument such as {}", more.display()))),
                };
            }
            _ => return Err(usage(&format!("no such command: {}", command.display()))),
        };
        Options::parse(command, arguments).map(Self::Process)
    }
}

impl Options {
    fn parse(command: Command, mut arguments: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut options = Self { command, jobs: 1, input: None, output: None };
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--jobs") => options.jobs = jobs(arguments.next().as_ref())?,
                Some("--output") => options.output = Some(file(arguments.next())?),
                Some(option) if option.starts_with('-') => return Err(usage(&format!("no such option: {option}"))),
                _ if options.input.is_some() => return Err(usage("more than one file to read")),
                _ => options.input = Some(argument.into()),
            }
        }
        Ok(options)
    }
}

fn jobs(value: Option<&OsString>) -> Result<usize, Error> {
    let number = value.and_then(|value| value.to_str()?.parse().ok());
    let number = number.filter(|number| (1..=MOST_JOBS).contains(number));
    number.ok_or_else(|| usage(&format!("--jobs takes a number from 1 to {MOST_JOBS}")))
}

fn file(value: Option<OsString>) -> Result<PathBuf, Error> {
    let path = value.map(PathBuf::from).filter(|path| path.file_name().is_some());
    path.ok_or_else(|| usage("--output takes the name of a file"))
}

fn usage(what: &str) -> Error {
    Error::Usage(format!("{what} ({USAGE})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Request, Error> {
        Request::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_and_the_file_come_in_any_order() {
        for line in ["report orders --jobs 4 --output out", "report --output out --jobs 4 orders"] {
            let wanted =
                Options { command: Command::Report, jobs: 4, input: Some("orders".into()), output: Some("out".into()) };
            assert_eq!(parse(line).unwrap(), Request::Process(wanted), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "",
            "export",
            "import --fast",
            "import a b",
            "import --jobs",
            "import --jobs 0",
            "import --jobs 65",
            "import --jobs -1",
            "import --jobs two",
            "report --output",
            "cases 1",
        ] {
            assert!(matches!(parse(line), Err(Error::Usage(_))), "{line}");
        }
    }
}
