//! What each system does in its own way: ending children with their parent, and looking at other processes. Linux tells
//! all of it; elsewhere children are ended by the next run, and nobody looks.

use std::time::Duration;

/// What a process has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessUse {
    /// Its process id.
    pub process: u32,
    /// Its parent's.
    pub parent: u32,
    /// The processor time that it and those of its children that it has waited for have used.
    pub processor: Duration,
    /// The memory that it holds now, in bytes.
    pub memory: u64,
    /// The most memory that it has held so far, in bytes.
    pub peak_memory: u64,
}

/// What the scheduler tells of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadUse {
    /// Its thread id.
    pub thread: u32,
    /// Whether it runs, or waits for a processor and for nothing else.
    pub runnable: bool,
    /// Whether it has a processor at this moment; nothing where nobody can tell.
    pub running: Option<bool>,
    /// How often it has given a processor back because it had to wait for something.
    pub waits: u64,
    /// How often a processor was taken from it.
    pub interruptions: u64,
}

pub(crate) use system::{bind_to_parent, parent_of_children};
pub use system::{children_adopted, children_of, environment_of, kill_descendants, of_session, threads_of_session};

#[cfg(not(target_os = "linux"))]
use elsewhere as system;

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    use rustix::process::{Pid, Signal, WaitOptions, getpid, getppid};

    use super::{ProcessUse, ThreadUse};
    use crate::signal_process;

    /// How often a second the kernel counts processor time for programs to read (USER_HZ, proc_pid_stat(5)).
    const TICKS: u64 = 100;

    /// Who the parent of children is that are about to be started.
    pub(crate) fn parent_of_children() -> Pid {
        getpid()
    }

    /// In a child, between fork and exec: has the kernel send it `signal` when the thread of `parent` that started it
    /// ends.
    pub(crate) fn bind_to_parent(signal: Signal, parent: Pid) -> io::Result<()> {
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        // The parent may have died between fork and prctl: then nobody would ever send the signal.
        if getppid() != Some(parent) {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::SRCH.raw_os_error()));
        }
        Ok(())
    }

    /// Has the processes that lose their parent below this one become its children, so that they can be ended.
    pub fn children_adopted() {
        let _ = rustix::process::set_child_subreaper(Some(getpid()));
    }

    /// Ends every process below this one, also those whose parent is gone, if this process has adopted them.
    pub fn kill_descendants() {
        // The whole tree at once: level by level a deep one would outlive us, and in its place new ones would grow.
        // What forks faster than we look is given up.
        for _ in 0..500 {
            let descendants = descendants();
            if descendants.is_empty() {
                return;
            }
            for process in descendants {
                let _ = signal_process(process, Signal::KILL);
            }
            while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The processes whose parent is `parent`.
    pub fn children_of(parent: u32) -> Vec<u32> {
        let is_child = |process: &u32| stat(*process).is_some_and(|fields| fields.get(1) == Some(&parent.to_string()));
        processes().into_iter().filter(is_child).collect()
    }

    /// The processes below this one, at any depth.
    fn descendants() -> Vec<u32> {
        let parent = |process| stat(process)?.get(1)?.parse::<u32>().ok();
        let all: Vec<(u32, u32)> =
            processes().into_iter().filter_map(|process| Some((process, parent(process)?))).collect();
        let mut found = vec![std::process::id()];
        let mut next = 0;
        while let Some(parent) = found.get(next).copied() {
            found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(process, _)| process));
            next += 1;
        }
        found.split_off(1)
    }

    /// What each process of the session that `leader` leads has used. Empty where nobody can tell.
    pub fn of_session(leader: u32) -> Vec<ProcessUse> {
        processes().into_iter().filter_map(|process| used(process, leader)).collect()
    }

    /// The threads of the session that `leader` leads. None where nobody can tell.
    pub fn threads_of_session(leader: u32) -> Option<Vec<ThreadUse>> {
        let session = leader.to_string();
        let is_of_session = |process: &u32| stat(*process).is_some_and(|fields| fields.get(3) == Some(&session));
        Some(processes().into_iter().filter(is_of_session).flat_map(threads_of).collect())
    }

    fn threads_of(process: u32) -> Vec<ThreadUse> {
        let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
        threads.flatten().filter_map(|thread| thread_at(&thread.path())).collect()
    }

    /// The thread whose folder that is; none if it has ended meanwhile.
    fn thread_at(folder: &Path) -> Option<ThreadUse> {
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let number = |name: &str| field(name)?.parse::<u64>().ok();
        let (waits, interruptions) = (number("voluntary_ctxt_switches:")?, number("nonvoluntary_ctxt_switches:")?);
        // The third field counts how often it was given a processor (sched-stats, "/proc/<pid>/schedstat").
        let schedstat = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
        let arrivals = schedstat.split_ascii_whitespace().nth(2).and_then(|count| count.parse::<u64>().ok());
        Some(ThreadUse {
            thread: folder.file_name()?.to_str()?.parse().ok()?,
            runnable: field("State:")?.starts_with('R'),
            running: arrivals.filter(|count| *count > 0).map(|count| count > waits + interruptions),
            waits,
            interruptions,
        })
    }

    /// The variables that `process` was started with, `NAME=value` each, if we may read them.
    pub fn environment_of(process: u32) -> Option<Vec<Vec<u8>>> {
        let block = fs::read(format!("/proc/{process}/environ")).ok()?;
        Some(block.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect())
    }

    fn used(process: u32, leader: u32) -> Option<ProcessUse> {
        let fields = stat(process)?;
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        if number(3)? != u64::from(leader) {
            return None;
        }
        // utime, stime, and those of the children: fields 14 to 17.
        let ticks: u64 = (11..=14).filter_map(number).sum();
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        // VmRSS and VmHWM (proc_pid_status(5)); a process that is ending has neither.
        let bytes = |name: &str| {
            let text = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
            text.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0) << 10
        };
        Some(ProcessUse {
            process,
            parent: u32::try_from(number(1)?).ok()?,
            processor: Duration::from_millis(ticks * 1000 / TICKS),
            memory: bytes("VmRSS:"),
            peak_memory: bytes("VmHWM:"),
        })
    }

    fn processes() -> Vec<u32> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// The fields of `/proc/PID/stat` behind the name: state, parent, group, session, … (proc_pid_stat(5)).
    fn stat(process: u32) -> Option<Vec<String>> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        Some(stat.rsplit(')').next()?.split_ascii_whitespace().map(str::to_owned).collect())
    }
}

