//! What only some systems tell or have: when a process started, how much memory is free, a folder in memory.

use std::path::Path;

pub(crate) use system::{free_memory, started};

#[cfg(not(target_os = "linux"))]
use elsewhere as system;

/// The folder in memory, and where the user's caches are in the home folder.
#[cfg(target_os = "linux")]
pub(crate) const MEMORY: &str = "/dev/shm";
/// There is no folder in memory: private instances live on the disk.
#[cfg(not(target_os = "linux"))]
pub(crate) const MEMORY: &str = "/nonexistent";

/// Where the user's caches are, in the home folder.
pub(crate) fn caches() -> &'static Path {
    Path::new(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" })
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    /// When the process started, in the kernel's own words (proc_pid_stat(5), field 22); `None` if it has ended.
    pub(crate) fn started(process: u32) -> Option<String> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The second field is the program's name in parentheses, and may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let ended = matches!(*fields.first()?, "Z" | "X");
        (!ended).then(|| fields.get(19).map(|&ticks| ticks.to_owned()))?
    }

    /// The memory that is free, in bytes.
    pub(crate) fn free_memory() -> Option<u64> {
        let text = fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    }
}

// Linux's tests compile and try it too: it is what macOS has, and what we cannot run.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod elsewhere {
    use std::process::Command;

    /// When the process started, as `ps` writes it; `None` if it has ended.
    pub(crate) fn started(process: u32) -> Option<String> {
        let output = Command::new("ps").args(["-o", "lstart=", "-p", &process.to_string()]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    /// The memory that is free, in bytes: nobody tells.
    pub(crate) fn free_memory() -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{elsewhere, system};

    #[test]
    fn what_is_done_without_linux_has_the_same_form_and_tells_processes_apart() {
        let _: [fn() -> Option<u64>; 2] = [system::free_memory, elsewhere::free_memory];
        let started: [fn(u32) -> Option<String>; 2] = [system::started, elsewhere::started];
        for started in started {
            let own = started(std::process::id());
            assert!(own.is_some() && own == started(std::process::id()));
            assert_eq!(started(u32::MAX), None);
        }
    }
}
