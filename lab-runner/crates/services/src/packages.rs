//! The one command that gives a machine the services it lacks.

use crate::embedded::{Installer, Wheel};
use crate::registry::ServiceId;
use crate::search::is_in_path;

/// A package manager: its program, how it installs, and whether it needs root.
struct PackageManager {
    program: &'static str,
    install: &'static str,
    needs_root: bool,
}

const MANAGERS: [PackageManager; 6] = [
    PackageManager { program: "brew", install: "brew install", needs_root: false },
    PackageManager { program: "apt-get", install: "apt-get install --no-install-recommends", needs_root: true },
    PackageManager { program: "dnf", install: "dnf install", needs_root: true },
    PackageManager { program: "apk", install: "apk add", needs_root: true },
    PackageManager { program: "pacman", install: "pacman -S", needs_root: true },
    PackageManager { program: "zypper", install: "zypper install", needs_root: true },
];

/// What to run when no provider has any of `services`, as a hint.
pub(crate) fn remedy(services: &[ServiceId]) -> String {
    let names = names(services);
    // A download changes the least: no root, nothing outside the cache. If pip is there, it has just failed.
    let can_get_pip = services.iter().all(|service| Wheel::of(*service).is_ok())
        && Installer::find().is_err()
        && is_in_path("apt-get");
    if can_get_pip {
        return format!("run `cargo lab doctor --fix`: it installs pip and downloads {names} with it");
    }
    match install_command(services) {
        Some(command) => format!("run `{command}`, then try again; `cargo lab doctor` shows what was found"),
        None => format!("install {names}; `cargo lab doctor` shows what was found"),
    }
}

/// The names of `services`, as a sentence lists them.
pub(crate) fn names(services: &[ServiceId]) -> String {
    match services {
        [] => "no service".to_owned(),
        [one] => one.to_string(),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(ToString::to_string).collect();
            format!("{} and {last}", rest.join(", "))
        }
    }
}

/// The command that installs `services` with the system's package manager, if it has all of them.
fn install_command(services: &[ServiceId]) -> Option<String> {
    let manager = MANAGERS.iter().find(|manager| is_in_path(manager.program))?;
    let package = |service: &ServiceId| {
        let packages = service.description().packages;
        packages.iter().find(|(program, _)| *program == manager.program).map(|(_, package)| *package)
    };
    let packages: Vec<&str> = services.iter().map(package).collect::<Option<_>>()?;
    let sudo = if manager.needs_root && !rustix::process::geteuid().is_root() { "sudo " } else { "" };
    Some(format!("{sudo}{} {}", manager.install, packages.join(" ")))
}
