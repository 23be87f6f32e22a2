//! Where folders in memory are, which only some systems have.

/// The folder in memory.
#[cfg(target_os = "linux")]
pub(crate) const MEMORY: &str = "/dev/shm";
/// There is none: instances live among the temporary files.
#[cfg(not(target_os = "linux"))]
pub(crate) const MEMORY: &str = "/nonexistent";
