//! What only Linux tells: for whom a process waits that waits for a lock.

use std::fmt;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;

/// Who holds a lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockHolder {
    /// Its process id, unless it cannot be seen from here: it may run in another container.
    pub process: Option<u32>,
    /// Its command line, shortened.
    pub command: Option<String>,
    /// The name of the program that started it, such as an editor's language server.
    pub started_by: Option<String>,
}

/// The longest command line that is shown, in characters.
const LONGEST: usize = 60;

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(process) = self.process else { return f.write_str("a process that cannot be seen from here") };
        match &self.command {
            Some(command) => write!(f, "`{command}` (process {process}")?,
            None => write!(f, "another program (process {process}")?,
        }
        match &self.started_by {
            Some(parent) => write!(f, ", started by {parent})"),
            None => f.write_str(")"),
        }
    }
}

/// Who holds the lock that `process` waits for at this moment. `None` if it waits for none, or if the system does not
/// say.
#[must_use]
pub fn waited_for(process: u32) -> Option<LockHolder> {
    system::waited_for(process)
}

/// `text` on one line, without what controls a terminal, and shortened.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn shown(text: &str) -> Option<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    if clean.is_empty() {
        return None;
    }
    let mut short: String = clean.chars().take(LONGEST).collect();
    if clean.chars().count() > LONGEST {
        short.push('…');
    }
    Some(short)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::Path;

    use super::{LockHolder, shown};

    /// Locks and who waits for them are lines of `/proc/locks` (proc_locks(5)): `7: FLOCK ADVISORY WRITE 12 …` of a holder,
    /// and below it `7: -> FLOCK ADVISORY WRITE 34 …` of who waits for it.
    pub(super) fn waited_for(process: u32) -> Option<LockHolder> {
        holder_in(&fs::read_to_string("/proc/locks").ok()?, process).map(describe)
    }

    /// The holder's process id, 0 or less if it belongs to another namespace.
    pub(super) fn holder_in(locks: &str, waiting: u32) -> Option<i64> {
        let lines: Vec<Vec<&str>> = locks.lines().map(|line| line.split_whitespace().collect()).collect();
        let waits =
            |line: &&Vec<&str>| line.get(1) == Some(&"->") && line.get(5) == Some(&waiting.to_string().as_str());
        let number = lines.iter().find(waits)?.first()?;
        let holds = |line: &&Vec<&str>| line.first() == Some(number) && line.get(1) != Some(&"->");
        lines.iter().find(holds)?.get(4)?.parse().ok()
    }

    fn describe(process: i64) -> LockHolder {
        let Some(process) = u32::try_from(process).ok().filter(|process| *process > 0) else {
            return LockHolder::default();
        };
        LockHolder { process: Some(process), command: command_line(process), started_by: parent(process) }
    }

    /// The command line as it was typed, the program without its folder.
    fn command_line(process: u32) -> Option<String> {
        let line = fs::read(format!("/proc/{process}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split('\0');
        let program = Path::new(words.next()?).file_name()?.to_string_lossy().into_owned();
        shown(&words.fold(program, |line, word| line + " " + word))
    }

    /// The name of the parent, unless that is the init process, to which orphans go.
    fn parent(process: u32) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let parent: u32 = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
        if parent > 1 { shown(&name) } else { None }
    }
}

// Linux's tests compile and try it too: it is what macOS has, and what we cannot run.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod elsewhere {
    use super::LockHolder;

    pub(super) fn waited_for(_: u32) -> Option<LockHolder> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    const LOCKS: &str = "1: FLOCK  ADVISORY  WRITE 2307 fe:00:10010753 0 EOF\n\
                         1: -> FLOCK  ADVISORY  WRITE 2375 fe:00:10010753 0 EOF\n\
                         2: POSIX  ADVISORY  WRITE 2375 fe:00:753934 0 EOF\n\
                         3: FLOCK  ADVISORY  READ 0 fe:00:75 0 EOF\n\
                         3: -> FLOCK  ADVISORY  WRITE 9 fe:00:75 0 EOF\n";

    #[test]
    fn the_holder_of_the_lock_that_a_process_waits_for_is_read() {
        assert_eq!(system::holder_in(LOCKS, 2375), Some(2307));
        assert_eq!(system::holder_in(LOCKS, 9), Some(0));
        assert_eq!(system::holder_in(LOCKS, 2307), None);
        assert_eq!(LockHolder::default().to_string(), "a process that cannot be seen from here");
    }

    #[test]
    fn what_a_process_calls_itself_cannot_write_to_a_terminal() {
        assert_eq!(shown("cargo\0check\x1b[2J\n").unwrap(), "cargo check [2J");
        assert_eq!(shown(&"x".repeat(100)).unwrap().chars().count(), LONGEST + 1);
        assert_eq!(shown(" \n"), None);
    }

    #[test]
    fn what_is_done_without_linux_has_the_same_form() {
        let _: [fn(u32) -> Option<LockHolder>; 2] = [system::waited_for, elsewhere::waited_for];
        assert_eq!(elsewhere::waited_for(1), None);
    }

    #[test]
    fn who_waits_for_this_process_is_told_its_name() {
        let path = std::env::temp_dir().join(format!("lab-lock-{}", std::process::id()));
        let held = File::create(&path).unwrap();
        held.lock().unwrap();
        let mut waiting = Command::new("flock").arg(&path).arg("true").spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let holder = loop {
            if let Some(holder) = waited_for(waiting.id()) {
                break holder;
            }
            assert!(Instant::now() < deadline, "nobody is ever waited for");
            std::thread::sleep(Duration::from_millis(5));
        };
        drop(held);
        waiting.wait().unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(holder.process, Some(std::process::id()));
        assert!(holder.command.unwrap().contains("lab_launcher"));
    }
}
