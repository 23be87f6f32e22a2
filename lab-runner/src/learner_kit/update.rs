//! Brings a new version of the course into a learner's kit, and touches nothing of the learner's work: what they have not
//! changed is replaced, what both have changed is merged, and where that is not possible the learner's file stays.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::{FOLDER, LearnerKit, history};
use crate::error::Error;
use crate::git;

/// The ending of the file with a merge that has conflicts in it, beside the learner's.
const MERGE: &str = "merge";
/// The ending of the course's file, where the learner has one of that name.
const THEIRS: &str = "course";
/// What cargo writes, and nobody merges by hand.
const LOCK: &str = "Cargo.lock";

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KitChange {
    /// The course has it now.
    Added,
    /// The learner had not touched it.
    Replaced,
    /// The course has it no more, and the learner had not touched it.
    Removed,
    /// Both have changed it, in different places.
    Merged,
    /// Both have changed it in the same place: the learner's stays, and the merge with its conflicts is beside it.
    Conflict,
    /// The learner has one of that name, which stays; the course's is beside it.
    Beside,
    /// The course has changed or removed it; the learner has removed or changed it, and that stands.
    Kept,
}

/// A kit that was updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Updated {
    /// Where.
    pub folder: Utf8PathBuf,
    /// The version and commit that it had.
    pub from: String,
    /// Those that it has now.
    pub to: String,
    /// What became of files that are not the course's alone, by path.
    pub files: Vec<(Utf8PathBuf, KitChange)>,
    /// Whether all of that is committed.
    pub committed: bool,
}

/// Brings the kit at `new`, which is whole and whose files nobody has changed, into the learner's kit at `folder`. The
/// update is committed if the learner had committed everything, and nothing is left to be decided.
///
/// # Errors
/// One of them is no kit, or a file cannot be read or written.
pub fn update(new: &Utf8Path, folder: &Utf8Path) -> Result<Updated, Error> {
    let (new, old) = (kit(new)?, kit(folder)?);
    let (from, to) = (named(&old)?, named(&new)?);
    let clean =
        git::is_root(folder) && git::output(folder, &["status", "--porcelain"]).is_some_and(|told| told.is_empty());
    let (ours, theirs) = (old.originals()?, new.originals()?);
    let mut files = Vec::new();
    for path in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let before = ours.get(path).map(String::as_str);
        let course = theirs.get(path).map(String::as_str);
        if let Some(change) = update_file(&folder.join(path), before, course)? {
            files.push((path.clone(), change));
        }
    }
    update_pictures(&new, &old, &mut files)?;
    replace_folder(&new.root.join(FOLDER), &folder.join(FOLDER))?;
    let settled = !files.iter().any(|(_, change)| matches!(change, KitChange::Conflict | KitChange::Beside));
    let committed = clean && settled && from != to;
    if committed {
        history::commit(folder, &format!("Update the course from {from} to {to}"))?;
    }
    Ok(Updated { folder: folder.to_owned(), from, to, files, committed })
}

fn kit(root: &Utf8Path) -> Result<LearnerKit, Error> {
    LearnerKit::at(root).ok_or_else(|| Error::usage(format!("{root} is no learner kit")))
}

/// A kit's version and commit, for people.
fn named(kit: &LearnerKit) -> Result<String, Error> {
    let manifest = kit.manifest()?;
    let commit = manifest.commit.map(|commit| format!(" ({})", commit.get(..10).unwrap_or(&commit)));
    Ok(format!("{}{}", manifest.version, commit.unwrap_or_default()))
}

/// Brings what the course made of a file into the learner's at `path`. `before` is what the learner was given, `course` what
/// the course has now.
fn update_file(path: &Utf8Path, before: Option<&str>, course: Option<&str>) -> Result<Option<KitChange>, Error> {
    if before == course {
        return Ok(None);
    }
    let own = read(path)?;
    let unchanged = own.as_deref() == before.map(str::as_bytes) || path.file_name() == Some(LOCK);
    Ok(Some(match (own, course) {
        (Some(own), Some(course)) if own == course.as_bytes() => return Ok(None),
        (None, None) => return Ok(None),
        (own, Some(course)) if unchanged => {
            write(path, course.as_bytes())?;
            if own.is_some() { KitChange::Replaced } else { KitChange::Added }
        }
        (Some(_), None) if unchanged => {
            fs::remove_file(path).map_err(|source| Error::io("remove", path, source))?;
            KitChange::Removed
        }
        (Some(own), Some(course)) => merge(path, before, &own, course)?,
        (None, Some(_)) | (Some(_), None) => KitChange::Kept,
    }))
}

/// Both have changed the file at `path`.
fn merge(path: &Utf8Path, before: Option<&str>, own: &[u8], course: &str) -> Result<KitChange, Error> {
    let (Some(before), Ok(own)) = (before, std::str::from_utf8(own)) else {
        write(&beside(path, THEIRS), course.as_bytes())?;
        return Ok(KitChange::Beside);
    };
    match diffy::merge(before, own, course) {
        Ok(merged) => {
            write(path, merged.as_bytes())?;
            Ok(KitChange::Merged)
        }
        Err(conflicts) => {
            write(&beside(path, MERGE), conflicts.as_bytes())?;
            Ok(KitChange::Conflict)
        }
    }
}