// Linux's tests compile and try it too: it is what macOS has, and what we cannot run.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod elsewhere {
    use std::io;

    use rustix::process::{Pid, Signal, getpid};

    use super::{ProcessUse, ThreadUse};

    pub(crate) fn parent_of_children() -> Pid {
        getpid()
    }

    pub(crate) fn bind_to_parent(_: Signal, _: Pid) -> io::Result<()> {
        Ok(())
    }

    /// Has the processes that lose their parent below this one become its children: not on this system.
    pub fn children_adopted() {}

    /// Ends every process below this one: on this system they are the next run's to end.
    pub fn kill_descendants() {}

    /// The processes whose parent is the one given: nobody tells.
    pub fn children_of(_: u32) -> Vec<u32> {
        Vec::new()
    }

    /// What each process of the session that `leader` leads has used. Empty where nobody can tell.
    pub fn of_session(_: u32) -> Vec<ProcessUse> {
        Vec::new()
    }

    /// The threads of the session that `leader` leads. None where nobody can tell.
    pub fn threads_of_session(_: u32) -> Option<Vec<ThreadUse>> {
        None
    }

    /// The variables that `process` was started with, if we may read them.
    pub fn environment_of(_: u32) -> Option<Vec<Vec<u8>>> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io;

    use rustix::process::{Pid, Signal};

    use super::{ProcessUse, ThreadUse, elsewhere, system};

    #[test]
    fn what_is_done_without_linux_has_the_same_form() {
        let _: [fn() -> Pid; 2] = [system::parent_of_children, elsewhere::parent_of_children];
        let _: [fn(Signal, Pid) -> io::Result<()>; 2] = [system::bind_to_parent, elsewhere::bind_to_parent];
        let _: [fn(); 4] = [
            system::children_adopted,
            elsewhere::children_adopted,
            system::kill_descendants,
            elsewhere::kill_descendants,
        ];
        let _: [fn(u32) -> Vec<ProcessUse>; 2] = [system::of_session, elsewhere::of_session];
        type Threads = fn(u32) -> Option<Vec<ThreadUse>>;
        let _: [Threads; 2] = [system::threads_of_session, elsewhere::threads_of_session];
        type Environment = fn(u32) -> Option<Vec<Vec<u8>>>;
        let _: [Environment; 2] = [system::environment_of, elsewhere::environment_of];
        assert_eq!(elsewhere::parent_of_children(), system::parent_of_children());
    }
}
