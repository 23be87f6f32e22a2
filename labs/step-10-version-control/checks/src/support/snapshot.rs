//! A copy of a repository that a submission has had its hands on, in which git can be asked without running anything that
//! the submission could have left there: no settings, no hooks, no links.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lab_kit::prelude::*;
use tempfile::TempDir;
use walkdir::WalkDir;

use super::git::Git;

/// How much of a repository is looked at, in bytes.
const MOST_BYTES: u64 = 256 << 20;
/// What a repository is made of.
const PARTS: [&str; 7] = ["HEAD", "packed-refs", "refs", "objects", "index", "logs", "shallow"];
/// What of these would lead elsewhere.
const LEADS_AWAY: &str = "objects/info/alternates";

/// A repository as it was at one moment.
#[derive(Debug)]
pub struct Snapshot<'a> {
    lab: &'a Lab,
    folder: TempDir,
    /// Whether nothing of the submission's was running when it was taken.
    is_at_rest: bool,
}

impl<'a> Snapshot<'a> {
    /// Of the bare repository in `folder`.
    pub fn of(lab: &'a Lab, folder: &Path) -> CheckResult<Self> {
        let copy = TempDir::new().ours("making a folder for a copy")?;
        copy_repository(folder, copy.path(), true)?;
        Ok(Self { lab, folder: copy, is_at_rest: false })
    }

    /// Of the repository in `folder`, with its work tree, once the tool that was run in it has ended.
    pub fn of_work_tree(lab: &'a Lab, folder: &Path) -> CheckResult<Self> {
        let copy = TempDir::new().ours("making a folder for a copy")?;
        copy_repository(&folder.join(".git"), &copy.path().join(".git"), false)?;
        copy_files(folder, copy.path(), |path| !path.starts_with(".git"))?;
        Ok(Self { lab, folder: copy, is_at_rest: true })
    }

    /// Git in the copy.
    pub fn git(&self) -> Git<'_> {
        let git = Git::new(self.lab, self.folder.path());
        // While a server is at work, a copy may have one half of what it does.
        if self.is_at_rest { git.of_submitted() } else { git }
    }

    /// Where the copy is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Expects that nothing in it is broken and nothing that is reachable is missing.
    pub async fn expect_sound(&self) -> CheckResult {
        let ran = self.git().args(["fsck", "--full", "--no-dangling", "--no-progress"]).run().await?;
        if ran.ok {
            Ok(())
        } else {
            Err(ran.failure("git fsck finds the repository damaged").expected("a sound repository"))
        }
    }

    /// The hashes of all objects that it has, whether anything leads to them or not.
    pub async fn objects(&self) -> CheckResult<BTreeSet<String>> {
        let arguments = ["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"];
        Ok(self.git().args(arguments).our_text().await?.lines().map(str::to_owned).collect())
    }

    /// Expects that none of its objects holds `text`.
    pub async fn expect_nowhere(&self, text: &str, after: &str) -> CheckResult {
        let all = self.git().args(["cat-file", "--batch", "--batch-all-objects"]).ours().await?;
        let holds = all.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        let message = format!("an object with the secret is in the repository's folder {after}");
        if holds { Err(Failure::learner(message).expected("no object holds it")) } else { Ok(()) }
    }
}

fn copy_repository(from: &Path, to: &Path, bare: bool) -> CheckResult {
    copy_files(from, to, |path| {
        let first = path.components().next().and_then(|part| part.as_os_str().to_str());
        first.is_some_and(|first| PARTS.contains(&first)) && path != Path::new(LEADS_AWAY)
    })?;
    for folder in ["objects", "refs"] {
        fs::create_dir_all(to.join(folder)).ours("making a folder of a copy")?;
    }
    let config = format!("[core]\n\trepositoryformatversion = 0\n\tbare = {bare}\n");
    fs::write(to.join("config"), config).ours("writing the settings of a copy")
}

/// Copies the files below `from` that `takes` by their path from there: no links, and nothing that is no file. What goes away
/// meanwhile, such as git's own temporary files, was none of them.
fn copy_files(from: &Path, to: &Path, takes: impl Fn(&Path) -> bool) -> CheckResult {
    let mut total = 0;
    let below = |path: &Path| path.strip_prefix(from).map(PathBuf::from).unwrap_or_default();
    let entries = WalkDir::new(from).min_depth(1).into_iter().filter_entry(|entry| takes(&below(entry.path())));
    for entry in entries.flatten().filter(|entry| entry.file_type().is_file()) {
        total += entry.metadata().map_or(0, |metadata| metadata.len());
        if total > MOST_BYTES {
            return Err(Failure::learner("the repository has grown beyond all measure").expected("less than 256 MB"));
        }
        let target = to.join(below(entry.path()));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).ours("making a folder of a copy")?;
        }
        match fs::copy(entry.path(), &target) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Failure::ours("copying a repository", &error));
            }
            _ => {}
        }
    }
    Ok(())
}