/// `path` with another ending behind its own, which no compiler looks at.
fn beside(path: &Utf8Path, ending: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{path}.{ending}"))
}

/// What is no text has no original to be compared with: it is replaced if it is as it was given out.
fn update_pictures(new: &LearnerKit, old: &LearnerKit, files: &mut Vec<(Utf8PathBuf, KitChange)>) -> Result<(), Error> {
    let (before, now, texts) = (old.manifest()?, new.manifest()?, new.originals()?);
    let is_picture = |path: &Utf8Path| !path.starts_with(FOLDER) && !texts.contains_key(path);
    for (path, hash) in now.files.iter().filter(|(path, _)| is_picture(path)) {
        let own = read(&old.root.join(path))?;
        let own_hash = own.is_some().then(|| crate::hash::file(&old.root.join(path)).ok()).flatten();
        if own_hash.as_ref() == Some(hash) || own_hash.as_ref() != before.files.get(path) {
            continue;
        }
        let content = read(&new.root.join(path))?.unwrap_or_default();
        write(&old.root.join(path), &content)?;
        files.push((path.clone(), if own.is_some() { KitChange::Replaced } else { KitChange::Added }));
    }
    Ok(())
}

/// Puts a copy of the folder `new` in the place of `old`, whole or not at all.
fn replace_folder(new: &Utf8Path, old: &Utf8Path) -> Result<(), Error> {
    let failed = |source| Error::io("replace", old, source);
    let parent = old.parent().unwrap_or(old);
    let kept = tempfile::Builder::new().prefix(".kit-").tempdir_in(parent).map_err(failed)?;
    let kept = Utf8Path::from_path(kept.path()).unwrap_or(old);
    let (coming, going) = (kept.join("new"), kept.join("old"));
    lab_files::copy_folder(new.as_std_path(), coming.as_std_path(), &mut |_, _| Ok(())).map_err(failed)?;
    fs::rename(old, &going).map_err(failed)?;
    fs::rename(&coming, old).map_err(failed)
}

fn read(path: &Utf8Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::io("read", path, source)),
    }
}

fn write(path: &Utf8Path, content: &[u8]) -> Result<(), Error> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, content));
    made.map_err(|source| Error::io("write", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "a\nb\nc\nd\ne\n";

    /// What becomes of a learner's file, which holds `own`, and what it holds then.
    fn updated(own: Option<&str>, before: Option<&str>, course: Option<&str>) -> (Option<KitChange>, Option<String>) {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(keep.path()).unwrap().join("src/main.rs");
        if let Some(own) = own {
            write(&path, own.as_bytes()).unwrap();
        }
        let change = update_file(&path, before, course).unwrap();
        (change, read(&path).unwrap().map(|content| String::from_utf8(content).unwrap()))
    }

    #[test]
    fn what_the_learner_has_not_touched_becomes_the_courses() {
        let now = "a\nB\nc\nd\ne\n";
        assert_eq!(updated(Some(BEFORE), Some(BEFORE), Some(now)), (Some(KitChange::Replaced), Some(now.into())));
        assert_eq!(updated(None, None, Some(now)), (Some(KitChange::Added), Some(now.into())));
        assert_eq!(updated(Some(BEFORE), Some(BEFORE), None), (Some(KitChange::Removed), None));
    }

    #[test]
    fn what_only_the_learner_has_changed_stays() {
        assert_eq!(updated(Some("mine"), Some(BEFORE), Some(BEFORE)), (None, Some("mine".into())));
        assert_eq!(updated(None, Some(BEFORE), Some(BEFORE)), (None, None));
    }

    #[test]
    fn changes_in_different_places_are_merged() {
        let merged = updated(Some("mine\nb\nc\nd\ne\n"), Some(BEFORE), Some("a\nb\nc\nd\ncourse\n"));
        assert_eq!(merged, (Some(KitChange::Merged), Some("mine\nb\nc\nd\ncourse\n".into())));
    }

    #[test]
    fn where_both_have_changed_the_same_the_learners_stays() {
        let own = "a\nmine\nc\nd\ne\n";
        let conflict = updated(Some(own), Some(BEFORE), Some("a\ncourse\nc\nd\ne\n"));
        assert_eq!(conflict, (Some(KitChange::Conflict), Some(own.into())));
        assert_eq!(updated(Some("mine"), None, Some("course")), (Some(KitChange::Beside), Some("mine".into())));
        assert_eq!(updated(None, Some(BEFORE), Some("course")), (Some(KitChange::Kept), None));
        assert_eq!(updated(Some("mine"), Some(BEFORE), None), (Some(KitChange::Kept), Some("mine".into())));
    }
}
