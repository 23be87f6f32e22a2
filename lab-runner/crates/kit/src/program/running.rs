//! A program that runs: fed, read from, signalled, and always ended.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use lab_check::transcript::{Mark, Transcript, show_bytes};
use lab_check::{CheckResult, Failure, Ours as _};
use lab_process::{Signal, signal_process};
use lab_sandbox::{Beginning, Network, Sandbox};

use super::by_hand::ByHand;
use super::finished::Finished;
use super::output::Output;
use super::threads::ThreadWatch;
use super::watch::MemoryWatch;
use crate::launch::{Exit, Place, cannot_start, confined, not_made};
use crate::server::spawn;

/// How long a sandbox may take to begin with its program, on a busy machine.
const STARTING: Duration = Duration::from_secs(10);
/// How long a program's streams are read once it has ended: a process that it left behind may hold them open.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How much is written at once where it matters how much is taken, in bytes: what a pipe holds at least (pipe(7)).
const PIECE: usize = 4_096;
/// How far apart two looks are at whether a pipe is empty.
const GLANCE: Duration = Duration::from_millis(2);

/// What it takes to start the program.
#[derive(Debug)]
pub(super) struct Spec {
    /// The program and all its arguments.
    pub argv: Vec<String>,
    /// The check's own arguments.
    pub arguments: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub folder: PathBuf,
    pub readable: Vec<PathBuf>,
    pub writable: Vec<PathBuf>,
    /// Whether it sees the system's programs.
    pub programs: bool,
    /// The network that it is in, if it has one.
    pub network: Option<Network>,
    pub sandbox: Sandbox,
    pub within: Duration,
    /// Whether its output is read from the start.
    pub reads: bool,
    /// Whether it is looked at how much memory it holds.
    pub measures: bool,
    pub transcript: Transcript,
    /// Takes the readers of programs that were dropped.
    pub log_readers: Arc<Mutex<Vec<JoinHandle<()>>>>,
    pub by_hand: ByHand,
}

/// A program that runs. Dropping it ends its whole process group.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: u32,
    /// Which run of the check's it is, from 1.
    run: u64,
    spec: Spec,
    beginning: Option<Beginning>,
    input: Option<ChildStdin>,
    /// What is to be written to it yet.
    unsent: Vec<u8>,
    /// What was written to it, as far as a report shows it.
    sent: Vec<u8>,
    unread: Option<ChildStdout>,
    output: Output,
    errors: Output,
    readers: Vec<JoinHandle<()>>,
    memory: Option<MemoryWatch>,
    threads: ThreadWatch,
    started: Instant,
    exit: Option<Exit>,
}

impl Running {
    pub(super) fn start(spec: Spec, input: Vec<u8>) -> CheckResult<Self> {
        let place = Place {
            folder: &spec.folder,
            readable: &spec.readable,
            writable: &spec.writable,
            programs: spec.programs,
            network: spec.network.as_ref(),
        };
        let (mut command, beginning) = confined(&spec.argv, &spec.env, &spec.sandbox, &place)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.as_std().get_program().to_owned();
        let network = spec.network.clone().unwrap_or_else(Network::of_this_machine);
        let mut child = spawn(command, &network).map_err(|error| cannot_start(&name, &error))?;
        let group = child.id().ok_or_else(|| Failure::Ours("the program has no process id".into()))?;
        let run = spec.transcript.next_connection();
        spec.transcript.sent(run, format!("$ {}\n", spec.arguments.join(" ")).as_bytes());
        let (output, errors) = (Output::default(), Output::default());
        let mut readers = Vec::new();
        if let Some(stream) = child.stderr.take() {
            readers.push(tokio::spawn(errors.clone().follow_lines(stream, spec.transcript.clone())));
        }
        let mut running = Self {
            group,
            run,
            beginning: Some(beginning),
            input: child.stdin.take(),
            unsent: input,
            sent: Vec::new(),
            unread: child.stdout.take(),
            output,
            errors,
            readers,
            memory: spec.measures.then(|| MemoryWatch::begin(spec.sandbox.clone(), group)),
            threads: ThreadWatch::default(),
            started: Instant::now(),
            exit: None,
            child,
            spec,
        };
        if running.spec.reads {
            running.read_output();
        }
        Ok(running)
    }

