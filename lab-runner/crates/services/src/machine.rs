//! What the machine offers beside services: tools, disk, memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use lab_sandbox::Choice;
use serde::Serialize;

use crate::cache::Cache;
use crate::containers::ContainerEngine;
use crate::environment::{self, Purpose};
use crate::loopback::reach_loopback;
use crate::platform::free_memory;
use crate::registry::ServiceId;

/// A line of the doctor's report: what, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What was looked at.
    pub name: String,
    /// What was found.
    pub value: String,
    /// Whether it will do.
    pub good: bool,
}

/// The disk that builds need at least, beside what they have already: dependencies and one lab.
const DISK_WANTED: u64 = 2 << 30;

pub(crate) fn facts() -> Vec<Fact> {
    let mut facts = vec![tool("rustc", &["--version"]), tool("cargo", &["--version"]), tool("cc", &["--version"])];
    facts.push(by_hand());
    facts.push(processors());
    facts.push(loopback());
    facts.push(isolation());
    facts.extend(folders());
    facts
}

fn tool(name: &'static str, arguments: &[&str]) -> Fact {
    let mut command = Command::new(name);
    environment::restrict(&mut command, Purpose::Toolchain);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let line = output.ok().filter(|output| output.status.success());
    let line = line.and_then(|output| String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned));
    let name = if name == "cc" { "linker" } else { name };
    match line {
        Some(value) => Fact { name: name.to_owned(), value, good: true },
        None => Fact { name: name.to_owned(), value: "not found".to_owned(), good: false },
    }
}

/// The programs that the lines to paste need. No grade does.
fn by_hand() -> Fact {
    let clients = ServiceId::all().into_iter().filter_map(|service| service.description().client);
    let (found, absent): (Vec<&str>, Vec<&str>) =
        ["curl", "nc"].into_iter().chain(clients).partition(|name| which::which(name).is_ok());
    let mut value = found.join(", ");
    if !absent.is_empty() {
        let gap = if found.is_empty() { "" } else { "; " };
        value.push_str(&format!("{gap}not found: {} (optional, for the lines to paste)", absent.join(", ")));
    }
    Fact { name: "by hand".to_owned(), value, good: true }
}

fn processors() -> Fact {
    let count = thread::available_parallelism().map_or(1, usize::from);
    let memory = free_memory();
    let free = memory.map_or_else(String::new, |bytes| format!(", {} of memory free", size(bytes)));
    Fact {
        name: "machine".to_owned(),
        value: format!("{count} processors{free}"),
        good: memory.is_none_or(|free| free > 1 << 30),
    }
}

/// What `cargo lab grade` isolates submissions by. Nobody else needs it.
fn isolation() -> Fact {
    let value = match Choice::Bubblewrap.sandbox() {
        Ok(sandbox) => sandbox.name().to_owned(),
        Err(error) if ContainerEngine::find().is_ok() => format!("by containers ({error})"),
        Err(error) => format!("none: {error} (optional, for `cargo lab grade`)"),
    };
    Fact { name: "isolation".to_owned(), value, good: true }
}

fn loopback() -> Fact {
    let (value, good) = match reach_loopback() {
        Ok(()) => ("127.0.0.1 answers".to_owned(), true),
        Err(error) => (error.to_string(), false),
    };
    Fact { name: "network".to_owned(), value, good }
}

fn folders() -> Vec<Fact> {
    let cache = match Cache::locate() {
        Ok(cache) => cache,
        Err(error) => return vec![Fact { name: "cache".to_owned(), value: error.to_string(), good: false }],
    };
    let mut facts = vec![folder("cache", cache.root())];
    match cache.instances() {
        Ok(instances) if !instances.starts_with(cache.root()) => facts.push(folder("instances", &instances)),
        Ok(_) => {}
        Err(error) => facts.push(Fact { name: "instances".to_owned(), value: error.to_string(), good: false }),
    }
    if let Ok(workspace) = std::env::current_dir() {
        facts.push(folder("builds", &workspace));
    }
    facts
}

fn folder(name: &'static str, path: &Path) -> Fact {
    let there = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path);
    let free = rustix::fs::statvfs(there).ok().map(|facts| facts.f_bavail.saturating_mul(facts.f_frsize));
    let shown = free.map_or_else(String::new, |free| format!(", {} free", size(free)));
    Fact {
        name: name.to_owned(),
        value: format!("{}{shown}", path.display()),
        good: free.is_none_or(|free| free > DISK_WANTED / 4),
    }
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        megabytes @ 0..10_240 => format!("{megabytes} MB"),
        megabytes => format!("{} GB", megabytes >> 10),
    }
}
