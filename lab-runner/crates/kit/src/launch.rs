//! How a program of a submission is started, and how it ended: servers and programs that are run alike.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use tokio::process::Command;

use lab_check::{CheckResult, Failure, Ours as _};
use lab_process::Signal;
use lab_sandbox::{Beginning, Confinement, Limits, Network, Sandbox, View};

/// What an isolated program may use: more than any of the labs needs.
const LIMITS: Limits = Limits {
    core_bytes: Some(0),
    file_bytes: Some(1 << 30),
    open_files: None,
    memory_bytes: Some(1 << 30),
    processor_seconds: Some(600),
    // Of all programs of the submission that run at once, with their threads.
    processes: Some(2_000),
    temporary_bytes: Some(64 << 20),
};

/// That the programs of submissions run others, which the machine has, as [`system_programs!`](crate::system_programs) says.
#[derive(Debug)]
pub struct SystemPrograms;

inventory::collect!(SystemPrograms);

/// Says that this lab's servers and programs run programs of the machine's, such as git and a shell: isolated ones see those
/// of the system then, as a build does. Without it they see none but themselves.
///
/// ```
/// lab_kit::system_programs!();
/// ```
#[macro_export]
macro_rules! system_programs {
    () => {
        $crate::inventory::submit! { $crate::SystemPrograms }
    };
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it may have exited with all the same: a sandbox tells of a signal as shells do, as 128 and its number, and
    /// cannot be told from a program that exits with that.
    unclear: Option<i32>,
}

impl Exit {
    /// How a program in `sandbox` ended.
    pub(crate) fn of(status: ExitStatus, sandbox: &Sandbox) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        match status.code().and_then(|code| sandbox.signal_of(code)) {
            Some(signal) => Self { code: None, signal: Some(signal), unclear: status.code() },
            None => Self { code: status.code(), signal: status.signal(), unclear: None },
        }
    }

    /// Whether it has exited with `code`. Where a sandbox leaves that open, it has: nobody loses a point to the sandbox.
    pub(crate) fn is_code(self, code: i32) -> bool {
        self.code.or(self.unclear) == Some(code)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code, self.signal) {
            (Some(101), _) => write!(f, "exit code 101, as after a panic in main"),
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(9)) => write!(f, "signal 9, killed"),
            (None, Some(11)) => write!(f, "signal 11, a crash"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => write!(f, "an unknown cause"),
        }
    }
}

/// Where a program runs, and what it reaches from there.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// The folder it is started in.
    pub folder: &'a Path,
    /// What it may read beside itself.
    pub readable: &'a [PathBuf],
    /// The folders that it may write.
    pub writable: &'a [PathBuf],
    /// Whether it sees the system's programs, though its suite does not say so for all.
    pub programs: bool,
    /// The network that it has.
    pub network: Option<&'a Network>,
}

/// The command `argv` in `sandbox`: it sees nothing of our environment but `env`.
pub(crate) fn confined(
    argv: &[String],
    env: &BTreeMap<String, String>,
    sandbox: &Sandbox,
    place: &Place<'_>,
) -> CheckResult<(Command, Beginning)> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| Failure::Ours("the submission's command is empty".into()))?;
    let confinement = Confinement {
        folder: place.folder.to_owned(),
        environment: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        limits: if sandbox.isolates() { LIMITS } else { Limits::NO_CORE },
        orphan_signal: Signal::KILL,
        view: View {
            programs: place.programs || inventory::iter::<SystemPrograms>.into_iter().next().is_some(),
            readable: std::iter::once(program.into()).chain(place.readable.iter().cloned()).collect(),
            writable: place.writable.to_vec(),
        },
        network: place.network.cloned(),
    };
    let (mut command, beginning) =
        sandbox.told_command(program, &confinement).ours("preparing the sandbox of the submission's program")?;
    command.args(arguments);
    Ok((command.into(), beginning))
}

/// The program and its folder are ours to give: what is gone of them says nothing of the submission. A program that
/// `--command` names is started by a shell, which is there.
pub(crate) fn cannot_start(program: &OsStr, error: &std::io::Error) -> Failure {
    Failure::ours(&format!("starting `{}`", program.display()), error)
}

/// There is no sandbox for `what`, of which `said` tells more. A submission that has taken all processes or all the memory
/// that its programs may have together has left none for it, and nobody else has.
pub(crate) fn not_made(what: &str, said: &str, sandbox: &Sandbox) -> Failure {
    match sandbox.shortage() {
        Some(shortage) => Failure::learner(format!("{what} could not be started: {shortage}")),
        None => Failure::Ours(format!("the sandbox of {what} could not be made{said}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sandbox_cannot_tell_from_a_signal_counts_as_the_exit_code() {
        let by_signal = Exit { code: None, signal: Some(2), unclear: None };
        assert!(!by_signal.is_code(130));
        let unclear = Exit { unclear: Some(130), ..by_signal };
        assert!(unclear.is_code(130) && !unclear.is_code(2) && unclear.signal == Some(2));
    }
}
