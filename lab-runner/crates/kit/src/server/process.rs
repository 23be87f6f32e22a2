//! One process of the server under test, with its whole process group.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::container::Container;
use super::keeper::KeeperRef;
use super::log::Log;
use super::port;
use crate::launch::{Exit, Place, cannot_start, confined, not_made};
use lab_check::transcript::{Mark, Transcript};
use lab_check::{CheckResult, Failure, Ours};
use lab_process::{Signal, die_with_parent, signal_process};
use lab_sandbox::{Beginning, Network, Sandbox};

/// A server that ended though nobody had asked it to.
#[derive(Debug, Clone)]
pub struct Ending {
    /// How.
    pub exit: Exit,
}

/// What it takes to start the server, again and again.
#[derive(Debug, Clone)]
pub(super) struct LaunchSpec {
    /// The program and its arguments; of a container, the arguments alone.
    pub argv: Vec<String>,
    pub container: Option<Container>,
    pub cwd: PathBuf,
    pub env: BTreeMap<String, String>,
    /// What the program runs in. A container is the engine's to isolate.
    pub sandbox: Sandbox,
    /// The network that it is in.
    pub network: Network,
    /// The folders of the check that it may write.
    pub folders: Vec<PathBuf>,
    pub port: Option<u16>,
    /// The client that requests to it are of.
    pub agent: &'static str,
    pub transcript: Transcript,
    pub endings: Arc<Mutex<Vec<Ending>>>,
    /// Takes the readers of logs whose servers are gone: what these wrote last may not be read yet.
    pub log_readers: Arc<Mutex<Vec<JoinHandle<()>>>>,
    /// Takes the server when its check lets it go.
    pub keeper: KeeperRef,
}

/// How long a sandbox may take to begin with its program, on a busy machine.
const STARTING: Duration = Duration::from_secs(10);

/// A running process. Dropping it ends its whole group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: u32,
    port: u16,
    exit: Option<Exit>,
    asked_to_end: bool,
    started: Instant,
    spec: LaunchSpec,
    /// The name of the container that it stands for.
    container: Option<String>,
    /// What its sandbox tells.
    beginning: Option<Beginning>,
    reader: Option<JoinHandle<()>>,
    pub log: Log,
}

