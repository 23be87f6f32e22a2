//! Which system has everything that a test may need.

/// Whether what a test lacks can be had on this system.
pub(crate) const HAS_ALL: bool = cfg!(target_os = "linux");
