//! What the alias `cargo lab` starts in a learner kit: it becomes the runner, which comes along as a program.
#![expect(clippy::print_stderr, reason = "it speaks before the runner and its reporters exist")]

// It stands beside this file in a kit, and among the launcher's sources here.
#[path = "../src/environment.rs"]
mod environment;

use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Infrastructure failed, as the runner's own exit codes have it.
const INFRASTRUCTURE: u8 = 4;
/// The runner's program.
const RUNNER: &str = "cargo-lab";

fn main() -> ExitCode {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let Some((kit, root)) = folders(&package) else {
        eprintln!("error: run `cargo lab` from inside the learner kit");
        return ExitCode::from(INFRASTRUCTURE);
    };
    let platform = format!("{}-{}", env::consts::ARCH, env::consts::OS);
    let runner = kit.join(&platform).join(RUNNER);
    if !runner.is_file() {
        eprintln!("error: this learner kit has no programs for {platform}, only for {}", platforms(kit).join(", "));
        eprintln!("hint: ask whoever gave it to you for the one for {platform}");
        return ExitCode::from(INFRASTRUCTURE);
    }
    let mut command = Command::new(&runner);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let own = env::current_exe().unwrap_or_default();
    environment::scrub(&mut command, Path::new(&cargo), &own);
    let error = command.args(env::args_os().skip(1)).env("LAB_WORKSPACE", root).env_remove("LAB_SOURCES").exec();
    eprintln!("error: cannot start {}: {error}", runner.display());
    ExitCode::from(INFRASTRUCTURE)
}

/// The folder of the kit's own things that `package` lies in, and the kit's root.
fn folders(package: &Path) -> Option<(&Path, &Path)> {
    let kit = package.ancestors().find(|folder| folder.join("kit.json").is_file())?;
    Some((kit, kit.parent()?))
}

/// The systems that the kit has programs for.
fn platforms(kit: &Path) -> Vec<String> {
    let entries = fs::read_dir(kit).into_iter().flatten().flatten();
    let of_runner = entries.filter(|entry| entry.path().join(RUNNER).is_file());
    let mut names: Vec<String> = of_runner.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
