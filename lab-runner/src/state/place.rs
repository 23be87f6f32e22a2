//! Where the state of a checkout is kept: in a folder of its own in the user's state folder, where `cargo clean` takes
//! no progress away. Without such a folder it is in the target folder.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use etcetera::BaseStrategy as _;

use crate::hash;

/// Our folder in the user's state folder.
const OURS: &str = "backend-labs";
/// The file in a checkout's state that holds the checkout's path.
const CHECKOUT: &str = "checkout";
/// The file in the target folder that names the state's folder, by which a checkout that was moved finds it again.
const NAME: &str = "state-folder";
/// The file in the target folder that tells that the user knows why the state is there.
const TOLD: &str = "told";

/// A folder for state, and what the user has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// Why it is not the user's state folder, where that is so and was not told yet.
    pub note: Option<String>,
}

/// The place of the state of the checkout at `root`, whose runner keeps its other things in `lab`. What was kept in
/// the target folder before is carried over.
pub fn locate(root: &Utf8Path, lab: &Utf8Path) -> Place {
    let old = lab.join("state");
    match user_folder().and_then(|ours| prepare(&ours, root, lab)) {
        Ok(folder) => {
            carry_over(&old, &folder);
            Place { folder, note: None }
        }
        Err(reason) => {
            let shown = old.strip_prefix(root).unwrap_or(&old);
            let note = format!("your progress is kept in {shown}, where `cargo clean` removes it: {reason}");
            Place { note: is_first_notice(&old).then_some(note), folder: old }
        }
    }
}

/// Our folder in the user's: as XDG_STATE_HOME says, else the system's place for what programs keep.
fn user_folder() -> Result<PathBuf, String> {
    let named = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.map(Ok).unwrap_or_else(|| {
        let native = etcetera::base_strategy::choose_native_strategy().map_err(|_| "HOME is not set".to_owned())?;
        // macOS tells state and data not apart.
        Ok::<_, String>(native.state_dir().unwrap_or_else(|| native.data_dir()))
    })?;
    // A relative HOME would give a folder beside wherever the command is run.
    if folder.is_absolute() { Ok(folder.join(OURS)) } else { Err("HOME is not an absolute path".to_owned()) }
}

/// The checkout's folder in `ours`, able to be written.
fn prepare(ours: &std::path::Path, root: &Utf8Path, lab: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let ours = Utf8Path::from_path(ours).ok_or("the state folder's path is not UTF-8")?;
    let root = root.canonicalize_utf8().unwrap_or_else(|_| root.to_owned());
    let key = key(&root);
    let folder = ours.join(&key);
    follow(ours, &folder, lab);
    let ready = || -> io::Result<()> {
        // The XDG Base Directory Specification asks for mode 700.
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        // A full disk makes folders and empty files, but not what is in them.
        tempfile::tempfile_in(&folder)?.write_all(&[0; 4096])?;
        write_if_new(&folder.join(CHECKOUT), root.as_str())
    };
    ready().map_err(|error| format!("cannot write to {folder}: {error}"))?;
    if lab.is_dir() {
        // Without it only a checkout that is moved loses its progress.
        let _ = write_if_new(&lab.join(NAME), &key);
    }
    Ok(folder)
}

/// The checkout's name for people, and what tells it from others of that name.
fn key(root: &Utf8Path) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let name: String = root.file_name().unwrap_or("root").chars().take(40).map(plain).collect();
    format!("{name}-{}", &hash::text(root.as_str())[..16])
}

/// Gives the state to `folder` that this checkout had under another path, if nobody is there any more.
fn follow(ours: &Utf8Path, folder: &Utf8Path, lab: &Utf8Path) {
    let Ok(before) = fs::read_to_string(lab.join(NAME)) else { return };
    // What anybody wrote there leads nowhere else.
    if folder.exists() || before.contains(['/', '.']) || before.is_empty() {
        return;
    }
    let before = ours.join(before);
    let Ok(path) = fs::read_to_string(before.join(CHECKOUT)) else { return };
    if !Utf8Path::new(&path).exists() {
        let _ = fs::rename(before, folder);
    }
}

/// Moves the files of `old` to `new`, unless `new` has later ones of the same name. What cannot be moved stays.
fn carry_over(old: &Utf8Path, new: &Utf8Path) {
    for entry in old.read_dir_utf8().into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), new.join(entry.file_name()));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && DirBuilder::new().recursive(true).mode(0o700).create(&to).is_ok() => {
                carry_over(from, &to);
            }
            Ok(kind) if kind.is_file() => {
                let moved = entry.file_name() == TOLD || modified(&to) >= modified(from) || transfer(from, &to).is_ok();
                if moved {
                    let _ = fs::remove_file(from);
                }
            }
            _ => {}
        }
    }
    // Only if nothing is left in it.
    let _ = fs::remove_dir(old);
}

