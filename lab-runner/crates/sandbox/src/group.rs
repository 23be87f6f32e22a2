//! Bounds for all programs of a submission together: a control group (cgroups(7)) that each of them is started in. What one
//! process may take is bounded by [`Limits`](crate::Limits); of a thousand processes, that is no bound.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lab_process::{Signal, lead_session};
use serde::{Deserialize, Serialize};

use crate::bubblewrap::Programs;
use crate::platform;

/// How the names of all groups of ours begin.
const PREFIX: &str = "backend-labs-";
/// How long the last programs of a group may take to be gone once they were killed. Later, the next run removes it.
const LEAVING: Duration = Duration::from_millis(500);
/// How far apart two looks are at whether they are.
const GLANCE: Duration = Duration::from_millis(2);
/// How many names are tried: those of runs that were killed may stand yet.
const NAMES: u32 = 100;
/// What is written into to join a group.
const MEMBERS: &str = "cgroup.procs";

/// More than the system asks a group for at once, in bytes.
const ASKED: u64 = 1 << 20;

/// What all programs in a group may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Memory in bytes. What they have in temporary folders and in shared memory counts.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
}

/// What all programs of a group together wanted more of than they may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// Memory, of which they may have so many bytes: the system has killed one of them.
    Memory(u64),
    /// Processes and threads, of which they may have so many.
    Processes(u64),
}

impl std::fmt::Display for Shortage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory(bytes) => {
                write!(f, "the submission's programs wanted more than {} MiB of memory together", bytes >> 20)
            }
            Self::Processes(most) => {
                write!(f, "the submission's programs wanted more than {most} processes and threads together")
            }
        }
    }
}

/// A control group. It is gone when this is dropped, unless a program in it does not end.
#[derive(Debug)]
pub struct Group {
    membership: Membership,
    _held: OwnedFd,
}

impl Group {
    /// A group with `bounds`. None where this machine lets us make none.
    ///
    /// # Errors
    /// It has let us before, and does not now.
    pub fn make(bounds: Bounds) -> io::Result<Option<Self>> {
        if Self::can_be_made() { Self::below(&platform::group_folders(), bounds).map(Some) } else { Ok(None) }
    }

    /// Whether a group that bounds memory and processes can be made here, and joined: tried once, not guessed.
    #[must_use]
    pub fn can_be_made() -> bool {
        static TRIED: OnceLock<bool> = OnceLock::new();
        *TRIED.get_or_init(|| {
            let folders = platform::group_folders();
            remove_those_of_dead_runs(&folders);
            let bounds = Bounds { memory_bytes: 64 << 20, processes: 10 };
            Self::below(&folders, bounds).and_then(|group| join(&group.membership)).unwrap_or(false)
        })
    }

    fn below(parents: &[PathBuf], bounds: Bounds) -> io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        for _ in 0..NAMES {
            let name = format!("{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
            // One of another process namespace may have our number.
            let held = match hold(&name) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
                held => held?,
            };
            let folders = parents.iter().map(|parent| parent.join(format!("{PREFIX}{name}"))).collect();
            let group = Self { membership: Membership { folders, bounds }, _held: held };
            match group.membership.folders.iter().try_for_each(fs::create_dir) {
                Ok(()) => return group.membership.bound().map(|()| group),
                // Whose name we hold is dead: what it left goes with this.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the names of all control groups are taken"))
    }

    /// Whether the processor is shared out among groups as well: among those that want it, whatever the number of their threads.
    #[must_use]
    pub fn shares_processor(&self) -> bool {
        let files = ["cpu.weight", "cpu.shares"];
        self.membership.folders.iter().any(|folder| files.iter().any(|file| folder.join(file).exists()))
    }

    pub(crate) fn membership(&self) -> &Membership {
        &self.membership
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let deadline = Instant::now() + LEAVING;
        for folder in &self.membership.folders {
            // What ends takes its time, and what is there no more has been removed.
            while fs::remove_dir(folder).is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) {
                if Instant::now() > deadline {
                    return;
                }
                std::thread::sleep(GLANCE);
            }
        }
    }
}

/// Starts a program in it.
fn join(membership: &Membership) -> io::Result<bool> {
    let program = Programs::find().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(&program.prlimit);
    command.env_clear().arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    lead_session(&mut command, Signal::KILL, Vec::new(), membership.handles()?);
    command.status().map(|status| status.success())
}

