//! Programs of this machine that a check runs, such as git: as clients of the server under test, or on what a submission has
//! made. That can be made to exhaust whoever reads it, so that what a tool takes and writes is bounded.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use lab_check::{CheckResult, Ours as _};
use lab_process::{Resource, Signal, lead_session, signal_group};
use lab_sandbox::Network;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::passage::Passage;
use crate::server::spawn;

/// What each process of a tool may use: memory that it writes, and the largest file.
const LIMITS: [(Resource, u64); 3] = [(Resource::Core, 0), (Resource::Data, 1 << 30), (Resource::Fsize, 1 << 30)];
/// How long a tool may take, if nothing else is said.
const WITHIN: Duration = Duration::from_secs(20);
/// What a tool may write to each of its streams, if nothing else is said, in bytes.
const MOST: usize = 32 << 20;

/// A program that a check runs for itself, and not as part of the submission. It and all that it starts end when its run is
/// dropped.
#[derive(Debug)]
pub struct Tool {
    command: Command,
    network: Network,
    /// The server whose client it is.
    server: Option<SocketAddr>,
    input: Vec<u8>,
    within: Duration,
    most: usize,
}

/// What a run of a tool has come to.
#[derive(Debug)]
pub enum ToolRun {
    /// It has ended.
    Ended {
        /// How.
        status: ExitStatus,
        /// What it wrote to standard output.
        output: Vec<u8>,
        /// What it wrote to standard error.
        errors: Vec<u8>,
    },
    /// It was still running when its time was over.
    OutOfTime,
    /// It wrote more than it may.
    TooMuch,
}

impl Tool {
    /// A tool that reaches no server under test. Its streams are set here.
    #[must_use]
    pub fn new(command: Command) -> Self {
        let network = Network::of_this_machine();
        Self { command, network, server: None, input: Vec::new(), within: WITHIN, most: MOST }
    }

    /// One that is a client of the server at `address` in `network`.
    pub(crate) fn client_of(address: SocketAddr, network: Network, command: Command) -> Self {
        Self { network, server: Some(address), ..Self::new(command) }
    }

    /// What its standard input holds.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// How many bytes it may write to each of its streams.
    #[must_use]
    pub fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// Runs it to its end, or to the end of what it may take.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # use lab_kit::{Tool, ToolRun};
    /// # async fn example() -> CheckResult<()> {
    /// let mut git = tokio::process::Command::new("git");
    /// git.arg("--version");
    /// let ToolRun::Ended { status, .. } = Tool::new(git).run().await? else {
    ///     return Err(Failure::Ours("git does not end".into()));
    /// };
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if there is no such program.
    pub async fn run(self) -> CheckResult<ToolRun> {
        let Self { mut command, network, server, input, within, most } = self;
        let name = command.as_std().get_program().display().to_string();
        command
            .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        lead_session(command.as_std_mut(), Signal::KILL, LIMITS.to_vec(), Vec::new());
        let letting_in = format!("letting `{name}` into the server's network");
        let _passage = match (network.admit(command.as_std_mut()).ours(&letting_in)?, server) {
            (false, Some(address)) => Some(Passage::open(&network, address).await.ours(&letting_in)?),
            _ => None,
        };
        let child = spawn(command, &network).ours(&format!("starting `{name}`, which this lab needs"))?;
        let mut group = Group(child);
        let Ok(done) = timeout(within, group.finish(input, most)).await else { return Ok(ToolRun::OutOfTime) };
        done.ours(&format!("waiting for `{name}`"))
    }
}

/// A child with all that it has started, which end with it.
struct Group(Child);

impl Group {
    async fn finish(&mut self, input: Vec<u8>, most: usize) -> std::io::Result<ToolRun> {
        let Child { stdin, stdout, stderr, .. } = &mut self.0;
        let (stdin, stdout, stderr) = (stdin.take(), stdout.take(), stderr.take());
        let writing = async move {
            if let Some(mut pipe) = stdin {
                // It may end before it has read all; what it says then tells more.
                let _ = pipe.write_all(&input).await;
            }
        };
        let reading = async { futures::try_join!(bounded(stdout, most), bounded(stderr, most)) };
        tokio::pin!(reading);
        // Who has written too much may not read either.
        let read = tokio::select! {
            read = &mut reading => read,
            () = writing => reading.await,
        };
        match read {
            Ok((output, errors)) => Ok(ToolRun::Ended { status: self.0.wait().await?, output, errors }),
            Err(Unread::TooMuch) => Ok(ToolRun::TooMuch),
            Err(Unread::Failed(error)) => Err(error),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Once it was waited for, it has no id any more.
        if let Some(leader) = self.0.id() {
            let _ = signal_group(leader, Signal::KILL);
        }
    }
}

/// Why a stream was not read to its end.
enum Unread {
    TooMuch,
    Failed(std::io::Error),
}

/// What a stream brings, if that is not more than `most` bytes.
async fn bounded(stream: Option<impl AsyncRead + Unpin>, most: usize) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(most as u64 + 1).read_to_end(&mut bytes).await.map_err(Unread::Failed)?;
    }
    if bytes.len() > most { Err(Unread::TooMuch) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Tool {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Tool::new(command)
    }

    #[tokio::test]
    async fn a_tool_has_its_input_and_both_of_its_streams_are_kept() {
        let input = vec![b'x'; 300 << 10];
        let run = shell("cat; echo told >&2; exit 3").input(input.clone()).run().await.unwrap();
        let ToolRun::Ended { status, output, errors } = run else { panic!("{run:?}") };
        assert_eq!((status.code(), output == input, errors), (Some(3), true, b"told\n".to_vec()));
        let run = shell("exit 0").input(input).run().await.unwrap();
        assert!(matches!(run, ToolRun::Ended { .. }));
    }

    #[tokio::test]
    async fn what_it_writes_and_how_long_it_runs_are_bounded() {
        let endless = shell("yes").most(1 << 20).run().await.unwrap();
        assert!(matches!(endless, ToolRun::TooMuch), "{endless:?}");
        let loud = shell("yes >&2").most(1 << 20).run().await.unwrap();
        assert!(matches!(loud, ToolRun::TooMuch), "{loud:?}");
        let slow = shell("sleep 300").within(Duration::from_millis(100)).run().await.unwrap();
        assert!(matches!(slow, ToolRun::OutOfTime), "{slow:?}");
    }

    #[tokio::test]
    async fn the_memory_of_a_tool_is_bounded() {
        let run = shell("ulimit -d").run().await.unwrap();
        let ToolRun::Ended { output, .. } = run else { panic!("{run:?}") };
        let kilobytes: u64 = String::from_utf8_lossy(&output).trim().parse().unwrap();
        assert!(kilobytes <= 1 << 20, "{kilobytes}");
    }

    #[tokio::test]
    async fn what_a_tool_has_started_ends_with_it() {
        let keep = tempfile::tempdir().unwrap();
        let path = keep.path().join("child");
        let script = format!("sleep 300 & echo $! >{}; wait", path.display());
        let run = shell(&script).within(Duration::from_millis(300)).run().await.unwrap();
        assert!(matches!(run, ToolRun::OutOfTime));
        let child = std::fs::read_to_string(&path).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while crate::machine::is_running(child.trim()) && std::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!crate::machine::is_running(child.trim()));
    }
}
