//! What the alias `cargo lab` starts. It has no dependencies, so cargo compiles it in a second and has nothing to say;
//! then it shows how the runner itself is compiled, if it must be, and becomes the runner.
#![expect(clippy::print_stderr, reason = "it speaks before the runner and its reporters exist")]

mod environment;
mod own;
mod sources;
mod suite;
mod waiting;

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use lab_launcher::{Artifact, Build, Refusal, RefusalKind};

/// The workspace is wrong, as the runner's own exit codes have it.
const USAGE: u8 = 2;
/// Infrastructure failed, as the runner's own exit codes have it.
const INFRASTRUCTURE: u8 = 4;
/// A build that takes no longer is not worth a line.
const QUIET_FOR: Duration = Duration::from_secs(2);
/// The launcher's package, as seen from the root of the workspace that has the runner.
const PACKAGE: &str = "lab-runner/crates/launcher";
/// The folder of the package that is a workspace of its own, below it.
const ALONE: &str = "start";
/// The profile by which cargo compiles us, in each manifest that may be used for it.
const PROFILE: &str = "launcher";
/// Set for the launcher that was compiled again because it was another workspace's.
const AGAIN: &str = "LAB_LAUNCHER_AGAIN";

/// Where everything is.
struct Places {
    /// The cargo that called us.
    cargo: PathBuf,
    /// The manifest by which cargo started us: the package's, or that of `start` beside it.
    manifest: PathBuf,
    /// The root of the workspace that the labs are in, above it.
    root: PathBuf,
    /// The root of the workspace that the runner's sources are in: mostly the same.
    sources: PathBuf,
    /// Our own executable.
    own: PathBuf,
    /// The runner's executable.
    runner: PathBuf,
}

fn main() -> ExitCode {
    let Some(places) = Places::find() else {
        eprintln!("error: run `cargo lab` from inside the labs' workspace");
        return ExitCode::from(INFRASTRUCTURE);
    };
    if !own::is_compiled_from(&places.sources.join(PACKAGE)) && env::var_os(AGAIN).is_none() {
        let error = places.start_again();
        return places.cannot_start(&places.cargo, &error);
    }
    let runner = Artifact::new(&places.runner, &places.sources);
    if !runner.is_fresh() {
        match places.build(&runner) {
            Ok(Ended::Built) => {}
            Ok(Ended::Failed) => {
                eprintln!("error: the lab runner could not be compiled; see cargo's errors above");
                eprintln!("hint: your lab is not the cause: check the network and the disk, then try again");
                return ExitCode::from(INFRASTRUCTURE);
            }
            Ok(Ended::Refused(refusal)) => return report(&refusal),
            Err(error) => return places.cannot_start(&places.cargo, &error),
        }
    }
    let mut command = places.command(&places.runner);
    command.args(env::args_os().skip(1)).env("LAB_WORKSPACE", &places.root).env("LAB_SOURCES", &places.sources);
    let error = command.exec();
    places.cannot_start(&places.runner, &error)
}

