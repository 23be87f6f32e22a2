//! Writes a learner kit, and looks through all of it for what must not be in one.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::git;
use lab_runner::held_out::Disclosure;
use lab_runner::learner_kit::{Exported, FOLDER, FORMAT_VERSION, KitManifest, MANIFEST, ORIGINALS, platform};
use lab_runner::submission::Tree;
use lab_runner::workspace::{Lab, Workspace};
use serde::Serialize;
use walkdir::WalkDir;

use super::needles::{Leak, Needles};
use super::{contents, programs};

/// The most finds that an error lists.
const MOST_LEAKS: usize = 10;
/// What to export.
#[derive(Debug, Clone)]
pub struct Export {
    /// The labs.
    pub labs: Vec<Lab>,
    /// Whether files are taken that are not committed.
    pub uncommitted: bool,
}

/// The commit of the course in `workspace`, and whether something is not committed. Nothing, where it is in no repository of
/// its own.
pub fn git_state(workspace: &Workspace) -> Option<(String, bool)> {
    if !git::is_root(&workspace.root) {
        return None;
    }
    let commit = String::from_utf8(git::output(&workspace.root, &["rev-parse", "HEAD"])?).ok()?;
    let dirty = git::output(&workspace.root, &["status", "--porcelain"]).is_none_or(|told| !told.is_empty());
    Some((commit.trim().to_owned(), dirty))
}

/// Writes the kit of what `export` names to the empty folder `folder`, without a history.
///
/// # Errors
/// A program cannot be built, a file not be written, or something was found in it that is not for learners.
pub async fn write(engine: &Engine, export: &Export, folder: &Utf8Path, run: &RunContext) -> Result<Exported, Error> {
    let workspace = &engine.workspace;
    let mut texts = contents::texts(workspace, &export.labs, export.uncommitted)?;
    write_tree(folder, &texts)?;
    let lock = cut_lock(workspace, folder)?;
    let manifest = contents::manifest(workspace, &export.labs, &contents::locked(&lock))?;
    texts.0.insert("Cargo.lock".into(), lock.into_bytes());
    texts.0.insert("Cargo.toml".into(), manifest.into_bytes());
    let (own, platform) = (folder.join(FOLDER), platform());
    programs::write(engine, &export.labs, &own.join(&platform), run).await?;
    let originals = contents::originals(&texts);
    texts.0.insert(Utf8Path::new(FOLDER).join(ORIGINALS), json(&originals)?);
    write_tree(folder, &texts)?;

    run.emit(EventKind::Step { text: "looking through the kit for what is not for learners".to_owned() });
    refuse_leaks(needles(engine, export, &texts, run).await?.search(folder), folder)?;
    let (bytes, files) = hashes(folder)?;
    let commit = git_state(workspace).map(|(commit, dirty)| if dirty { format!("{commit}+changes") } else { commit });
    let version = version(workspace);
    let protocol = lab_protocol::VERSION;
    let manifest = KitManifest { format_version: FORMAT_VERSION, version, commit: commit.clone(), protocol, files };
    let path = own.join(MANIFEST);
    std::fs::write(&path, json(&manifest)?).map_err(|source| Error::io("write", &path, source))?;
    let labs = export.labs.iter().map(|lab| lab.id().to_owned()).collect();
    Ok(Exported { folder: folder.to_owned(), labs, platform, commit, bytes, recorded: Vec::new() })
}

/// What must not be in the kit whose texts are `texts`.
async fn needles(engine: &Engine, export: &Export, texts: &Tree, run: &RunContext) -> Result<Needles, Error> {
    let mut needles = Needles::default();
    for path in programs::private_texts(engine) {
        needles.add(&path, "a path of this machine");
    }
    for lab in &export.labs {
        let suite = engine.suite(lab, Some(Disclosure::Full), run).await?;
        needles.add_lab(lab, &suite.checks, texts)?;
    }
    Ok(needles)
}

fn refuse_leaks(found: std::io::Result<Vec<Leak>>, folder: &Utf8Path) -> Result<(), Error> {
    let leaks = found.map_err(|source| Error::io("read", folder, source))?;
    if leaks.is_empty() {
        return Ok(());
    }
    let told = |leak: &Leak| format!("{}: {}: `{}`", leak.path, leak.what, leak.text);
    let more = leaks.len().saturating_sub(MOST_LEAKS);
    let hints = leaks.iter().take(MOST_LEAKS).map(told).chain((more > 0).then(|| format!("and {more} more")));
    Err(Error::Usage {
        message: "no kit was written: it would hold what is not for learners".to_owned(),
        hints: hints.collect(),
    })
}

/// The workspace's Cargo.lock, which cargo cuts down to what the kit in `folder` needs: every dependency keeps its version.
fn cut_lock(workspace: &Workspace, folder: &Utf8Path) -> Result<String, Error> {
    let (from, to) = (workspace.root.join("Cargo.lock"), folder.join("Cargo.lock"));
    std::fs::copy(&from, &to).map_err(|source| Error::io("copy", &from, source))?;
    let cargo = |more: &[&str]| {
        let mut command = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["update", "--workspace", "--quiet"]).args(more).current_dir(folder).output()
    };
    let failed = |source| Error::io("run cargo in", folder, source);
    // Its index may know nothing yet, on a machine that has just got the course.
    let mut output = cargo(&["--offline"]).map_err(failed)?;
    if !output.status.success() {
        output = cargo(&[]).map_err(failed)?;
    }
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        return Err(Error::Fault(format!("cargo cannot make the kit's Cargo.lock: {told}")));
    }
    std::fs::read_to_string(&to).map_err(|source| Error::io("read", &to, source))
}

/// The course's version, as its workspace has it for its packages.
fn version(workspace: &Workspace) -> String {
    let text = std::fs::read_to_string(workspace.root.join("Cargo.toml")).unwrap_or_default();
    let root: toml::Table = toml::from_str(&text).unwrap_or_default();
    let version = root.get("workspace").and_then(|workspace| workspace.get("package")?.get("version")?.as_str());
    version.unwrap_or("0.0.0").to_owned()
}

/// How large the files below `folder` are together, and the SHA-256 of each.
fn hashes(folder: &Utf8Path) -> Result<(u64, BTreeMap<Utf8PathBuf, String>), Error> {
    let (mut bytes, mut files) = (0, BTreeMap::new());
    for entry in WalkDir::new(folder) {
        let entry = entry.map_err(|error| Error::io("list", folder, error.into()))?;
        let Some(path) = Utf8Path::from_path(entry.path()).filter(|_| entry.file_type().is_file()) else { continue };
        let hash = lab_runner::hash::file(path).map_err(|source| Error::io("read", path, source))?;
        bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        files.insert(path.strip_prefix(folder).unwrap_or(path).to_owned(), hash);
    }
    Ok((bytes, files))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| Error::Fault(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

fn write_tree(folder: &Utf8Path, tree: &Tree) -> Result<(), Error> {
    for (path, content) in &tree.0 {
        let to = folder.join(path);
        let made = to.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&to, content));
        made.map_err(|source| Error::io("write", &to, source))?;
    }
    Ok(())
}
