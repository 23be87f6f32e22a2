//! `cargo lab down`: removes what was kept warm, and only what is ours.

use std::fmt;
use std::fs;

use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::containers::{self, Engine, Removed};
use super::problem::Problem;
use super::slot::{self, Sweep, Swept};
use super::{Kind, native};

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownReport {
    /// What was done, a line each.
    pub done: Vec<String>,
    /// What was left because another run uses it.
    pub in_use: Vec<String>,
    /// What could not be removed.
    pub failed: Vec<Problem>,
}

impl DownReport {
    /// 0, or 4 if something that should have gone is still there.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.failed.is_empty() { 0 } else { 4 }
    }
}

impl fmt::Display for DownReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.done.is_empty() && self.in_use.is_empty() && self.failed.is_empty() {
            return writeln!(formatter, "there was nothing to remove");
        }
        self.done.iter().try_for_each(|line| writeln!(formatter, "removed {line}"))?;
        self.in_use.iter().try_for_each(|line| writeln!(formatter, "kept {line}: another run uses it"))?;
        self.failed.iter().try_for_each(|problem| writeln!(formatter, "{problem}"))
    }
}

/// Removes containers and instances that no run uses; with `all`, the cache as well.
pub(super) fn down(all: bool) -> Result<DownReport, Problem> {
    let cache = Cache::locate()?;
    let mut report = DownReport::default();
    containers(&cache, &mut report);
    instances(&cache, &mut report);
    if all {
        remove_cache(&cache, &mut report);
    }
    Ok(report)
}

fn containers(cache: &Cache, report: &mut DownReport) {
    // Without an engine there are no containers, unless some were made when there was one.
    let Ok(engine) = Engine::find() else { return };
    match containers::remove_all(&engine, cache) {
        Err(problem) => report.failed.push(problem),
        Ok(removed) => {
            for one in removed {
                match one {
                    Removed::Gone(name) => report.done.push(format!("the container {name}")),
                    Removed::InUse(name) => report.in_use.push(format!("the container {name}")),
                    Removed::Failed(_, problem) => report.failed.push(problem),
                }
            }
        }
    }
}

fn instances(cache: &Cache, report: &mut DownReport) {
    let mut total = Swept::default();
    for folder in cache.instance_folders() {
        for kind in [Kind::Postgres, Kind::Redis] {
            match slot::sweep(&folder, native::prefix(kind), Sweep::All, native::insist(kind)) {
                Ok(swept) => {
                    total.folders += swept.folders;
                    total.servers += swept.servers;
                    total.in_use += swept.in_use;
                }
                Err(error) => report.failed.push(Problem::io(format_args!("clear {}", folder.display()), &error)),
            }
        }
        // Only if nothing is left in it.
        let _ = fs::remove_dir(&folder);
    }
    if total.servers > 0 {
        report.done.push(format!("{} that a killed run had left running", count(total.servers, "server")));
    }
    if total.folders > 0 {
        report.done.push(format!("{} of private instances", count(total.folders, "folder")));
    }
    if total.in_use > 0 {
        report.in_use.push(count(total.in_use, "private instance"));
    }
}

fn remove_cache(cache: &Cache, report: &mut DownReport) {
    if !report.in_use.is_empty() {
        report.in_use.push(format!("the cache {}", cache.root().display()));
        return;
    }
    match fs::remove_dir_all(cache.root()) {
        Ok(()) => report.done.push(format!("the cache {}", cache.root().display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => report.failed.push(Problem::io(format_args!("remove {}", cache.root().display()), &error)),
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
