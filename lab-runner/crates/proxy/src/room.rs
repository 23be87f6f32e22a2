//! How many connections the proxies of this process carry at once. Each takes two of its file descriptors: a server that opens
//! connections without end must not leave the grader without any, or nobody is graded.

use std::sync::LazyLock;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The fewest: more than any server needs.
const FEWEST: u64 = 64;
/// The most, where the system sets no limit.
const MOST: u64 = 4_096;

static ROOM: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(usize::try_from(most()).unwrap_or_default()));

/// Room for one connection, until the permit is dropped; none, if too many are open.
pub(super) fn take() -> Option<SemaphorePermit<'static>> {
    ROOM.try_acquire().ok()
}

/// How many there is room for: with half of the descriptors, as the other half is for the checks themselves.
pub(super) fn most() -> u64 {
    getrlimit(Resource::Nofile).current.map_or(MOST, |files| files / 4).clamp(FEWEST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxies_leave_half_of_the_descriptors_to_the_checks() {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(most() * 4 <= files.max(FEWEST * 4), "{} of {files}", most());
    }
}
