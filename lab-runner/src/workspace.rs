//! The workspace: where it is, which labs it holds, and which of them is meant.

mod select;

use camino::{Utf8Path, Utf8PathBuf};

use crate::course::Course;
use crate::error::ExpectedError;
use crate::exit::ExitCode;
use crate::manifest::{self, Manifest, ManifestError};
use crate::state::place::{self, Place};

pub use select::SelectError;

/// The variable in which the launcher hands on the workspace it was called for.
pub const ROOT_VARIABLE: &str = "LAB_WORKSPACE";

/// The variable that puts the runner's own folder elsewhere than in cargo's target folder.
pub const FOLDER_VARIABLE: &str = "LAB_FOLDER";

/// A workspace and the labs found in it.
#[derive(Debug)]
pub struct Workspace {
    /// The folder that holds the workspace's Cargo.toml and labs/.
    pub root: Utf8PathBuf,
    /// Cargo's target folder.
    pub target: Utf8PathBuf,
    /// Where what is kept from one run to the next is.
    pub state: Place,
    /// The labs, in the course's order, or else that of their folders' names.
    pub labs: Vec<Lab>,
    /// The labs that cannot be used. The others can.
    pub broken: Vec<BrokenLab>,
}

/// A lab.
#[derive(Debug, Clone)]
pub struct Lab {
    /// Its folder.
    pub folder: Utf8PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

/// A folder in labs/ whose manifest cannot be used.
#[derive(Debug)]
pub struct BrokenLab {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// What is wrong with its manifest.
    pub error: ManifestError,
}

/// Why there is no workspace to work in.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// No folder from here upward is one.
    #[error("no Backend Labs workspace at {from} or in any folder above it")]
    NotFound {
        /// Where the search began.
        from: String,
    },
    /// A folder cannot be listed.
    #[error("cannot read {path}")]
    Unreadable {
        /// The folder.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl ExpectedError for WorkspaceError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotFound { .. } => {
                vec!["change to the folder that contains `labs/`, or set LAB_WORKSPACE to it".to_owned()]
            }
            Self::Unreadable { .. } => Vec::new(),
        }
    }
}

impl Lab {
    /// The lab's id.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// The lab's package, whose binary is the server.
    pub fn package(&self) -> String {
        self.manifest.package()
    }

    /// The package of its suite.
    pub fn suite_package(&self) -> String {
        format!("{}-checks", self.package())
    }

    /// The editable files of the reference submission.
    pub fn solution(&self) -> Utf8PathBuf {
        self.folder.join("solution")
    }
}

impl Workspace {
    /// Finds the workspace around the current folder, and its labs.
    ///
    /// # Errors
    /// There is none, or its labs cannot be listed.
    pub fn discover() -> Result<Self, WorkspaceError> {
        let root = find_root()?;
        let target = target_folder(&root);
        let workspace = Self::open(root, target)?;
        if std::env::var_os(FOLDER_VARIABLE).is_some() {
            return Ok(workspace);
        }
        Ok(Self { state: place::locate(&workspace.root, &workspace.lab_folder()), ..workspace })
    }

    /// The root of the workspace around the current folder.
    ///
    /// # Errors
    /// There is none.
    pub fn root() -> Result<Utf8PathBuf, WorkspaceError> {
        find_root()
    }

    /// Opens the workspace at `root`, with all that is kept in `target`.
    ///
    /// # Errors
    /// Its labs cannot be listed.
    pub fn open(root: Utf8PathBuf, target: Utf8PathBuf) -> Result<Self, WorkspaceError> {
        let unreadable = |path: &Utf8Path| {
            let path = path.to_owned();
            move |source| WorkspaceError::Unreadable { path, source }
        };
        let labs_folder = root.join("labs");
        let mut folders = Vec::new();
        for entry in labs_folder.read_dir_utf8().map_err(unreadable(&labs_folder))? {
            let entry = entry.map_err(unreadable(&labs_folder))?;
            if entry.path().is_dir() {
                folders.push(entry.into_path());
            }
        }
        folders.sort();
        let (mut labs, mut broken) = (Vec::new(), Vec::new());
        // Notes and whatever else is kept beside the labs are none.
        let named =
            |folder: &Utf8PathBuf| ["Cargo.toml", manifest::FILE_NAME].iter().any(|file| folder.join(file).exists());
        for folder in folders.into_iter().filter(named) {
            match Manifest::load(&folder.join(manifest::FILE_NAME)) {
                Ok(manifest) if is_copy(&folder, &manifest) => {
                    let path = folder.join(manifest::FILE_NAME);
                    let error = ManifestError::Copy { path, of: manifest.package() };
                    broken.push(BrokenLab { folder, error });
                }
                Ok(manifest) => labs.push(Lab { folder, manifest }),
                Err(error) => broken.push(BrokenLab { folder, error }),
            }
        }
        // What is wrong with that file is told where the course is shown.
        let course = Course::load(&labs_folder).unwrap_or_default();
        labs.sort_by_key(|lab: &Lab| course.place(lab.id()));
        let state = Place { folder: lab_folder(&target).join("state"), note: None };
        Ok(Self { root, target, state, labs, broken })
    }

