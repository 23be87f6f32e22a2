//! Where the runner's sources are: beside the labs, or, for a course in a repository of its own, where its Cargo.toml has
//! the kit from. Nothing else names the place, so that the kit and the runner are always of one version.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The crate that every suite is written with.
const KIT: &str = "lab-kit";
/// Its folder, as seen from the root of the workspace that has the runner.
const KIT_FOLDER: &str = "lab-runner/crates/kit";

/// The root of the workspace that has the runner which belongs to the labs in the workspace at `root`.
pub(crate) fn place(root: &Path) -> Option<PathBuf> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).ok()?;
    // Where nothing is said, the labs are where the runner is.
    let Some(path) = manifest.lines().find_map(path_of_kit) else { return Some(root.to_owned()) };
    let above = path.strip_suffix(KIT_FOLDER)?;
    Some(lexically(&root.join(above)))
}

/// The path in a line such as `lab-kit = { path = "../course/lab-runner/crates/kit" }`.
fn path_of_kit(line: &str) -> Option<&str> {
    let value = line.trim().strip_prefix(KIT)?.trim_start().strip_prefix('=')?;
    let (_, path) = value.split_once("path")?;
    let path = path.trim_start().strip_prefix('=')?.trim_start();
    let quote = path.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    path[1..].split(quote).next()
}

/// `path` without `.` and `..`, so that it is written as the workspace itself writes it.
fn lexically(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut walked, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                walked.pop();
            }
            part => walked.push(part),
        }
        walked
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_is_where_the_kit_is() {
        let root = std::env::temp_dir().join(format!("lab-launcher-sources-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let beside = root.parent().unwrap().to_owned();
        let place = |manifest: &str| {
            fs::write(root.join("Cargo.toml"), manifest).unwrap();
            place(&root)
        };
        assert_eq!(place("[workspace]\n"), Some(root.clone()));
        assert_eq!(
            place("[workspace.dependencies]\nlab-kit = { path = \"lab-runner/crates/kit\" }\n"),
            Some(root.clone())
        );
        let other = "lab-kit-macros = { path = '/x' }\nlab-kit={path='../theirs/lab-runner/crates/kit'}\n";
        assert_eq!(place(other), Some(beside.join("theirs")));
        assert_eq!(place("lab-kit = { path = \"/opt/labs/lab-runner/crates/kit\" }\n"), Some("/opt/labs".into()));
        assert_eq!(place("lab-kit = { path = \"../elsewhere/kit\" }\n"), None);
        fs::remove_dir_all(root).unwrap();
    }
}
