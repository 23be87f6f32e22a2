//! The programs of a kit: the runner, its helpers, and the suites, compiled without held-out checks. They are the ones that
//! are built here anyway, without symbols, and without the paths of the machine that built them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::building::{self, Job};
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::helper::{self, Helper};
use lab_runner::suite::SuiteError;
use lab_runner::workspace::Lab;

use crate::platform;

/// The runner's program.
const RUNNER: &str = "cargo-lab";
/// The helpers that a learner may ask for: the package, its folder in `lab-runner/crates`, and what it is.
const HELPERS: [(&str, &str, &str); 3] = [
    ("lab-web", "web", "the page"),
    ("lab-watch", "watch", "the screen"),
    ("lab-results", "results", "what writes results for other programs"),
];
/// What takes the compiler's place while suites are compiled for learners: the flag is for the workspace's own packages, so
/// that their dependencies need not be compiled once more.
const WRAPPER: &str = "#!/bin/sh\nexec \"$@\" --cfg learner_kit\n";

/// Puts the programs that a kit with `labs` needs into `folder`.
///
/// # Errors
/// One cannot be built, or not be made fit to be handed out.
pub(super) async fn write(engine: &Engine, labs: &[Lab], folder: &Utf8Path, run: &RunContext) -> Result<(), Error> {
    let runner = helper::runner().ok_or_else(unknown_place)?;
    let paths = private_paths(engine, &runner);
    // Before anything is built: that may replace the runner's own file.
    let find = |(package, source, what)| Helper::find(package, source, what).map(|helper| (package, helper));
    let helpers: Option<Vec<_>> = HELPERS.map(find).into_iter().collect();
    hand_out(&runner, &folder.join(RUNNER), &paths)?;
    for (package, helper) in helpers.ok_or_else(unknown_place)? {
        let program = match helper.fresh() {
            Some(program) => program,
            None => helper.build(engine.folder()?, run).await.map_err(Error::Fault)?,
        };
        hand_out(&program, &folder.join(package), &paths)?;
    }
    for lab in labs {
        let suite = suite(engine, lab, run).await?;
        hand_out(&suite, &folder.join("suites").join(lab.package()), &paths)?;
    }
    Ok(())
}

fn unknown_place() -> Error {
    Error::Fault("where the runner's own program is cannot be told".to_owned())
}

/// Builds the suite of `lab` as learners are given it, in the folders that hold all that it depends on.
async fn suite(engine: &Engine, lab: &Lab, run: &RunContext) -> Result<Utf8PathBuf, Error> {
    let workspace = &engine.workspace;
    let folder = workspace.lab_folder().join("kit");
    let wrapper = folder.join("rustc");
    let unwritable = |source| Error::io("write", &wrapper, source);
    std::fs::create_dir_all(&folder).map_err(unwritable)?;
    // Cargo compares its time: written anew, it would have everything compiled anew.
    if !std::fs::read_to_string(&wrapper).is_ok_and(|text| text == WRAPPER) {
        std::fs::write(&wrapper, WRAPPER).map_err(unwritable)?;
        std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).map_err(unwritable)?;
    }
    let what = format!("the suite of {} for learners", lab.id());
    let (root, target) = (workspace.root.clone(), folder.join("out"));
    let ours = Job::of_ours(what, root, lab.suite_package(), target, engine.folder()?);
    let job = Job { wrapper: Some(wrapper), build: workspace.target.clone(), ..ours };
    let built = building::build(&job, run).await.map_err(SuiteError::from)?;
    Ok(built.held)
}

/// The paths of this machine that programs compiled here may hold, the longest first: in the places that panics are told
/// with, and where a package asked for its own folder.
fn private_paths(engine: &Engine, runner: &Utf8Path) -> Vec<String> {
    let variable = |name: &str| std::env::var(name).ok();
    let home = variable("HOME").filter(|home| home.len() > 1);
    let in_home = |name: &str| home.as_ref().map(|home| format!("{home}/{name}"));
    let compiled = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(Utf8Path::to_string);
    let mut paths: Vec<String> = [
        Some(engine.workspace.root.to_string()),
        Some(engine.workspace.target.to_string()),
        runner.parent().and_then(Utf8Path::parent).map(Utf8Path::to_string),
        compiled,
        variable("CARGO_HOME").or_else(|| in_home(".cargo")),
        variable("RUSTUP_HOME").or_else(|| in_home(".rustup")),
        home.as_ref().map(|home| format!("{home}/")),
    ]
    .into_iter()
    .flatten()
    .collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    paths
}

/// What no file of a kit may hold of this machine.
pub(super) fn private_texts(engine: &Engine) -> Vec<String> {
    private_paths(engine, &helper::runner().unwrap_or_default())
}

/// Copies `program` to `to`, without its symbols and without `paths`.
fn hand_out(program: &Utf8Path, to: &Utf8Path, paths: &[String]) -> Result<(), Error> {
    let unwritable = |source| Error::io("write", to, source);
    std::fs::create_dir_all(to.parent().unwrap_or(to)).map_err(unwritable)?;
    std::fs::copy(program, to).map_err(unwritable)?;
    run_tool(Command::new("strip").arg(to), "strip")?;
    let mut content = std::fs::read(to).map_err(unwritable)?;
    blank(&mut content, paths);
    std::fs::write(to, content).map_err(unwritable)?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755)).map_err(unwritable)?;
    match platform::sign(to.as_std_path()) {
        Some(mut command) => run_tool(&mut command, "codesign"),
        None => Ok(()),
    }
}

fn run_tool(command: &mut Command, name: &str) -> Result<(), Error> {
    let output = command.output().map_err(|error| Error::Infrastructure {
        message: format!("{name} cannot be run: {error}"),
        hints: vec![format!("{name} comes with the compiler's linker: binutils, or Xcode's command line tools")],
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Fault(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim_end())))
}

/// Writes a path of the same length that leads nowhere over each of `paths` in `content`: nothing in a program moves. Of
/// several that fit, the first counts.
fn blank(content: &mut [u8], paths: &[String]) {
    let mut at = 0;
    while at < content.len() {
        if content[at] == b'/'
            && let Some(path) = paths.iter().find(|path| content[at..].starts_with(path.as_bytes()))
        {
            for (index, byte) in content[at..][..path.len()].iter_mut().enumerate() {
                *byte = if index % 2 == 0 { b'.' } else { b'/' };
            }
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_path_is_written_over_and_nothing_moves() {
        let mut content = b"\0/home/me/.cargo/registry/a.rs\0/home/me/x\0/home/men".to_vec();
        let before = content.len();
        blank(&mut content, &["/home/me/.cargo".to_owned(), "/home/me/".to_owned()]);
        assert_eq!(content, b"\0././././././././registry/a.rs\0././././.x\0/home/men");
        assert_eq!(content.len(), before);
    }
}
