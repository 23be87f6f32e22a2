//! `main` only grows.

use std::path::Path;

use super::update::Update;
use crate::git::{self, Ended as _, GitError};

/// The whole name: `refs/heads/topic/main` and `refs/tags/main` are somebody else's.
const MAIN: &[u8] = b"refs/heads/main";

/// Why `update` may not happen, if it may not.
///
/// # Errors
/// Git cannot tell.
pub fn refusal(update: &Update) -> Result<Option<String>, GitError> {
    let (MAIN, Some(old)) = (update.reference.as_slice(), &update.old) else { return Ok(None) };
    let Some(new) = &update.new else { return Ok(Some("main cannot be deleted".to_owned())) };
    let mut command = git::command(Path::new("."));
    command.args(["merge-base", "--is-ancestor", old.as_str(), new.as_str()]);
    let grows = command.output()?.answer("merge-base")?;
    Ok((!grows).then(|| "main is not rewritten: fetch, build upon it, and push again".to_owned()))
}
