//! Programs of our own that are built when they are first asked for, so that nobody's first result waits for them and what
//! they need.

use camino::{Utf8Path, Utf8PathBuf};
use lab_launcher::Artifact;

use crate::building::{self, BuildError, Job};
use crate::context::RunContext;

/// The variable in which the launcher hands on where our sources are. A learner kit, which has none, does not set it.
const SOURCES_VARIABLE: &str = "LAB_SOURCES";

/// The runner's own program, for one that it has become.
pub fn runner() -> Option<Utf8PathBuf> {
    folder_of_programs().map(|folder| folder.join("cargo-lab"))
}

/// The root of the workspace that our own sources are in, if they are on this machine at all: as the launcher says, and
/// without it where the runner was compiled. The labs may be in another.
pub fn sources() -> Option<Utf8PathBuf> {
    let named = [SOURCES_VARIABLE, crate::workspace::ROOT_VARIABLE];
    let named = named.iter().find_map(|name| std::env::var(name).ok().map(Utf8PathBuf::from));
    named.or_else(|| Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Utf8Path::to_owned))
}

/// The folder in which this very program and all others of ours are.
fn folder_of_programs() -> Option<Utf8PathBuf> {
    let own = Utf8PathBuf::try_from(std::env::current_exe().ok()?.canonicalize().ok()?).ok()?;
    let beside = own.parent()?;
    // A test's own program is one folder further down.
    let beside = if beside.ends_with("deps") { beside.parent()? } else { beside };
    Some(beside.to_owned())
}

/// Where such a program is, or how it is made.
#[derive(Debug, Clone)]
pub struct Helper {
    /// The package, and its program.
    package: &'static str,
    /// Its folder in `lab-runner/crates`.
    folder: &'static str,
    /// What it is, for messages.
    what: &'static str,
    /// Where its sources are, if they are here.
    root: Utf8PathBuf,
    /// Cargo's target folder.
    target: Utf8PathBuf,
    /// Beside the runner's own program.
    installed: Utf8PathBuf,
}

impl Helper {
    /// The program of `package` that belongs to this runner.
    pub fn find(package: &'static str, folder: &'static str, what: &'static str) -> Option<Self> {
        let beside = folder_of_programs()?;
        let root = sources()?;
        let (target, installed) = (beside.parent()?.to_owned(), beside.join(package));
        Some(Self { package, folder, what, root, target, installed })
    }

    fn has_sources(&self) -> bool {
        self.root.join("lab-runner/crates").join(self.folder).join("Cargo.toml").is_file()
    }

    /// The program, if nothing has to be done for it.
    pub fn fresh(&self) -> Option<Utf8PathBuf> {
        if !self.has_sources() {
            return self.installed.is_file().then(|| self.installed.clone());
        }
        let path = self.target.join("debug").join(self.package);
        Artifact::new(path.as_std_path(), self.root.as_std_path()).is_fresh().then_some(path)
    }

    /// Builds the program. It is held in `held`.
    ///
    /// # Errors
    /// Why it cannot be built, in a sentence.
    pub async fn build(&self, held: Utf8PathBuf, run: &RunContext) -> Result<Utf8PathBuf, String> {
        if !self.has_sources() {
            return Err(format!("the program {} is missing from this installation", self.package));
        }
        let (root, target) = (self.root.clone(), self.target.clone());
        let job = Job::of_ours(self.what.to_owned(), root, self.package.to_owned(), target, held);
        match building::build(&job, run).await {
            Ok(built) => Ok(built.executable),
            Err(BuildError::Code(why) | BuildError::Infrastructure(why)) => {
                let details: String = why.details.iter().map(|detail| format!("\n{detail}")).collect();
                Err(format!("{}{details}", why.message))
            }
            Err(BuildError::Refused(refusal)) => Err(refusal.message),
            Err(BuildError::Interrupted) => Err("interrupted".to_owned()),
        }
    }
}
