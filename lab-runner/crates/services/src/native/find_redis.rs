//! Where Redis or Valkey is found.

use std::env;
use std::path::{Path, PathBuf};

use super::super::problem::Problem;
use super::find::{Program, is_executable, numbers, path_folders};
use super::version;

/// The oldest version whose access rules can keep a user to one database's commands.
const OLDEST: u32 = 7;

/// Beside PATH: a service manager's or an editor's PATH often lacks Homebrew's folders.
const PLACES: [&str; 6] = [
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/opt/local/bin",
    "/usr/sbin",
];

/// The first Redis that is new enough, or else the first Valkey.
pub(super) fn newest() -> Result<Program, Problem> {
    if let Some(named) = env::var_os("LAB_REDIS_BIN").filter(|value| !value.is_empty()) {
        return named_one(Path::new(&named));
    }
    let mut folders = path_folders();
    folders.extend(PLACES.iter().map(PathBuf::from));
    let mut turned_down: Vec<String> = Vec::new();
    for name in ["redis-server", "valkey-server"] {
        for file in folders.iter().map(|folder| folder.join(name)).filter(|file| is_executable(file)) {
            match examine(&file) {
                Ok(program) => return Ok(program),
                Err(why) if turned_down.contains(&why) => {}
                Err(why) => turned_down.push(why),
            }
        }
    }
    let seen = if turned_down.is_empty() { "none was found".to_owned() } else { turned_down.join("; ") };
    Err(Problem::new(format!(
        "no redis-server or valkey-server, {OLDEST} or newer, in PATH or the usual places: {seen}"
    ))
    .hint("install Redis or Valkey, or name the program in LAB_REDIS_BIN"))
}

fn named_one(path: &Path) -> Result<Program, Problem> {
    let inside = ["redis-server", "valkey-server"].map(|name| path.join(name));
    let file = if path.is_dir() { inside.into_iter().find(|file| is_executable(file)) } else { Some(path.to_owned()) };
    file.ok_or_else(|| format!("there is no redis-server or valkey-server in {}", path.display()))
        .and_then(|file| examine(&file))
        .map_err(|why| Problem::new(format!("LAB_REDIS_BIN does not serve: {why}")))
}

pub(super) fn examine(file: &Path) -> Result<Program, String> {
    let line = version::line(file).ok_or_else(|| format!("{} does not run", file.display()))?;
    // `Redis server v=7.0.15 sha=00000000:0 malloc=…`, `Valkey server v=9.1.2 …`
    let product = line.split_whitespace().next().unwrap_or_default();
    let version = line.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(numbers).unwrap_or_default();
    let known = matches!(product, "Redis" | "Valkey");
    if !known || version.first().is_none_or(|&major| major < OLDEST) {
        return Err(format!("{} is `{line}`", file.display()));
    }
    let text = version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    Ok(Program { path: file.to_owned(), name: format!("{product} {text}"), version })
}
