//! What only Linux has of what containers need: who is at the other end of a socket, and how processes are called outside of
//! their namespace. Elsewhere no engine runs containers of this system's programs.

/// Where programs share memory by name.
pub(crate) const SHARED_MEMORY: &str = "/dev/shm";
/// Where the system tells of itself.
pub(crate) const SYSTEM: &str = "/sys";

pub(crate) use system::{
    bind, connected_process, keep_to_oneself, let_go_of_streams, process_in, shut_in, until_either, watch,
};

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io;
    use std::mem::size_of;
    use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::os::unix::process::CommandExt as _;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use lab_sandbox::CallFilters;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use crate::limits::Limit;

    /// A socket in `folder` by the name `name`, whatever the length of the folder's own: a socket's address is short.
    pub(crate) fn bind(folder: &Path, name: &str) -> io::Result<UnixListener> {
        let folder = fs::File::open(folder)?;
        UnixListener::bind(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
    }

    /// The process at the other end of `stream`, as it is called here: the one that has connected it. None if it is out of our
    /// sight.
    pub(crate) fn connected_process(stream: &UnixStream) -> Option<u32> {
        let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut size = size_of::<libc::ucred>() as libc::socklen_t;
        let (into, length) = (std::ptr::from_mut(&mut found), std::ptr::from_mut(&mut size));
        // SAFETY: SO_PEERCRED writes one ucred, of integers, for which there is room, and its size; both outlive the call
        // (unix(7)).
        #[allow(unsafe_code)]
        let asked =
            unsafe { libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, into.cast(), length) };
        (asked == 0).then(|| u32::try_from(found.pid).ok().filter(|process| *process > 0)).flatten()
    }

    /// The child of `first` that is called `name` in its own namespace (proc_pid_status(5), NSpid).
    pub(crate) fn process_in(first: u32, name: u32) -> Option<u32> {
        let is_called = |process: &u32| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let names = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
            names.and_then(|names| names.split_whitespace().last()) == Some(name.to_string().as_str())
        };
        lab_process::children_of(first).into_iter().find(is_called)
    }

    /// Keeps other processes of the same user from reading this one's memory and from taking what it has open, and has it lead
    /// the session of what it starts.
    pub(crate) fn keep_to_oneself() -> io::Result<()> {
        lab_sandbox::keep_memory_private()?;
        // Whom the engine starts leads a session already.
        let _ = rustix::process::setsid();
        Ok(())
    }

    /// Has `command`'s program keep to `limits`, and behind filters of system calls.
    pub(crate) fn shut_in(command: &mut Command, limits: Vec<Limit>) -> io::Result<()> {
        let filters = CallFilters::make()?;
        let hook = move || {
            limits.iter().try_for_each(|limit| limit.apply())?;
            filters.apply()
        };
        // SAFETY: between fork and exec only async-signal-safe calls are allowed. The hook makes the system calls getrlimit,
        // setrlimit, prctl and seccomp, allocates nothing and takes no lock.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(hook);
        }
        Ok(())
    }

    /// A handle on `process`, a child of ours, that can be read from when it has ended (pidfd_open(2)).
    pub(crate) fn watch(process: u32) -> io::Result<OwnedFd> {
        let process = i32::try_from(process).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(pidfd_open(process, PidfdFlags::empty())?)
    }

    /// Waits until there is something to read from `one` or from `other`, or its end, at most so long.
    pub(crate) fn until_either(one: BorrowedFd<'_>, other: BorrowedFd<'_>, most: Duration) -> io::Result<()> {
        let wanted = |handle: BorrowedFd<'_>| libc::pollfd { fd: handle.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let mut all = [wanted(one), wanted(other)];
        let most = i32::try_from(most.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: poll(2) reads and writes two pollfd, which outlive the call, as do the handles.
        #[allow(unsafe_code)]
        let polled = unsafe { libc::poll(all.as_mut_ptr(), all.len() as libc::nfds_t, most) };
        match io::Error::last_os_error() {
            error if polled < 0 && error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Has this process's own standard streams lead nowhere.
    pub(crate) fn let_go_of_streams() -> io::Result<()> {
        let nowhere = fs::File::options().read(true).write(true).open("/dev/null")?;
        for stream in 0..=2 {
            // SAFETY: dup2(2) touches no memory. The standard streams are nobody's to own: what the library knows of them is
            // their numbers, which stay open.
            #[allow(unsafe_code)]
            let replaced = unsafe { libc::dup2(nowhere.as_raw_fd(), stream) };
            if replaced < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::os::fd::{BorrowedFd, OwnedFd};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use crate::limits::Limit;

    pub(crate) fn bind(_: &Path, _: &str) -> io::Result<UnixListener> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn connected_process(_: &UnixStream) -> Option<u32> {
        None
    }

    pub(crate) fn process_in(_: u32, _: u32) -> Option<u32> {
        None
    }

    pub(crate) fn keep_to_oneself() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn shut_in(_: &mut Command, _: Vec<Limit>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn watch(_: u32) -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn until_either(_: BorrowedFd<'_>, _: BorrowedFd<'_>, _: Duration) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn let_go_of_streams() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
