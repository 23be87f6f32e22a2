//! What one program is given.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use lab_process::{Resource, Signal};

use crate::Network;

/// What one program is given.
#[derive(Debug, Clone)]
pub struct Confinement {
    /// The folder it is started in.
    pub folder: PathBuf,
    /// Its whole environment: nothing is inherited.
    pub environment: BTreeMap<OsString, OsString>,
    /// What it may use.
    pub limits: Limits,
    /// What it is sent when the thread that started it ends.
    pub orphan_signal: Signal,
    /// What it sees of the file system, where a sandbox isolates it.
    pub view: View,
    /// The network that it has, on whose thread it is started. Where a sandbox isolates it, it has none otherwise.
    pub network: Option<Network>,
}

/// What an isolated program sees of the file system, beside the system's own libraries: all else is not there. Its `/tmp`
/// and its shared memory are empty and its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Whether it sees the system's programs as well, compilers and linkers among them.
    pub programs: bool,
    /// Files and folders that it may read.
    pub readable: Vec<PathBuf>,
    /// Folders that it may write.
    pub writable: Vec<PathBuf>,
}

/// What a program, and each that it starts, may use. What is not named here has the limits that we have, and no limit is
/// raised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The largest core dump, in bytes.
    pub core_bytes: Option<u64>,
    /// The largest file it may write, in bytes.
    pub file_bytes: Option<u64>,
    /// How many files and sockets it may have open.
    pub open_files: Option<u64>,
    /// The memory of its own that each process may write, in bytes. Not its address space, of which allocators set aside
    /// much more than they use.
    pub memory_bytes: Option<u64>,
    /// The processor time of each process, in seconds.
    pub processor_seconds: Option<u64>,
    /// How many processes and threads all programs of the sandbox's user may have together. Where nothing isolates it
    /// would count the user's own as well, and is not set.
    pub processes: Option<u64>,
    /// What its own `/tmp` holds, in bytes, and its shared memory.
    pub temporary_bytes: Option<u64>,
}

impl Limits {
    /// No core dumps, which would fill the disk with what nobody reads.
    pub const NO_CORE: Self = Self {
        core_bytes: Some(0),
        file_bytes: None,
        open_files: None,
        memory_bytes: None,
        processor_seconds: None,
        processes: None,
        temporary_bytes: None,
    };

    pub(crate) fn resources(self) -> Vec<(Resource, u64)> {
        let all = [
            (Resource::Core, self.core_bytes),
            (Resource::Fsize, self.file_bytes),
            (Resource::Nofile, self.open_files),
            (Resource::Data, self.memory_bytes),
            (Resource::Cpu, self.processor_seconds),
        ];
        all.into_iter().filter_map(|(resource, limit)| Some((resource, limit?))).collect()
    }
}
