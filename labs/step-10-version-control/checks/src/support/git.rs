//! Running git: as the client of the server under test, and for the grader's own work. It sees no settings of this machine,
//! asks for nothing, and ends.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use lab_kit::prelude::*;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

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

    /// Git in a copy of what the submission has made of a repository: if it cannot be read any more, that is the learner's.
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
    /// The learner's failure if a client, or git in a copy of what the submission has made, still runs when the time is over.
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
            .env("GIT_COMMITTER_EMAIL", "grader@example.com")
            .stdin(if self.input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let (is_client, is_theirs) = (self.app.is_some(), self.app.is_some() || self.submitted);
        let started = match self.app {
            Some(app) => app.start_client(command)?,
            None => command.spawn().ours("starting git, which this lab needs")?,
        };
        let finishing = async {
            let mut child = started;
            let pipe = child.stdin.take();
            let input = self.input;
            let writing = async move {
                if let Some(mut pipe) = pipe {
                    // Git may end before it has read all; what it says then tells more.
                    let _ = pipe.write_all(&input).await;
                }
            };
            tokio::join!(writing, child.wait_with_output()).1
        };
        let Ok(output) = timeout(WITHIN, finishing).await else {
            let message = format!("git still runs after {} s", WITHIN.as_secs());
            return Err(match is_theirs {
                true => Failure::learner(message).sent(line).expected("it ends").by_time(),
                false => Failure::Ours(format!("{line}: {message}")),
            });
        };
        let output = output.ours("waiting for git")?;
        let ran = Ran {
            line,
            ok: output.status.success(),
            output: output.stdout,
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        if is_client {
            let how = if ran.ok { "succeeded" } else { "failed" };
            self.lab.note(format!("{}\n{how}\n{}", ran.line, ran.errors.trim_end()));
        }
        Ok(ran)
    }

    /// Runs it for the grader itself: what goes wrong is ours, unless it reads what the submission has made.
    pub async fn ours(self) -> CheckResult<Vec<u8>> {
        let submitted = self.submitted;
        let ran = self.run().await?;
        if ran.ok {
            Ok(ran.output)
        } else if submitted {
            Err(ran.failure("git cannot read the repository any more"))
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
