//! Mutants: the reference submission with a known mistake, kept as a patch that says what it breaks.

mod head;
pub mod patch;
mod refreshed;

use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};

use super::Tree;
use crate::workspace::Lab;
use head::Missing;
use patch::Refusal;

pub use head::Head;
pub use refreshed::Refreshed;

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
    /// The line of the patch, counted from 1, that names them.
    pub fails_line: usize,
    patch: String,
}

/// Why a mutant cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MutantError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The patch or its folder.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Its first lines do not say what it breaks and which checks must fail.
    #[error("{path}:{line}: {reason}")]
    Headless {
        /// The patch.
        path: Utf8PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is missing.
        reason: String,
    },
    /// It is no unified diff, leads out of what a submission may hold, or was made for another solution.
    #[error("{path}:{line}: {message}")]
    DoesNotApply {
        /// The patch.
        path: Utf8PathBuf,
        /// The line, counted from 1.
        line: usize,
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
        Ok(Self::paths(lab)?.iter().map(|path| Self::load(path)).collect())
    }

    /// The patches of `lab`, by name.
    ///
    /// # Errors
    /// Their folder cannot be listed.
    pub fn paths(lab: &Lab) -> Result<Vec<Utf8PathBuf>, MutantError> {
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
        Ok(paths)
    }

    /// Reads the mutant at `path`.
    ///
    /// # Errors
    /// It cannot be read, or its head is incomplete.
    pub fn load(path: &Utf8Path) -> Result<Self, MutantError> {
        let patch = std::fs::read_to_string(path)
            .map_err(|source| MutantError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, patch)
    }

    /// The mutant whose `patch` is, or is to be, at `path`.
    ///
    /// # Errors
    /// Its head is incomplete.
    pub fn parse(path: &Utf8Path, patch: String) -> Result<Self, MutantError> {
        let headless = |Missing { line, reason }| MutantError::Headless { path: path.to_owned(), line, reason };
        let head = Head::of(&patch);
        let (_, breaks) = head.value("Breaks").map_err(headless)?;
        let (fails_line, fails) = head.value("Fails").map_err(headless)?;
        let names = fails.split(',').map(|id| id.trim().trim_matches('`')).filter(|id| !id.is_empty());
        let fails: Vec<String> = names.map(str::to_owned).collect();
        if fails.is_empty() {
            return Err(headless(Missing { line: fails_line, reason: "`Fails:` names no check".into() }));
        }
        let name = path.file_stem().unwrap_or_default().to_owned();
        Ok(Self { name, path: path.to_owned(), breaks: breaks.to_owned(), fails, fails_line, patch })
    }

    /// The mutant `name` that a program has made by `diff`, which changes `file` of the solution and breaks nobody knows
    /// what. It names no check.
    pub fn generated(name: &str, file: &Utf8Path, breaks: &str, diff: String) -> Self {
        let (name, path, breaks) = (name.to_owned(), file.to_owned(), breaks.to_owned());
        Self { name, path, breaks, fails: Vec::new(), fails_line: 0, patch: diff }
    }

    /// The files that it changes, each with the lines of the solution, counted from 1, around a change. Nothing of a patch
    /// that cannot be read.
    pub fn touches(&self, editable: &[Utf8PathBuf]) -> Vec<(Utf8PathBuf, Range<usize>)> {
        let changes = patch::parse(&self.patch, editable).unwrap_or_default();
        let of_file = |change: &patch::Change<'_>| {
            let lines = |hunk: &diffy::Hunk<'_, str>| hunk.old_range().start()..hunk.old_range().end();
            let ranges = change.patch.hunks().iter().map(lines).collect::<Vec<_>>();
            change.from.clone().map(|file| ranges.into_iter().map(move |lines| (file.clone(), lines)))
        };
        changes.iter().filter_map(of_file).flatten().collect()
    }

    /// The whole patch, its head included.
    pub fn text(&self) -> &str {
        &self.patch
    }

    /// `solution` with the mistake made; only what lies in the `editable` paths can change.
    ///
    /// # Errors
    /// The patch is no unified diff, names a file that no submission can hold, or does not fit.
    pub fn apply(&self, solution: Tree, editable: &[Utf8PathBuf]) -> Result<Tree, MutantError> {
        patch::apply(&self.patch, solution, editable).map_err(|refusal| self.does_not_apply(refusal))
    }

    /// The error that its patch is refused.
    pub fn does_not_apply(&self, Refusal { line, message }: Refusal) -> MutantError {
        MutantError::DoesNotApply { path: self.path.clone(), line, message }
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

    /// The patch `text` applied to a solution with only a `main`, all of whose `src` is editable.
    fn applied(text: &str, main: &str) -> Result<Tree, String> {
        let solution = Tree([("src/main.rs".into(), main.as_bytes().to_vec())].into());
        mutant(text).unwrap().apply(solution, &["src".into()]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mutant_says_what_it_breaks_and_what_must_fail() {
        let mutant = mutant(PATCH).unwrap();
        assert_eq!(mutant.breaks, "one is two");
        assert_eq!(mutant.fails, ["count", "other"]);
    }

    #[test]
    fn a_mutant_changes_and_adds_files() {
        let tree = applied(PATCH, "fn main() {\n1 }\n").unwrap();
        assert_eq!(tree.0[Utf8Path::new("src/main.rs")], b"fn main() {\n2 }\n");
        assert_eq!(tree.0[Utf8Path::new("src/new.rs")], b"new\n");
    }

    #[test]
    fn a_mutant_of_another_solution_does_not_apply() {
        let error = applied(PATCH, "fn main() {\n3 }\n").unwrap_err();
        assert!(error.ends_with(".patch:6: src/main.rs no longer has the line `1 }`"), "{error}");
    }

    #[test]
    fn a_patch_that_leads_out_of_what_a_submission_may_hold_is_refused() {
        for (path, why) in [
            ("b/../escaped.rs", "`../escaped.rs` leads out of the lab's folder"),
            ("b/src/../../escaped.rs", "`src/../../escaped.rs` leads out of the lab's folder"),
            ("/tmp/escaped.rs", "`/tmp/escaped.rs` leads out of the lab's folder"),
            ("b//tmp/escaped.rs", "`/tmp/escaped.rs` leads out of the lab's folder"),
            ("b/Cargo.toml", "`Cargo.toml` is not among the lab's editable paths"),
            ("b/src2/main.rs", "`src2/main.rs` is not among the lab's editable paths"),
        ] {
            let text = format!("Breaks: it\nFails: count\n\n--- /dev/null\n+++ {path}\n@@ -0,0 +1 @@\n+new\n");
            let error = applied(&text, "fn main() {}\n").unwrap_err();
            assert!(error.ends_with(&format!(".patch:4: {why}")), "{error}");
        }
    }

    #[test]
    fn a_patch_without_its_head_is_no_mutant() {
        let error = mutant("Breaks: it\n\n--- a/x\n+++ b/x\n").unwrap_err().to_string();
        assert!(error.ends_with(".patch:3: the diff begins before there is a line `Fails: …`"), "{error}");
        let error = mutant("Breaks: it\nFails: `` ,\n").unwrap_err().to_string();
        assert!(error.ends_with(".patch:2: `Fails:` names no check"), "{error}");
    }
}
