//! What all servers of a submission may take together, where a control group bounds them.

use lab_sandbox::{Bounds, Group, Sandbox};

use super::Engine;
use crate::error::Error;
use crate::platform;

/// The memory of all servers of a submission together, in bytes, of however few checks.
const MEMORY: u64 = 4 << 30;
/// For each check that may run at once, if that is more.
const MEMORY_OF_A_CHECK: u64 = 256 << 20;
/// The processes and threads of all. Where programs have a user of their own, that one meets its limit before; this leaves room
/// for what makes the next sandbox.
pub(crate) const PROCESSES: u64 = 2_500;

impl Engine {
    /// `sandbox` with bounds for the programs that a suite starts which runs so many `checks` at once; and the group that they
    /// are in, which is to be held for as long as it runs. None where submissions are not isolated, and where no group can be
    /// made.
    pub(super) fn bounded(&self, sandbox: &Sandbox, checks: usize) -> Result<(Sandbox, Option<Group>), Error> {
        if !sandbox.isolates() {
            return Ok((sandbox.clone(), None));
        }
        let memory_bytes = memory(checks, self.at_once, platform::memory());
        let bounds = Bounds { memory_bytes, processes: PROCESSES };
        let group = Group::make(bounds).map_err(|error| Error::Infrastructure {
            message: format!("no control group for the submission's programs can be made: {error}"),
            hints: Vec::new(),
        })?;
        let bounded = group.as_ref().map_or_else(|| sandbox.bounded(bounds), |group| sandbox.in_group(group));
        Ok((bounded, group))
    }
}

/// Of a machine that has so much memory in `all`, submissions that are graded at once take no more than half.
fn memory(checks: usize, at_once: usize, all: Option<u64>) -> u64 {
    let wanted = MEMORY.max(MEMORY_OF_A_CHECK * checks as u64);
    all.map_or(wanted, |all| wanted.min(all / 2 / at_once.max(1) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_checks_have_more_and_all_submissions_together_half_of_the_machine() {
        assert_eq!(memory(8, 1, None), 4 << 30);
        assert_eq!(memory(32, 1, Some(64 << 30)), 8 << 30);
        assert_eq!(memory(8, 4, Some(16 << 30)), 2 << 30);
    }
}
