//! Why a build failed, and whose fault it is.

use std::io;
use std::time::Duration;

use camino::Utf8Path;

use super::{BuildError, Job, Messages};
use crate::report::Diagnostics;

/// More errors than this confuse: the later ones often follow from the first.
const SHOWN: usize = 3;

/// What in cargo's or a linker's words is no fault of the code, and what may help.
const INFRASTRUCTURE: [(&str, &str, &str); 8] = [
    ("No space left on device", "the disk is full", "free some disk space; `cargo clean` gives back the most"),
    ("Disk quota exceeded", "the disk quota is used up", "free some disk space; `cargo clean` gives back the most"),
    ("failed to download", "cargo could not download a dependency", NETWORK),
    ("Could not resolve host", "cargo could not reach the package registry", NETWORK),
    ("failed to get `", "cargo could not fetch a dependency", NETWORK),
    ("spurious network error", "cargo could not reach the package registry", NETWORK),
    ("linker `cc` not found", "no linker was found", "install a C compiler: `apt install gcc`, or Xcode's tools"),
    ("Cannot allocate memory", "the memory is used up", "close other programs, or set `CARGO_BUILD_JOBS=1`"),
];
const NETWORK: &str = "check the network connection and run the command again";

/// Cargo could not be started.
pub(super) fn no_cargo(error: &io::Error) -> Diagnostics {
    Diagnostics {
        message: format!("cannot start cargo: {error}"),
        hints: vec!["is Rust installed? see https://rustup.rs".into()],
        ..Diagnostics::default()
    }
}

/// What was built cannot be kept.
pub(super) fn cannot_hold(program: &Utf8Path, error: &io::Error) -> Diagnostics {
    Diagnostics { message: format!("cannot copy {program}: {error}"), ..Diagnostics::default() }
}

/// The build took longer than its limit.
pub(super) fn too_slow(limit: Duration) -> Diagnostics {
    Diagnostics {
        message: format!("the build took longer than {} s and was stopped", limit.as_secs()),
        hints: vec!["does a build script or a macro run without end?".into()],
        ..Diagnostics::default()
    }
}

/// Cargo failed.
pub(super) fn diagnose(job: &Job, messages: &Messages, complaints: &str, succeeded: bool) -> BuildError {
    let coloured: Vec<String> = messages.errors().map(|text| text.trim_end().to_owned()).collect();
    let plain: Vec<String> = coloured.iter().map(|text| anstream::adapter::strip_str(text).to_string()).collect();
    let said = format!("{}\n{complaints}", plain.join("\n"));
    if let Some((_, message, hint)) = INFRASTRUCTURE.iter().find(|(sign, _, _)| said.contains(sign)) {
        return BuildError::Infrastructure(Diagnostics {
            message: (*message).to_owned(),
            details: first_complaint(complaints).into_iter().collect(),
            hints: vec![(*hint).to_owned()],
            ..Diagnostics::default()
        });
    }
    if succeeded {
        return BuildError::Code(Diagnostics {
            message: format!("{} has no program named `{}`", job.what, job.package),
            hints: vec!["is there a src/main.rs?".into()],
            ..Diagnostics::default()
        });
    }
    let count = plain.len();
    // Without a compiler's error the fault is in a manifest or a build script, and cargo itself explains it.
    if count == 0 {
        return BuildError::Code(Diagnostics {
            message: format!("{} does not build", job.what),
            details: first_complaint(complaints).into_iter().collect(),
            ..Diagnostics::default()
        });
    }
    BuildError::Code(Diagnostics {
        message: format!("{} does not compile: {count} error{}", job.what, if count == 1 { "" } else { "s" }),
        details: plain.into_iter().take(SHOWN).collect(),
        coloured: coloured.into_iter().take(SHOWN).collect(),
        omitted: count.saturating_sub(SHOWN),
        hints: Vec::new(),
    })
}

/// Cargo's own `error: …` and what follows, bounded.
fn first_complaint(complaints: &str) -> Option<String> {
    let start = complaints.find("error").unwrap_or(0);
    let lines: Vec<&str> = complaints[start..].lines().take(25).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
