//! The files of a lab that `watch` looks at: what the learner may edit, and what else changes a build.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use lab_launcher::Contents;
use walkdir::{DirEntry, WalkDir};

use crate::manifest;
use crate::workspace::{Lab, Workspace};

/// More files than this are not looked at: a look is to cost a few milliseconds.
const MOST_FILES: usize = 5_000;
/// What of a lab changes its build or its suite, beside what the learner may edit.
const OF_THE_LAB: [&str; 4] = [manifest::FILE_NAME, "Cargo.toml", "build.rs", "checks"];
/// What of the workspace does.
const OF_THE_WORKSPACE: [&str; 4] = ["Cargo.toml", "rust-toolchain.toml", "rust-toolchain", ".cargo/config.toml"];
/// Folders in which nobody edits.
const NO_SOURCES: [&str; 3] = ["target", ".git", "node_modules"];

/// The watched files, and what they held when they were looked at last.
#[derive(Debug)]
pub(super) struct Files {
    root: Utf8PathBuf,
    lab: Utf8PathBuf,
    paths: Vec<Utf8PathBuf>,
    contents: Contents,
}

impl Files {
    /// The files of `lab`, as they are now.
    pub(super) fn of(workspace: &Workspace, lab: &Lab) -> Self {
        let (root, folder) = (workspace.root.clone(), lab.folder.clone());
        let mut files = Self { root, lab: folder, paths: Vec::new(), contents: Contents::default() };
        files.belong_to(lab);
        files.look();
        files
    }

    /// Looks at what the manifest of `lab` says now. What is new among it is a change.
    pub(super) fn belong_to(&mut self, lab: &Lab) {
        let own = lab.manifest.editable.iter().map(|path| lab.folder.join(path));
        let own = own.chain(OF_THE_LAB.map(|name| lab.folder.join(name)));
        self.paths = own.chain(OF_THE_WORKSPACE.map(|name| self.root.join(name))).collect();
    }

    /// The manifest, as [`look`](Self::look) names it.
    pub(super) fn manifest(&self) -> Utf8PathBuf {
        let path = self.lab.join(manifest::FILE_NAME);
        path.strip_prefix(&self.root).map_or_else(|_| path.clone(), ToOwned::to_owned)
    }

    /// The files that have changed since the last look, relative to the workspace.
    pub(super) fn look(&mut self) -> Vec<Utf8PathBuf> {
        let changed = self.contents.look(&self.list());
        let utf8 = changed.into_iter().map(|path| Utf8PathBuf::from(path.to_string_lossy().into_owned()));
        utf8.map(|path| path.strip_prefix(&self.root).map_or_else(|_| path.clone(), ToOwned::to_owned)).collect()
    }

    fn list(&self) -> BTreeSet<PathBuf> {
        let wanted = |entry: &DirEntry| {
            let name = entry.file_name().to_string_lossy();
            let folder = entry.file_type().is_dir();
            entry.depth() == 0 || if folder { !NO_SOURCES.contains(&&*name) } else { !is_passing(&name) }
        };
        // A lab's folder, and anything in it, may be a link: what it leads to counts.
        let walk = |path: &Utf8PathBuf| WalkDir::new(path).follow_links(true).into_iter().filter_entry(wanted);
        let files = self.paths.iter().flat_map(walk).flatten().filter(|entry| entry.file_type().is_file());
        files.take(MOST_FILES).map(DirEntry::into_path).collect()
    }

    /// Where events are to be asked for: the folders with all that is in them, and those of which only the files count.
    pub(super) fn folders(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let real = |path: &Utf8PathBuf| path.as_std_path().canonicalize().unwrap_or_else(|_| path.into());
        (vec![real(&self.lab)], vec![real(&self.root)])
    }
}

/// Whether an editor makes files of such a `name` for a moment, or beside the real one.
fn is_passing(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    // Vim tries whether it may write, with a name of digits; its swap files; backups; Emacs' locks and autosaves; those of
    // GLib and of JetBrains.
    let tried = name.len() < 6 && name.bytes().all(|byte| byte.is_ascii_digit());
    let swap = extension.len() == 3 && extension.starts_with("sw");
    let made_by = [".#", "#", ".goutputstream-"].iter().any(|start| name.starts_with(start));
    tried || swap || made_by || name.ends_with('~') || name.contains("___jb_") || extension == "kate-swp"
}

#[cfg(test)]
mod tests {
    use super::is_passing;

    #[test]
    fn what_editors_leave_for_a_moment_is_known_by_its_name() {
        for name in ["4913", "5036", ".main.rs.swp", ".main.rs.swx", "main.rs~", ".#main.rs", "#main.rs#"] {
            assert!(is_passing(name), "{name}");
        }
        for name in [".goutputstream-X1Y2Z3", "main.rs___jb_tmp___", ".main.rs.kate-swp"] {
            assert!(is_passing(name), "{name}");
        }
        for name in ["main.rs", "0001_events.sql", "ci.yml", "Dockerfile", ".sqlx", "v2.swift", "123456"] {
            assert!(!is_passing(name), "{name}");
        }
    }
}
