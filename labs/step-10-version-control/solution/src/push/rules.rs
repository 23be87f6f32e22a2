//! How the host has git ask us, and what it tells the hook.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::HOOK;
use super::allowed_signers::{AllowedSigners, SignersError};

/// Tells the hook where the keys are.
const ALLOWED_SIGNERS: &str = "ALLOWED_SIGNERS";

/// Why the rules cannot be set up or read.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The folder of the hook cannot be made.
    #[error("setting up the hook: {0}")]
    Hook(#[source] io::Error),
    /// The file with the keys cannot be read.
    #[error("reading {ALLOWED_SIGNERS}: {0}")]
    Read(#[source] io::Error),
    /// A line of it makes no sense.
    #[error("{ALLOWED_SIGNERS}: {0}")]
    Signers(#[from] SignersError),
}

/// A folder with the hook, outside of all repositories: whatever hooks a repository has of its own are not run.
#[derive(Debug)]
pub struct Rules {
    hooks: TempDir,
    allowed_signers: PathBuf,
}

impl Rules {
    /// Makes the folder. The hook is this very program, by another name.
    ///
    /// # Errors
    /// The folder cannot be made, or the keys cannot be read: better to find that now than at the first release.
    pub fn install(allowed_signers: &Path) -> Result<Self, RulesError> {
        read(allowed_signers)?;
        let make = || {
            let hooks = tempfile::Builder::new().prefix("box-office-hooks-").tempdir()?;
            symlink(std::env::current_exe()?, hooks.path().join(HOOK))?;
            Ok((hooks, allowed_signers.canonicalize()?))
        };
        let (hooks, allowed_signers) = make().map_err(RulesError::Hook)?;
        Ok(Self { hooks, allowed_signers })
    }

    /// Holds `command`, which is about to become git's `receive-pack`, to the rules.
    pub fn apply(&self, command: &mut Command) {
        command.arg("-c").arg(format!("core.hooksPath={}", self.hooks.path().display()));
        // Broken objects stay out. And no maintenance in the background, which would outlive the request.
        command.args(["-c", "receive.fsckObjects=true", "-c", "receive.autogc=false"]);
        command.env(ALLOWED_SIGNERS, &self.allowed_signers);
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
