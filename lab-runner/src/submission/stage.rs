//! A stage: a small workspace of its own, in which the lab stands as it was given out, with a submission laid over it.
//!
//! The dependencies are shared with the workspace: a stage builds into the workspace's build folder, and only its
//! final program goes elsewhere. Cargo tells packages in that folder apart by name, version and their path *relative*
//! to the workspace, so that two trees of the same lab would be taken for one, and a submission could be graded by
//! another's program. Hence each stage's package carries a version of its own.

use camino::{Utf8Path, Utf8PathBuf};
use lab_files::FileLock;
use lab_launcher::Artifact;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use walkdir::WalkDir;

use super::{SubmissionError, Tree, sync};
use crate::building;
use crate::hash::{self, PartsHash};
use crate::state;
use crate::workspace::{Lab, Workspace};

/// What belongs to instructors, in a lab's folder. A submission is built without it in sight.
const HIDDEN: [&str; 4] = ["checks", "solution", "mutants", "target"];
/// Files at the workspace's root that decide how a package is built.
const ROOT_FILES: [&str; 5] =
    [".cargo/config.toml", "clippy.toml", "rust-toolchain", "rust-toolchain.toml", "rustfmt.toml"];

/// A stage that holds a submission. Nobody else writes it as long as this lives.
#[derive(Debug)]
pub struct Stage {
    /// The root of its workspace.
    pub root: Utf8PathBuf,
    /// The folder in which that and all that is made of it stand.
    pub folder: Utf8PathBuf,
    /// The lab's folder in it.
    pub lab: Utf8PathBuf,
    /// Where its programs go.
    pub target: Utf8PathBuf,
    /// Whether cargo may change nothing in Cargo.lock any more.
    pub locked: bool,
    /// What was built of exactly these files, if anything was.
    pub product: Product,
    _lock: FileLock,
}

impl Stage {
    /// Writes a stage of what stands in the lab's own folder, for a workspace that cargo cannot load.
    ///
    /// # Errors
    /// The folder cannot be read, or the stage not be written.
    pub fn of_working_tree(workspace: &Workspace, lab: &Lab) -> Result<Self, SubmissionError> {
        let tree = super::overlay::read(&lab.folder, &lab.manifest.editable)?.tree;
        Self::write(workspace, lab, "working-tree", tree, true)
    }

    /// Writes the stage `name`, in which the dependencies of `lab` are compiled: with an empty program in the place of a
    /// submission.
    ///
    /// # Errors
    /// The stage cannot be written.
    pub fn of_dependencies(workspace: &Workspace, lab: &Lab, name: &str) -> Result<Self, SubmissionError> {
        let tree = Tree([("src/main.rs".into(), b"fn main() {}\n".to_vec())].into());
        Self::write(workspace, lab, name, tree, true)
    }

    /// The folder of the stage `name` of `lab`, with all that belongs to it.
    pub fn folder(workspace: &Workspace, lab: &Lab, name: &str) -> Utf8PathBuf {
        workspace.lab_folder().join("stage").join(lab.package()).join(name)
    }

    /// Writes the stage `name` of `lab` with `submission` in it, waiting for whoever uses it now. Without `debug_info`
    /// its backtraces name no lines.
    pub(super) fn write(
        workspace: &Workspace,
        lab: &Lab,
        name: &str,
        submission: Tree,
        debug_info: bool,
    ) -> Result<Self, SubmissionError> {
        let folder = Self::folder(workspace, lab, name);
        let lock = lock(&folder)?;
        let root = folder.join("tree");
        let place = Utf8Path::new("labs").join(lab.package());
        let mut tree = pristine(lab, &place)?;
        tree.0.extend(submission.0.into_iter().map(|(path, content)| (place.join(path), content)));
        // Another runner may keep its stages elsewhere and build into the same folder.
        let mark = format!("{name}.{}", &hash::text(root.as_str())[..8]);
        write_manifests(&mut tree, workspace, lab, &place, &mark, debug_info)?;
        for file in ROOT_FILES {
            if let Ok(content) = std::fs::read(workspace.root.join(file)) {
                tree.0.insert(file.into(), content);
            }
        }
        let cargo_lock = Lock::choose(workspace, &folder, &root, &tree);
        // Cargo cuts the lock in the first build. What it is made of stands for it.
        let content = format!("{}-{}", tree.sha256(), cargo_lock.mark);
        tree.0.extend(cargo_lock.content.clone().map(|content| ("Cargo.lock".into(), content)));
        sync::sync(&root, &tree)?;
        cargo_lock.record(&folder)?;
        let target = folder.join("out");
        let product =
            Product { record: folder.join("built.json"), root: root.clone(), target: target.clone(), content };
        Ok(Self { lab: root.join(place), root, folder, target, locked: cargo_lock.settled, product, _lock: lock })
    }
}

