//! Builds a package with cargo: watched, bounded in time, and explained when it fails.

mod diagnosis;
mod environment;
mod included;
mod isolated;
mod messages;
mod progress;
mod system;
mod toolchain;
mod watch;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use lab_launcher::{Artifact, Build, Refusal};
use lab_process::Signal;
use lab_protocol::millis;
use lab_sandbox::{Confinement, Limits, Network, Sandbox, View};
use tokio::io::BufReader;
use tokio::process::{Child, Command};

use crate::awake::sleep_awake;
use crate::context::RunContext;
use crate::events::EventKind;
use crate::platform;
use crate::report::Diagnostics;

use diagnosis::Ended;
use messages::Messages;
use progress::{Blocked, Follower};
use watch::{Excess, OwnCode};

pub(crate) use isolated::SETTINGS as ISOLATED_SETTINGS;
pub use watch::Bounds;

/// When a whole build is given up, dependencies included: on a slow machine these take many minutes, the first time.
const LIMIT: Duration = Duration::from_secs(3600);
/// What is quicker than this needs no progress.
pub const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// What to build.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is, for messages.
    pub what: String,
    /// The root of the workspace it belongs to.
    pub root: Utf8PathBuf,
    /// The package, whose binary of the same name is wanted.
    pub package: String,
    /// Where programs go.
    pub target: Utf8PathBuf,
    /// Where everything in between goes: shared by all.
    pub build: Utf8PathBuf,
    /// A folder of this run's own, to which the program is linked under its package's name: the next build, which may
    /// be another checkout's, replaces the file, not what is held.
    pub held: Utf8PathBuf,
    /// Whether Cargo.lock must do as it is.
    pub locked: bool,
    /// Whether the user's own `DATABASE_URL` may be seen, as sqlx's checked queries want it.
    pub own: bool,
    /// What cargo, and all that it runs of a submission's, runs in.
    pub sandbox: Sandbox,
    /// Where dependencies were compiled for all isolated builds, which read it and do not write it.
    pub shared: Option<Utf8PathBuf>,
    /// What takes the compiler's place for the workspace's own packages, if something does.
    pub wrapper: Option<Utf8PathBuf>,
    /// What compiling the package's own code may take, if it is a submission's. Its dependencies are not counted.
    pub bounds: Option<Bounds>,
}

impl Job {
    /// A program of ours: `package` of the workspace at `root`, built in its own `target` folder with all of this machine's
    /// files, and held in `held`.
    pub fn of_ours(what: String, root: Utf8PathBuf, package: String, target: Utf8PathBuf, held: Utf8PathBuf) -> Self {
        let (sandbox, build) = (Sandbox::none(), target.clone());
        Self {
            what,
            root,
            package,
            target,
            build,
            held,
            locked: false,
            own: true,
            sandbox,
            shared: None,
            wrapper: None,
            bounds: None,
        }
    }

    /// Where the program is, unless the user's settings name a platform to build for.
    fn program(&self) -> Utf8PathBuf {
        self.target.join("debug").join(&self.package)
    }
}

/// A program that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The program, where cargo has put it.
    pub executable: Utf8PathBuf,
    /// The program, where nobody replaces it.
    pub held: Utf8PathBuf,
    /// How long it took.
    pub took: Duration,
}

/// Why there is no program.
#[derive(Debug)]
pub enum BuildError {
    /// The code is at fault.
    Code(Diagnostics),
    /// The code is not: no compiler, no space, no network.
    Infrastructure(Diagnostics),
    /// Cargo loads nothing of the workspace, whatever is to be built.
    Refused(Refusal),
    /// The run was cancelled.
    Interrupted,
}

impl BuildError {
    /// A refusal whose cause lies in the code that is to be built.
    pub fn of_own_refusal(refusal: Refusal) -> Self {
        Self::Code(diagnosis::refused(refusal))
    }
}

