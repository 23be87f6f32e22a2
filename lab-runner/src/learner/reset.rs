//! Brings a lab's starter back, and keeps what it replaces.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::submission::{self, Tree};

/// What bringing the starter back does to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The file, relative to the lab's folder.
    pub path: Utf8PathBuf,
    /// What is done to it.
    pub what: What,
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is as in the starter again.
    Restored,
    /// It was removed and is there again.
    Created,
    /// It is not in the starter.
    Removed,
}

/// What has to change in `own` to be `starter` again, in the files that `wanted` names.
pub fn plan(own: &Tree, starter: &Tree, wanted: impl Fn(&Utf8Path) -> bool) -> Vec<Change> {
    let paths: BTreeSet<&Utf8PathBuf> = own.0.keys().chain(starter.0.keys()).filter(|path| wanted(path)).collect();
    let change = |path: &Utf8PathBuf| {
        let what = match (own.0.get(path), starter.0.get(path)) {
            (Some(one), Some(other)) if one == other => return None,
            (Some(_), Some(_)) => What::Restored,
            (None, _) => What::Created,
            (_, None) => What::Removed,
        };
        Some(Change { path: path.clone(), what })
    };
    paths.into_iter().filter_map(change).collect()
}

/// Carries `changes` out in `folder`. The files of `own` that are replaced or removed are in `keep` before the first is
/// touched; it is made only if there are any. Tells whether there were.
///
/// # Errors
/// A file cannot be written or removed, with the file.
pub fn carry_out(
    folder: &Utf8Path,
    changes: &[Change],
    own: &Tree,
    starter: &Tree,
    keep: &Utf8Path,
) -> Result<bool, (Utf8PathBuf, io::Error)> {
    changes.iter().try_for_each(|change| refuse_odd(folder, change))?;
    let mut kept = false;
    for (path, content) in changes.iter().filter_map(|change| own.0.get_key_value(&change.path)) {
        let to = keep.join(path);
        write(&to, content).map_err(|error| (to, error))?;
        kept = true;
    }
    for change in changes {
        let path = folder.join(&change.path);
        let done = match starter.0.get(&change.path) {
            Some(content) => write(&path, content),
            None => std::fs::remove_file(&path).inspect(|()| remove_empty_folders(folder, &path)),
        };
        done.map_err(|error| (path, error))?;
    }
    Ok(kept)
}

/// What is there and is no plain file was not read, and so cannot be kept.
fn refuse_odd(folder: &Utf8Path, change: &Change) -> Result<(), (Utf8PathBuf, io::Error)> {
    let path = folder.join(&change.path);
    if let Some(link) = submission::link_on_the_way(folder, &change.path) {
        return Err((path, io::Error::other(format!("{link} is a link; move it away first"))));
    }
    if change.what == What::Created && path.symlink_metadata().is_ok() {
        return Err((path, io::Error::other("what is there is no plain file; move it away first")));
    }
    Ok(())
}

/// A file of its own: what stands there may be a link to another.
fn write(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    submission::write_anew(path, content)
}

/// Removes the folders above `path` that have nothing in them any more.
fn remove_empty_folders(folder: &Utf8Path, path: &Utf8Path) {
    let above = path.ancestors().skip(1).take_while(|above| above.starts_with(folder) && *above != folder);
    above.map(std::fs::remove_dir).take_while(Result::is_ok).for_each(drop);
}
