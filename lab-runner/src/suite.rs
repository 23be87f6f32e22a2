//! A lab's suite: its program, what checks it declares, and a run of it.

mod record;
mod session;
mod source;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use lab_launcher::{Refusal, RefusalKind};
use lab_protocol::{CheckInfo, PlanError, SuiteList};
use serde::Deserialize as _;

use crate::building::{self, BuildError, Job};
use crate::context::RunContext;
use crate::engine::Extent;
use crate::error::ExpectedError;
use crate::exit::ExitCode;
use crate::held_out::{Cover, Disclosure};
use crate::report::Diagnostics;
use crate::suggest;
use crate::workspace::{Lab, Workspace};

pub use session::{Ending, Message, Session, spawn};
pub use source::SuiteSource;

/// A suite that is ready to be run.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Its program.
    pub executable: Utf8PathBuf,
    /// The SHA-256 of the program.
    pub sha256: String,
    /// The checks it declares, in order, as they are shown.
    pub checks: Vec<CheckInfo>,
    /// What is left out or covered of them.
    pub(crate) cover: Cover,
}

/// Why there is no suite.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// It does not compile: ours to mend.
    #[error("{}", .0.message)]
    DoesNotBuild(Diagnostics),
    /// It could not be built, and its code is not the reason.
    #[error("{}", .0.message)]
    Infrastructure(Diagnostics),
    /// Cargo builds nothing in this workspace.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// It does not say which checks it has.
    #[error("the suite {executable} does not list its checks: {message}")]
    DoesNotList {
        /// Its program.
        executable: Utf8PathBuf,
        /// What went wrong.
        message: String,
    },
    /// It came as a program, from another version of the course than the runner.
    #[error("the suite {executable} is not of this runner's version: {message}")]
    OtherVersion {
        /// Its program.
        executable: Utf8PathBuf,
        /// Which versions of the protocol they speak.
        message: String,
    },
    /// A check was asked for that it does not have.
    #[error("unknown check `{name}` of {lab}")]
    UnknownCheck {
        /// What was asked for.
        name: String,
        /// The lab's id.
        lab: String,
        /// The check that was probably meant.
        suggestion: Option<String>,
    },
    /// A task was asked for that it does not have.
    #[error("{lab} has no task {task}")]
    UnknownTask {
        /// What was asked for.
        task: u32,
        /// The lab's id.
        lab: String,
        /// The last task.
        last: u32,
    },
    /// The run was cancelled.
    #[error("interrupted")]
    Interrupted,
}

impl From<BuildError> for SuiteError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Refused(refusal) => Self::Refused(refusal),
            BuildError::Code(diagnostics) => Self::DoesNotBuild(diagnostics),
            BuildError::Infrastructure(diagnostics) => Self::Infrastructure(diagnostics),
            BuildError::Interrupted => Self::Interrupted,
        }
    }
}

impl ExpectedError for SuiteError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::DoesNotBuild(_) | Self::DoesNotList { .. } => ExitCode::Fault,
            Self::Infrastructure(_) => ExitCode::Infrastructure,
            Self::Refused(refusal) if refusal.kind == RefusalKind::Machine => ExitCode::Infrastructure,
            Self::Refused(_) => ExitCode::Usage,
            Self::UnknownCheck { .. } | Self::UnknownTask { .. } | Self::OtherVersion { .. } => ExitCode::Usage,
            Self::Interrupted => ExitCode::Interrupted,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::DoesNotBuild(diagnostics) | Self::Infrastructure(diagnostics) => diagnostics.hints.clone(),
            Self::Refused(refusal) => vec![refusal.hint.clone()],
            Self::UnknownCheck { suggestion, .. } => suggestion.iter().cloned().collect(),
            Self::UnknownTask { last, .. } => vec![format!("its tasks are 1 to {last}")],
            Self::OtherVersion { .. } => {
                vec!["the two come together in one learner kit: take both from the same one".to_owned()]
            }
            Self::DoesNotList { .. } | Self::Interrupted => Vec::new(),
        }
    }

    fn details(&self) -> &[String] {
        match self {
            Self::DoesNotBuild(diagnostics) | Self::Infrastructure(diagnostics) => &diagnostics.details,
            _ => &[],
        }
    }
}

impl Suite {
    /// The suite of `lab` as it was built last, held in the folder `held`, if nothing it is made of has changed since.
    /// A cargo call with nothing to do costs a quarter of a second, and every check would pay it.
    pub fn as_built(workspace: &Workspace, lab: &Lab, held: &Utf8Path) -> Option<Self> {
        record::load_fresh(workspace, lab, held)
    }

    /// The checks that the suite of `lab` declared when it was built last, without those that are held out, and whether it
    /// still declares just these: what can be known without building it.
    pub fn known_checks(workspace: &Workspace, lab: &Lab) -> (Vec<CheckInfo>, bool) {
        record::known_checks(workspace, lab)
    }

    /// Builds the suite of `lab`, and holds it in the folder `held`.
    ///
    /// # Errors
    /// It does not build, or does not say what it holds.
    pub async fn build(
        workspace: &Workspace,
        lab: &Lab,
        held: Utf8PathBuf,
        run: &RunContext,
    ) -> Result<Self, SuiteError> {
        let what = format!("the suite of {}", lab.id());
        let job = Job::of_ours(what, workspace.root.clone(), lab.suite_package(), workspace.target.clone(), held);
        let built = building::build(&job, run).await?;
        let suite = Self::of(built.held).await?;
        record::save(&suite, &built.executable, workspace, lab);
        Ok(suite)
    }