/// The program that was built last, as long as the stage holds what it held then. A stage is closed: nothing but its
/// files and the user's settings decides what comes out, so that cargo need not be asked again, nor waited for while
/// it builds something else.
#[derive(Debug)]
pub struct Product {
    record: Utf8PathBuf,
    root: Utf8PathBuf,
    target: Utf8PathBuf,
    /// The hash of what the stage holds now.
    content: String,
}

#[derive(Serialize, Deserialize)]
struct Made {
    /// As seen from the stage's target folder.
    program: Utf8PathBuf,
    /// The SHA-256 of the program: by its times and its length another one could pass for it.
    sha256: String,
    /// The hash of what it was made of.
    content: String,
}

impl Product {
    /// The program, if it is there and was made of what the stage holds now; and linked to the folder `held`, where nobody
    /// replaces it. What is held is what was looked at.
    pub fn hold(&self, held: &Utf8Path) -> Option<(Utf8PathBuf, Utf8PathBuf)> {
        let made: Made = serde_json::from_slice(&std::fs::read(&self.record).ok()?).ok()?;
        let path = self.target.join(&made.program);
        if made.content != self.content || !self.at(&path).is_fresh() {
            return None;
        }
        let held = building::hold(&path, held).ok()?;
        if hash::file(&held).is_ok_and(|sha256| sha256 == made.sha256) {
            return Some((path, held));
        }
        let _ = std::fs::remove_file(held);
        None
    }

    /// Remembers that `held`, which cargo has put at `program`, is what the stage makes.
    pub fn record(&self, program: &Utf8Path, held: &Utf8Path) {
        let (Ok(sha256), Ok(place)) = (hash::file(held), program.strip_prefix(&self.target)) else { return };
        let made = Made { program: place.to_owned(), sha256, content: self.content.clone() };
        state::write(&self.record, &made);
    }

    fn at(&self, program: &Utf8Path) -> Artifact {
        Artifact::new(program.as_std_path(), self.root.as_std_path())
    }
}

/// Lets one process at a time use the stage in `folder`.
fn lock(folder: &Utf8Path) -> Result<FileLock, SubmissionError> {
    let path = folder.join("lock");
    std::fs::create_dir_all(folder)
        .and_then(|()| FileLock::acquire(&path))
        .map_err(|source| SubmissionError::Unwritable { path, source })
}

/// The lab's own files without anything editable or hidden.
fn pristine(lab: &Lab, place: &Utf8Path) -> Result<Tree, SubmissionError> {
    let mut tree = Tree::default();
    let left_out = |relative: &Utf8Path| {
        HIDDEN.iter().any(|hidden| relative == *hidden)
            || lab.manifest.editable.iter().any(|path| relative.starts_with(path))
    };
    let relative = |entry: &walkdir::DirEntry| {
        Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(&lab.folder).ok()).map(Utf8Path::to_owned)
    };
    let walk = WalkDir::new(&lab.folder).min_depth(1).follow_links(false).into_iter();
    for entry in walk.filter_entry(|entry| relative(entry).is_some_and(|path| !left_out(&path))) {
        let unreadable = |source| SubmissionError::Unreadable { path: lab.folder.clone(), source };
        let entry = entry.map_err(|error| unreadable(error.into()))?;
        if entry.file_type().is_file()
            && let Some(path) = relative(&entry)
        {
            tree.0.insert(place.join(path), std::fs::read(entry.path()).map_err(unreadable)?);
        }
    }
    Ok(tree)
}