impl Places {
    fn find() -> Option<Self> {
        let own = env::current_exe().ok()?;
        // Our own profile has a folder and a lock of its own: we start while an editor's cargo holds that of `debug`.
        let runner = own.parent()?.with_file_name("debug").join("cargo-lab");
        let started =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), Into::into);
        let package = if started.ends_with(ALONE) { started.parent()? } else { &started };
        let root = package.ancestors().find(|folder| folder.join("labs").is_dir())?.to_owned();
        let sources = sources::place(&root)?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).into();
        Some(Self { cargo, manifest: started.join("Cargo.toml"), root, sources, own, runner })
    }

    fn cannot_start(&self, program: &Path, error: &io::Error) -> ExitCode {
        eprintln!("error: cannot start {}: {error}", program.display());
        ExitCode::from(INFRASTRUCTURE)
    }

    /// A command in the environment that the user started `cargo lab` in.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        environment::scrub(&mut command, &self.cargo, &self.own);
        command.env_remove(AGAIN);
        command
    }

    /// One of cargo's commands on the workspace of the runner.
    fn cargo(&self, arguments: &[&str]) -> Command {
        self.cargo_on(&self.sources.join("Cargo.toml"), arguments)
    }

    fn cargo_on(&self, manifest: &Path, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.cargo);
        command.args(arguments).arg("--manifest-path").arg(manifest);
        command
    }

    /// Has cargo compile the launcher that belongs here, and becomes it.
    fn start_again(&self) -> io::Error {
        let package = if self.manifest.parent().is_some_and(|folder| folder.ends_with(ALONE)) {
            "lab-start"
        } else {
            "lab-launcher"
        };
        let mut forget =
            self.cargo_on(&self.manifest, &["clean", "--quiet", "--profile", PROFILE, "--package", package]);
        if let Err(error) = forget.stdout(Stdio::null()).status() {
            return error;
        }
        let mut command =
            self.cargo_on(&self.manifest, &["run", "--quiet", "--profile", PROFILE, "--package", package]);
        command.env(AGAIN, "1").arg("--").args(env::args_os().skip(1)).exec()
    }

    /// Has cargo forget what it compiled of `packages`.
    fn clean<'a>(&self, packages: impl Iterator<Item = &'a str>) -> io::Result<ExitStatus> {
        let mut command = self.cargo(&["clean", "--quiet"]);
        packages.for_each(|package| {
            command.args(["--package", package]);
        });
        waiting::status(command.stdout(Stdio::null()))
    }

    /// What cargo says against building at all, in a moment and without the network: what it would say in its own words
    /// amid the progress of a build.
    fn refused(&self) -> io::Result<Option<Refusal>> {
        let mut tree = self.cargo(&["tree", "--quiet", "--offline", "--depth", "0", "--package", "lab-runner"]);
        let output = waiting::output(tree.stdin(Stdio::null()))?;
        let refusal = (!output.status.success()).then(|| self.explain(&output.stderr)).flatten();
        // What is merely not downloaded yet is no reason not to try.
        Ok(refusal.filter(|refusal| refusal.kind == RefusalKind::Workspace))
    }

    fn explain(&self, stderr: &[u8]) -> Option<Refusal> {
        Refusal::explain(&String::from_utf8_lossy(stderr), &self.sources)
    }

    fn build(&self, runner: &Artifact) -> io::Result<Ended> {
        let existed = self.runner.exists();
        let mut build = runner.before_build(waiting::report_other_build);
        if let Some(refusal) = self.refused()? {
            return Ok(Ended::Refused(refusal));
        }
        if build.overlooked().next().is_some() {
            if !self.clean(build.overlooked())?.success() {
                return Ok(Ended::Failed);
            }
            build.cleaned();
        }
        let ended = if existed { self.build_quietly(&build) } else { self.build_visibly(&build) }?;
        if matches!(ended, Ended::Built) {
            // Without a record the next start asks cargo again: slower, never wrong.
            let _ = build.finish(&self.runner);
        }
        Ok(ended)
    }

    /// The build of the runner. The whole workspace is selected so that its members agree on features, and what the
    /// runner and a suite share is compiled once; the program alone is built.
    fn runners_build(&self, build: &Build) -> Command {
        let mut command = self.cargo(&["build", "--workspace", "--bin", "cargo-lab"]);
        let (variable, value) = build.incremental();
        command.env(variable, value);
        command
    }

    /// Runs the first build, as cargo shows it. The suite that will be asked for next is compiled along with the runner:
    /// side by side the two keep all processors busy.
    fn build_visibly(&self, build: &Build) -> io::Result<Ended> {
        eprintln!("compiling the lab runner, once: about a minute on a small machine");
        if !io::stderr().is_terminal() {
            eprintln!("(cargo names each crate, about 180 in all, as it compiles it)");
        }
        // A user's settings may have cargo be quiet always.
        let visible = |mut command: Command| waiting::status(command.env("CARGO_TERM_QUIET", "false"));
        let words = env::args_os().skip(1).filter_map(|word| word.into_string().ok());
        // Another workspace's suites are built in that one, by the runner.
        let suite = if self.root == self.sources { suite::wanted(&self.root, words) } else { None };
        if let Some(suite) = suite {
            let mut both = self.runners_build(build);
            both.args(["--keep-going", "--bin", &suite]);
            if visible(both)?.success() {
                return Ok(Ended::Built);
            }
            // The runner tells what is wrong with a suite, if it is that.
        }
        Ok(if visible(self.runners_build(build))?.success() { Ended::Built } else { Ended::Failed })
    }

    /// Runs a build that is usually short, and says what is going on only if it is not.
    fn build_quietly(&self, build: &Build) -> io::Result<Ended> {
        let mut command = self.runners_build(build);
        if io::stderr().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let (done, finished) = mpsc::channel::<()>();
        let patience = thread::spawn(move || {
            if finished.recv_timeout(QUIET_FOR) == Err(RecvTimeoutError::Timeout) {
                eprintln!("compiling the lab runner again, because it has changed");
            }
        });
        let output = waiting::output(command.arg("--quiet").stdin(Stdio::null()));
        drop(done);
        let _ = patience.join();
        let output = output?;
        if output.status.success() {
            return Ok(Ended::Built);
        }
        if let Some(refusal) = self.explain(&output.stderr) {
            return Ok(Ended::Refused(refusal));
        }
        let _ = io::stderr().write_all(&output.stderr);
        Ok(Ended::Failed)
    }
}

/// What came of building the runner.
enum Ended {
    Built,
    /// Cargo has said why.
    Failed,
    /// Cargo has not said why, and we do.
    Refused(Refusal),
}

fn report(refusal: &Refusal) -> ExitCode {
    eprintln!("error: {}", refusal.message);
    eprintln!("hint: {}", refusal.hint);
    ExitCode::from(match refusal.kind {
        RefusalKind::Workspace => USAGE,
        RefusalKind::Machine => INFRASTRUCTURE,
    })
}