    /// The suite that `program` is, which was built elsewhere, held in the folder `held`.
    ///
    /// # Errors
    /// It cannot be read, or does not say what it holds.
    pub async fn prebuilt(program: &Utf8Path, held: &Utf8Path) -> Result<Self, SuiteError> {
        let executable = building::hold(program, held)
            .map_err(|error| SuiteError::DoesNotList { executable: program.to_owned(), message: error.to_string() })?;
        Self::of(executable).await
    }

    /// The same without its held-out checks; or with them, and of them what `held_out` shows.
    pub(crate) fn asking(mut self, held_out: Option<Disclosure>) -> Self {
        self.cover = Cover::over(&mut self.checks, held_out);
        self
    }

    async fn of(executable: Utf8PathBuf) -> Result<Self, SuiteError> {
        let checks = list(&executable).await?;
        let sha256 = hash(&executable).await?;
        Ok(Self { executable, sha256, checks, cover: Cover::default() })
    }

    /// The names of the checks that `extent` means, where `passed` tells which have passed before; none means all.
    ///
    /// # Errors
    /// There is no such task.
    pub fn within(&self, extent: Extent, passed: &dyn Fn(&str) -> bool, lab: &Lab) -> Result<Vec<String>, SuiteError> {
        let last_asked = match extent {
            Extent::Whole => return Ok(Vec::new()),
            Extent::Task(task) => {
                let names: Vec<String> =
                    self.checks.iter().filter(|check| check.task == task).map(|check| check.id.clone()).collect();
                if names.is_empty() {
                    let last = self.checks.iter().map(|check| check.task).max().unwrap_or_default();
                    return Err(SuiteError::UnknownTask { task, lab: lab.id().to_owned(), last });
                }
                return Ok(names);
            }
            Extent::NextTask => self.checks.iter().filter(|check| !passed(&check.id)).map(|check| check.task).min(),
        };
        let Some(last_asked) = last_asked else { return Ok(Vec::new()) };
        let asked = |check: &&CheckInfo| check.task <= last_asked || passed(&check.id);
        let names: Vec<String> = self.checks.iter().filter(asked).map(|check| check.id.clone()).collect();
        Ok(if names.len() == self.checks.len() { Vec::new() } else { names })
    }

    /// The checks called `names` and those they need, in the order of declaration; all, where none is named.
    ///
    /// # Errors
    /// A name is unknown.
    pub fn closure(&self, names: &[String], lab: &Lab) -> Result<Vec<CheckInfo>, SuiteError> {
        let chosen = match lab_protocol::plan(&self.checks, names) {
            Ok(chosen) => chosen,
            Err(PlanError::UnknownCheck(name)) => {
                let known = self.checks.iter().map(|check| check.id.as_str());
                let suggestion = suggest::did_you_mean(&name, known);
                return Err(SuiteError::UnknownCheck { name, lab: lab.id().to_owned(), suggestion });
            }
            // The suite finds the same when it is run, and says it itself.
            Err(PlanError::UnknownNeed { .. } | PlanError::Circle(_)) => return Ok(self.checks.clone()),
        };
        Ok(chosen.into_iter().map(|index| self.checks[index].clone()).collect())
    }
}

async fn list(executable: &Utf8Path) -> Result<Vec<CheckInfo>, SuiteError> {
    let fail = |message: String| SuiteError::DoesNotList { executable: executable.to_owned(), message };
    let mut command = tokio::process::Command::from(session::program(executable));
    command.arg("list").stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(30), command.output()).await;
    let output = output.map_err(|_| fail("it does not finish".into()))?.map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        return Err(fail(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    read_list(executable, &output.stdout)
}

/// The checks that the suite `executable` has answered with, if it speaks as this runner does. A list without a version is
/// of the time before there was one.
fn read_list(executable: &Utf8Path, answer: &[u8]) -> Result<Vec<CheckInfo>, SuiteError> {
    #[derive(serde::Deserialize)]
    struct Version {
        protocol: u32,
    }
    let fail = |message: String| SuiteError::DoesNotList { executable: executable.to_owned(), message };
    let answer: serde_json::Value = serde_json::from_slice(answer).map_err(|error| fail(error.to_string()))?;
    let spoken = Version::deserialize(&answer).map_or(0, |version| version.protocol);
    if spoken != lab_protocol::VERSION {
        let message = format!("it speaks version {spoken} of the protocol, and the runner {}", lab_protocol::VERSION);
        return Err(SuiteError::OtherVersion { executable: executable.to_owned(), message });
    }
    let list: SuiteList = serde_json::from_value(answer).map_err(|error| fail(error.to_string()))?;
    Ok(list.checks)
}

async fn hash(executable: &Utf8Path) -> Result<String, SuiteError> {
    let path = executable.to_owned();
    let fail = |message: String| SuiteError::DoesNotList { executable: executable.to_owned(), message };
    let hashed = tokio::task::spawn_blocking(move || crate::hash::file(&path)).await;
    hashed.map_err(|error| fail(error.to_string()))?.map_err(|error| fail(error.to_string()))
}
