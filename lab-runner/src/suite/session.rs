//! One run of a suite: a configuration in, events out, on a socket that nobody else has a handle on.
//!
//! Only what comes on that socket with the run's nonce counts. What the suite prints is kept for the case that it
//! crashes; its exit status says nothing.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;
use std::time::Duration;

use camino::Utf8Path;
use lab_process::{Signal, own_session, restrict_environment, signal_group, was_stopped};
use lab_protocol::{Envelope, ISOLATED, RunClock, SuiteConfig, ToSuite};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a suite may take to remove what it made, once nobody listens any more.
const CLEAN_UP: Duration = Duration::from_secs(5);
/// The most of a suite's own output that is kept, in bytes.
const MOST_OUTPUT: usize = 16 << 10;

/// What a suite sees of our environment: beside where things are, how to reach a container engine.
const ENVIRONMENT: [&str; 18] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_*",
    "TZ",
    "TMPDIR",
    "CI",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "LD_LIBRARY_PATH",
    "DOCKER_*",
    "CONTAINER_HOST",
    "CONTAINERS_*",
    "BUILDKIT_*",
    "XDG_RUNTIME_DIR",
];
/// How often a suite is looked at.
const GLANCE: Duration = Duration::from_millis(500);
/// A suite that was stopped is told to go on, this often. Then it counts as ended.
const MOST_STOPS: u32 = 20;

/// A running suite.
#[derive(Debug)]
pub struct Session {
    child: Child,
    socket: BufReader<UnixStream>,
    nonce: String,
    /// What was read of the next line so far.
    line: Vec<u8>,
    output: JoinHandle<String>,
    /// How often it was stopped by a signal.
    stops: u32,
    /// Lines that were no event of this run.
    pub forged: u32,
}

/// What comes next from a suite.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
pub enum Message {
    /// An event of this run.
    Event(Envelope),
    /// It has closed the socket, or died.
    End,
}

/// How a suite ended.
#[derive(Debug)]
pub struct Ending {
    /// What it printed: nothing, unless something went wrong.
    pub output: String,
    /// Whether it had to be killed.
    pub killed: bool,
}

/// The program of a suite, with no setting of the user's that it does not need: `PGOPTIONS` or `PGSSLMODE` would change
/// what its checks see.
pub(super) fn program(suite: &Utf8Path) -> std::process::Command {
    let mut program = std::process::Command::new(suite);
    restrict_environment(&mut program, &ENVIRONMENT);
    program
}

/// Starts `suite` with the command `run` or `serve`, and gives it its configuration and the time by `clock`.
///
/// # Errors
/// It cannot be started.
pub async fn spawn(suite: &Utf8Path, command: &str, config: SuiteConfig, clock: &RunClock) -> io::Result<Session> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut process = program(suite);
    process
        .arg(command)
        .args(config.sandbox.needs_namespaces().then_some(ISOLATED))
        .current_dir(&config.scratch)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C on a terminal goes to the whole foreground group. The suite is not to hear it: it cleans up when its
    // socket closes.
    own_session(&mut process);
    let mut process = Command::from(process);
    let mut child = process.kill_on_drop(true).spawn()?;
    // The command keeps the other end open until it goes, and with it the socket would never end.
    drop(process);
    let output = tokio::spawn(gather(child.stdout.take(), child.stderr.take()));
    let mut socket = BufReader::new(UnixStream::from_std(ours)?);
    let config = SuiteConfig { sent_at: clock.now(), ..config };
    let mut line = serde_json::to_vec(&config).map_err(io::Error::other)?;
    line.push(b'\n');
    // A suite that dies at once shows in the reading.
    let _ = socket.get_mut().write_all(&line).await;
    Ok(Session { child, socket, nonce: config.nonce, line: Vec::new(), output, stops: 0, forged: 0 })
}

impl Session {
    /// The next event of this run. Dropped before it is there, nothing of it is lost.
    pub async fn next(&mut self) -> Message {
        loop {
            if !self.read_line().await {
                return Message::End;
            }
            let line = std::mem::take(&mut self.line);
            match serde_json::from_slice::<Envelope>(&line) {
                Ok(envelope) if envelope.nonce == self.nonce => return Message::Event(envelope),
                _ => self.forged += 1,
            }
        }
    }

    /// Says something to the suite. One that is gone shows in the reading.
    pub async fn say(&mut self, message: &ToSuite) {
        if let Ok(mut line) = serde_json::to_vec(message) {
            line.push(b'\n');
            let _ = self.socket.get_mut().write_all(&line).await;
        }
    }

    /// Reads the next line, and sees meanwhile that the suite is not kept from writing one: whoever runs under our
    /// account can stop it (SIGSTOP). Tells whether there is a line.
    async fn read_line(&mut self) -> bool {
        loop {
            tokio::select! {
                // What was read of a line stays in `line`, also when this is dropped.
                read = self.socket.read_until(b'\n', &mut self.line) => return matches!(read, Ok(1..)),
                () = tokio::time::sleep(GLANCE) => {}
            }
            if !self.keep_going() {
                return false;
            }
        }
    }

    /// Has a suite that was stopped go on. Tells whether it is worth it.
    fn keep_going(&mut self) -> bool {
        let Some(process) = self.child.id().filter(|process| was_stopped(*process)) else { return true };
        self.stops += 1;
        let hopeless = self.stops > MOST_STOPS;
        let _ = signal_group(process, if hopeless { Signal::KILL } else { Signal::CONT });
        !hopeless
    }

    /// Hangs up, gives the suite time to clean up, and makes sure that it is gone. `impatient` cuts the time short.
    pub async fn end(self, impatient: impl Future<Output = ()>) -> Ending {
        let Self { mut child, socket, output, .. } = self;
        drop(socket);
        let leader = child.id();
        let ended = tokio::select! {
            ended = timeout(CLEAN_UP, child.wait()) => ended.is_ok(),
            () = impatient => false,
        };
        if !ended {
            if let Some(leader) = leader {
                let _ = signal_group(leader, Signal::KILL);
            }
            let _ = child.wait().await;
        }
        // Whoever else holds its output open is not waited for.
        let output = timeout(Duration::from_millis(200), output).await.ok().and_then(Result::ok).unwrap_or_default();
        Ending { output, killed: !ended }
    }
}

async fn gather(stdout: Option<impl AsyncRead + Unpin>, stderr: Option<impl AsyncRead + Unpin>) -> String {
    let (out, err) = tokio::join!(keep(stdout), keep(stderr));
    format!("{out}{err}").trim().to_owned()
}

/// Reads to the end, so that a writer never blocks, and keeps the beginning.
async fn keep(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = MOST_OUTPUT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