impl Process {
    /// Starts `spec` on `port`.
    pub fn start(spec: &LaunchSpec, port: u16) -> CheckResult<Self> {
        let container = spec.container.as_ref().map(|container| (container, container.fresh_name()));
        let (mut command, beginning) = match &container {
            Some((container, name)) => {
                let mut command = container.command(name, &spec.env, &spec.argv);
                command.current_dir(&spec.cwd);
                die_with_parent(command.as_std_mut(), Signal::KILL);
                (command, None)
            }
            None => program(spec).map(|(command, beginning)| (command, Some(beginning)))?,
        };
        command.env("PORT", port.to_string()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.as_std().get_program().to_owned();
        let mut child = spawn(command, &spec.network).map_err(|error| cannot_start(&name, &error))?;
        let group = child.id().ok_or_else(|| Failure::Ours("the server has no process id".into()))?;
        spec.transcript.mark(format!("started the server on port {port}"), Mark::Started { port });
        let log = Log::default();
        let streams = child.stdout.take().zip(child.stderr.take());
        let reader = streams.map(|(output, error)| log.follow(output, error, spec.transcript.clone(), port));
        let container = container.map(|(_, name)| name);
        let started = Instant::now();
        Ok(Self {
            child,
            group,
            port,
            exit: None,
            asked_to_end: false,
            started,
            spec: spec.clone(),
            container,
            beginning,
            reader,
            log,
        })
    }

    /// The server's own process.
    pub fn id(&self) -> u32 {
        self.spec.sandbox.program_of(self.group).unwrap_or(self.group)
    }

    /// The network that it is in.
    pub fn network(&self) -> &Network {
        &self.spec.network
    }

    /// Its process group, unless it is a container, whose processes are the engine's.
    pub fn group(&self) -> Option<u32> {
        if self.container.is_none() { self.spec.sandbox.session_of(self.group) } else { None }
    }

    /// Whether `exit` is the container engine's own (Docker documentation, `docker container run`, Exit status).
    pub async fn engine_failed(&self, exit: Exit) -> bool {
        match (&self.spec.container, &self.container) {
            (Some(container), Some(name)) if exit.code == Some(125) => container.never_started(name).await,
            _ => false,
        }
    }

    /// It has answered its readiness request on `port`.
    pub fn is_ready(&self, port: u16) {
        self.spec.transcript.mark(format!("the server on port {port} is ready"), Mark::Ready { port });
    }

    /// Whether it has ended without ever having been started, because its sandbox could not be made.
    pub fn never_was(&mut self) -> bool {
        let ended = self.ended().is_some();
        // What was killed with its sandbox was killed by us.
        ended && !self.asked_to_end && self.beginning.take().is_some_and(|mut beginning| beginning.never_was())
    }

    /// Why it was never started.
    pub fn not_made(&self) -> Failure {
        not_made("the server", &format!(": {}", self.log.lines().join(" / ")), &self.spec.sandbox)
    }

    /// When it was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Whether it runs and nobody has asked it to end.
    pub fn stands(&mut self) -> bool {
        !self.asked_to_end && self.ended().is_none()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<Exit> {
        if self.exit.is_none() {
            self.exit = self.child.try_wait().ok().flatten().map(|status| Exit::of(status, &self.spec.sandbox));
        }
        self.exit
    }

    /// Waits for its end; `None` when `within` is over first.
    pub async fn wait(&mut self, within: Duration) -> CheckResult<Option<Exit>> {
        if self.exit.is_none() {
            match timeout(within, self.child.wait()).await {
                Ok(status) => {
                    let status = status.ours("waiting for the server to exit")?;
                    self.exit = Some(Exit::of(status, &self.spec.sandbox));
                }
                Err(_) => return Ok(None),
            }
        }
        Ok(self.exit)
    }

    /// Waits until everything it wrote before its end has been read. A process it left behind may hold the
    /// streams open, so there is a limit.
    pub async fn drain_log(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = timeout(Duration::from_secs(1), reader).await;
        }
    }

    /// From here on its end is no surprise.
    pub fn asked_to_end(&mut self) {
        self.asked_to_end = true;
    }

    /// Sends `signal` to the server's own process, as an operator or a container engine does.
    pub fn signal(&mut self, signal: Signal) -> CheckResult {
        self.asked_to_end = true;
        let deadline = Instant::now() + STARTING;
        while self.ended().is_none() {
            if let Some(process) = self.spec.sandbox.program_of(self.group) {
                return signal_process(process, signal).ours("signalling the server");
            }
            if Instant::now() > deadline {
                return Err(Failure::Ours("the server's process cannot be found in its sandbox".into()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Kills the whole group and waits until the server is gone.
    pub async fn kill(&mut self) -> CheckResult {
        self.asked_to_end = true;
        if let (Some(container), Some(name)) = (&self.spec.container, &self.container) {
            container.kill(name).await?;
        }
        self.spec.sandbox.kill(self.group).ours("killing the server")?;
        let status = self.child.wait().await.ours("waiting for the killed server")?;
        self.exit = Some(Exit::of(status, &self.spec.sandbox));
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let (Some(exit), false) = (self.ended(), self.asked_to_end) {
            self.spec.transcript.note(format!("the server had already exited by itself: {exit}"));
            self.spec.endings.lock().unwrap_or_else(PoisonError::into_inner).push(Ending { exit });
        }
        if let (Some(container), Some(name)) = (&self.spec.container, self.container.take()) {
            container.discard(name);
        }
        // The group may outlive its leader: a server that forked leaves nobody behind. Tokio reaps the child.
        let _ = self.spec.sandbox.kill(self.group);
        // The reader of its log may see that only when the check is over.
        self.log.tell_end(&self.spec.transcript, self.port);
        self.spec.log_readers.lock().unwrap_or_else(PoisonError::into_inner).extend(self.reader.take());
    }
}

/// A program of this machine's, in a sandbox: it sees nothing of our environment but what its spec says.
fn program(spec: &LaunchSpec) -> CheckResult<(Command, Beginning)> {
    let place = Place {
        folder: &spec.cwd,
        readable: std::slice::from_ref(&spec.cwd),
        writable: &spec.folders,
        programs: false,
        network: Some(&spec.network),
    };
    confined(&spec.argv, &spec.env, &spec.sandbox, &place)
}

/// Starts `command` in `network`.
pub(crate) fn spawn(mut command: Command, network: &Network) -> std::io::Result<Child> {
    let runtime = tokio::runtime::Handle::current();
    network.within(move || {
        let _runtime = runtime.enter();
        port::apart_from_looks(|| command.spawn())
    })?
}
