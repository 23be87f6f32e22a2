//! Running git: as the client of the server under test, and for the grader's own work. It sees no settings of this machine,
//! asks for nothing, and ends; what it takes and writes is bounded, as [`lab_kit::Tool`] says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lab_kit::prelude::*;
use lab_kit::{Tool, ToolRun};
use tokio::process::Command;

/// How long one command may take.
const WITHIN: Duration = Duration::from_secs(20);

/// What git has come to.
#[derive(Debug)]
pub struct Ran {
    /// What was run, as a report shows it.
    pub line: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Ran {
    /// Its standard output, without the end of the last line; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).trim_end_matches('\n').to_owned()
    }

    /// The learner's failure unless git has succeeded.
    pub fn expect_success(self, what: &str) -> CheckResult<Self> {
        if self.ok { Ok(self) } else { Err(self.failure(format!("{what}: git fails"))) }
    }

    /// A failure of the learner's, with what git was asked and what it said.
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        let output = String::from_utf8_lossy(&self.output);
        let said = [output.trim_end(), self.errors.trim_end()].into_iter().filter(|text| !text.is_empty());
        Failure::learner(message).sent(self.line.clone()).received(said.collect::<Vec<_>>().join("\n"))
    }
}

/// A command of git's in a folder.
#[derive(Debug)]
pub struct Git<'a> {
    lab: &'a Lab,
    app: Option<&'a App>,
    submitted: bool,
    folder: PathBuf,
    arguments: Vec<OsString>,
    input: Vec<u8>,
}

impl<'a> Git<'a> {
    /// Git in `folder`, which reaches nobody.
    pub fn new(lab: &'a Lab, folder: &Path) -> Self {
        Self { lab, app: None, submitted: false, folder: folder.to_owned(), arguments: Vec::new(), input: Vec::new() }
    }

    /// Git as a client of `app`.
    pub fn of(mut self, app: &'a App) -> Self {
        self.app = Some(app);
        self
    }

    /// Git on what the submission has made or sent: if that cannot be read, or is more than anybody can read, it is the
    /// learner's.
    pub fn of_submitted(mut self) -> Self {
        self.submitted = true;
        self
    }

    /// A setting for this command alone.
    pub fn set(self, setting: &str) -> Self {
        self.args(["-c", setting])
    }

    /// Arguments.
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// What its standard input holds.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs it to its end.
    ///
    /// The learner's failure if a client, or git on what the submission has made, still runs when the time is over, or writes
    /// without end.
    pub async fn run(self) -> CheckResult<Ran> {
        let line = self.line();
        let mut command = Command::new("git");
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            // Nothing of this machine's settings, and nothing that a submission could have written.
            .env("HOME", "/nonexistent")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .env("GIT_AUTHOR_NAME", "The grader")
            .env("GIT_AUTHOR_EMAIL", "grader@example.com")
            .env("GIT_COMMITTER_NAME", "The grader")
            .env("GIT_COMMITTER_EMAIL", "grader@example.com");
        let (is_client, is_theirs) = (self.app.is_some(), self.app.is_some() || self.submitted);
        let tool = match self.app {
            Some(app) => app.client(command),
            None => Tool::new(command),
        };
        let blame = |line: String, message: String, expected: &str| match is_theirs {
            true => Failure::learner(message).sent(line).expected(expected),
            false => Failure::Ours(format!("{line}: {message}")),
        };
        let (status, output, errors) = match tool.input(self.input).within(WITHIN).run().await? {
            ToolRun::Ended { status, output, errors } => (status, output, errors),
            ToolRun::OutOfTime => {
                let message = format!("git still runs after {} s", WITHIN.as_secs());
                return Err(blame(line, message, "it ends").by_time());
            }
            ToolRun::TooMuch => return Err(blame(line, "what git writes has no end".into(), "less than 32 MB")),
        };
        let errors = String::from_utf8_lossy(&errors).into_owned();
        let ran = Ran { line, ok: status.success(), output, errors };
        if is_client {
            let how = if ran.ok { "succeeded" } else { "failed" };
            self.lab.note(format!("{}\n{how}\n{}", ran.line, ran.errors.trim_end()));
        }
        Ok(ran)
    }

    /// Runs it for the grader itself: what goes wrong is ours, unless it reads what the submission has made or sent.
    pub async fn ours(self) -> CheckResult<Vec<u8>> {
        let submitted = self.submitted;
        let ran = self.run().await?;
        if ran.ok {
            Ok(ran.output)
        } else if submitted {
            Err(ran.failure("git cannot read what the repository has become"))
        } else {
            Err(Failure::Ours(format!("{} fails: {}", ran.line, ran.errors.trim_end())))
        }
    }

    /// The same, for one line of text.
    pub async fn our_text(self) -> CheckResult<String> {
        Ok(String::from_utf8_lossy(&self.ours().await?).trim_end_matches('\n').to_owned())
    }

    fn line(&self) -> String {
        let words = self.arguments.iter().map(|word| {
            let word = word.to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-".contains(c);
            if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
        });
        format!("$ git {}", words.collect::<Vec<_>>().join(" "))
    }
}
