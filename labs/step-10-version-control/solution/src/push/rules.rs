//! How the host has git ask us, and what it tells the hook.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::allowed_signers::{AllowedSigners, SignersError};
use super::hook::Hook;

/// Tells the hook where the keys are.
const ALLOWED_SIGNERS: &str = "ALLOWED_SIGNERS";

/// Why the rules cannot be set up or read.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The hook cannot be put in its place.
    #[error("setting up the hook: {0}")]
    Hook(#[source] io::Error),
    /// The file with the keys cannot be read.
    #[error("reading {ALLOWED_SIGNERS}: {0}")]
    Read(#[source] io::Error),
    /// A line of it makes no sense.
    #[error("{ALLOWED_SIGNERS}: {0}")]
    Signers(#[from] SignersError),
}

/// What git asks at every push, and what the hook needs to know.
#[derive(Debug)]
pub struct Rules {
    hook: Hook,
    allowed_signers: PathBuf,
}

impl Rules {
    /// For pushes to the repositories in the folder `repositories`.
    ///
    /// # Errors
    /// This program cannot be found, or the keys cannot be read: better to find that now than at the first release.
    pub fn install(repositories: &Path, allowed_signers: &Path) -> Result<Self, RulesError> {
        read(allowed_signers)?;
        let hook = Hook::new(repositories).map_err(RulesError::Hook)?;
        Ok(Self { hook, allowed_signers: allowed_signers.canonicalize().map_err(RulesError::Read)? })
    }

    /// Holds `command`, which is about to become git's `receive-pack`, to the rules.
    ///
    /// # Errors
    /// The hook cannot be put in its place.
    pub fn apply(&self, command: &mut Command) -> io::Result<()> {
        command.arg("-c").arg(format!("core.hooksPath={}", self.hook.folder()?.display()));
        // Broken objects stay out. And no maintenance in the background, which would outlive the request.
        command.args(["-c", "receive.fsckObjects=true", "-c", "receive.autogc=false"]);
        command.env(ALLOWED_SIGNERS, &self.allowed_signers);
        Ok(())
    }
}

/// The keys, as the hook finds them: read at every push, so that a key that is taken away counts no more.
///
/// # Errors
/// They cannot be read.
pub fn allowed_signers() -> Result<AllowedSigners, RulesError> {
    read(Path::new(&std::env::var_os(ALLOWED_SIGNERS).unwrap_or_default()))
}

fn read(path: &Path) -> Result<AllowedSigners, RulesError> {
    Ok(fs::read_to_string(path).map_err(RulesError::Read)?.parse()?)
}
