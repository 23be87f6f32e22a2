//! `lab-web`, which `cargo lab web` and `--report` call: `report DIR…` writes a result's page, `batch DIR` those of a
//! batch, `serve` serves the site.
#![expect(clippy::print_stderr, reason = "what goes wrong is told to the runner, which reads stderr")]

use std::error::Error;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::Parser;
use lab_web::site::{self, Options};

/// The page of `cargo lab`.
#[derive(Debug, Parser)]
#[command(name = "lab-web", version)]
enum Arguments {
    /// Write report.html and trace.json beside each folder's result.json.
    Report {
        /// The folders.
        #[arg(required = true)]
        folders: Vec<Utf8PathBuf>,
    },
    /// Write index.html to the report folder of a batch, and the pages of its results.
    Batch {
        /// The report folder.
        report: Utf8PathBuf,
    },
    /// Serve the site until standard input ends. The first line of standard output is its address.
    Serve {
        /// The port on loopback; a free one, if it is 0.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Show the model answer's timelines although not all checks have passed.
        #[arg(long)]
        anyway: bool,
    },
}

fn main() -> ExitCode {
    let done: Result<(), Box<dyn Error>> = match Arguments::parse() {
        Arguments::Report { folders } => {
            folders.iter().try_for_each(|folder| lab_web::write(folder)).map_err(Into::into)
        }
        Arguments::Batch { report } => lab_web::batch::write(&report).map_err(Into::into),
        Arguments::Serve { port, anyway } => site::serve(Options { port, anyway }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", told(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes.
fn told(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (**error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
