//! What a program says of its version.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::super::cache::Cache;
use super::super::instance::scrub;

/// What `program --version` prints, if it runs. Remembered for as long as the file is the same: loading Debian's
/// Postgres with its 40 libraries takes 15 ms, a third of the time until it is ready.
pub(super) fn line(program: &Path) -> Option<String> {
    let Some(note) = note(program) else { return ask(program) };
    if let Ok(line) = fs::read_to_string(&note) {
        return Some(line);
    }
    let line = ask(program)?;
    // Renamed into place, so that another run never reads half of it.
    let unfinished = note.with_extension(std::process::id().to_string());
    if fs::write(&unfinished, &line).is_err() || fs::rename(&unfinished, &note).is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    Some(line)
}

/// Where the answer of this very file is kept.
fn note(program: &Path) -> Option<PathBuf> {
    let metadata = fs::metadata(program).ok()?;
    let mut digest = Sha256::new();
    digest.update(program.as_os_str().as_encoded_bytes());
    for number in
        [metadata.ino(), metadata.len(), metadata.mtime().unsigned_abs(), metadata.mtime_nsec().unsigned_abs()]
    {
        digest.update(number.to_le_bytes());
    }
    let name = hex::encode(digest.finalize());
    Some(Cache::locate().ok()?.folder("versions").ok()?.join(&name[..32]))
}

fn ask(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    scrub(&mut command);
    let output = command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
