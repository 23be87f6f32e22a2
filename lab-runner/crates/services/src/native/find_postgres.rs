//! Where Postgres's programs are found.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::problem::Problem;
use super::find::{Program, is_executable, matching, numbers, path_folders};
use super::version;

/// The oldest version that the labs are written for.
pub(super) const OLDEST: u32 = 15;

/// Where packages put the programs: Debian, Red Hat, Homebrew on both kinds of Mac and on Linux, MacPorts, Postgres.app.
const PLACES: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib64/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
];

/// The newest Postgres that is new enough and complete.
pub(super) fn newest() -> Result<Program, Problem> {
    if let Some(named) = env::var_os("LAB_POSTGRES_BIN").filter(|value| !value.is_empty()) {
        return named_one(Path::new(&named));
    }
    let mut folders: BTreeSet<PathBuf> = PLACES.iter().flat_map(|pattern| matching(pattern)).collect();
    folders.extend(path_folders());
    let mut turned_down = Vec::new();
    if let Some(program) = best(&folders, &mut turned_down) {
        return Ok(program);
    }
    // Asked last: on Debian it is a script that takes longer than starting Postgres does.
    let told: BTreeSet<PathBuf> = pg_config().into_iter().collect();
    best(&told, &mut turned_down).ok_or_else(|| {
        let seen = if turned_down.is_empty() { "none was found".to_owned() } else { turned_down.join("; ") };
        Problem::new(format!(
            "no Postgres {OLDEST} or newer in /usr/lib/postgresql, Homebrew's and others' places, PATH or pg_config: {seen}"
        ))
        .hint("install Postgres, or name the folder of its programs in LAB_POSTGRES_BIN")
    })
}

fn named_one(path: &Path) -> Result<Program, Problem> {
    let folder = if path.is_dir() { path.to_owned() } else { path.parent().map(Path::to_owned).unwrap_or_default() };
    examine(&folder)
        .and_then(|found| found.ok_or_else(|| format!("there is no `postgres` in {}", folder.display())))
        .map_err(|why| {
            Problem::new(format!("LAB_POSTGRES_BIN does not serve: {why}"))
                .hint("it names the folder that holds `postgres` and `initdb`, such as /usr/lib/postgresql/17/bin")
        })
}

fn best(folders: &BTreeSet<PathBuf>, turned_down: &mut Vec<String>) -> Option<Program> {
    // Links in PATH lead to programs that are found in their own places as well.
    let programs: BTreeSet<PathBuf> =
        folders.iter().filter_map(|folder| folder.join("postgres").canonicalize().ok()).collect();
    let mut best: Option<Program> = None;
    for folder in programs.iter().filter_map(|program| program.parent()) {
        match examine(folder) {
            Ok(Some(program)) if best.as_ref().is_none_or(|best| best.version < program.version) => {
                best = Some(program)
            }
            Ok(_) => {}
            Err(why) => turned_down.push(why),
        }
    }
    best
}

/// Looks at one folder: nothing, a Postgres that serves, or why it does not.
pub(super) fn examine(folder: &Path) -> Result<Option<Program>, String> {
    let program = folder.join("postgres");
    if !is_executable(&program) {
        return Ok(None);
    }
    // A link in PATH leads to the real place, beside which the other programs stand.
    let path = program.canonicalize().unwrap_or(program);
    if !path.with_file_name("initdb").exists() {
        return Err(format!("{} has no initdb beside it", path.display()));
    }
    let line = version::line(&path).ok_or_else(|| format!("{} does not run", path.display()))?;
    // `postgres (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)`
    let version = line.split_whitespace().nth(2).map(numbers).unwrap_or_default();
    match version.first() {
        Some(&major) if major >= OLDEST => {
            let text = version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            Ok(Some(Program { path, name: format!("PostgreSQL {text}"), version }))
        }
        _ => Err(format!("{} is `{line}`", path.display())),
    }
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
