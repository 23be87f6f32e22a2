//! The tools of whoever looks after the database.

mod backup;
mod programs;
mod restore;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use envconfig::Envconfig as _;

use crate::configuration::{BackupSettings, ConfigurationError, RestoreSettings};
use crate::shutdown;

const USAGE: &str = "usage: backup
       restore TIME
or without arguments, to serve";

/// Why a tool did not do what it is there for.
#[derive(Debug, thiserror::Error)]
enum ToolError {
    /// It was asked for in a way that makes no sense.
    #[error("{0}")]
    Usage(&'static str),
    #[error("{0}")]
    Configuration(#[from] ConfigurationError),
    /// One of Postgres's programs failed, and has told why.
    #[error("{program}: {status}")]
    Program {
        /// Which.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    #[error("interrupted")]
    Interrupted,
}

/// Runs the tool called `tool`.
pub fn run(tool: &OsStr, arguments: &[OsString]) -> ExitCode {
    let done = match (tool.to_str(), arguments) {
        (Some("backup"), []) => start(async { backup::backup(&BackupSettings::init_from_env()?).await }),
        (Some("restore"), [time]) => start(async { restore::restore(time, &RestoreSettings::init_from_env()?).await }),
        _ => Err(ToolError::Usage(USAGE)),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::from(if matches!(error, ToolError::Usage(_)) { 2 } else { 1 })
}

/// Does the work, and ends what it has started when it is told to end.
#[tokio::main]
async fn start(work: impl Future<Output = Result<(), ToolError>>) -> Result<(), ToolError> {
    let signal = shutdown::requested().map_err(|error| ToolError::Io(PathBuf::from("signals"), error))?;
    tokio::select! {
        done = work => done,
        () = signal => Err(ToolError::Interrupted),
    }
}
