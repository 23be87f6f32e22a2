//! Finding a service's program on this machine: named by the user's variable, in `PATH`, or in its usual places.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::{self, Purpose};
use crate::error::ProviderError;
use crate::program::{Program, ProgramSearch, ServiceProgram};
use crate::registry::ServiceId;
use crate::version::version_line;

/// The service's program on this machine: the newest that goes by the preferred name, else by the next.
pub(crate) fn find(service: ServiceId) -> Result<Program, ProviderError> {
    let runner = of(service)?;
    if let Some(named) = service.setting("BIN") {
        return named_one(service, runner, Path::new(&named));
    }
    let search = runner.search();
    let mut turned_down = BTreeSet::new();
    // `PATH` first: of programs with the same version, the user's own choice is taken.
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    folders.retain(|folder| folder.is_absolute());
    folders.extend(search.folders.iter().flat_map(|pattern| matching(pattern)));
    let found = newest(runner, &folders, &mut turned_down)
        // Asked last: on Debian it is a script that takes longer than starting the server does.
        .or_else(|| newest(runner, &folder_by_command(search).into_iter().collect::<Vec<_>>(), &mut turned_down));
    found.ok_or_else(|| {
        let seen = if turned_down.is_empty() {
            "none was found".to_owned()
        } else {
            turned_down.iter().cloned().collect::<Vec<_>>().join("; ")
        };
        let names = search.names.join(" or ");
        let ProgramSearch { oldest, .. } = search;
        ProviderError::new(format!("no {names}, version {oldest} or newer, in PATH or the usual places: {seen}"))
            .hint(format!("install {service}, or name its program or folder in {}", service.variable("BIN")))
    })
}

/// How the service's program is run.
pub(crate) fn of(service: ServiceId) -> Result<&'static dyn ServiceProgram, ProviderError> {
    service.definition().program().ok_or_else(|| {
        ProviderError::new(format!(
            "{service} is not a program that can be started on its own: use a server or container"
        ))
    })
}

/// Looks at the program `file`: whether it serves, or why it does not.
pub(crate) fn examine(runner: &dyn ServiceProgram, file: &Path) -> Result<Program, String> {
    // A link in PATH leads to the real place, beside which the other programs stand.
    let path = file.canonicalize().map_err(|_| format!("{} does not exist", file.display()))?;
    let search = runner.search();
    // A link may have another name than its program, by which a program with many faces knows what to be.
    let path = if path.file_name() == file.file_name() { path } else { file.to_owned() };
    if let Some(missing) = search.companions.iter().find(|companion| !path.with_file_name(companion).exists()) {
        return Err(format!("{} has no {missing} beside it", path.display()));
    }
    let line =
        version_line(&path, runner.version_argument()).ok_or_else(|| format!("{} does not run", path.display()))?;
    match runner.identify(&line) {
        Some((product, version)) if version.major() >= search.oldest => Ok(Program { path, product, version }),
        Some(_) => Err(format!("{} is `{line}`, which is older than version {}", path.display(), search.oldest)),
        None => Err(format!("{} is `{line}`", path.display())),
    }
}

/// The program that the user has named, or the one in the folder that the user has named.
fn named_one(service: ServiceId, runner: &dyn ServiceProgram, named: &Path) -> Result<Program, ProviderError> {
    let names = runner.search().names;
    let file = if named.is_dir() {
        let found = names.iter().flat_map(|name| executables(name, &[named.to_owned()])).next();
        found.ok_or_else(|| format!("there is no {} in {}", names.join(" or "), named.display()))
    } else {
        Ok(named.to_owned())
    };
    file.and_then(|file| examine(runner, &file)).map_err(|why| {
        ProviderError::new(format!("{} cannot be used: {why}", service.variable("BIN")))
            .hint(format!("it names the program {}, or the folder that holds it", names.join(" or ")))
    })
}

fn newest(runner: &dyn ServiceProgram, folders: &[PathBuf], turned_down: &mut BTreeSet<String>) -> Option<Program> {
    runner.search().names.iter().find_map(|name| {
        let mut seen = BTreeSet::new();
        let mut best: Option<Program> = None;
        for file in executables(name, folders) {
            match examine(runner, &file) {
                // Links lead to programs that are found in their own places as well.
                Ok(program) if !seen.insert(program.path.clone()) => {}
                Ok(program) if best.as_ref().is_none_or(|best| best.version < program.version) => best = Some(program),
                Ok(_) => {}
                Err(why) => {
                    turned_down.insert(why);
                }
            }
        }
        best
    })
}

/// The programs called `name` in `folders`.
fn executables(name: &str, folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders {
        found.extend(which::which_in_global(name, Some(folder)).into_iter().flatten());
    }
    found
}

/// Whether `PATH` leads to `program`.
pub(crate) fn is_in_path(program: &str) -> bool {
    which::which_global(program).is_ok()
}

fn matching(pattern: &str) -> Vec<PathBuf> {
    glob::glob(pattern).map(|paths| paths.filter_map(Result::ok).collect()).unwrap_or_default()
}

/// The folder that a command such as `pg_config --bindir` prints.
fn folder_by_command(search: &ProgramSearch) -> Option<PathBuf> {
    let (program, arguments) = search.folder_command?.split_first()?;
    let mut command = Command::new(program);
    environment::restrict(&mut command, Purpose::Server);
    let output = command.args(arguments).output().ok()?;
    let text = OsString::from(String::from_utf8_lossy(&output.stdout).trim());
    output.status.success().then(|| PathBuf::from(text))
}
