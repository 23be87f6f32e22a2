//! What the alias `cargo lab` starts. It has no dependencies, so cargo compiles it in a second and has nothing to say;
//! then it shows how the runner itself is compiled, if it must be, and becomes the runner.
#![expect(clippy::print_stderr, reason = "it speaks before the runner and its reporters exist")]

mod environment;

use std::env;
use std::io::IsTerminal as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime};

/// Infrastructure failed, as the runner's own exit codes have it.
const INFRASTRUCTURE: u8 = 4;
/// A build that takes no longer is not worth a line.
const QUIET_FOR: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let Some((runner, root)) = places() else {
        eprintln!("error: start me as `cargo lab`, from inside the labs' folder");
        return ExitCode::from(INFRASTRUCTURE);
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    if !lab_launcher::is_fresh(&runner, &root) {
        let began = SystemTime::now();
        match build(Path::new(&cargo), &runner, &root) {
            Ok(status) if status.success() => {
                // Without the stamp the next start asks cargo again: slower, never wrong.
                let _ = lab_launcher::record(&runner, began);
            }
            Ok(_) => {
                eprintln!("error: the lab runner could not be compiled; cargo says why above");
                eprintln!("hint: this is no fault of your lab: check the network and the disk, then try again");
                return ExitCode::from(INFRASTRUCTURE);
            }
            Err(error) => {
                eprintln!("error: cannot start {}: {error}", Path::new(&cargo).display());
                return ExitCode::from(INFRASTRUCTURE);
            }
        }
    }
    let mut command = Command::new(&runner);
    environment::scrub(&mut command, Path::new(&cargo), &runner);
    let error = command.args(env::args_os().skip(1)).env("LAB_WORKSPACE", &root).exec();
    eprintln!("error: cannot start {}: {error}", runner.display());
    ExitCode::from(INFRASTRUCTURE)
}

/// The runner's executable, beside our own, and the workspace's root, above our package's folder.
fn places() -> Option<(PathBuf, PathBuf)> {
    let runner = env::current_exe().ok()?.with_file_name("cargo-lab");
    let package =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), Into::into);
    Some((runner, package.ancestors().nth(3)?.to_owned()))
}

fn build(cargo: &Path, runner: &Path, root: &Path) -> std::io::Result<ExitStatus> {
    let mut command = Command::new(cargo);
    environment::scrub(&mut command, cargo, runner);
    command
        .args(["build", "--package", "lab-runner", "--bin", "cargo-lab", "--manifest-path"])
        .arg(root.join("Cargo.toml"));
    if runner.exists() {
        return quietly(command.arg("--quiet"));
    }
    eprintln!("compiling the lab runner: once, about a minute on a small machine");
    if !std::io::stderr().is_terminal() {
        eprintln!("(cargo names each of the about 150 crates as it comes to it)");
    }
    command.status()
}

/// Runs a build that is usually short, and says what is going on only if it is not.
fn quietly(command: &mut Command) -> std::io::Result<ExitStatus> {
    let (done, finished) = mpsc::channel::<()>();
    let patience = thread::spawn(move || {
        if finished.recv_timeout(QUIET_FOR) == Err(RecvTimeoutError::Timeout) {
            eprintln!("compiling the lab runner again: it has changed");
        }
    });
    let status = command.status();
    drop(done);
    let _ = patience.join();
    status
}
