//! What the alias `cargo lab` starts. It has no dependencies, so cargo compiles it in a second and has nothing to say;
//! then it shows how the runner itself is compiled, if it must be, and becomes the runner.
#![expect(clippy::print_stderr, reason = "it speaks before the runner and its reporters exist")]

mod environment;
mod own;

use std::env;
use std::io::{self, IsTerminal as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use lab_launcher::Program;

/// Infrastructure failed, as the runner's own exit codes have it.
const INFRASTRUCTURE: u8 = 4;
/// A build that takes no longer is not worth a line.
const QUIET_FOR: Duration = Duration::from_secs(2);
/// Set for the launcher that was compiled again because it was another workspace's.
const AGAIN: &str = "LAB_LAUNCHER_AGAIN";

/// Where everything is.
struct Places {
    /// The cargo that called us.
    cargo: PathBuf,
    /// The launcher's own package.
    package: PathBuf,
    /// The workspace's root, above it.
    root: PathBuf,
    /// The runner's executable, beside our own.
    runner: PathBuf,
}

fn main() -> ExitCode {
    let Some(places) = Places::find() else {
        eprintln!("error: run `cargo lab` from inside the labs' workspace");
        return ExitCode::from(INFRASTRUCTURE);
    };
    if !own::is_compiled_from(&places.package) && env::var_os(AGAIN).is_none() {
        let error = places.start_again();
        return places.cannot_start(&places.cargo, &error);
    }
    let runner = Program::new(&places.runner, &places.root);
    if !runner.is_fresh() {
        match places.build(&runner) {
            Ok(status) if status.success() => {}
            Ok(_) => {
                eprintln!("error: the lab runner could not be compiled; see cargo's errors above");
                eprintln!("hint: your lab is not the cause: check the network and the disk, then try again");
                return ExitCode::from(INFRASTRUCTURE);
            }
            Err(error) => return places.cannot_start(&places.cargo, &error),
        }
    }
    let mut command = places.command(&places.runner);
    let error = command.args(env::args_os().skip(1)).env("LAB_WORKSPACE", &places.root).exec();
    places.cannot_start(&places.runner, &error)
}

impl Places {
    fn find() -> Option<Self> {
        let runner = env::current_exe().ok()?.with_file_name("cargo-lab");
        let package =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), Into::into);
        let root = package.ancestors().nth(3)?.to_owned();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).into();
        Some(Self { cargo, package, root, runner })
    }

    fn cannot_start(&self, program: &Path, error: &io::Error) -> ExitCode {
        eprintln!("error: cannot start {}: {error}", program.display());
        ExitCode::from(INFRASTRUCTURE)
    }

    /// A command in the environment that the user started `cargo lab` in.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        environment::scrub(&mut command, &self.cargo, &self.runner);
        command.env_remove(AGAIN);
        command
    }

    /// One of cargo's commands on this workspace.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.cargo);
        command.args(arguments).arg("--manifest-path").arg(self.root.join("Cargo.toml"));
        command
    }

    /// Has cargo compile the launcher that belongs here, and becomes it.
    fn start_again(&self) -> io::Error {
        if let Err(error) = self.clean(["lab-launcher"].into_iter()) {
            return error;
        }
        let mut command = self.cargo(&["run", "--quiet", "--package", "lab-launcher"]);
        command.env(AGAIN, "1").arg("--").args(env::args_os().skip(1)).exec()
    }

    /// Has cargo forget what it compiled of `packages`.
    fn clean<'a>(&self, packages: impl Iterator<Item = &'a str>) -> io::Result<ExitStatus> {
        let mut command = self.cargo(&["clean", "--quiet"]);
        packages.for_each(|package| {
            command.args(["--package", package]);
        });
        command.stdout(Stdio::null()).status()
    }

    fn build(&self, runner: &Program) -> io::Result<ExitStatus> {
        let existed = self.runner.exists();
        let mut build = runner.before_build(|| eprintln!("waiting for another `cargo lab` to finish building"));
        if build.overlooked().next().is_some() {
            let status = self.clean(build.overlooked())?;
            if !status.success() {
                return Ok(status);
            }
            build.cleaned();
        }
        let mut command = self.cargo(&["build", "--package", "lab-runner", "--bin", "cargo-lab"]);
        let status = if existed {
            quietly(command.arg("--quiet"))
        } else {
            eprintln!("compiling the lab runner, once: about a minute on a small machine");
            if !io::stderr().is_terminal() {
                eprintln!("(cargo names each crate, about 150 in all, as it compiles it)");
            }
            // A user's settings may have cargo be quiet always.
            command.env("CARGO_TERM_QUIET", "false").status()
        }?;
        if status.success() {
            // Without a record the next start asks cargo again: slower, never wrong.
            let _ = build.finish(&self.runner);
        }
        Ok(status)
    }
}

/// Runs a build that is usually short, and says what is going on only if it is not.
fn quietly(command: &mut Command) -> io::Result<ExitStatus> {
    let (done, finished) = mpsc::channel::<()>();
    let patience = thread::spawn(move || {
        if finished.recv_timeout(QUIET_FOR) == Err(RecvTimeoutError::Timeout) {
            eprintln!("compiling the lab runner again, because it has changed");
        }
    });
    let status = command.status();
    drop(done);
    let _ = patience.join();
    status
}