/// Adds the root's Cargo.toml, and gives the lab's package a version of its own.
fn write_manifests(
    tree: &mut Tree,
    workspace: &Workspace,
    lab: &Lab,
    place: &Utf8Path,
    mark: &str,
    debug_info: bool,
) -> Result<(), SubmissionError> {
    let root_path = workspace.root.join("Cargo.toml");
    let mut root = read_toml(&root_path)?;
    let version = root
        .get("workspace")
        .and_then(|workspace| workspace.get("package")?.get("version")?.as_str())
        .unwrap_or("0.0.0")
        .to_owned();
    // Build metadata (semver §10) changes no meaning, and keeps cargo from mistaking this package for another.
    let version = format!("{}+{mark}", version.split('+').next().unwrap_or_default());
    root.retain(|key, _| matches!(key, "workspace" | "profile" | "patch"));
    if let Some(Value::Table(table)) = root.get_mut("workspace") {
        table.insert("members".into(), Value::Array(vec![place.as_str().into()]));
        table.remove("default-members");
        table.remove("exclude");
    }
    if !debug_info {
        set_no_debug_info(&mut root);
    }
    tree.0.insert("Cargo.toml".into(), root.to_string().into_bytes());

    let mut package = read_toml(&lab.folder.join("Cargo.toml"))?;
    if let Some(Value::Table(table)) = package.get_mut("package") {
        table.insert("version".into(), version.into());
    }
    tree.0.insert(place.join("Cargo.toml"), package.to_string().into_bytes());

    Ok(())
}

/// Has cargo leave out all debug information.
fn set_no_debug_info(root: &mut Table) {
    let profiles = root.entry("profile").or_insert_with(|| Table::new().into());
    if let Some(profile) =
        profiles.as_table_mut().map(|profiles| profiles.entry("dev").or_insert_with(|| Table::new().into()))
        && let Some(profile) = profile.as_table_mut()
    {
        profile.insert("debug".into(), false.into());
    }
}

/// The stage's Cargo.lock: the workspace's own, which cargo cuts down to what the lab needs in the first build. That
/// takes away packages and adds none, so that every dependency keeps its version. The cut one stays until the
/// workspace's, or a manifest, is another.
struct Lock {
    /// What the stage is to have.
    content: Option<Vec<u8>>,
    /// Whether it is one that cargo has cut already.
    settled: bool,
    /// What it was made for.
    mark: String,
}

impl Lock {
    const MARK: &str = "Cargo.lock.made-for";
    const CARGOS_MARK: &[u8] = b"# This file is automatically @generated by Cargo.";

    fn choose(workspace: &Workspace, folder: &Utf8Path, root: &Utf8Path, tree: &Tree) -> Self {
        let original = std::fs::read(workspace.root.join("Cargo.lock")).ok();
        let manifests = tree.0.iter().filter(|(path, _)| path.file_name() == Some("Cargo.toml"));
        let mut hash = PartsHash::default();
        manifests.map(|(_, content)| content).chain(&original).for_each(|content| hash.add(content));
        let mark = hash.finish();
        let unchanged = std::fs::read_to_string(folder.join(Self::MARK)).is_ok_and(|known| known == mark);
        let present = std::fs::read(root.join("Cargo.lock")).ok();
        match present.filter(|lock| unchanged && lock.starts_with(Self::CARGOS_MARK)) {
            Some(cut) => Self { content: Some(cut), settled: true, mark },
            None => Self { content: original.as_deref().map(Self::unmarked), settled: false, mark },
        }
    }

    /// Without cargo's mark, one that cargo has not got to yet is told apart.
    fn unmarked(lock: &[u8]) -> Vec<u8> {
        let marked = lock.starts_with(Self::CARGOS_MARK);
        lock[if marked { Self::CARGOS_MARK.len() } else { 0 }..].to_vec()
    }

    fn record(&self, folder: &Utf8Path) -> Result<(), SubmissionError> {
        let path = folder.join(Self::MARK);
        std::fs::write(&path, &self.mark).map_err(|source| SubmissionError::Unwritable { path, source })
    }
}

fn read_toml(path: &Utf8Path) -> Result<Table, SubmissionError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SubmissionError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error: toml::de::Error| SubmissionError::Workspace {
        path: path.to_owned(),
        message: error.message().to_owned(),
    })
}
