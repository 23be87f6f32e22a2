//! What a program says of its version.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::cache::Cache;
use crate::environment::{self, Purpose};

/// A version as numbers that compare, such as 15.12.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u32>);

impl Version {
    /// `15.12`, `18beta2` or `v7.0`: letters before and after a number are dropped.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
        Self(text.split('.').map_while(|part| digits(part).parse().ok()).collect())
    }

    /// The first number; 0 if there is none.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or_default()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        formatter.write_str(&numbers.join("."))
    }
}

/// The first line that `program` prints when it is asked for its version by `argument`, if it runs. Cached for as long as the file is the same: loading
/// Debian's Postgres with its 40 libraries takes 15 ms, a third of the time until it is ready.
pub(crate) fn version_line(program: &Path, argument: &str) -> Option<String> {
    let Some(cached) = cached(program) else { return ask(program, argument) };
    if let Ok(line) = fs::read_to_string(&cached) {
        return Some(line);
    }
    let line = ask(program, argument)?;
    // Renamed into place, so that another run never reads half of it.
    let unfinished = cached.with_extension(std::process::id().to_string());
    if fs::write(&unfinished, &line).is_err() || fs::rename(&unfinished, &cached).is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    Some(line)
}

/// Where the answer of this very file is cached.
fn cached(program: &Path) -> Option<PathBuf> {
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

fn ask(program: &Path, argument: &str) -> Option<String> {
    let mut command = Command::new(program);
    environment::restrict(&mut command, Purpose::Server);
    let output = command.arg(argument).stdin(Stdio::null()).output().ok()?;
    // Some tell it on their standard error.
    let said = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let text = String::from_utf8_lossy(said).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(Version::parse("15.12") > Version::parse("15.9"));
        assert!(Version::parse("18beta2").major() == 18);
        assert_eq!(Version::parse("v=7.0.15").to_string(), "7.0.15");
        assert_eq!(Version::parse("unknown").major(), 0);
    }
}
