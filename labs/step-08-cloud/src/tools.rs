//! The tools of whoever looks after the database.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::ExitCode;

const USAGE: &str = "usage: backup
       restore TIME
or without arguments, to serve";

/// Runs the tool called `tool`.
pub fn run(tool: &OsStr, arguments: &[OsString]) -> ExitCode {
    match (tool.to_str(), arguments) {
        // TODO(step-08.6): write them. Their settings are `configuration::BackupSettings` and `RestoreSettings`.
        (Some("backup"), []) => missing("backup: `pg_basebackup`, and a look at what it has made"),
        (Some("restore"), [_time]) => missing("restore: a copy of the backup, `recovery.signal`, and where the log is"),
        _ => {
            let _ = writeln!(io::stderr(), "{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn missing(hint: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "not written yet. {hint}");
    ExitCode::FAILURE
}
