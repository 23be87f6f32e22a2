//! What the runner asks Linux itself (proc(5), cgroups(7)), and what it does without elsewhere.

pub(crate) use system::{ignores_hangup, memory, memory_kills};

#[cfg(not(target_os = "linux"))]
use elsewhere as system;

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    /// The number of SIGHUP on every system.
    const HANGUP: u32 = 1;

    /// How often the system has killed a process because the memory was used up.
    pub(crate) fn memory_kills() -> Option<u64> {
        let counts = fs::read_to_string("/proc/vmstat").ok()?;
        counts.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    }

    /// Whether whoever started us wants SIGHUP ignored, as `nohup` does.
    pub(crate) fn ignores_hangup() -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        ignored.is_some_and(|mask| mask >> (HANGUP - 1) & 1 == 1)
    }

    /// The memory that this machine, or the container that we run in, has in all, in bytes.
    pub(crate) fn memory() -> Option<u64> {
        let text = fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let machine = line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10;
        // Version 2 and version 1; a number that is beyond the machine's means no limit.
        let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        let read = |path: &&str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        Some(limits.iter().filter_map(read).fold(machine, u64::min))
    }
}

// Linux's tests compile and try it too: it is what macOS has, and what we cannot run.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod elsewhere {
    /// How often the system has killed a process because the memory was used up: nobody tells.
    pub(crate) fn memory_kills() -> Option<u64> {
        None
    }

    /// Whether whoever started us wants SIGHUP ignored: only a call that is unsafe would tell.
    pub(crate) fn ignores_hangup() -> bool {
        false
    }

    /// The memory that this machine has in all: nobody tells.
    pub(crate) fn memory() -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{elsewhere, system};

    #[test]
    fn what_is_done_without_linux_has_the_same_form() {
        let _: [fn() -> Option<u64>; 4] =
            [system::memory_kills, elsewhere::memory_kills, system::memory, elsewhere::memory];
        let _: [fn() -> bool; 2] = [system::ignores_hangup, elsewhere::ignores_hangup];
        assert!(!elsewhere::ignores_hangup());
    }
}
