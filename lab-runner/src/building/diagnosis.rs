//! Why a build failed, and whose fault it is.
//!
//! Errors with a place in the code are the code's, whatever they say: their text can be chosen there. All else is
//! believed only where the code has no say: what cargo writes before it has begun to build, the compiler's own errors
//! without a place, and what the system answers when it is asked.

use std::io;
use std::path::Path;
use std::time::Duration;

use camino::Utf8Path;
use lab_launcher::Refusal;
use lab_sandbox::Shortage;

use super::messages::{CompileError, Messages};
use super::system::{self, Fault};
use super::watch::Excess;
use super::{BuildError, Job};
use crate::report::Diagnostics;

/// More errors than this confuse: the later ones often follow from the first.
const SHOWN: usize = 3;

/// How cargo's own lines begin when it cannot fetch something, before it begins to build.
const NETWORK: [&str; 9] = [
    "failed to download",
    "failed to query replaced source registry",
    "failed to fetch `",
    "unable to update registry",
    "network failure seems to have happened",
    "attempting to make an HTTP request, but --offline was specified",
    "as a reminder, you're using offline mode",
    "download of ",
    "spurious network error",
];

/// How a build came to its end.
#[derive(Debug)]
pub(super) struct Ended {
    pub messages: Messages,
    /// What cargo wrote on standard error, without its progress.
    pub stderr: String,
    /// How it ended, unless it could not be waited for.
    pub status: Option<std::process::ExitStatus>,
    /// Whether the system had to kill a process for want of memory meanwhile.
    pub out_of_memory: bool,
    /// What the build wanted more of than it may have.
    pub shortage: Option<Shortage>,
}

impl Ended {
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Cargo could not be started.
pub(super) fn no_cargo(error: &io::Error) -> Diagnostics {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "is Rust installed? see https://rustup.rs",
        _ => "run the command again; if it fails again, check the memory and the number of processes",
    };
    Diagnostics { message: format!("cannot start cargo: {error}"), hints: vec![hint.into()], ..Diagnostics::default() }
}

/// What was built cannot be kept.
pub(super) fn cannot_hold(program: &Utf8Path, error: &io::Error) -> Diagnostics {
    Diagnostics { message: format!("cannot copy {program}: {error}"), ..Diagnostics::default() }
}

/// Compiling the submission's own code took more than it may.
pub(super) fn too_costly(excess: Excess) -> Diagnostics {
    let (message, hint) = match excess {
        Excess::Time(limit) => (
            format!("compiling took longer than {} s of processor time and was stopped", limit.as_secs()),
            "is there a constant, a macro or a type whose computation never ends?",
        ),
        Excess::Memory(limit) => (
            format!("compiling took more than {} MiB of memory and was stopped", limit >> 20),
            "is there a constant, a macro or a type that grows without end?",
        ),
    };
    Diagnostics { message, hints: vec![hint.into()], ..Diagnostics::default() }
}

/// All that the build has started took more than it may, of what the system bounds.
fn too_much(shortage: Shortage) -> Diagnostics {
    match shortage {
        Shortage::Memory(limit) => too_costly(Excess::Memory(limit)),
        Shortage::Processes(most) => Diagnostics {
            message: format!("compiling wanted more than {most} processes and threads"),
            ..Diagnostics::default()
        },
    }
}

/// The code includes a file that is no part of the submission. What is in it is not shown.
pub(super) fn includes(file: &Path) -> Diagnostics {
    Diagnostics {
        message: format!("the code includes {}, which is no part of the submission", file.display()),
        hints: vec!["include files of the lab's own folder only, by paths that do not lead out of it".into()],
        ..Diagnostics::default()
    }
}

/// The whole build, its dependencies included, took longer than any may.
pub(super) fn too_slow(job: &Job, limit: Duration) -> Diagnostics {
    Diagnostics {
        message: format!(
            "building {} with its dependencies took longer than {} minutes",
            job.what,
            limit.as_secs() / 60
        ),
        hints: vec!["run the command again: what was built so far is kept".into()],
        ..Diagnostics::default()
    }
}

/// Another cargo did not let ours begin.
pub(super) fn locked_out(job: &Job, holder: &str) -> Diagnostics {
    Diagnostics {
        message: format!("{holder} has been using {} for longer than this build may take", job.build),
        hints: vec!["wait for it or stop it: an editor may be running it in the background".into()],
        ..Diagnostics::default()
    }
}

