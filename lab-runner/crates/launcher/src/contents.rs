//! What a set of files holds, and which of them have changed since they were looked at last: by content, as everywhere
//! here. A file that was written anew with the same text has not changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::record::{Input, Now};

/// What files held when they were looked at last.
#[derive(Debug, Clone, Default)]
pub struct Contents(BTreeMap<PathBuf, Input>);

impl Contents {
    /// Looks at `paths`, which are files, and gives those whose content has changed, which have appeared, or which are
    /// gone. A file that cannot be read counts as gone. Those that look just as they did are not read again.
    pub fn look(&mut self, paths: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
        let gone: Vec<PathBuf> = self.0.keys().filter(|known| !paths.contains(*known)).cloned().collect();
        let mut changed: Vec<PathBuf> = paths.iter().filter(|path| self.has_changed(path)).cloned().collect();
        for path in gone {
            self.0.remove(&path);
            changed.push(path);
        }
        changed
    }

    fn has_changed(&mut self, path: &Path) -> bool {
        let known = self.0.get(path);
        let now = match known.map(Input::now) {
            Some(Now::Same) => return false,
            Some(Now::Renewed(now)) => Some(now),
            Some(Now::Changed) | None => Input::read(path).ok().filter(|now| now.content.is_some()),
        };
        let same = known.and_then(|known| known.content) == now.as_ref().and_then(|now| now.content);
        match now {
            Some(now) => self.0.insert(path.to_owned(), now),
            None => self.0.remove(path),
        };
        !same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for a test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("lab-contents-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn only_another_content_is_a_change() {
        let folder = Folder::new("same");
        let path = folder.write("main.rs", "fn main() {}");
        let (paths, only) = (BTreeSet::from([path.clone()]), [path.clone()]);
        let mut contents = Contents::default();
        assert_eq!(contents.look(&paths), only);
        assert!(contents.look(&paths).is_empty());
        folder.write("main.rs", "fn main() {}");
        assert!(contents.look(&paths).is_empty(), "it was written anew with the same text");
        folder.write("main.rs", "fn main() { }");
        assert_eq!(contents.look(&paths), only);
        let other = folder.write("other", "fn main() {}");
        std::fs::rename(other, &path).unwrap();
        assert_eq!(contents.look(&paths), only);
    }

    #[test]
    fn what_appears_and_what_goes_is_a_change_and_what_was_never_there_is_none() {
        let folder = Folder::new("gone");
        let path = folder.0.join("main.rs");
        let (paths, only) = (BTreeSet::from([path.clone()]), [path.clone()]);
        let mut contents = Contents::default();
        assert!(contents.look(&paths).is_empty());
        folder.write("main.rs", "");
        assert_eq!(contents.look(&paths), only);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(contents.look(&paths), only);
        assert!(contents.look(&paths).is_empty());
        folder.write("main.rs", "");
        assert_eq!(contents.look(&paths), only);
        assert_eq!(contents.look(&BTreeSet::new()), only, "it is not listed any more");
    }
}
