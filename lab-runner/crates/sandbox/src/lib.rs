//! What the builds and servers of submissions run in. The runner chooses one [`Sandbox`], builds in it, and sends it to the
//! suite, which starts the servers in it: an isolation provider that is added here holds both.
//!
//! Also without one, a program of a submission sees only the environment it is given, has no terminal to type into or
//! to read from, keeps to limits, and ends with the thread that started it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use lab_process::{Resource, Signal, lead_session};
use serde::{Deserialize, Serialize};

/// What keeps a submission's programs from the rest of the machine. It travels from the runner to the suite as JSON; a suite
/// that does not know the provider refuses to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    provider: Provider,
}

/// Where the isolation comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Provider {
    /// Nowhere: the programs run as we do.
    #[default]
    None,
}

/// What one program is given.
#[derive(Debug, Clone)]
pub struct Confinement {
    /// The folder it is started in.
    pub folder: PathBuf,
    /// Its whole environment: nothing is inherited.
    pub environment: BTreeMap<OsString, OsString>,
    /// What it may use.
    pub limits: Limits,
    /// What it is sent when the thread that started it ends.
    pub orphan_signal: Signal,
}

/// What a program, and each that it starts, may use. What is not named here has the limits that we have, and no limit is
/// raised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The largest core dump, in bytes.
    pub core_bytes: Option<u64>,
    /// The largest file it may write, in bytes.
    pub file_bytes: Option<u64>,
    /// How many files and sockets it may have open.
    pub open_files: Option<u64>,
}

impl Limits {
    /// No core dumps, which would fill the disk with what nobody reads.
    pub const NO_CORE: Self = Self { core_bytes: Some(0), file_bytes: None, open_files: None };

    fn resources(self) -> Vec<(Resource, u64)> {
        let all = [
            (Resource::Core, self.core_bytes),
            (Resource::Fsize, self.file_bytes),
            (Resource::Nofile, self.open_files),
        ];
        all.into_iter().filter_map(|(resource, limit)| Some((resource, limit?))).collect()
    }
}

impl Sandbox {
    /// The sandbox that isolates nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { provider: Provider::None }
    }

    /// How a report names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.provider {
            Provider::None => "none",
        }
    }

    /// A command that runs `program` in this sandbox, as the leader of a session and a process group of its own. Its
    /// arguments and streams are the caller's to add.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>, confinement: &Confinement) -> Command {
        let mut command = match self.provider {
            Provider::None => Command::new(program),
        };
        command.env_clear().envs(&confinement.environment).current_dir(&confinement.folder);
        lead_session(&mut command, confinement.orphan_signal, confinement.limits.resources());
        command
    }
}