/// Cargo failed, or built nothing that can be used.
pub(super) fn diagnose(job: &Job, ended: &Ended) -> BuildError {
    if ended.succeeded() {
        return BuildError::Code(Diagnostics {
            message: format!("{} has no program named `{}`", job.what, job.package),
            hints: vec!["is there a src/main.rs?".into()],
            ..Diagnostics::default()
        });
    }
    if let Some(refusal) = refusal(job, ended) {
        return BuildError::Refused(refusal);
    }
    if let Some(name) = broken_dependency(job, &ended.messages) {
        return BuildError::Infrastructure(errors(format!("the dependency {name} does not compile"), &ended.messages));
    }
    let placed = ended.messages.errors.iter().any(|error| error.placed);
    if !placed && let Some(shortage) = ended.shortage {
        return BuildError::Code(too_much(shortage));
    }
    if !placed && let Some(Fault { message, hint }) = fault(job, ended) {
        let details = first_error(&ended.stderr).into_iter().collect();
        return BuildError::Infrastructure(Diagnostics {
            message,
            details,
            hints: vec![hint],
            ..Diagnostics::default()
        });
    }
    let count = ended.messages.count;
    // Without a compiler's error the fault is in a manifest or a build script, and cargo itself explains it.
    if count == 0 {
        return BuildError::Code(Diagnostics {
            message: format!("{} does not build", job.what),
            details: first_error(&ended.stderr).into_iter().collect(),
            ..Diagnostics::default()
        });
    }
    let message = format!("{} does not compile: {count} error{}", job.what, if count == 1 { "" } else { "s" });
    BuildError::Code(errors(message, &ended.messages))
}

/// What keeps cargo from beginning at all. In a stage, where a manifest may be a submission's, only what cargo says
/// before it reads one.
fn refusal(job: &Job, ended: &Ended) -> Option<Refusal> {
    let believed = job.own || ended.stderr.starts_with("error: could not execute process `");
    if ended.messages.begun || !believed {
        return None;
    }
    Refusal::explain(&ended.stderr, job.root.as_std_path())
}

/// A refusal as a report tells it.
pub(super) fn refused(refusal: Refusal) -> Diagnostics {
    Diagnostics { message: refusal.message, hints: vec![refusal.hint], ..Diagnostics::default() }
}

/// A dependency that the compiler refuses, where the submission has no say in what its dependencies are.
fn broken_dependency<'a>(job: &Job, messages: &'a Messages) -> Option<&'a str> {
    if job.own {
        return None;
    }
    messages.errors.iter().find_map(|error| error.dependency.as_deref())
}

/// What else than the code may be to blame for a failure that no place in the code explains.
fn fault(job: &Job, ended: &Ended) -> Option<Fault> {
    if !ended.messages.begun && cannot_fetch(&ended.stderr) {
        return Some(Fault {
            message: "cargo could not download a dependency".into(),
            hint: "check the network connection and run the command again".into(),
        });
    }
    if let Some(linker) = ended.messages.errors.iter().find_map(missing_linker) {
        return Some(Fault {
            message: format!("the linker `{linker}` was not found"),
            hint: "install a C compiler: `apt install gcc`, or Xcode's command line tools".into(),
        });
    }
    if let Some(fault) = system::disk(job) {
        return Some(fault);
    }
    if ended.out_of_memory {
        return Some(Fault {
            message: "out of memory: the system killed the compiler".into(),
            hint: "close other programs, or set `CARGO_BUILD_JOBS=1`".into(),
        });
    }
    let signal = ended.status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status))?;
    Some(Fault { message: format!("cargo was killed by signal {signal}"), hint: "run the command again".into() })
}

fn cannot_fetch(stderr: &str) -> bool {
    // What cargo quotes of a manifest stands behind a line number, and a name in the middle of a line.
    stderr.lines().any(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("error: ").or_else(|| line.strip_prefix("warning: ")).unwrap_or(line);
        NETWORK.iter().any(|start| line.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)))
    })
}

/// The linker that the compiler did not find, if it is really not there.
fn missing_linker(error: &CompileError) -> Option<&str> {
    let name = error.message.strip_prefix("linker `")?.strip_suffix("` not found")?;
    (!error.placed && which::which(name).is_err()).then_some(name)
}

fn errors(message: String, messages: &Messages) -> Diagnostics {
    let coloured: Vec<String> =
        messages.errors.iter().take(SHOWN).map(|error| error.rendered.trim_end().to_owned()).collect();
    Diagnostics {
        message,
        details: coloured.iter().map(|text| anstream::adapter::strip_str(text).to_string()).collect(),
        coloured,
        omitted: messages.count.saturating_sub(SHOWN),
        hints: Vec::new(),
    }
}

/// Cargo's own `error: …` and what follows, bounded.
fn first_error(stderr: &str) -> Option<String> {
    let start = stderr.find("error").unwrap_or(0);
    let lines: Vec<&str> = stderr[start..].lines().take(25).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cargos_own_lines_tell_of_the_network() {
        let offline = "error: failed to get `rand` as a dependency of package `x v0.1.0 (/w)`\n\nCaused by:\n                         download of config.json failed\n\nCaused by:\n  [6] Could not resolve hostname";
        assert!(cannot_fetch(offline));
        assert!(cannot_fetch("error: failed to download `rand v0.9.0`"));
        let quoted = "error: unknown `failed to download`\n --> Cargo.toml:4:1\n  4 | failed to download";
        assert!(!cannot_fetch(quoted));
    }
}
