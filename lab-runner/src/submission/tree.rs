//! A submission's files, held in memory: small by their bounds, and read once.

use std::collections::BTreeMap;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::hash::PartsHash;

/// Files by their path relative to the lab's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<Utf8PathBuf, Vec<u8>>);

impl Tree {
    /// The SHA-256 over every path and content, lengths included, so that no two trees look alike.
    pub fn sha256(&self) -> String {
        let mut hash = PartsHash::default();
        for (path, content) in &self.0 {
            hash.add(path.as_str());
            hash.add(content);
        }
        hash.finish()
    }
}

/// Whether `path` stays in the folder that it is relative to.
pub(super) fn is_inside(path: &Utf8Path) -> bool {
    !path.as_str().is_empty() && path.components().all(|part| matches!(part, Utf8Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        Tree(files.iter().map(|(path, content)| ((*path).into(), content.as_bytes().to_vec())).collect())
    }

    #[test]
    fn the_hash_depends_on_names_and_on_where_one_file_ends() {
        let one = tree(&[("a", "bc"), ("d", "")]);
        assert_eq!(one.sha256(), tree(&[("d", ""), ("a", "bc")]).sha256());
        assert_ne!(one.sha256(), tree(&[("a", "b"), ("cd", "")]).sha256());
        assert_ne!(one.sha256(), tree(&[("ab", "c"), ("d", "")]).sha256());
    }
}
