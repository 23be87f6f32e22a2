//! System calls that no program of a submission needs, and through which the faults of kernels are reached: namespaces of
//! its own, in which it would have every capability, and what looks into other processes.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::system::TAKE_FILE;

/// Calls that are refused, as if by want of permission.
const REFUSED: [libc::c_long; 30] = [
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    TAKE_FILE,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_io_uring_setup,
];
/// What `clone` may not make.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// The filters, each on a handle that bubblewrap reads to its end (bwrap(1), --add-seccomp-fd). None where they are not known
/// for the processor.
pub(crate) fn filters() -> io::Result<Vec<OwnedFd>> {
    programs()?.iter().map(handle).collect()
}

/// The same filters for a program that puts itself, or one that it starts, behind them.
#[derive(Debug, Clone)]
pub struct CallFilters(Vec<BpfProgram>);

impl CallFilters {
    /// Those for this processor. None where it is not known.
    ///
    /// # Errors
    /// They are too long for the system.
    pub fn make() -> io::Result<Self> {
        programs().map(Self)
    }

    /// Puts the calling thread behind them, for ever, with all that it starts. It makes system calls only, and may be called
    /// between fork and exec.
    ///
    /// # Errors
    /// The system has no filters.
    pub fn apply(&self) -> io::Result<()> {
        let refused = |_| io::Error::from(io::ErrorKind::PermissionDenied);
        self.0.iter().try_for_each(|filter| seccompiler::apply_filter(filter).map_err(refused))
    }
}

fn programs() -> io::Result<Vec<BpfProgram>> {
    let Ok(processor) = std::env::consts::ARCH.try_into() else { return Ok(Vec::new()) };
    let filter = |rules, refusal| {
        let action = SeccompAction::Errno(refusal as u32);
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, processor)?;
        BpfProgram::try_from(filter)
    };
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let makes = |namespace: &libc::c_int| {
        let flag = u64::from(*namespace as u32);
        let is_set = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(flag), flag)?;
        SeccompRule::new(vec![is_set])
    };
    let clone = NAMESPACES.iter().map(makes).collect::<Result<_, _>>().map_err(io::Error::other)?;
    refused.insert(libc::SYS_clone, clone);
    // Its flags are out of a filter's sight. The C library then takes `clone`, as on a kernel that does not have it.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let programs = [filter(refused, libc::EPERM), filter(unknown, libc::ENOSYS)];
    programs.into_iter().map(|program| program.map_err(io::Error::other)).collect()
}

fn handle(program: &BpfProgram) -> io::Result<OwnedFd> {
    let (reader, mut writer) = io::pipe()?;
    for instruction in program {
        let mut bytes = [0; 8];
        bytes[..2].copy_from_slice(&instruction.code.to_ne_bytes());
        bytes[2..4].copy_from_slice(&[instruction.jt, instruction.jf]);
        bytes[4..].copy_from_slice(&instruction.k.to_ne_bytes());
        writer.write_all(&bytes)?;
    }
    Ok(reader.into())
}
