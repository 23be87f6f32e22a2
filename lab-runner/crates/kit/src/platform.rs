//! What the kit asks Linux's `/proc` (proc(5)), and what it does without elsewhere.

/// Whether containers can share the machine's own network.
pub(crate) const CONTAINERS_SHARE_THE_NETWORK: bool = cfg!(target_os = "linux");

/// Whether the system tells how much memory other processes hold.
pub(crate) const MEMORY_IS_TOLD: bool = cfg!(target_os = "linux");

/// The processors' time so far, in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processors {
    pub idle: u64,
    pub all: u64,
}

pub(crate) use system::{is_running, listening_ports, machine_name, processors};

#[cfg(not(target_os = "linux"))]
use elsewhere as system;

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::Path;

    use super::Processors;

    /// Whether a process with the id `process` runs.
    pub(crate) fn is_running(process: &str) -> bool {
        Path::new("/proc").join(process).exists()
    }

    /// What this machine calls itself.
    pub(crate) fn machine_name() -> Option<String> {
        Some(fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned())
    }

    /// The processors' time so far, of all of them together.
    pub(crate) fn processors() -> Option<Processors> {
        parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line of `/proc/stat`.
    fn parse(stat: &str) -> Option<Processors> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        // Guests' time, behind the first eight, is part of the users' already.
        let times: Vec<u64> = line.split_whitespace().take(8).map_while(|time| time.parse().ok()).collect();
        Some(Processors { idle: times.get(3)? + times.get(4)?, all: times.iter().sum() })
    }

    /// The TCP ports that the process group of `leader` listens on.
    pub(crate) fn listening_ports(leader: u32) -> Vec<u16> {
        let sockets = sockets_of_group(leader);
        let mut ports: Vec<u16> = ["tcp", "tcp6"]
            .iter()
            // The tables of its own network, which may not be ours.
            .map(|table| format!("/proc/{leader}/net/{table}"))
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|table| table.lines().skip(1).filter_map(listening).collect::<Vec<_>>())
            .filter(|(inode, _)| sockets.contains(inode))
            .map(|(_, port)| port)
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// The inode and port of a line of `/proc/net/tcp` whose socket listens (state 0A).
    fn listening(line: &str) -> Option<(u64, u16)> {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        if *fields.get(3)? != "0A" {
            return None;
        }
        let port = u16::from_str_radix(fields.get(1)?.rsplit(':').next()?, 16).ok()?;
        Some((fields.get(9)?.parse().ok()?, port))
    }

    fn sockets_of_group(leader: u32) -> Vec<u64> {
        let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
        processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|&process| group_of(process) == Some(leader))
            .flat_map(sockets_of)
            .collect()
    }

    /// The process group of `process`: the third field behind the name in `/proc/PID/stat`.
    fn group_of(process: u32) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit(')').next()?.split_ascii_whitespace().nth(2)?.parse().ok()
    }

    fn sockets_of(process: u32) -> Vec<u64> {
        let Ok(handles) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
        handles
            .flatten()
            .filter_map(|handle| fs::read_link(handle.path()).ok())
            .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
            .collect()
    }

    #[cfg(test)]
    mod tests {
        use super::parse;

        #[test]
        fn the_share_of_idle_time_is_read_from_the_systems_count() {
            let read = parse("cpu  190 0 100 705 105 0 0 0 0 0\ncpu0 1 2\n").unwrap();
            assert_eq!((read.idle, read.all), (810, 1_100));
        }
    }
}

// Linux's tests compile and try it too: it is what macOS has, and what we cannot run.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod elsewhere {
    use std::process::{Command, Stdio};

    use super::Processors;
    use crate::server::port::apart_from_looks;

    /// Whether a process with the id `process` runs, as `kill -0` tells.
    pub(crate) fn is_running(process: &str) -> bool {
        let mut kill = Command::new("kill");
        kill.args(["-0", process]).stdout(Stdio::null()).stderr(Stdio::null());
        let asked = apart_from_looks(|| kill.status());
        asked.is_ok_and(|status| status.success())
    }

    /// What this machine calls itself, as `hostname` tells.
    pub(crate) fn machine_name() -> Option<String> {
        let mut hostname = Command::new("hostname");
        hostname.stdin(Stdio::null());
        let told = apart_from_looks(|| hostname.output()).ok().filter(|told| told.status.success())?;
        Some(String::from_utf8_lossy(&told.stdout).trim().to_owned())
    }

    /// The processors' time so far: nobody tells.
    pub(crate) fn processors() -> Option<Processors> {
        None
    }

    /// The TCP ports that the process group of `leader` listens on: nobody tells.
    pub(crate) fn listening_ports(_: u32) -> Vec<u16> {
        Vec::new()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Processors, elsewhere, system};

    #[test]
    fn what_is_done_without_linux_has_the_same_form_and_sees_who_runs() {
        let _: [fn() -> Option<Processors>; 2] = [system::processors, elsewhere::processors];
        let _: [fn(u32) -> Vec<u16>; 2] = [system::listening_ports, elsewhere::listening_ports];
        let names: [fn() -> Option<String>; 2] = [system::machine_name, elsewhere::machine_name];
        assert_eq!(names[0](), names[1]());
        let running: [fn(&str) -> bool; 2] = [system::is_running, elsewhere::is_running];
        for is_running in running {
            assert!(is_running(&std::process::id().to_string()));
            assert!(!is_running("999999999"));
        }
    }
}
