//! Lays submissions out as JPlag reads them, which finds those that are alike: `submissions` with a folder for each, and
//! `base` with the starter, whose lines nobody is suspected for.

use camino::Utf8Path;
use lab_runner::error::{Error, ExpectedError as _};
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::CancelToken;
use lab_runner::learner::starter::Starter;
use lab_runner::similarity::{BASE, ForJplag, SUBMISSIONS};
use lab_runner::state::State;
use lab_runner::submission::{self, Tree};
use lab_runner::workspace::{Lab, Workspace};
use lab_sandbox::Sandbox;

use crate::grade::Entry;

/// Writes the editable files of `entries`, which are submissions for `lab`, and those of its starter to `folder`, which is
/// not there yet or empty. Whole or not at all.
///
/// # Errors
/// Nobody knows the lab's starter, the folder cannot be written, or the user interrupts. A submission that cannot be read
/// is named in the result.
pub fn lay_out(
    workspace: &Workspace,
    lab: &Lab,
    entries: &[Entry],
    folder: &Utf8Path,
    cancel: &CancelToken,
) -> Result<ForJplag, Error> {
    let starter = Starter::find(lab, &State::of(workspace))?.ok_or_else(|| unknown_starter(lab))?;
    let parent = folder.parent().unwrap_or(folder);
    let unwritable = |source| Error::io("write to", parent, source);
    std::fs::create_dir_all(parent).map_err(unwritable)?;
    let coming = tempfile::Builder::new().prefix(".jplag-").tempdir_in(parent).map_err(unwritable)?;
    let new = Utf8Path::from_path(coming.path()).unwrap_or(parent).join("new");
    submission::write_tree(&new.join(BASE), &starter.tree)?;
    let unpacked = workspace.lab_folder().join("unpacked");
    let mut unreadable = Vec::new();
    for entry in entries {
        if cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        match read(entry, lab, &unpacked) {
            Ok(tree) => submission::write_tree(&new.join(SUBMISSIONS).join(&entry.folder), &tree)?,
            Err(error) if error.exit_code() == ExitCode::Usage => {
                unreadable.push((entry.name.clone(), error.message()))
            }
            Err(error) => return Err(error),
        }
    }
    std::fs::rename(&new, folder).map_err(|source| Error::io("write", folder, source))?;
    Ok(ForJplag {
        folder: folder.to_owned(),
        lab: lab.id().to_owned(),
        submissions: entries.len() - unreadable.len(),
        starter: starter.origin,
        unreadable,
    })
}

/// What is taken of a submission when it is graded.
fn read(entry: &Entry, lab: &Lab, unpacked: &Utf8Path) -> Result<Tree, Error> {
    let opened = entry.open(lab, unpacked, &Sandbox::none())?;
    let tree = submission::tree_in(&opened.folder, lab)?;
    match tree.0.is_empty() {
        true => Err(Error::usage("none of its files can be taken: they are links or too large")),
        false => Ok(tree),
    }
}

fn unknown_starter(lab: &Lab) -> Error {
    Error::Usage {
        message: format!(
            "the starter of {} is not known here, and without it what all have been given looks copied",
            lab.id()
        ),
        hints: vec![
            "run this in the course's repository, or put the starter's files into `starter/` in the lab's folder"
                .to_owned(),
        ],
    }
}
