//! How git finds the hook: a folder with a link to this very program, in the folder of repositories. A host that is killed leaves
//! it there, and the next one goes on with it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::HOOK;

/// Its name, which no repository has: theirs have no dot.
const FOLDER: &str = ".box-office-hooks";

/// The folder with the hook, outside of all repositories: whatever hooks a repository has of its own are not run.
#[derive(Debug)]
pub struct Hook {
    folder: PathBuf,
    program: PathBuf,
}

impl Hook {
    /// In the folder of `repositories`. What is there is left as it is until the first push.
    ///
    /// # Errors
    /// Nobody can tell where this program is.
    pub fn new(repositories: &Path) -> io::Result<Self> {
        // Asked for now: once a new version of the program is in its place, the system names the old one as deleted.
        Ok(Self { folder: repositories.join(FOLDER), program: std::env::current_exe()? })
    }

    /// The folder, in which the hook is from now on. Without it git would ask nobody, and take every push.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn folder(&self) -> io::Result<&Path> {
        let link = self.folder.join(HOOK);
        let leads_here = || fs::read_link(&link).is_ok_and(|program| program == self.program);
        if !leads_here() {
            fs::create_dir_all(&self.folder)?;
            // The link is replaced in one step. Another push may be doing the same.
            let new = self.folder.join(format!("{HOOK}.{}", std::process::id()));
            let replaced = symlink(&self.program, &new).and_then(|()| fs::rename(&new, &link));
            if let Err(error) = replaced
                && !leads_here()
            {
                return Err(error);
            }
        }
        Ok(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_host_goes_on_with_what_the_last_one_has_left() {
        let repositories = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let link = repositories.path().join(FOLDER).join(HOOK);
        for _ in 0..2 {
            let hook = Hook::new(repositories.path()).unwrap();
            assert_eq!(hook.folder().unwrap(), link.parent().unwrap());
            assert_eq!(fs::read_link(&link).unwrap(), program);
        }
        fs::remove_file(&link).unwrap();
        symlink("/an/older/version", &link).unwrap();
        Hook::new(repositories.path()).unwrap().folder().unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), program);
        assert_eq!(fs::read_dir(repositories.path().join(FOLDER)).unwrap().count(), 1);
    }
}