/// Builds `job`, telling `run` how far it is if it takes long.
///
/// # Errors
/// It does not build; see [`BuildError`] for whose fault that is.
pub async fn build(job: &Job, run: &RunContext) -> Result<Built, BuildError> {
    if job.sandbox.isolates() {
        return isolated::build(job, run).await;
    }
    let began = Instant::now();
    let mut inputs = tokio::select! {
        inputs = before_build(job, run) => inputs?,
        () = run.cancel().cancelled() => return Err(BuildError::Interrupted),
    };
    if clean(job, inputs.overlooked()).await {
        inputs.cleaned();
    }
    let started = SystemTime::now();
    let ended = run_cargo(job, Some(&inputs), run).await?;
    let took = began.elapsed();
    run.emit(EventKind::BuildFinished { what: job.what.clone(), took_ms: millis(took) });
    let executable = ended.messages.program(&job.package).filter(|_| ended.succeeded()).cloned();
    if let Some(file) = foreign(job, &ended, executable.as_deref(), started) {
        return Err(BuildError::Code(diagnosis::includes(&file)));
    }
    let Some(executable) = executable else { return Err(diagnosis::diagnose(job, &ended)) };
    let held = hold(&executable, &job.held)
        .map_err(|error| BuildError::Infrastructure(diagnosis::cannot_hold(&executable, &error)))?;
    // Without a record cargo is asked again the next time: slower, never wrong.
    let _ = inputs.finish(executable.as_std_path());
    Ok(Built { executable, held, took })
}

/// What the compiler that builds what stands in `folder` says of itself; nothing, if there is none.
pub fn compiler(folder: &Utf8Path) -> Vec<u8> {
    let mut rustc = std::process::Command::new("rustc");
    rustc.env_clear().envs(environment::of_build(false)).current_dir(folder).stdin(Stdio::null());
    rustc.arg("-vV").output().map(|output| output.stdout).unwrap_or_default()
}

/// Has cargo fetch what `job` needs and compile it, in a stage whose build nobody else does at the same time.
///
/// # Errors
/// As [`build`].
pub async fn fetch_and_build(job: &Job, run: &RunContext) -> Result<Built, BuildError> {
    isolated::settle(job, true).await?;
    build(&Job { locked: true, ..job.clone() }, run).await
}

/// Runs cargo to its end, or until it has taken more than it may. `inputs` are known of what is built in its place.
async fn run_cargo(job: &Job, inputs: Option<&Build>, run: &RunContext) -> Result<Ended, BuildError> {
    let mut child = spawn(job, inputs).map_err(|error| BuildError::Infrastructure(diagnosis::no_cargo(&error)))?;
    let leader = child.id();
    let (blocked, own_code) = (Blocked::default(), OwnCode::default());
    let ended = tokio::select! {
        ended = follow(job, run, &mut child, &blocked, &own_code) => Ok(ended),
        excess = exceeded(job, leader, &own_code) => Err(BuildError::Code(diagnosis::too_costly(excess))),
        () = sleep_awake(LIMIT) => Err(BuildError::Infrastructure(match blocked.holder() {
            Some(holder) => diagnosis::locked_out(job, &holder),
            None => diagnosis::too_slow(job, LIMIT),
        })),
        () = run.cancel().cancelled() => Err(BuildError::Interrupted),
    };
    ended.inspect_err(|_| kill(job, leader))
}

/// Reads what cargo says, to its end.
async fn follow(job: &Job, run: &RunContext, child: &mut Child, blocked: &Blocked, own_code: &OwnCode) -> Ended {
    let kills = platform::memory_kills();
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    let follower = Follower::new(job, run, child.id(), blocked, own_code);
    let (messages, stderr) = tokio::join!(Messages::read(BufReader::new(stdout)), follower.follow(stderr));
    let status = child.wait().await.ok();
    // Of the machine's, some are of its neighbours.
    let out_of_memory = match job.sandbox.memory_kills() {
        Some(kills) => kills > 0,
        None => platform::memory_kills() > kills,
    };
    Ended { messages, stderr, status, out_of_memory, shortage: job.sandbox.shortage() }
}

/// Returns once compiling the package's own code takes more than it may.
async fn exceeded(job: &Job, leader: Option<u32>, own_code: &OwnCode) -> Excess {
    match job.bounds.zip(leader) {
        Some((bounds, leader)) => watch::exceeded(&job.sandbox, leader, &job.package, bounds, own_code).await,
        None => std::future::pending().await,
    }
}

/// A file that is no part of the submission, and that its code includes.
fn foreign(job: &Job, ended: &Ended, program: Option<&Utf8Path>, started: SystemTime) -> Option<PathBuf> {
    // In the learner's own checkout everything is the learner's.
    if job.own {
        return None;
    }
    match program {
        Some(program) => included::in_program(job, program),
        None => included::in_failure(job, started, &ended.messages.errors),
    }
}

