//! Makes a folder hold exactly some files, touching none that is right already: a second build has nothing to do.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

use super::{SubmissionError, Tree, tree};

/// Makes `folder` hold exactly `tree`.
pub fn sync(folder: &Utf8Path, tree: &Tree) -> Result<(), SubmissionError> {
    let fail = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| SubmissionError::Unwritable { path, source }
    };
    if let Some(outside) = tree.0.keys().find(|path| !tree::is_inside(path)) {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the path leads out of the folder");
        return Err(fail(outside)(source));
    }
    if folder.is_symlink() {
        std::fs::remove_file(folder).map_err(fail(folder))?;
    }
    std::fs::create_dir_all(folder).map_err(fail(folder))?;
    remove_others(folder, tree).map_err(fail(folder))?;
    for (path, content) in &tree.0 {
        let path = folder.join(path);
        if std::fs::read(&path).is_ok_and(|present| present == *content) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(fail(parent))?;
        }
        write(&path, content).map_err(fail(&path))?;
    }
    Ok(())
}

/// Writes a new file: what stands at `path` may be a second name of a file elsewhere, which has to stay as it is.
pub fn write(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::fs::File::create_new(path)?.write_all(content),
    }
}

/// Removes what is not in `tree`, and whatever stands where a file or folder of it has to be.
fn remove_others(folder: &Utf8Path, tree: &Tree) -> io::Result<()> {
    let folders: BTreeSet<Utf8PathBuf> =
        tree.0.keys().flat_map(|path| path.ancestors().skip(1)).map(Utf8Path::to_owned).collect();
    let mut walk = WalkDir::new(folder).min_depth(1).follow_links(false).into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry?;
        let known = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(folder).ok());
        if entry.file_type().is_dir() {
            if !known.is_some_and(|path| folders.contains(path)) {
                walk.skip_current_dir();
                std::fs::remove_dir_all(entry.path())?;
            }
        } else if !(entry.file_type().is_file() && known.is_some_and(|path| tree.0.contains_key(path))) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        Tree(files.iter().map(|(path, content)| ((*path).into(), content.as_bytes().to_vec())).collect())
    }

    fn modified(path: &Utf8Path) -> std::time::SystemTime {
        path.metadata().unwrap().modified().unwrap()
    }

    #[test]
    fn files_that_are_right_keep_their_time_and_others_go() {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(keep.path()).unwrap();
        let first = tree(&[("src/main.rs", "a"), ("src/old/x.rs", "b"), ("notes", "c")]);
        sync(folder, &first).unwrap();
        let before = modified(&folder.join("src/main.rs"));
        std::os::unix::fs::symlink("/etc/passwd", folder.join("src/link")).unwrap();
        // A file gives way to a folder of the same name.
        sync(folder, &tree(&[("src/main.rs", "a"), ("notes/x", "d")])).unwrap();
        assert_eq!(modified(&folder.join("src/main.rs")), before);
        assert_eq!(std::fs::read_to_string(folder.join("notes/x")).unwrap(), "d");
        assert!(!folder.join("src/old").exists() && !folder.join("src/link").is_symlink());
    }

    #[test]
    fn nothing_outside_the_folder_is_written() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        let (folder, outside) = (root.join("stage"), root.join("outside"));
        for path in ["../outside", "src/../../outside", outside.as_str()] {
            let error = sync(&folder, &tree(&[("src/main.rs", "a"), (path, "b")])).unwrap_err();
            assert!(lab_protocol::in_full(&error).contains("leads out of the folder"), "{error}");
            assert!(!outside.exists() && !folder.exists());
        }
        // Links that a build left in the stage: of a file, of a folder, of the stage itself.
        std::fs::create_dir_all(folder.join("src")).unwrap();
        std::fs::write(&outside, "mine").unwrap();
        std::fs::hard_link(&outside, folder.join("src/main.rs")).unwrap();
        std::os::unix::fs::symlink(root, folder.join("up")).unwrap();
        sync(&folder, &tree(&[("src/main.rs", "a"), ("up/outside", "b")])).unwrap();
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
        assert_eq!(std::fs::read_to_string(folder.join("up/outside")).unwrap(), "b");
        std::fs::remove_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(root, &folder).unwrap();
        sync(&folder, &tree(&[("outside", "b")])).unwrap();
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
    }
}
