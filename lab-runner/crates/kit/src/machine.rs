//! The machine that a suite runs on, for checks that look beyond the server's process.

use crate::platform;

/// What this machine calls itself, if it tells.
///
/// ```
/// assert!(lab_kit::machine::name().is_none_or(|name| !name.contains('\n')));
/// ```
#[must_use]
pub fn name() -> Option<String> {
    platform::machine_name()
}

/// Whether a process with the id `process` runs, as it stands in the name of something that a process has left.
///
/// ```
/// assert!(lab_kit::machine::is_running(&std::process::id().to_string()));
/// ```
#[must_use]
pub fn is_running(process: &str) -> bool {
    !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit()) && platform::is_running(process)
}

/// Whether containers can share this machine's own network, so that what listens on 127.0.0.1 here is in their reach. Only
/// Linux's can: elsewhere an engine runs them in a machine of its own.
#[must_use]
pub const fn shares_network_with_containers() -> bool {
    platform::CONTAINERS_SHARE_THE_NETWORK
}

/// Whether this system tells how much memory another process holds. Only Linux does, so far.
///
/// ```
/// # use lab_kit::prelude::*;
/// # fn example(program: lab_kit::ProgramBuilder<'_>) -> lab_kit::ProgramBuilder<'_> {
/// if lab_kit::machine::tells_of_memory() { program.measured() } else { program }
/// # }
/// ```
#[must_use]
pub const fn tells_of_memory() -> bool {
    platform::MEMORY_IS_TOLD
}