    /// Where the runner keeps its own things: stages, suites' records, scratch folders.
    pub fn lab_folder(&self) -> Utf8PathBuf {
        lab_folder(&self.target)
    }

    /// The same workspace without its labs, for work on another thread.
    pub fn place(&self) -> Self {
        let Self { root, target, state, .. } = self;
        let (root, target, state) = (root.clone(), target.clone(), state.clone());
        Self { root, target, state, labs: Vec::new(), broken: Vec::new() }
    }

    /// `path` as seen from the workspace's root, for messages.
    pub fn relative<'a>(&self, path: &'a Utf8Path) -> &'a Utf8Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

fn lab_folder(target: &Utf8Path) -> Utf8PathBuf {
    std::env::var(FOLDER_VARIABLE).map_or_else(|_| target.join("lab"), Utf8PathBuf::from)
}

/// Whether the folder holds another's manifest, as it was copied.
fn is_copy(folder: &Utf8Path, manifest: &Manifest) -> bool {
    let package = manifest.package();
    let original = folder.with_file_name(&package);
    folder.file_name() != Some(&package) && original.join(manifest::FILE_NAME).is_file()
}

/// What the launcher says, else the nearest workspace from the current folder upward, else the one this program was
/// run from by cargo.
fn find_root() -> Result<Utf8PathBuf, WorkspaceError> {
    let from_variable = |name| std::env::var(name).ok().map(Utf8PathBuf::from);
    let current = std::env::current_dir().ok().and_then(|path| Utf8PathBuf::try_from(path).ok());
    let starts = [from_variable(ROOT_VARIABLE), current.clone(), from_variable("CARGO_MANIFEST_DIR")];
    starts
        .into_iter()
        .flatten()
        .find_map(|start| start.ancestors().find(|folder| is_root(folder)).map(Utf8Path::to_owned))
        .ok_or_else(|| WorkspaceError::NotFound { from: current.map_or_else(|| ".".into(), Utf8PathBuf::into_string) })
}

fn is_root(folder: &Utf8Path) -> bool {
    folder.join("labs").is_dir()
        && std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
}

/// Cargo's target folder: as the variable says, else where this very program was built, else the default.
fn target_folder(root: &Utf8Path) -> Utf8PathBuf {
    if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR").and_then(|value| value.into_string().ok()) {
        // As cargo has it: relative to the folder in which it is called, not to the workspace.
        let current = std::env::current_dir().ok().and_then(|path| Utf8PathBuf::try_from(path).ok());
        return lexically(&current.unwrap_or_else(|| root.to_owned()).join(folder));
    }
    let default = root.join("target");
    let own = std::env::current_exe().ok().and_then(|path| Utf8PathBuf::try_from(path).ok());
    let built_in = own.as_deref().and_then(|path| path.parent()?.parent());
    match built_in {
        Some(folder) if folder.join("CACHEDIR.TAG").is_file() => folder.to_owned(),
        _ => default,
    }
}

/// `path` without `.` and `..`, which cargo and we would otherwise write differently.
fn lexically(path: &Utf8Path) -> Utf8PathBuf {
    path.components().fold(Utf8PathBuf::new(), |mut walked, part| {
        match part {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir => {
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
    fn a_path_is_made_plain() {
        assert_eq!(lexically(Utf8Path::new("/w/labs/../out/./x")), "/w/out/x");
    }
}
