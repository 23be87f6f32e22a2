//! What only Linux has of what isolation is made of: namespaces, and names that the system lets go of by itself.
//! Elsewhere nothing isolates.

/// Where the system shows its processes.
pub(crate) const PROCESSES: &str = "/proc";
/// Where programs share memory by name.
pub(crate) const SHARED_MEMORY: &str = "/dev/shm";

#[cfg(target_os = "linux")]
mod groups;
#[cfg(target_os = "linux")]
mod handles;
#[cfg(target_os = "linux")]
mod seccomp;

#[cfg(target_os = "linux")]
pub use handles::{receive_handles, send_handles};
#[cfg(target_os = "linux")]
pub use seccomp::CallFilters;
#[cfg(not(target_os = "linux"))]
pub use system::{CallFilters, receive_handles, send_handles};
pub(crate) use system::{
    ROOT_CAN_BE_GIVEN_UP, call_filters, enter_mounts, enter_network, enter_on_start, enter_user_namespace,
    give_up_root, group_folders, hold_name, keep_memory_private, mount_memory, network_name, network_of, program_in,
    socket, unmount,
};

/// The user and the group that we are.
pub(crate) fn own_user() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::{CString, c_char};
    use std::fs;
    use std::io;
    use std::net::{Ipv4Addr, UdpSocket};
    use std::os::fd::{AsRawFd as _, OwnedFd};
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener};
    use std::os::unix::process::CommandExt as _;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change};
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    use rustix::process::{DumpableBehavior, getgid, getuid, set_dumpable_behavior};

    /// The call that takes what another process has open.
    pub(super) const TAKE_FILE: libc::c_long = libc::SYS_pidfd_getfd;

    /// Moves the calling thread to a network of its own, which has a loopback interface and nothing else. What the thread
    /// opens and starts from now on belongs to that network.
    pub(crate) fn enter_network() -> io::Result<()> {
        // SAFETY: unshare(2) touches no memory. It changes in which network this one thread makes sockets, which no
        // code of ours relies on: the thread does nothing else.
        #[allow(unsafe_code)]
        let left = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        if left != 0 {
            return Err(io::Error::last_os_error());
        }
        raise_loopback()
    }

    /// The system gives the interface its addresses, 127.0.0.0/8, as soon as it is up (netdevice(7)).
    fn raise_loopback() -> io::Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // SAFETY: ifreq holds integers, arrays of integers and a union of such (netdevice(7)): all zeros are a value.
        #[allow(unsafe_code)]
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        request.ifr_name[..2].copy_from_slice(&[b'l' as c_char, b'o' as c_char]);
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        // SAFETY: SIOCSIFFLAGS reads one ifreq, which outlives the call.
        #[allow(unsafe_code)]
        let raised = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) };
        if raised == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Gives this process, which must have one thread only, rights over networks that it makes: those of a user namespace
    /// in which it is who it was (user_namespaces(7)).
    pub(crate) fn enter_user_namespace() -> io::Result<()> {
        let (user, group) = (getuid().as_raw(), getgid().as_raw());
        // SAFETY: unshare(2) touches no memory; with more than one thread it fails.
        #[allow(unsafe_code)]
        let left = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
        if left != 0 {
            return Err(io::Error::last_os_error());
        }
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
    }

    /// Gives this process, which must have one thread only, a view of what is mounted of its own: what it mounts from now on
    /// is seen by itself and by what it starts, and gone with them (mount_namespaces(7)).
    pub(crate) fn enter_mounts() -> io::Result<()> {
        // SAFETY: unshare(2) touches no memory. It changes what this one thread, and those that it starts, see of the file
        // system, where all is as it was.
        #[allow(unsafe_code)]
        let left = unsafe { libc::unshare(libc::CLONE_NEWNS) };
        if left != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?)
    }

    /// Puts memory in the place of `folder`: so many `bytes` at most, in so many `files` (tmpfs(5)). Others may look into it, as
    /// into any new folder: bubblewrap passes through it before it becomes the program's user, and has no rights of root then.
    pub(crate) fn mount_memory(folder: &Path, bytes: u64, files: u64) -> io::Result<()> {
        let options = CString::new(format!("size={bytes},nr_inodes={files},mode=0755"))?;
        Ok(mount("tmpfs", folder, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str())?)
    }

    /// Lets go of what is mounted at `folder`, also where somebody has it open.
    pub(crate) fn unmount(folder: &Path) -> io::Result<()> {
        Ok(rustix::mount::unmount(folder, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?)
    }

    /// Keeps processes of the same user from reading this one's memory, and from taking what it has open (ptrace(2),
    /// "Ptrace access mode checking").
    pub(crate) fn keep_memory_private() -> io::Result<()> {
        Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
    }

    /// The filters of system calls that programs of submissions run behind, for bubblewrap to read.
    pub(crate) fn call_filters() -> io::Result<Vec<OwnedFd>> {
        super::seccomp::filters()
    }

    /// The folders in which control groups can be made, of each group one. None where there are none.
    pub(crate) fn group_folders() -> Vec<PathBuf> {
        let read = |path: &Path| fs::read_to_string(path).ok();
        let [mounts, own] = ["/proc/self/mountinfo", "/proc/self/cgroup"].map(|path| read(Path::new(path)));
        super::groups::folders(&mounts.unwrap_or_default(), &own.unwrap_or_default(), read)
    }

    /// Takes `name` for as long as what is returned lives: an abstract socket, which only one can have (unix(7)).
    pub(crate) fn hold_name(name: &str) -> io::Result<OwnedFd> {
        Ok(UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?.into())
    }

    /// What names the network that this process is in, in which names are held.
    pub(crate) fn network_name() -> String {
        let network = fs::read_link("/proc/self/ns/net").unwrap_or_default();
        network.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
    }

    /// The network that `process` is in, if we may enter it: root may.
    pub(crate) fn network_of(process: u32) -> io::Result<OwnedFd> {
        if !rustix::process::geteuid().is_root() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(fs::File::open(format!("/proc/{process}/ns/net"))?.into())
    }

    /// Has `command`'s program be in `network`, which a handle of `/proc` stands for.
    pub(crate) fn enter_on_start(command: &mut Command, network: OwnedFd) {
        // SAFETY: between fork and exec only async-signal-safe calls are allowed. The hook makes the system call setns,
        // which touches no memory, allocates nothing and takes no lock.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(move || match libc::setns(network.as_raw_fd(), libc::CLONE_NEWNET) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            });
        }
    }

    /// Whether [`give_up_root`] does anything.
    pub(crate) const ROOT_CAN_BE_GIVEN_UP: bool = true;
    /// Passes over the permissions of files (capabilities(7), CAP_DAC_OVERRIDE).
    const PASSES_PERMISSIONS: u32 = 1;
    /// The third version of the kernel's lists of capabilities, which are of 64 bits (capget(2)).
    const CAPABILITIES_VERSION: u32 = 0x2008_0522;

    /// Has `command`'s program be `user`, in no group but its own, and keep of root's rights only that it opens every file. It
    /// and what it starts have that as ambient capability, which outlasts exec (capabilities(7)).
    pub(crate) fn give_up_root(command: &mut Command, user: u32) {
        // SAFETY: between fork and exec only async-signal-safe calls are allowed. The hook makes the system calls prctl,
        // setgroups, setgid, setuid and capset, allocates nothing and takes no lock.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(move || become_user(user));
        }
    }

    fn become_user(user: u32) -> io::Result<()> {
        let done = |result: libc::c_long| if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
        let header = [CAPABILITIES_VERSION, 0];
        let kept = 1 << PASSES_PERMISSIONS;
        // What is effective, permitted and inheritable of the first 32 capabilities, and of the others.
        let capabilities: [[u32; 3]; 2] = [[kept; 3], [0; 3]];
        let raise = libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong;
        let none: libc::c_ulong = 0;
        // SAFETY: capset(2) reads a header of two and a list of six numbers, which outlive the call; an empty list of groups
        // is not read; the others touch no memory.
        #[allow(unsafe_code)]
        unsafe {
            done(libc::prctl(libc::PR_SET_KEEPCAPS, 1, none, none, none).into())?;
            done(libc::setgroups(0, std::ptr::null()).into())?;
            done(libc::setgid(user).into())?;
            done(libc::setuid(user).into())?;
            done(libc::syscall(libc::SYS_capset, header.as_ptr(), capabilities.as_ptr()))?;
            done(libc::prctl(libc::PR_CAP_AMBIENT, raise, libc::c_ulong::from(PASSES_PERMISSIONS), none, none).into())
        }
    }

    /// A TCP socket over IPv4 in the network of the calling thread.
    pub(crate) fn socket() -> io::Result<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        Ok(socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?)
    }

    /// The process that is the second in the process namespace whose first is a child of `outside`: bubblewrap stays
    /// outside, its child is the first, and the program that it was given is that one's first child.
    pub(crate) fn program_in(outside: u32) -> Option<u32> {
        let first = lab_process::children_of(outside).into_iter().next()?;
        lab_process::children_of(first).into_iter().find(|process| is_second(*process))
    }

    /// Whether `process` has the id 2 in its own namespace (proc_pid_status(5), NSpid).
    fn is_second(process: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        ids.and_then(|ids| ids.split_whitespace().last()) == Some("2")
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::{Path, PathBuf};
    use std::process::Command;

    fn not_here<T>() -> io::Result<T> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn enter_network() -> io::Result<()> {
        not_here()
    }

    pub(crate) fn enter_user_namespace() -> io::Result<()> {
        not_here()
    }

    pub(crate) fn enter_mounts() -> io::Result<()> {
        not_here()
    }

    pub(crate) fn mount_memory(_: &Path, _: u64, _: u64) -> io::Result<()> {
        not_here()
    }

    pub(crate) fn unmount(_: &Path) -> io::Result<()> {
        not_here()
    }

    /// Keeps other processes from reading this one's memory: on this system only root can.
    pub(crate) fn keep_memory_private() -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn call_filters() -> io::Result<Vec<OwnedFd>> {
        not_here()
    }

    pub(crate) fn group_folders() -> Vec<PathBuf> {
        Vec::new()
    }

    pub(crate) fn hold_name(_: &str) -> io::Result<OwnedFd> {
        not_here()
    }

    /// Filters of system calls: there are none.
    #[derive(Debug, Clone)]
    pub struct CallFilters;

    impl CallFilters {
        /// Those for this system.
        ///
        /// # Errors
        /// It has none.
        pub fn make() -> io::Result<Self> {
            not_here()
        }

        /// Puts the calling thread behind them.
        ///
        /// # Errors
        /// There are none.
        pub fn apply(&self) -> io::Result<()> {
            not_here()
        }
    }

    /// Sends `bytes` and `handles`: only Linux closes them in programs that are started meanwhile.
    ///
    /// # Errors
    /// Not on this system.
    pub fn send_handles(_: impl AsFd, _: &[u8], _: &[BorrowedFd<'_>]) -> io::Result<()> {
        not_here()
    }

    /// What comes next, with handles.
    ///
    /// # Errors
    /// Not on this system.
    pub fn receive_handles(_: impl AsFd, _: usize) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
        not_here()
    }

    pub(crate) fn network_name() -> String {
        String::new()
    }

    pub(crate) fn network_of(_: u32) -> io::Result<OwnedFd> {
        not_here()
    }

    pub(crate) fn enter_on_start(_: &mut Command, _: OwnedFd) {}

    pub(crate) const ROOT_CAN_BE_GIVEN_UP: bool = false;

    pub(crate) fn give_up_root(_: &mut Command, _: u32) {}

    pub(crate) fn socket() -> io::Result<OwnedFd> {
        not_here()
    }

    pub(crate) fn program_in(_: u32) -> Option<u32> {
        None
    }
}
