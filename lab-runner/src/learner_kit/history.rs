//! The history of a kit, which is the learner's own: it begins with what was given out. A new course begins the same way.

use camino::Utf8Path;

use crate::error::Error;
use crate::git;

/// Who commits, where git knows nobody.
const NOBODY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Backend Labs"),
    ("GIT_AUTHOR_EMAIL", "kit@localhost"),
    ("GIT_COMMITTER_NAME", "Backend Labs"),
    ("GIT_COMMITTER_EMAIL", "kit@localhost"),
];

/// Gives what stands in `folder` a history of its own, that begins with all of it and with `message`.
///
/// # Errors
/// There is no git, or it fails.
pub fn begin_history(folder: &Utf8Path, message: &str) -> Result<(), Error> {
    git(folder, &["init", "--quiet", "--initial-branch=main"])?;
    commit(folder, message)
}

/// Commits everything in `folder`.
///
/// # Errors
/// Git fails.
pub(super) fn commit(folder: &Utf8Path, message: &str) -> Result<(), Error> {
    git(folder, &["add", "--all"])?;
    git(folder, &["commit", "--quiet", "--no-verify", "--message", message])
}

fn git(folder: &Utf8Path, arguments: &[&str]) -> Result<(), Error> {
    let mut command = std::process::Command::new("git");
    command.args(arguments).current_dir(folder).stdin(std::process::Stdio::null());
    if git::output(folder, &["config", "user.email"]).is_none() {
        command.envs(NOBODY);
    }
    let output = command.output().map_err(|error| Error::Infrastructure {
        message: format!("git cannot be run: {error}"),
        hints: vec!["a kit, like a course, has a history of its own, by git".to_owned()],
    })?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Error::Infrastructure { message: format!("git {} failed: {told}", arguments[0]), hints: Vec::new() })
}
