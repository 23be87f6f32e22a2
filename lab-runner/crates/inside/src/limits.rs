//! The limits that we have ourselves, which the program inside is to have as well: the engine starts it with its own.

use lab_process::Resource;
use rustix::process::{Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// Those that are handed on, by their place in this list. That of processes is another one: it counts those of the user.
const ALL: [Resource; 8] = [
    Resource::Core,
    Resource::Fsize,
    Resource::Nofile,
    Resource::Data,
    Resource::Cpu,
    Resource::Stack,
    Resource::As,
    Resource::Memlock,
];
const PROCESSES: usize = ALL.len();

/// What a program may use of one resource; nothing is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limit {
    resource: usize,
    current: Option<u64>,
    maximum: Option<u64>,
}

impl Limit {
    /// Those that we have.
    pub fn ours() -> Vec<Self> {
        let limits = ALL.iter().map(|resource| getrlimit(*resource)).enumerate();
        limits.map(|(resource, Rlimit { current, maximum })| Self { resource, current, maximum }).collect()
    }

    /// So many processes and threads of one user.
    pub fn of_processes(most: u64) -> Self {
        Self { resource: PROCESSES, current: Some(most), maximum: Some(most) }
    }

    /// Has it for this process and what it starts, as far as it does not raise what is had already. It makes system calls
    /// only, and may be called between fork and exec.
    pub fn apply(self) -> std::io::Result<()> {
        let resource = ALL.get(self.resource).copied().unwrap_or(Resource::Nproc);
        let present = getrlimit(resource).maximum;
        let lowered = |limit: Option<u64>| match (limit, present) {
            (Some(limit), Some(present)) => Some(limit.min(present)),
            (limit, present) => limit.or(present),
        };
        Ok(setrlimit(resource, Rlimit { current: lowered(self.current), maximum: lowered(self.maximum) })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_have_can_be_had_and_is_not_raised() {
        let ours = Limit::ours();
        ours.iter().try_for_each(|limit| limit.apply()).unwrap();
        assert_eq!(Limit::ours(), ours);
    }
}
