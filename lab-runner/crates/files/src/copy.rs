//! Copying a folder with all that is in it.

use std::fs;
use std::io;
use std::path::Path;

/// Copies the files and folders in `from` to `to`, which is made if it does not exist. Files keep their modes; links,
/// pipes and sockets are left out. `copied` is told the original and the copy of each file, and of each folder once all
/// that is in it is there.
///
/// # Errors
/// Something cannot be read or written, or what `copied` fails with.
pub fn copy_folder(from: &Path, to: &Path, copied: &mut dyn FnMut(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&source, &target, copied)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
            copied(&source, &target)?;
        }
    }
    copied(from, to)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn files_and_folders_are_copied_and_links_are_not() {
        let keep = tempfile::tempdir().unwrap();
        let (from, to) = (keep.path().join("from"), keep.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::write(from.join("a/b/run.sh"), "exit").unwrap();
        fs::set_permissions(from.join("a/b/run.sh"), fs::Permissions::from_mode(0o750)).unwrap();
        symlink("/etc/hostname", from.join("a/link")).unwrap();
        let mut seen = Vec::new();
        let mut copied = |_: &Path, to: &Path| {
            seen.push(to.to_owned());
            Ok(())
        };
        copy_folder(&from, &to, &mut copied).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b/run.sh")).unwrap(), "exit");
        assert_eq!(fs::metadata(to.join("a/b/run.sh")).unwrap().permissions().mode() & 0o777, 0o750);
        assert!(fs::symlink_metadata(to.join("a/link")).is_err());
        assert_eq!(seen, [to.join("a/b/run.sh"), to.join("a/b"), to.join("a"), to]);
    }

    #[test]
    fn it_ends_where_it_is_told_to() {
        let keep = tempfile::tempdir().unwrap();
        fs::write(keep.path().join("file"), "").unwrap();
        let error = copy_folder(keep.path(), &keep.path().join("to"), &mut |_, _| Err(io::Error::other("no")));
        assert_eq!(error.unwrap_err().to_string(), "no");
    }
}
