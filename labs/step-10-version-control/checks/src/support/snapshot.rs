//! A copy of a repository that a submission has had its hands on, in which git can be asked without running anything that
//! the submission could have left there: no settings, no hooks, no links.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lab_files::CopyError;
use lab_kit::prelude::*;
use tempfile::TempDir;

use super::git::Git;

/// How much of a repository is looked at, in bytes.
const MOST_BYTES: u64 = 256 << 20;
/// What a repository is made of.
const PARTS: [&str; 7] = ["HEAD", "packed-refs", "refs", "objects", "index", "logs", "shallow"];
/// What of these would lead elsewhere.
const LEADS_AWAY: &str = "objects/info/alternates";

/// A repository as it was at one moment. While a server is at work, it may have one half of what that does: whoever asks it
/// then asks again ([`super::Host::expect_sound`]).
#[derive(Debug)]
pub struct Snapshot<'a> {
    lab: &'a Lab,
    folder: TempDir,
}

impl<'a> Snapshot<'a> {
    /// Of the bare repository `name` in `folder`.
    pub fn of(lab: &'a Lab, folder: &Path, name: &str) -> CheckResult<Self> {
        let copy = TempDir::new().ours("making a folder for a copy")?;
        copy_repository(folder, Path::new(name), copy.path(), true)?;
        Ok(Self { lab, folder: copy })
    }

    /// Of the repository in `folder`, with its work tree, once the tool that was run in it has ended.
    pub fn of_work_tree(lab: &'a Lab, folder: &Path) -> CheckResult<Self> {
        let copy = TempDir::new().ours("making a folder for a copy")?;
        copy_repository(folder, Path::new(".git"), &copy.path().join(".git"), false)?;
        copy_files(folder, Path::new(""), copy.path(), &|path| !path.starts_with(".git"))?;
        Ok(Self { lab, folder: copy })
    }

    /// Git in the copy.
    pub fn git(&self) -> Git<'_> {
        Git::new(self.lab, self.folder.path()).of_submitted()
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

fn copy_repository(folder: &Path, part: &Path, to: &Path, bare: bool) -> CheckResult {
    copy_files(folder, part, to, &|path| {
        let first = path.components().next().and_then(|part| part.as_os_str().to_str());
        first.is_some_and(|first| PARTS.contains(&first)) && path != Path::new(LEADS_AWAY)
    })?;
    for folder in ["objects", "refs"] {
        fs::create_dir_all(to.join(folder)).ours("making a folder of a copy")?;
    }
    let config = format!("[core]\n\trepositoryformatversion = 0\n\tbare = {bare}\n");
    fs::write(to.join("config"), config).ours("writing the settings of a copy")
}

/// Copies the files below `part` of `folder` that `takes` by their path from there: no links, and nothing that is no file. What
/// goes away meanwhile, such as git's own temporary files, was none of them.
fn copy_files(folder: &Path, part: &Path, to: &Path, takes: &dyn Fn(&Path) -> bool) -> CheckResult {
    lab_files::copy_below(folder, part, to, MOST_BYTES, takes).map_err(|error| match error {
        CopyError::TooMuch => {
            // never fails alone: no mistake fills a repository with 256 MB
            Failure::learner("the repository has grown beyond all measure").expected("less than 256 MB in few folders")
        }
        CopyError::Source(error) => {
            // never fails alone: who takes the repository away has no refs to tell of before
            Failure::learner("the repository's files cannot be read any more").actual(error.to_string())
        }
        CopyError::Target(error) => Failure::ours("copying a repository", &error),
    })
}
