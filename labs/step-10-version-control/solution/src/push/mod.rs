//! What may be pushed. Git receives the objects into a quarantine and asks us, as its `pre-receive` hook, before any
//! reference changes: one no, and nothing of the push has happened (githooks(5), git-receive-pack(1)).

mod allowed_signers;
mod hook;
mod main_branch;
mod releases;
mod rules;
mod secrets;
mod signature;
mod tag;
mod update;

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

pub use rules::{Rules, RulesError};

use crate::git::GitError;

/// What git calls the hook.
const HOOK: &str = "pre-receive";

/// Whether this program was started by the name `called`, as git starts a hook.
pub fn is_hook(called: &OsStr) -> bool {
    Path::new(called).file_name().is_some_and(|name| name == HOOK)
}

/// Reads what is to change, and allows it all or refuses it all. The pusher sees what is written to standard error.
pub fn pre_receive() -> ExitCode {
    let refusals = match judge() {
        Ok(refusals) => refusals,
        // What could not be looked at is not let in.
        Err(error) => vec![format!("the host could not look at this push ({error})")],
    };
    let mut errors = io::stderr().lock();
    for refusal in &refusals {
        // Nobody may be listening any more; that changes nothing.
        let _ = writeln!(errors, "refused: {refusal}");
    }
    if refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Why a push could not be judged.
#[derive(Debug, thiserror::Error)]
enum JudgeError {
    /// Git said something that is no update.
    #[error(transparent)]
    Update(#[from] update::UpdateError),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The keys of the signers cannot be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
}

fn judge() -> Result<Vec<String>, JudgeError> {
    let updates = update::read(io::stdin().lock())?;
    let mut refusals = Vec::new();
    for update in &updates {
        refusals.extend(main_branch::refusal(update)?);
        if releases::is_release(update) {
            refusals.extend(releases::refusal(update, &rules::allowed_signers()?)?);
        }
    }
    refusals.extend(secrets::refusal(&updates)?);
    Ok(refusals)
}
