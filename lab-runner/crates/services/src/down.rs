//! `cargo lab down`: removes what was kept warm, and only what is ours.

use std::fs;

use serde::Serialize;

use crate::cache::Cache;
use crate::containers::{self, ContainerEngine, Removal};
use crate::error::ProviderError;
use crate::native;
use crate::registry::ServiceId;
use crate::slot::{SweepReport, SweepScope};

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DownReport {
    /// What was done, a line each.
    pub done: Vec<String>,
    /// What was left because another run uses it.
    pub in_use: Vec<String>,
    /// What could not be removed.
    pub failed: Vec<ProviderError>,
}

impl DownReport {
    /// 0, or 4 if something that should have gone is still there.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.failed.is_empty() { 0 } else { 4 }
    }
}

/// Removes containers and instances that no run uses; with `all`, the cache as well.
pub(crate) fn down(all: bool) -> Result<DownReport, ProviderError> {
    let cache = Cache::locate()?;
    let mut report = DownReport::default();
    containers(&cache, &mut report);
    sandboxes(&mut report);
    instances(&cache, &mut report);
    if all {
        remove_cache(&cache, &mut report);
    }
    Ok(report)
}

fn containers(cache: &Cache, report: &mut DownReport) {
    // Without an engine there are no containers, unless some were made when there was one.
    let Ok(engine) = ContainerEngine::find() else { return };
    match containers::remove_all(&engine, cache) {
        Err(error) => report.failed.push(error),
        Ok(removed) => {
            for one in removed {
                match one {
                    Removal::Gone(name) => report.done.push(format!("the container {name}")),
                    Removal::InUse(name) => report.in_use.push(format!("the container {name}")),
                    Removal::Failed(_, error) => report.failed.push(error),
                }
            }
        }
    }
}

/// What isolated submissions ran in goes by itself, but for what a grader had not started yet when it was killed.
fn sandboxes(report: &mut DownReport) {
    let Ok(engine) = ContainerEngine::find() else { return };
    match engine.remove_sandboxes() {
        Err(error) => report.failed.push(error),
        Ok(removed) => {
            let told = removed.into_iter().map(|one| format!("the {} {} of a submission", one.what, one.name));
            report.done.extend(told);
        }
    }
}

fn instances(cache: &Cache, report: &mut DownReport) {
    let mut total = SweepReport::default();
    for service in ServiceId::all() {
        match native::sweep(service, cache, SweepScope::All) {
            Ok(swept) => {
                total.folders += swept.folders;
                total.servers += swept.servers;
                total.in_use += swept.in_use;
            }
            Err(error) => report.failed.push(error),
        }
    }
    for folder in cache.instance_folders() {
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
        Err(error) => report.failed.push(ProviderError::io(format_args!("remove {}", cache.root().display()), &error)),
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