/// Waits until nobody else builds in this folder, and looks at what there is to build.
async fn before_build(job: &Job, run: &RunContext) -> Result<Build, BuildError> {
    let program = Artifact::new(job.program().as_std_path(), job.root.as_std_path());
    let mut looking = tokio::task::spawn_blocking(move || program.before_build(|| ()));
    let looked = tokio::select! {
        looked = &mut looking => looked,
        () = tokio::time::sleep(PROGRESS_DELAY) => {
            let holder = lab_launcher::waited_for(std::process::id());
            let holder = holder.map_or_else(|| "another cargo lab".to_owned(), |holder| holder.to_string());
            run.emit(EventKind::Step { text: format!("waiting for {holder} to finish building") });
            looking.await
        }
    };
    looked.map_err(|error| BuildError::Infrastructure(diagnosis::no_cargo(&std::io::Error::other(error))))
}

/// Links `program` to `folder`, or copies it, with its time, to where no link can lead.
///
/// # Errors
/// There is no room for it, or no program any more.
pub fn hold(program: &Utf8Path, folder: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
    let held = folder.join(program.file_name().unwrap_or_default());
    if std::fs::hard_link(program, &held).is_err() {
        std::fs::copy(program, &held)?;
        std::fs::File::options().append(true).open(&held)?.set_modified(program.metadata()?.modified()?)?;
    }
    Ok(held)
}

/// Has cargo forget `packages`, which it would take for unchanged. Tells whether it did; if not, it has a reason that
/// keeps it from building as well.
async fn clean(job: &Job, packages: impl Iterator<Item = &str>) -> bool {
    let mut arguments = vec!["clean", "--quiet"];
    packages.for_each(|package| arguments.extend(["--package", package]));
    if arguments.len() == 2 {
        return true;
    }
    let Ok(mut command) = command(job, &arguments) else { return false };
    command.output().await.is_ok_and(|output| output.status.success())
}

/// Cargo and all it started.
fn kill(job: &Job, leader: Option<u32>) {
    if let Some(leader) = leader {
        let _ = job.sandbox.kill(leader);
    }
}

fn spawn(job: &Job, inputs: Option<&Build>) -> std::io::Result<Child> {
    let mut command = cargo(job)?;
    if let Some(inputs) = inputs.filter(|_| job.bounds.is_none()) {
        let (variable, value) = inputs.incremental();
        command.env(variable, value);
    }
    command
        // The whole workspace is selected so that its members agree on features; the program alone is built.
        .args(["build", "--workspace", "--bin", &job.package])
        .arg("--message-format=json-diagnostic-rendered-ansi")
        .args(job.locked.then_some("--locked"))
        // Cargo knows best how far it is, and says so only where it sees a terminal or is told to.
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "120")
        .env("CARGO_TERM_COLOR", "never")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Command::from(command).kill_on_drop(true).spawn()
}

/// Cargo in the sandbox of `job`, with its folders.
fn cargo(job: &Job) -> std::io::Result<std::process::Command> {
    let mut command = if job.sandbox.isolates() { isolated::cargo(job)? } else { in_the_open(job) };
    command.env("CARGO_TARGET_DIR", &job.target).env("CARGO_BUILD_BUILD_DIR", &job.build).stdin(Stdio::null());
    if let Some(wrapper) = &job.wrapper {
        command.env("RUSTC_WORKSPACE_WRAPPER", wrapper);
    }
    // A user's settings (`[term] quiet = true`) hide nothing that we read.
    command.env("CARGO_TERM_QUIET", "false").env("CARGO_TERM_VERBOSE", "false");
    Ok(command)
}

/// Cargo with this machine's files and network.
fn in_the_open(job: &Job) -> std::process::Command {
    let confinement = Confinement {
        folder: job.root.clone().into(),
        environment: environment::of_build(job.own),
        limits: Limits::NO_CORE,
        orphan_signal: Signal::TERM,
        view: View::default(),
        network: Some(Network::of_this_machine()),
    };
    job.sandbox.command(environment::cargo(), &confinement)
}

/// The same sandbox and folders for another cargo command on `job`, such as clippy's.
///
/// # Errors
/// There is no cargo.
pub fn command(job: &Job, arguments: &[&str]) -> std::io::Result<Command> {
    let mut command = cargo(job)?;
    command.args(arguments);
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    Ok(command)
}
