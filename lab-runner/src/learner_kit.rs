//! The learner kit: a workspace with the starters of a course, in which the runner, its helpers and the suites are programs.
//! `cargo lab export kit` writes one; here is what one is, for the runner that finds itself in it.
//!
//! All that is not for learners to edit lies in `kit/`: the programs, in a folder for the system that they run on; what the
//! course is and what its files were ([`KitManifest`], [`Originals`]), by which an update tells the learner's work from
//! the course's; and the package that `cargo lab` starts.

mod history;
mod update;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::submission::Tree;
use crate::workspace::{Lab, Workspace};

pub use history::begin_history;
pub use update::{KitChange, Updated, update};

/// The folder in a kit that is the course's alone.
pub const FOLDER: &str = "kit";
/// What the kit is, in that folder.
pub const MANIFEST: &str = "kit.json";
/// What the files outside of that folder were, in it.
pub const ORIGINALS: &str = "originals.json";
/// The format of both.
pub const FORMAT_VERSION: u32 = 1;

/// A learner kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnerKit {
    root: Utf8PathBuf,
}

/// What a kit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitManifest {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The course's version.
    pub version: String,
    /// The commit of the course that it was made of; none outside of a git repository.
    pub commit: Option<String>,
    /// The version of what its runner and its suites say to each other.
    pub protocol: u32,
    /// The SHA-256 of every other file in it.
    pub files: BTreeMap<Utf8PathBuf, String>,
}

/// A kit that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Where.
    pub folder: Utf8PathBuf,
    /// The ids of its labs.
    pub labs: Vec<String>,
    /// The system that its programs are for, as `x86_64-linux`.
    pub platform: String,
    /// The commit of the course that it was made of.
    pub commit: Option<String>,
    /// Its size without git's history, in bytes.
    pub bytes: u64,
    /// The files of the course in which it is recorded that learners have these versions, as far as they have changed.
    #[serde(default)]
    pub recorded: Vec<Utf8PathBuf>,
}

/// The texts of a kit that a learner may change, as the course has them.
pub type Originals = BTreeMap<Utf8PathBuf, String>;

impl LearnerKit {
    /// The kit whose root is `root`, if it is one.
    pub fn at(root: &Utf8Path) -> Option<Self> {
        root.join(FOLDER).join(MANIFEST).is_file().then(|| Self { root: root.to_owned() })
    }

    /// The kit that `lab` belongs to.
    pub fn of(lab: &Lab) -> Option<Self> {
        Self::at(lab.folder.parent()?.parent()?)
    }

    /// The suite of `package`, a lab's, as a program for this system.
    pub fn suite(&self, package: &str) -> Utf8PathBuf {
        self.root.join(FOLDER).join(platform()).join("suites").join(package)
    }

    /// The starter of `lab`; none if the kit's record of it was damaged.
    pub fn starter(&self, lab: &Lab) -> Option<Tree> {
        let place = Utf8Path::new("labs").join(lab.package());
        let editable = |path: &Utf8Path| lab.manifest.editable.iter().any(|editable| path.starts_with(editable));
        let file = |(path, text): (Utf8PathBuf, String)| {
            let path = path.strip_prefix(&place).ok().filter(|path| editable(path))?.to_owned();
            Some((path, text.into_bytes()))
        };
        let tree: BTreeMap<_, _> = self.originals().ok()?.into_iter().filter_map(file).collect();
        (!tree.is_empty()).then_some(Tree(tree))
    }

    /// What the kit is.
    ///
    /// # Errors
    /// Its file is damaged, or of another format.
    pub fn manifest(&self) -> Result<KitManifest, Error> {
        let manifest: KitManifest = self.read(MANIFEST)?;
        if manifest.format_version != FORMAT_VERSION {
            let version = manifest.format_version;
            return Err(Error::usage(format!(
                "{} is a learner kit of format {version}, not {FORMAT_VERSION}",
                self.root
            )));
        }
        Ok(manifest)
    }

    fn originals(&self) -> Result<Originals, Error> {
        self.read(ORIGINALS)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let path = self.root.join(FOLDER).join(name);
        let text = std::fs::read(&path).map_err(|source| Error::io("read", &path, source))?;
        serde_json::from_slice(&text).map_err(|error| Error::usage(format!("{path} is damaged: {error}")))
    }
}

/// The system that this runner is for, by which its folder in a kit is called.
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// Refuses `what`, which needs what only the course's own repository has, where the workspace is a learner kit.
///
/// # Errors
/// It is one.
pub fn refuse(what: &str) -> Result<(), Error> {
    // Without a workspace the command itself says so.
    let Ok(root) = Workspace::root() else { return Ok(()) };
    if LearnerKit::at(&root).is_none() {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!("this is a learner kit, and {what} needs the course's own repository"),
        hints: vec!["a kit has no checks, solutions or mutants; whoever gave it to you has them".to_owned()],
    })
}
