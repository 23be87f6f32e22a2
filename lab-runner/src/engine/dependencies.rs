//! The dependencies of a lab, compiled once for all submissions that are built in isolation. None of these can write what
//! the others read.

use camino::Utf8PathBuf;

use super::{Engine, program};
use crate::building::{self, BuildError, Job};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::hash::PartsHash;
use crate::submission::Stage;
use crate::workspace::Lab;

/// Files at the workspace's root that decide how dependencies are compiled.
const DECIDING: [&str; 5] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml"];
/// Says that everything is compiled.
const MARK: &str = "compiled";

impl Engine {
    /// Compiles the dependencies of `lab`, if submissions are built in isolation and it has not been done yet.
    ///
    /// # Errors
    /// They cannot be had or do not compile, or the run was cancelled.
    pub async fn compile_dependencies(&self, lab: &Lab, run: &RunContext) -> Result<(), Error> {
        if !self.sandbox.isolates() {
            return Ok(());
        }
        let place = self.dependencies(lab);
        let mark = place.folder.join(MARK);
        if mark.is_file() {
            return Ok(());
        }
        let _turn = self.building.acquire().await;
        let (workspace, of, name) = (self.workspace.place(), lab.clone(), place.name.clone());
        let stage = tokio::task::spawn_blocking(move || Stage::of_dependencies(&workspace, &of, &name));
        let stage = stage.await.map_err(|error| Error::Fault(error.to_string()))??;
        // Whoever had the stage before may have done it.
        if mark.is_file() {
            return Ok(());
        }
        run.emit(EventKind::Step { text: format!("compiling the dependencies of {} for all submissions", lab.id()) });
        let job = Job {
            what: format!("the dependencies of {}", lab.id()),
            shared: None,
            wrapper: None,
            bounds: None,
            ..program::stage_job(self, lab, &stage)?
        };
        building::fetch_and_build(&job, run).await.map_err(failed)?;
        std::fs::write(&mark, "").map_err(|error| Error::io("write", &mark, error))
    }

    /// Where the dependencies of `lab` are compiled, if they are.
    pub(super) fn compiled_dependencies(&self, lab: &Lab) -> Option<Utf8PathBuf> {
        let place = self.dependencies(lab);
        place.folder.join(MARK).is_file().then_some(place.build)
    }

    /// The place of the dependencies of `lab`: another one whenever anything is otherwise, so that nothing changes what a
    /// build reads.
    fn dependencies(&self, lab: &Lab) -> Place {
        let mut hash = PartsHash::default();
        let read = |path: Utf8PathBuf| std::fs::read(path).unwrap_or_default();
        DECIDING.iter().for_each(|file| hash.add(read(self.workspace.root.join(file))));
        hash.add(read(lab.folder.join("Cargo.toml")));
        hash.add(building::compiler(&self.workspace.root));
        building::ISOLATED_SETTINGS.iter().for_each(|(name, value)| hash.add(format!("{name}={value}")));
        let name = format!("dependencies-{}", &hash.finish()[..12]);
        let folder = Stage::folder(&self.workspace, lab, &name);
        Place { name, build: folder.join("build"), folder }
    }
}

struct Place {
    name: String,
    folder: Utf8PathBuf,
    build: Utf8PathBuf,
}

fn failed(error: BuildError) -> Error {
    match error {
        BuildError::Interrupted => Error::Interrupted,
        BuildError::Refused(refusal) => refusal.into(),
        BuildError::Code(diagnostics) | BuildError::Infrastructure(diagnostics) => Error::Infrastructure {
            message: diagnostics.message,
            hints: diagnostics.details.into_iter().chain(diagnostics.hints).collect(),
        },
    }
}
