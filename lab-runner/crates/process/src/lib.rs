//! Child processes that do not outlive us: each leads a process group or a session, and dies with the thread that started
//! it. And what they see of our environment.

mod account;
mod environment;
mod platform;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

pub use account::Account;
pub use environment::restrict_environment;
pub use platform::{
    ProcessUse, ThreadUse, children_adopted, children_of, environment_of, kill_descendants, of_session,
    threads_of_session,
};
use rustix::process::{Pid, Rlimit, getrlimit, kill_process, kill_process_group, setrlimit};
pub use rustix::process::{Resource, Signal};

/// Makes `command` the leader of a process group of its own and, on Linux, has the kernel send it `signal` when
/// the thread that spawns it ends. The thread must therefore live as long as the child is wanted.
///
/// `prctl(PR_SET_PDEATHSIG)` is reset when credentials change (prctl(2)), so a `uid` set on the command is
/// applied first: `std` runs its own changes before this hook.
pub fn die_with_parent(command: &mut Command, signal: Signal) {
    command.process_group(0);
    before_exec(command, signal, || Ok(()));
}

/// The same, in a session of its own: it has no controlling terminal, so that it can neither read from the user's nor
/// type into it. The soft and hard limits of its resources are lowered to `limits`, and it is in the control groups whose
/// lists of processes `groups` are open for writing (cgroups(7), "cgroup.procs").
pub fn lead_session(command: &mut Command, signal: Signal, limits: Vec<(Resource, u64)>, groups: Vec<OwnedFd>) {
    before_exec(command, signal, move || {
        // Whoever leads a group already cannot: so it is not made one first.
        rustix::process::setsid()?;
        for group in &groups {
            // 0 is whoever writes it.
            rustix::io::write(group, b"0")?;
        }
        for (resource, most) in &limits {
            let present = getrlimit(*resource);
            let lowered = |limit: Option<u64>| Some(limit.map_or(*most, |limit| limit.min(*most)));
            let lowered = Rlimit { current: lowered(present.current), maximum: lowered(present.maximum) };
            setrlimit(*resource, lowered)?;
        }
        Ok(())
    });
}

/// Gives `command` a session of its own, without a terminal, in which it may outlive us.
pub fn own_session(command: &mut Command) {
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The hook makes the system call setsid
    // through rustix, allocates nothing and takes no lock.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(drop).map_err(io::Error::from));
    }
}

/// Has `command`'s program inherit `handle`, under the number that it has here. No other program does.
pub fn pass_on(command: &mut Command, handle: OwnedFd) {
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The hook makes the system call fcntl through
    // rustix, allocates nothing and takes no lock.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(move || Ok(rustix::io::fcntl_setfd(&handle, rustix::io::FdFlags::empty())?));
    }
}

/// Whether `child`, a process of ours, is stopped by a signal (SIGSTOP, SIGTSTP) and was not when this was last asked.
#[must_use]
pub fn was_stopped(child: u32) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) else { return false };
    let stopped = waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
    matches!(stopped, Ok(Some(status)) if status.stopped())
}

/// Between fork and exec, has the kernel send `signal` when the parent's thread ends, then does `more`, which may only
/// make system calls that are safe there.
fn before_exec(command: &mut Command, signal: Signal, more: impl Fn() -> io::Result<()> + Send + Sync + 'static) {
    let parent = platform::parent_of_children();
    let hook = move || {
        platform::bind_to_parent(signal, parent)?;
        more()
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The hook and what it is given make the
    // system calls prctl, getppid, setsid, write, getrlimit and setrlimit through rustix, allocate nothing and take no
    // lock.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(hook);
    }
}

/// Sends `signal` to every process of the group that `leader` leads. A group that is gone is no error.
///
/// # Errors
/// What the system says, such as a lack of permission.
pub fn signal_group(leader: u32, signal: Signal) -> io::Result<()> {
    send(leader, |pid| kill_process_group(pid, signal))
}

/// Sends `signal` to one process. A process that is gone is no error.
///
/// # Errors
/// What the system says, such as a lack of permission.
pub fn signal_process(process: u32, signal: Signal) -> io::Result<()> {
    send(process, |pid| kill_process(pid, signal))
}

/// Whether there is a process of this number, of whatever user. One that has ended counts until its parent has taken note.
#[must_use]
pub fn is_running(process: u32) -> bool {
    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

fn send(process: u32, call: impl FnOnce(Pid) -> rustix::io::Result<()>) -> io::Result<()> {
    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return Ok(()) };
    match call(pid) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_leads_a_session_of_its_own() {
        let mut command = Command::new("sh");
        command.args(["-c", "read -r line < /proc/$$/stat; echo $line"]);
        own_session(&mut command);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let fields: Vec<&str> = text.split_whitespace().collect();
        // pid, name, state, parent, group, session, terminal (proc(5)).
        assert_eq!((fields[4], fields[5], fields[6]), (fields[0], fields[0], "0"), "{text}");
    }

    #[test]
    fn a_child_that_is_stopped_is_noticed_once() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(!was_stopped(child.id()));
        signal_process(child.id(), Signal::STOP).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !was_stopped(child.id()) {
            assert!(std::time::Instant::now() < deadline, "it is never noticed");
            std::thread::yield_now();
        }
        assert!(!was_stopped(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
