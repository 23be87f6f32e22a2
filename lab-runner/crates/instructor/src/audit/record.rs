//! The proof on record: what was proven of a lab, and of which files. CI keeps the folder from one run to the next.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::hash::PartsHash;
use lab_runner::state;
use lab_runner::workspace::{Lab, Workspace};
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

/// Files at the workspace's root that decide what is built.
const ROOT_FILES: [&str; 5] =
    ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml"];
/// Folders of a lab that do not belong to it.
const NOT_THE_LABS: [&str; 1] = ["target"];
/// Folders of a lab that say nothing of what becomes of its solution.
const NOT_THE_SOLUTIONS: [&str; 2] = ["target", "mutants"];
/// Folders of the kit and the runner in which nothing lies that a grade depends on.
const NOT_SHARED: [&str; 3] = ["target", "tests", "examples"];

/// What is proven of a lab.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// The hash of everything that the proof depends on.
    pub inputs: String,
    proven: BTreeSet<String>,
}

impl Record {
    /// A record of files with the hash `inputs`, of which nothing is proven.
    pub(super) fn new(inputs: String) -> Self {
        Self { inputs, proven: BTreeSet::new() }
    }

    /// What is proven of `lab` as its files are now.
    pub(super) fn load(workspace: &Workspace, lab: &Lab) -> Self {
        let now = inputs(workspace, lab, &NOT_THE_LABS);
        let known: Self = state::read(&path(workspace, lab));
        if known.inputs == now { known } else { Self::new(now) }
    }

    /// Keeps the record. Losing it costs time and nothing else.
    pub(super) fn save(&self, workspace: &Workspace, lab: &Lab) {
        state::write(&path(workspace, lab), self);
    }

    /// Whether `place` is proven.
    pub(super) fn holds(&self, place: &str) -> bool {
        self.proven.contains(place)
    }

    /// `place` is proven now.
    pub(super) fn add(&mut self, place: &str) {
        self.proven.insert(place.to_owned());
    }

    /// `place` is not proven any more: the files are the same, but it failed.
    pub(super) fn remove(&mut self, place: &str) {
        self.proven.remove(place);
    }
}

fn path(workspace: &Workspace, lab: &Lab) -> Utf8PathBuf {
    workspace.lab_folder().join("proofs").join(format!("{}.json", lab.package()))
}

/// The hash of all that decides how a change of the solution of `lab` is graded: of everything but its mutants.
pub(super) fn inputs_without_mutants(workspace: &Workspace, lab: &Lab) -> String {
    inputs(workspace, lab, &NOT_THE_SOLUTIONS)
}

/// The SHA-256 over all that decides how `lab` is graded: its folder without those called as in `left_out`, the workspace's shared crates, its default
/// members (the runner) and the files at its root. What cannot be read counts as absent.
fn inputs(workspace: &Workspace, lab: &Lab, left_out: &[&str]) -> String {
    let mut folders: Vec<Utf8PathBuf> = shared(workspace).into_iter().map(|path| workspace.root.join(path)).collect();
    folders.sort();
    let mut hash = PartsHash::default();
    let mut add = |path: &Utf8Path| {
        let Ok(content) = std::fs::read(path) else { return };
        hash.add(workspace.relative(path).as_str());
        hash.add(content);
    };
    ROOT_FILES.iter().for_each(|file| add(&workspace.root.join(file)));
    files(&lab.folder, left_out).iter().for_each(|path| add(path));
    for folder in &folders {
        files(folder, &NOT_SHARED).iter().for_each(|path| add(path));
    }
    hash.finish()
}

/// The files of `folder`, in order, without what lies in folders called as in `left_out`.
fn files(folder: &Utf8Path, left_out: &[&str]) -> Vec<Utf8PathBuf> {
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    let wanted = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !entry.file_name().to_str().is_some_and(|name| left_out.contains(&name))
    };
    walk.filter_entry(wanted)
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Utf8PathBuf::try_from(entry.into_path()).ok())
        .collect()
}

/// The folders that every lab depends on: the workspace's own crates among the shared dependencies, and the packages
/// that cargo takes by default.
fn shared(workspace: &Workspace) -> Vec<Utf8PathBuf> {
    let text = std::fs::read_to_string(workspace.root.join("Cargo.toml")).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let section = |name: &str| table.get("workspace").and_then(|workspace| workspace.get(name));
    let paths = section("dependencies").and_then(toml::Value::as_table).into_iter().flatten();
    let paths = paths.filter_map(|(_, dependency)| dependency.get("path")?.as_str());
    let members = section("default-members").and_then(toml::Value::as_array).into_iter().flatten();
    paths.chain(members.filter_map(toml::Value::as_str)).map(Utf8PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_runner::manifest::Manifest;

    fn write(root: &Utf8Path, path: &str, content: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    #[test]
    fn a_change_of_the_lab_the_kit_or_the_runner_asks_for_a_new_proof_and_another_labs_does_not() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        let manifest = "format_version = 1\nid = 'a-1'\nslug = 'b'\ntitle = ''\nsummary = ''\nroadmap = []\n\
                        editable = ['src']\n[server]\nreadiness = { path = '/' }";
        let cargo = "[workspace]\ndefault-members = ['runner']\n[workspace.dependencies]\nkit = { path = 'kit' }\n";
        for (path, content) in [
            ("Cargo.toml", cargo),
            ("labs/a-b/lab.toml", manifest),
            ("labs/a-b/src/main.rs", ""),
            ("labs/c-d/src/main.rs", ""),
            ("kit/src/lib.rs", ""),
            ("runner/src/main.rs", ""),
        ] {
            write(root, path, content);
        }
        let workspace = Workspace::open(root.into(), root.join("target")).unwrap();
        let folder = root.join("labs/a-b");
        let lab = Lab { manifest: Manifest::parse(manifest, &folder).unwrap(), folder };
        let mut known = inputs(&workspace, &lab, &NOT_THE_LABS);
        let mut changes = |path: &str| {
            write(root, path, "changed");
            let now = inputs(&workspace, &lab, &NOT_THE_LABS);
            std::mem::replace(&mut known, now.clone()) != now
        };
        for path in ["labs/c-d/src/main.rs", "labs/a-b/target/x", "runner/tests/x.rs", "README.md"] {
            assert!(!changes(path), "{path}");
        }
        for path in
            ["labs/a-b/mutants/x.patch", "labs/a-b/README.md", "kit/src/lib.rs", "runner/src/new.rs", "Cargo.lock"]
        {
            assert!(changes(path), "{path}");
        }
    }
}
