//! The build context: the workspace around the submission, without what its ignore file leaves out.
//!
//! We copy it ourselves, so that an engine without BuildKit, which does not know `Dockerfile.dockerignore`, gets the
//! same files, and so that what is built carries a label by which we find it again.

use std::path::Path;

use lab_kit::prelude::*;
use tempfile::TempDir;
use walkdir::WalkDir;

use super::engine::LABEL;
use super::ignore::leaves_out;

/// Sources are smaller by far.
const MOST_BYTES: u64 = 200 << 20;

/// A folder with the context, which is removed with this.
#[derive(Debug)]
pub struct Context {
    folder: TempDir,
    dockerfile: String,
}

impl Context {
    /// Copies it.
    pub fn copy(lab: &Lab) -> CheckResult<Self> {
        let tree = lab.tree()?;
        let root = tree.ancestors().skip(1).find(|folder| folder.join("Cargo.lock").is_file());
        let root = root.ok_or_else(|| Failure::not_applicable("the lab's folder is not in a workspace"))?;
        let name = ["Dockerfile.dockerignore", ".dockerignore"].into_iter().find(|name| tree.join(name).is_file());
        let ignore = name.map(|name| lab.file(name)).transpose()?.unwrap_or_default();
        let folder = tempfile::tempdir().ours("creating a folder for the context")?;
        copy_kept(root, folder.path(), &ignore, MOST_BYTES)?;
        let place = tree.strip_prefix(root).ours("finding the lab's folder in its workspace")?.join("Dockerfile");
        let path = folder.path().join(&place);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path())).ours("creating a folder in the context")?;
        std::fs::write(&path, labelled(&lab.file("Dockerfile")?)).ours("writing the Dockerfile")?;
        Ok(Self { folder, dockerfile: place.display().to_string() })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The Dockerfile in it.
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }
}

fn copy_kept(root: &Path, to: &Path, ignore: &str, most_bytes: u64) -> CheckResult {
    let never = |name: &std::ffi::OsStr| name == "target" || name == ".git";
    let mut bytes = 0;
    for entry in WalkDir::new(root).min_depth(1).into_iter().filter_entry(|entry| !never(entry.file_name())) {
        let entry = entry.ours("reading the workspace")?;
        let relative = entry.path().strip_prefix(root).ours("reading the workspace")?;
        if !entry.file_type().is_file() || leaves_out(ignore, &relative.to_string_lossy()) {
            continue;
        }
        bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        if bytes > most_bytes {
            // never fails alone: no patch adds that much, and the test below has a smaller bound
            return Err(Failure::learner("the build context is larger than 200 MB")
                .expected("an ignore file that leaves out what the build does not need"));
        }
        let to = to.join(relative);
        std::fs::create_dir_all(to.parent().unwrap_or(&to)).ours("creating a folder in the context")?;
        std::fs::copy(entry.path(), to).ours("copying the context")?;
    }
    Ok(())
}

/// The Dockerfile with our label in each stage: without BuildKit a stage leaves an image behind that has no name.
fn labelled(text: &str) -> String {
    let mut lines = Vec::new();
    let mut in_from = false;
    for line in text.lines() {
        in_from |= line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("from"));
        lines.push(line.to_owned());
        if in_from && !line.trim_end().ends_with('\\') {
            lines.push(format!("LABEL {LABEL}=image"));
            in_from = false;
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_has_a_bound_for_what_the_ignore_file_leaves_in() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(from.path().join("dump")).unwrap();
        for (name, bytes) in [("main.rs", 10), ("dump/all.sql", 91)] {
            std::fs::write(from.path().join(name), vec![b'x'; bytes]).unwrap();
        }
        let copied = |ignore: &str, most| copy_kept(from.path(), to.path(), ignore, most);
        assert!(matches!(copied("", 100), Err(Failure::Learner(_))));
        assert!(copied("", 101).is_ok() && copied("**/*.sql", 100).is_ok());
        assert!(to.path().join("dump/all.sql").is_file());
    }

    #[test]
    fn every_stage_is_labelled() {
        let text = labelled("FROM a:1 AS b\nRUN x\nfrom --platform=y \\\n  c:1\nCMD z\n");
        assert_eq!(text.matches("LABEL").count(), 2);
        assert!(text.contains("  c:1\nLABEL"));
    }
}
