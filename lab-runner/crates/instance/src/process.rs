//! The process of an instance.

use std::fs::{self, File, OpenOptions};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lab_process::{Account, Signal, die_with_parent, restrict_environment, signal_process};

use crate::folder::Folder;

/// All that a server sees of our environment: where programs and libraries are.
const PLACES: &[&str] = &["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
/// From one look to the next, at what nobody announces.
const TICK: Duration = Duration::from_millis(2);
/// How many of its last lines tell why it ended.
const LINES: usize = 8;

/// A program with its arguments, as it is started in an instance's folder.
#[derive(Debug)]
pub struct Program(Command);

impl Program {
    /// `program` without arguments, as the user that servers run as, in an environment that no setting of anybody's
    /// reaches.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        restrict_environment(&mut command, PLACES);
        // Messages that are searched, and times that are compared, are the same for everybody.
        command.env("LC_ALL", "C").env("TZ", "UTC");
        Account::for_servers().apply(&mut command);
        Self(command)
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<std::ffi::OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it to its end in `folder`, and gives what it prints.
    ///
    /// # Errors
    /// It cannot be started, or says by its exit code that it has failed.
    pub async fn run(self, folder: &Folder) -> io::Result<Output> {
        let Self(mut command) = self;
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let child = keep(command)?;
        let output =
            tokio::task::spawn_blocking(move || child.wait_with_output()).await.map_err(io::Error::other)??;
        if output.status.success() {
            return Ok(output);
        }
        let said = last_lines(&String::from_utf8_lossy(&output.stderr));
        Err(io::Error::other(format!("{name} failed ({}): {said}", output.status)))
    }
}

/// A server that runs, or has ended. Dropping it kills it.
#[derive(Debug)]
pub struct Instance {
    child: Mutex<Child>,
    log: PathBuf,
}

impl Instance {
    /// Starts `program` in `folder`. What it prints goes to a log of the name `name`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: Program, folder: &Folder, name: &str) -> io::Result<Self> {
        let Program(mut command) = program;
        let log = folder.log(name);
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        let (out, err): (File, File) = (output.try_clone()?, output);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(out).stderr(err);
        Ok(Self { child: Mutex::new(keep(command)?), log })
    }

    /// Waits until `ready` says yes.
    ///
    /// # Errors
    /// It has ended, or `within` is over; with the last lines of its log.
    pub async fn until_ready<F>(&self, within: Duration, ready: impl Fn() -> F) -> io::Result<()>
    where
        F: Future<Output = bool>,
    {
        let deadline = Instant::now() + within;
        loop {
            if ready().await {
                return Ok(());
            }
            if let Some(status) = self.ended() {
                return Err(io::Error::other(format!("it has ended ({status}): {}", self.last_words())));
            }
            if Instant::now() >= deadline {
                let within = within.as_secs();
                return Err(io::Error::other(format!("it was not ready within {within} s: {}", self.last_words())));
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Sends it `signal`: to its own process alone.
    ///
    /// # Errors
    /// The system says why not.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let mut child = self.child();
        match child.try_wait()? {
            Some(_) => Ok(()),
            // The lock keeps its number from being given to another in between.
            None => signal_process(child.id(), signal),
        }
    }

    /// Kills it with no warning, as a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// The system says why not.
    pub async fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)?;
        self.until_ended().await;
        Ok(())
    }

    /// Asks it to end by `signal` and waits `within`; then it is killed.
    ///
    /// # Errors
    /// The system says why not.
    pub async fn stop(&self, signal: Signal, within: Duration) -> io::Result<()> {
        self.signal(signal)?;
        match tokio::time::timeout(within, self.until_ended()).await {
            Ok(()) => Ok(()),
            Err(_) => self.kill().await,
        }
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    /// The last lines of what it has printed.
    #[must_use]
    pub fn last_words(&self) -> String {
        last_lines(&String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()))
    }

    async fn until_ended(&self) {
        while self.ended().is_none() {
            tokio::time::sleep(TICK).await;
        }
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        // It may be stopped by a signal; SIGKILL ends it all the same, and at once.
        let _ = child.wait();
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join(" / ")
}

type Job = (Command, Sender<io::Result<Child>>);

/// Starts `command` on a thread that lives as long as we do: the kernel ends a child when the thread that started it ends,
/// and a runtime's threads come and go.
fn keep(command: Command) -> io::Result<Child> {
    static KEEPER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (jobs, waiting) = channel::<Job>();
        let work = move || {
            for (mut command, started) in waiting {
                die_with_parent(&mut command, Signal::KILL);
                let _ = started.send(command.spawn());
            }
        };
        // Without a thread nobody listens, and whoever asks is told so.
        let _ = thread::Builder::new().name("instances".into()).spawn(work);
        Mutex::new(jobs)
    });
    let gone = |_| io::Error::other("the thread that starts instances has ended");
    let (started, answer) = channel();
    let program = command.get_program().to_string_lossy().into_owned();
    keeper.lock().unwrap_or_else(PoisonError::into_inner).send((command, started)).map_err(|_| gone(()))?;
    let child = answer.recv().map_err(|_| gone(()))?;
    child.map_err(|error| io::Error::new(error.kind(), format!("{program} cannot be started: {error}")))
}