/// When a file was written; none if it is not there, which is earlier than anything.
fn modified(path: &Utf8Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// The two may be on different disks. Whole or not at all.
fn transfer(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    fs::rename(from, to).or_else(|_| {
        let mut copy = tempfile::NamedTempFile::new_in(to.parent().unwrap_or(to))?;
        io::copy(&mut fs::File::open(from)?, &mut copy)?;
        copy.persist(to).map(drop).map_err(io::Error::from)
    })
}

fn write_if_new(path: &Utf8Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    fs::write(path, text)
}

/// Whether nobody was told before that the state is in `folder`.
fn is_first_notice(folder: &Utf8Path) -> bool {
    let told = folder.join(TOLD);
    let first = !told.exists();
    // If it cannot be remembered, it is told again.
    let _ = fs::create_dir_all(folder).and_then(|()| fs::write(told, ""));
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(keep.path().canonicalize().unwrap()).unwrap();
        (keep, path)
    }

    /// A checkout with a target folder in `home`.
    fn checkout(home: &Utf8Path, name: &str) -> (Utf8PathBuf, Utf8PathBuf) {
        let root = home.join(name);
        let lab = root.join("target/lab");
        fs::create_dir_all(&lab).unwrap();
        (root, lab)
    }

    fn prepared(home: &Utf8Path, root: &Utf8Path, lab: &Utf8Path) -> Utf8PathBuf {
        prepare(home.join("state").as_std_path(), root, lab).unwrap()
    }

    #[test]
    fn two_checkouts_of_one_name_have_a_folder_each() {
        let (_keep, home) = folder();
        let (one, one_lab) = checkout(&home, "a/labs");
        let (other, other_lab) = checkout(&home, "b/labs");
        let (one, other) = (prepared(&home, &one, &one_lab), prepared(&home, &other, &other_lab));
        assert_ne!(one, other);
        assert!(one.file_name().unwrap().starts_with("labs-"), "{one}");
    }

    #[test]
    fn a_checkout_that_was_moved_keeps_its_state_and_a_copy_of_it_starts_anew() {
        let (_keep, home) = folder();
        let (root, lab) = checkout(&home, "labs");
        let state = prepared(&home, &root, &lab);
        fs::write(state.join("lab-tiny-1.json"), "{}").unwrap();

        let (copy, copied_lab) = checkout(&home, "copy");
        fs::copy(lab.join(NAME), copied_lab.join(NAME)).unwrap();
        assert!(!prepared(&home, &copy, &copied_lab).join("lab-tiny-1.json").exists());

        let moved = home.join("moved");
        fs::rename(&root, &moved).unwrap();
        let state = prepared(&home, &moved, &moved.join("target/lab"));
        assert!(state.join("lab-tiny-1.json").exists());
        assert_eq!(fs::read_to_string(state.join(CHECKOUT)).unwrap(), moved);
    }

    #[test]
    fn what_is_carried_over_replaces_nothing_later() {
        let (_keep, home) = folder();
        let (old, new) = (home.join("old"), home.join("new"));
        fs::create_dir_all(old.join("runs")).unwrap();
        fs::create_dir_all(&new).unwrap();
        for (path, text) in [("global.json", "old"), ("lab-tiny-1.json", "old"), ("runs/1.jsonl", "old")] {
            fs::write(old.join(path), text).unwrap();
        }
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        fs::write(new.join("global.json"), "new").unwrap();
        fs::File::options().append(true).open(new.join("global.json")).unwrap().set_modified(later).unwrap();

        carry_over(&old, &new);
        let read = |path: &str| fs::read_to_string(new.join(path)).unwrap();
        assert_eq!([read("global.json"), read("lab-tiny-1.json"), read("runs/1.jsonl")], ["new", "old", "old"]);
        assert!(!old.exists());
    }

    #[test]
    fn a_state_folder_that_nobody_can_write_is_told_with_its_reason() {
        let (_keep, home) = folder();
        let (root, lab) = checkout(&home, "labs");
        fs::write(home.join("state"), "a file, no folder").unwrap();
        let reason = prepare(home.join("state").as_std_path(), &root, &lab).unwrap_err();
        assert!(reason.starts_with(&format!("cannot write to {}/state/labs-", home)), "{reason}");
        assert!(is_first_notice(&lab.join("state")));
        assert!(!is_first_notice(&lab.join("state")));
    }
}
