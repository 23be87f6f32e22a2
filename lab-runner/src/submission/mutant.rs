//! Mutants: the reference submission with a known mistake, kept as a patch that says what it breaks.

use camino::{Utf8Path, Utf8PathBuf};
use diffy::patch_set::{FileOperation, ParseOptions, PatchKind, PatchSet};

use super::Tree;
use crate::workspace::Lab;

/// A plausible mistake that the suite must catch.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// Its name: the patch's file name without its ending.
    pub name: String,
    /// The patch.
    pub path: Utf8PathBuf,
    /// What it breaks, in words.
    pub breaks: String,
    /// The checks that must fail.
    pub fails: Vec<String>,
    patch: String,
}

/// Why a mutant cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MutantError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The patch or its folder.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Its first lines do not say what it breaks and which checks must fail.
    #[error("{path}: the line `{key}: …` is missing from its head")]
    Headless {
        /// The patch.
        path: Utf8PathBuf,
        /// The line.
        key: &'static str,
    },
    /// It is no unified diff.
    #[error("{path}: {message}")]
    NoPatch {
        /// The patch.
        path: Utf8PathBuf,
        /// Why not.
        message: String,
    },
    /// The solution is not what it was made for.
    #[error("{path} does not apply to {file}: {message}")]
    DoesNotApply {
        /// The patch.
        path: Utf8PathBuf,
        /// The solution's file.
        file: String,
        /// Why not.
        message: String,
    },
}

impl Mutant {
    /// The mutants of `lab`, by name, each read or not.
    ///
    /// # Errors
    /// Their folder cannot be listed.
    pub fn all(lab: &Lab) -> Result<Vec<Result<Self, MutantError>>, MutantError> {
        let folder = lab.folder.join("mutants");
        let unreadable = |source| MutantError::Unreadable { path: folder.clone(), source };
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        for entry in folder.read_dir_utf8().map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.into_path();
            if path.extension() == Some("patch") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths.iter().map(|path| Self::load(path)).collect())
    }

    /// Reads the mutant at `path`.
    ///
    /// # Errors
    /// It cannot be read, or its head is incomplete.
    pub fn load(path: &Utf8Path) -> Result<Self, MutantError> {
        let patch = std::fs::read_to_string(path)
            .map_err(|source| MutantError::Unreadable { path: path.to_owned(), source })?;
        let head = |key: &'static str| {
            patch
                .lines()
                .take_while(|line| !line.starts_with("--- "))
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
                .ok_or_else(|| MutantError::Headless { path: path.to_owned(), key })
        };
        let breaks = head("Breaks")?;
        let fails = head("Fails")?.split(',').map(|id| id.trim().trim_matches('`').to_owned()).collect();
        let name = path.file_stem().unwrap_or_default().to_owned();
        Ok(Self { name, path: path.to_owned(), breaks, fails, patch })
    }

    /// `solution` with the mistake made.
    ///
    /// # Errors
    /// The patch is no unified diff, or does not fit.
    pub fn apply(&self, mut solution: Tree) -> Result<Tree, MutantError> {
        let no_patch = |message: String| MutantError::NoPatch { path: self.path.clone(), message };
        // The head is ours; the parser begins at the first file.
        let start = self.patch.find("--- ").ok_or_else(|| no_patch("it holds no unified diff".into()))?;
        let before = solution.clone();
        for file in PatchSet::parse(&self.patch[start..], ParseOptions::unidiff()) {
            let file = file.map_err(|error| no_patch(error.to_string()))?;
            let PatchKind::Text(patch) = file.patch() else {
                return Err(no_patch("it changes a binary file".into()));
            };
            let (from, to) = paths(file.operation());
            let refused = |message: String| MutantError::DoesNotApply {
                path: self.path.clone(),
                file: from.or(to).unwrap_or_default().to_owned(),
                message,
            };
            let base = match from {
                None => String::new(),
                Some(from) => {
                    let bytes = solution.0.remove(Utf8Path::new(from));
                    let bytes = bytes.ok_or_else(|| refused("the solution has no such file".into()))?;
                    String::from_utf8(bytes).map_err(|error| refused(error.to_string()))?
                }
            };
            let changed = diffy::apply(&base, patch).map_err(|error| refused(error.to_string()))?;
            if let Some(to) = to {
                solution.0.insert(to.into(), changed.into_bytes());
            }
        }
        if solution == before {
            return Err(no_patch("it changes nothing".into()));
        }
        Ok(solution)
    }
}

/// The file a patch reads and the file it writes, relative to the lab's folder.
fn paths<'a>(operation: &'a FileOperation<'_, str>) -> (Option<&'a str>, Option<&'a str>) {
    let strip = |path: &'a str| {
        path.split_once('/').filter(|(top, _)| matches!(*top, "a" | "b")).map_or(path, |(_, rest)| rest)
    };
    match operation {
        FileOperation::Delete(path) => (Some(strip(path)), None),
        FileOperation::Create(path) => (None, Some(strip(path))),
        FileOperation::Modify { original: from, modified: to }
        | FileOperation::Rename { from, to }
        | FileOperation::Copy { from, to } => (Some(strip(from)), Some(strip(to))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "Breaks: one is two\nFails: count, `other`\n\n--- a/src/main.rs\n+++ b/src/main.rs\n\
                         @@ -1,2 +1,2 @@\n fn main() {\n-1 }\n+2 }\n--- /dev/null\n+++ b/src/new.rs\n@@ -0,0 +1 @@\n+new\n";

    fn mutant(text: &str) -> Result<Mutant, MutantError> {
        let file = tempfile::Builder::new().suffix(".patch").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Mutant::load(Utf8Path::from_path(file.path()).unwrap())
    }

    fn solution(main: &str) -> Tree {
        Tree([("src/main.rs".into(), main.as_bytes().to_vec())].into())
    }

    #[test]
    fn a_mutant_says_what_it_breaks_and_what_must_fail() {
        let mutant = mutant(PATCH).unwrap();
        assert_eq!(mutant.breaks, "one is two");
        assert_eq!(mutant.fails, ["count", "other"]);
    }

    #[test]
    fn a_mutant_changes_and_adds_files() {
        let tree = mutant(PATCH).unwrap().apply(solution("fn main() {\n1 }\n")).unwrap();
        assert_eq!(tree.0[Utf8Path::new("src/main.rs")], b"fn main() {\n2 }\n");
        assert_eq!(tree.0[Utf8Path::new("src/new.rs")], b"new\n");
    }

    #[test]
    fn a_mutant_of_another_solution_does_not_apply() {
        let error = mutant(PATCH).unwrap().apply(solution("fn main() {\n3 }\n")).unwrap_err();
        assert!(matches!(error, MutantError::DoesNotApply { .. }), "{error}");
    }

    #[test]
    fn a_patch_without_its_head_is_no_mutant() {
        let error = mutant("Breaks: it\n\n--- a/x\n+++ b/x\n").unwrap_err();
        assert!(error.to_string().contains("`Fails: …`"), "{error}");
    }
}
