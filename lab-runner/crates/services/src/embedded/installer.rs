//! The user's own installer of Python packages: pip, however it can be reached.

use std::process::Command;
use std::time::Duration;

use crate::command;
use crate::environment::{self, Purpose};
use crate::error::ProviderError;

/// A way to run pip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installer {
    argv: &'static [&'static str],
    /// Its version and how it is run.
    pub(crate) version: String,
}

/// uv has no `download`, and what it installs can no longer be hashed: it is asked to run pip.
const WAYS: [&[&str]; 5] =
    [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"], &["uv", "tool", "run", "pip"]];

/// uv may have to fetch pip first.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

impl Installer {
    /// The first that answers.
    pub(crate) fn find() -> Result<Self, ProviderError> {
        WAYS.iter().find_map(|argv| Self::try_way(argv)).ok_or_else(|| {
            ProviderError::new("neither pip nor uv was found to download it with")
                .hint("install pip (Debian, Ubuntu: `apt-get install python3-pip`) or uv (https://docs.astral.sh/uv)")
        })
    }

    fn try_way(argv: &'static [&'static str]) -> Option<Self> {
        let installer = Self { argv, version: String::new() };
        let outcome = command::run(installer.command().arg("--version"), ANSWER_TIMEOUT, |_, _| {}).ok()?;
        // `pip 23.2.1 from /…/pip (python 3.11)`
        let version = outcome.text.lines().find(|line| line.starts_with("pip "))?;
        let version = version.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        outcome.succeeded().then(|| Self { argv, version: format!("{version} (`{}`)", argv.join(" ")) })
    }

    /// Pip, without any arguments yet.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.argv[0]);
        environment::restrict(&mut command, Purpose::Download);
        command.args(&self.argv[1..]);
        // A rule about where to install says nothing about downloads.
        command.env("PIP_REQUIRE_VIRTUALENV", "0").env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PYTHONUTF8", "1");
        command
    }
}