/// Whoever is killed leaves its groups, which are empty and cost a little of the system's memory.
fn remove_those_of_dead_runs(parents: &[PathBuf]) {
    for entry in parents.iter().filter_map(|parent| fs::read_dir(parent).ok()).flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if hold(name).is_ok() {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Takes the name of a group for as long as its owner lives.
fn hold(name: &str) -> io::Result<OwnedFd> {
    platform::hold_name(&format!("backend-labs/group/{name}"))
}

/// What it takes to start a program in a group. It travels to the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Membership {
    /// One for all that is bounded, or with version 1 one for each.
    folders: Vec<PathBuf>,
    bounds: Bounds,
}

impl Membership {
    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Sets the bounds, in the words of either version (cgroups(7)).
    fn bound(&self) -> io::Result<()> {
        let Bounds { memory_bytes, processes } = self.bounds;
        // Swap counts as memory, and can only be bounded after it.
        let (memory, swap) =
            (["memory.max", "memory.limit_in_bytes"], ["memory.swap.max", "memory.memsw.limit_in_bytes"]);
        self.write(&memory, memory_bytes)?;
        for (file, bytes) in swap.into_iter().zip([0, memory_bytes]) {
            match self.write(&[file], bytes) {
                // A system without swap.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                written => written?,
            }
        }
        self.write(&["pids.max"], processes)
    }

    /// Writes `value` to the one of `files` that there is.
    fn write(&self, files: &[&str], value: u64) -> io::Result<()> {
        let path = self.folders.iter().flat_map(|folder| files.iter().map(|file| folder.join(file)));
        let path = path.into_iter().find(|path| path.exists()).ok_or(io::ErrorKind::NotFound)?;
        fs::write(path, value.to_string())
    }

    /// Handles to what a process writes `0` to, to be in the group.
    ///
    /// # Errors
    /// The group is gone, or there are too many open files.
    pub(crate) fn handles(&self) -> io::Result<Vec<OwnedFd>> {
        let open = |list: &PathBuf| Ok(fs::File::options().write(true).open(list)?.into());
        self.lists().iter().map(open).collect()
    }

    /// What a process's id is written to, to have it in the group.
    pub(crate) fn lists(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|folder| folder.join(MEMBERS)).collect()
    }

    /// What the programs in it wanted more of than they may have, if they did.
    pub(crate) fn shortage(&self) -> Option<Shortage> {
        if self.memory_kills() > 0 && self.has_met_its_bound() {
            return Some(Shortage::Memory(self.bounds.memory_bytes));
        }
        let refused = self.read("pids.events", "max ").unwrap_or(0) > 0;
        refused.then_some(Shortage::Processes(self.bounds.processes))
    }

    /// Whether it is the group that had no memory for its programs, and not the machine.
    fn has_met_its_bound(&self) -> bool {
        match self.read("memory.events", "oom ") {
            Some(met) => met > 0,
            // Version 1 has no such count. What was asked for last is not in the peak.
            None => {
                self.read("memory.max_usage_in_bytes", "").is_some_and(|most| most + ASKED > self.bounds.memory_bytes)
            }
        }
    }

    /// How many of its programs the system has killed for want of memory, the group's or its own.
    pub(crate) fn memory_kills(&self) -> u64 {
        ["memory.events", "memory.oom_control"].iter().find_map(|file| self.read(file, "oom_kill ")).unwrap_or(0)
    }

    /// The number behind `name` in a line of `file`.
    fn read(&self, file: &str, name: &str) -> Option<u64> {
        let text = self.folders.iter().find_map(|folder| fs::read_to_string(folder.join(file)).ok())?;
        number(&text, name)
    }
}

fn number(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const BOUNDS: Bounds = Bounds { memory_bytes: 1 << 20, processes: 7 };

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(keep.path().join(name), text).unwrap();
        }
        let path = keep.path().to_owned();
        (keep, path)
    }

    fn text(path: &Path, file: &str) -> String {
        fs::read_to_string(path.join(file)).unwrap()
    }

    /// As the kernel's documentation has it (Documentation/admin-guide/cgroup-v2.rst): of version 2 there may be none here.
    #[test]
    fn a_group_of_version_2_is_bounded_and_read_in_its_words() {
        let events = "low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\noom_group_kill 0\n";
        let files = [("memory.max", ""), ("memory.swap.max", ""), ("pids.max", ""), ("memory.events", events)];
        let (_keep, path) = folder(&files);
        let membership = Membership { folders: vec![path.clone()], bounds: BOUNDS };
        membership.bound().unwrap();
        assert_eq!(
            [text(&path, "memory.max"), text(&path, "memory.swap.max"), text(&path, "pids.max")],
            ["1048576", "0", "7"]
        );
        assert_eq!((membership.memory_kills(), membership.shortage()), (1, Some(Shortage::Memory(1 << 20))));
        // Killed for want of the machine's memory, of which the group had not had its part.
        fs::write(path.join("memory.events"), events.replace("oom 2", "oom 0")).unwrap();
        assert_eq!((membership.memory_kills(), membership.shortage()), (1, None));
        fs::write(path.join("pids.events"), "max 3\n").unwrap();
        assert_eq!(membership.shortage(), Some(Shortage::Processes(7)));
    }

    #[test]
    fn a_group_of_version_1_is_bounded_and_read_in_its_words() {
        let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
        let peak = "104857600\n";
        let files =
            [("memory.limit_in_bytes", ""), ("memory.oom_control", control), ("memory.max_usage_in_bytes", peak)];
        let ((_memory, memory), (_pids, pids)) =
            (folder(&files), folder(&[("pids.max", ""), ("pids.events", "max 0\n")]));
        let bounds = Bounds { memory_bytes: 100 << 20, ..BOUNDS };
        let membership = Membership { folders: vec![memory.clone(), pids.clone()], bounds };
        membership.bound().unwrap();
        assert_eq!([text(&memory, "memory.limit_in_bytes"), text(&pids, "pids.max")], ["104857600", "7"]);
        assert_eq!((membership.memory_kills(), membership.shortage()), (2, Some(Shortage::Memory(100 << 20))));
        // Killed for want of the machine's memory.
        fs::write(memory.join("memory.max_usage_in_bytes"), "50000000\n").unwrap();
        assert_eq!((membership.memory_kills(), membership.shortage()), (2, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_a_dead_run_has_left_is_removed_and_nobody_elses() {
        let keep = tempfile::tempdir().unwrap();
        let names = ["backend-labs-0-1", "backend-labs-0-2", "user.slice"];
        names.iter().for_each(|name| fs::create_dir(keep.path().join(name)).unwrap());
        let _held = hold("0-2").unwrap();
        remove_those_of_dead_runs(&[keep.path().to_owned()]);
        assert_eq!(names.map(|name| keep.path().join(name).exists()), [false, true, true]);
    }

    #[test]
    fn what_bounds_no_memory_is_no_group() {
        let (_keep, path) = folder(&[("pids.max", "")]);
        assert!(Membership { folders: vec![path], bounds: BOUNDS }.bound().is_err());
    }
}