    pub(super) fn take_input(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unsent)
    }

    /// Writes all of its input while it runs, closes it, and waits for the end. A program may end without reading all.
    pub(super) async fn feed_and_finish(&mut self) -> CheckResult<Finished> {
        let input = self.take_input();
        self.record(&input);
        if let Some(mut pipe) = self.input.take() {
            let writing = async move {
                match pipe.write_all(&input).await {
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
                    _ => Ok(()),
                }
            };
            let left = self.spec.within.saturating_sub(self.started.elapsed());
            match timeout(left, writing).await {
                Ok(written) => written.ours("writing to the program's standard input")?,
                Err(_) => return Err(self.too_late("reading its input")),
            }
        }
        let left = self.spec.within.saturating_sub(self.started.elapsed());
        self.finish_within(left).await
    }

    /// Writes all of `bytes` to its standard input.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut running = lab.program().arg("sort").start().await?;
    /// running.send(b"half a l").await?;
    /// running.send(b"ine\n").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it does not take them in time, or has closed its input.
    pub async fn send(&mut self, bytes: &[u8]) -> CheckResult {
        self.record(bytes);
        let Some(pipe) = &mut self.input else { return Err(Failure::Ours("its input is closed already".into())) };
        match timeout(self.spec.within, pipe.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == ErrorKind::BrokenPipe => {
                // It has ended, or is about to: how says more than that it did.
                let _ = self.wait(LAST_WORDS).await;
                let how = self.exit.map(|exit| format!(": {exit}")).unwrap_or_default();
                Err(self.failure(format!("the program has closed its standard input before its end{how}")))
            }
            Ok(Err(error)) => Err(Failure::ours("writing to the program's standard input", &error)),
            Err(_) => Err(self.too_late("reading its input")),
        }
    }

    /// Writes of `bytes` as much as the program takes, until nothing was taken for as long as `patience`, or it has closed
    /// its input. Tells how many bytes that were.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut running = lab.program().arg("copy").without_reading().start().await?;
    /// let taken = running.send_up_to(&vec![b'a'; 1 << 20], Duration::from_secs(1)).await?;
    /// expect_that(taken < 1 << 20, "it waits until its output is read")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the pipe cannot be written to.
    pub async fn send_up_to(&mut self, bytes: &[u8], patience: Duration) -> CheckResult<usize> {
        let Some(pipe) = &mut self.input else { return Err(Failure::Ours("its input is closed already".into())) };
        let mut taken = 0;
        while taken < bytes.len() {
            let piece = &bytes[taken..bytes.len().min(taken + PIECE)];
            match timeout(patience, pipe.write(piece)).await {
                Ok(Ok(count)) => taken += count,
                Ok(Err(error)) if error.kind() == ErrorKind::BrokenPipe => break,
                Ok(Err(error)) => return Err(Failure::ours("writing to the program's standard input", &error)),
                Err(_) => break,
            }
        }
        self.record(&bytes[..taken]);
        Ok(taken)
    }

    /// Closes its standard input.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(running: &mut lab_kit::Running) -> CheckResult<()> {
    /// running.end_input();
    /// # Ok(()) }
    /// ```
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until it has read everything that was written to it.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(mut running: lab_kit::Running) -> CheckResult<()> {
    /// running.send(b"{}\n").await?;
    /// running.has_read_all().await?;
    /// running.interrupt()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it does not in time.
    pub async fn has_read_all(&mut self) -> CheckResult {
        let deadline = Instant::now() + self.spec.within;
        loop {
            let Some(pipe) = &self.input else { return Ok(()) };
            // What is in the pipe can be asked for at either end (pipe(7)).
            if rustix::io::ioctl_fionread(pipe).ours("looking into the program's standard input")? == 0 {
                return Ok(());
            }
            if let Some(exit) = self.ended() {
                return Err(self.failure(format!("the program ended before it had read its input: {exit}")));
            }
            if Instant::now() > deadline {
                return Err(self.too_late("reading what was written to it"));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Begins to read its output, if that was left alone so far.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(mut running: lab_kit::Running) {
    /// running.read_output();
    /// # }
    /// ```
    pub fn read_output(&mut self) {
        if let Some(stream) = self.unread.take() {
            let reading = self.output.clone().follow(stream, self.spec.transcript.clone(), self.run);
            self.readers.push(tokio::spawn(reading));
        }
    }

    /// Closes our end of its standard output, which must not be read yet ([`super::ProgramBuilder::without_reading`]):
    /// what it writes from now on is refused with EPIPE.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut running = lab.program().without_reading().start().await?;
    /// running.close_output();
    /// # Ok(()) }
    /// ```
    pub fn close_output(&mut self) {
        self.note("the standard output is closed");
        self.unread = None;
    }

    /// What it has written to standard output so far.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # fn example(running: &lab_kit::Running) -> CheckResult<()> {
    /// expect_that(!running.output().is_empty(), "something is written")
    /// # }
    /// ```
    #[must_use]
    pub fn output(&self) -> Vec<u8> {
        self.output.bytes()
    }

    /// What it has written to standard error so far; what is no UTF-8 is replaced.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # fn example(running: &lab_kit::Running) -> CheckResult<()> {
    /// expect_that(running.errors().starts_with("line 2: "), "a bad line is told of before the input ends")
    /// # }
    /// ```
    #[must_use]
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.errors.bytes()).into_owned()
    }

    /// The most memory that it was seen to hold, in bytes, with all processes that it has started; nothing where it is not
    /// [`measured`](super::ProgramBuilder::measured).
    ///
    /// ```
    /// # fn example(running: &lab_kit::Running) {
    /// let peak = running.peak_memory();
    /// # }
    /// ```
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        self.memory.as_ref().map(MemoryWatch::peak)
    }

    /// How many of its threads work at this moment, with those of all processes that it has started: they run, or were
    /// interrupted in the midst of it, so that a busy machine does not change the number. Who was woken and waits for a
    /// processor counts only once it has one: it may find that there is nothing to do, such as a lock that is taken again.
    /// What happened since the last call tells the two apart: call it every few milliseconds. Nothing where the system does
    /// not tell (only Linux does).
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # fn example(running: &mut lab_kit::Running) -> CheckResult<()> {
    /// expect_that(running.working_threads() != Some(0), "it works")
    /// # }
    /// ```
    #[must_use]
    pub fn working_threads(&mut self) -> Option<usize> {
        let threads = lab_process::threads_of_session(self.spec.sandbox.session_of(self.group)?)?;
        Some(self.threads.working(&threads))
    }

    /// How much processor time it has used so far, with all processes that it has started. A busy machine does not change
    /// it much: what waits for a processor uses none. Nothing where the system does not tell (only Linux does), and where it
    /// has ended.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(running: &lab_kit::Running) -> CheckResult<()> {
    /// let used = running.processor_time().unwrap_or_default();
    /// expect_that(used < Duration::from_secs(1), "it waits for its input, and does nothing meanwhile")
    /// # }
    /// ```
    #[must_use]
    pub fn processor_time(&self) -> Option<Duration> {
        let processes = lab_process::of_session(self.spec.sandbox.session_of(self.group)?);
        (!processes.is_empty()).then(|| processes.iter().map(|process| process.processor).sum())
    }

    /// Whether it still runs.
    ///
    /// ```
    /// # fn example(running: &mut lab_kit::Running) {
    /// assert!(running.is_running());
    /// # }
    /// ```
    pub fn is_running(&mut self) -> bool {
        self.ended().is_none()
    }

    /// Sends SIGINT, as Ctrl-C does.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(mut running: lab_kit::Running) -> CheckResult<()> {
    /// running.interrupt()?;
    /// running.finish().await?.expect_code(130)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be sent.
    pub fn interrupt(&mut self) -> CheckResult {
        self.signal(Signal::INT, "SIGINT")
    }

    /// Sends SIGTERM.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(mut running: lab_kit::Running) -> CheckResult<()> {
    /// running.terminate()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be sent.
    pub fn terminate(&mut self) -> CheckResult {
        self.signal(Signal::TERM, "SIGTERM")
    }

    /// Kills its whole process group with SIGKILL, and waits until it is gone.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(mut running: lab_kit::Running) -> CheckResult<()> {
    /// running.kill().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be killed.
    pub async fn kill(&mut self) -> CheckResult {
        self.note("killed with SIGKILL");
        self.spec.sandbox.kill(self.group).ours("killing the program")?;
        let status = self.child.wait().await.ours("waiting for the killed program")?;
        self.exit = Some(Exit::of(status, &self.spec.sandbox));
        Ok(())
    }

    /// Waits for its end. Its input stays open, unless it was closed.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(mut running: lab_kit::Running) -> CheckResult<()> {
    /// running.end_input();
    /// running.finish().await?.expect_code(0)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it still runs when the time is over.
    pub async fn finish(&mut self) -> CheckResult<Finished> {
        self.finish_within(self.spec.within).await
    }

    async fn finish_within(&mut self, within: Duration) -> CheckResult<Finished> {
        let Some(exit) = self.wait(within).await? else { return Err(self.too_late("at work")) };
        let took = self.started.elapsed();
        if self.beginning.take().is_some_and(|mut beginning| self.spec.sandbox.isolates() && beginning.never_was()) {
            return Err(not_made("the program", "", &self.spec.sandbox));
        }
        let _ = timeout(LAST_WORDS, futures::future::join_all(self.readers.drain(..))).await;
        self.note(&format!("ended after {} ms: {exit}", took.as_millis()));
        let finished = Finished {
            exit,
            output: self.output.bytes(),
            errors: self.errors.bytes(),
            took,
            peak: self.peak_memory(),
            sent: self.shown(),
            by_hand: self.spec.by_hand.with_input(&self.sent),
        };
        if self.output.is_cut() {
            return Err(finished.failure(format!("the program wrote {} bytes", self.output.total())));
        }
        Ok(finished)
    }

    async fn wait(&mut self, within: Duration) -> CheckResult<Option<Exit>> {
        if self.exit.is_none()
            && let Ok(status) = timeout(within, self.child.wait()).await
        {
            let status = status.ours("waiting for the program's end")?;
            self.exit = Some(Exit::of(status, &self.spec.sandbox));
        }
        Ok(self.exit)
    }

    fn ended(&mut self) -> Option<Exit> {
        if self.exit.is_none() {
            self.exit = self.child.try_wait().ok().flatten().map(|status| Exit::of(status, &self.spec.sandbox));
        }
        self.exit
    }

    /// To the program's own process: what holds the sandbox is not meant.
    fn signal(&mut self, signal: Signal, name: &str) -> CheckResult {
        self.spec.transcript.note(format!("sent {name} to run {}", self.run));
        let deadline = Instant::now() + STARTING;
        while self.ended().is_none() {
            if let Some(process) = self.spec.sandbox.program_of(self.group) {
                return signal_process(process, signal).ours("signalling the program");
            }
            if Instant::now() > deadline {
                return Err(Failure::Ours("the program's process cannot be found in its sandbox".into()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// A failure of the learner's, with what the program was given.
    #[must_use]
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        let failure = Failure::learner(message).sent(self.shown());
        let written = self.output.bytes();
        let failure = if written.is_empty() { failure } else { failure.received(show_bytes(&written)) };
        match self.spec.by_hand.with_input(&self.sent) {
            Some(line) => failure.reproduce(line),
            None => failure,
        }
    }

    fn too_late(&self, doing: &str) -> Failure {
        let seconds = self.spec.within.as_secs_f32();
        self.failure(format!("the program is still {doing} after {seconds} s")).expected("it ends").by_time()
    }

    fn note(&self, what: &str) {
        self.spec.transcript.mark(format!("run {}: {what}", self.run), Mark::Connection { connection: self.run });
    }

    fn record(&mut self, bytes: &[u8]) {
        const KEPT: usize = 4_096;
        if !bytes.is_empty() {
            self.spec.transcript.sent(self.run, bytes);
        }
        let room = KEPT.saturating_sub(self.sent.len());
        self.sent.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Its arguments and its input, as a report shows them.
    fn shown(&self) -> String {
        format!("$ {}\n{}", self.spec.arguments.join(" "), show_bytes(&self.sent))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group may outlive its leader. Tokio reaps the child.
        let _ = self.spec.sandbox.kill(self.group);
        let readers = self.readers.drain(..);
        self.spec.log_readers.lock().unwrap_or_else(PoisonError::into_inner).extend(readers);
    }
}
