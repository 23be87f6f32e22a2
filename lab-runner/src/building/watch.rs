//! What compiling the submission's own code may take. Dependencies are built before it and count for nothing, however
//! slow the machine is.
//!
//! Time is the processor's, so that a busy machine costs nobody anything, with a wider bound on the clock for code that
//! only waits. Where the system does not tell what a process has used, the clock alone counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lab_process::ProcessUse;
use lab_sandbox::Sandbox;
use tokio::time::{Instant, sleep};

use crate::awake;
use crate::platform;

/// How often the compiler is looked at. What it allocates between two looks comes on top of its bound.
const GLANCE: Duration = Duration::from_millis(100);
/// So many times as long as the processor time that it may use, compiling may take by the clock.
const CLOCK_FACTOR: u32 = 4;

/// What compiling the submission's own code may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Processor time of the compiler and of all that it starts.
    pub time: Duration,
    /// Memory of the compiler and of all that it starts, in bytes.
    pub memory: u64,
}

impl Bounds {
    /// Bounds of `time` and `memory`, the latter as far as this machine has it: before its memory is used up, whatever
    /// else runs here is to go on.
    pub fn on_this_machine(time: Duration, memory: u64) -> Self {
        let most = platform::memory().map_or(u64::MAX, |all| all / 4 * 3);
        Self { time, memory: memory.min(most) }
    }
}

/// Which bound was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    Time(Duration),
    Memory(u64),
}

/// Whether nothing but the submission's own code is being compiled, as cargo tells.
#[derive(Debug, Default)]
pub(super) struct OwnCode(AtomicBool);

impl OwnCode {
    /// Takes note of what cargo builds `now`: `serde, own-package(bin)`.
    pub(super) fn note(&self, now: &str, package: &str) {
        let own = |unit: &str| unit.split('(').next() == Some(package);
        self.0.store(!now.is_empty() && now.split(", ").all(own), Ordering::Relaxed);
    }

    fn is_all(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Returns once compiling `package` by what was started in `sandbox` as `leader` exceeds `bounds`.
pub(super) async fn exceeded(
    sandbox: &Sandbox,
    leader: u32,
    package: &str,
    bounds: Bounds,
    own_code: &OwnCode,
) -> Excess {
    let mut meter = Meter::new(package);
    let mut began = Instant::now();
    loop {
        sleep(GLANCE).await;
        let (package, known) = (meter.package.clone(), meter.own.clone());
        let session = sandbox.session_of(leader);
        let look = move || session.map(|session| own_processes(session, &package, &known));
        let looked = tokio::task::spawn_blocking(look).await.ok().flatten();
        let processes = looked.unwrap_or_default();
        let elapsed = awake::counted(began.elapsed());
        began = Instant::now();
        let by_clock = if own_code.is_all() { elapsed } else { Duration::ZERO };
        if let Some(excess) = meter.add(&processes, by_clock, bounds) {
            return excess;
        }
    }
}

/// The processes of `leader`'s session that compile `package`: by the variable that cargo sets for the compiler, and
/// those that descend from one. `known` are those that were told before.
fn own_processes(leader: u32, package: &str, known: &BTreeMap<u32, Duration>) -> Vec<ProcessUse> {
    let wanted = format!("CARGO_PKG_NAME={package}").into_bytes();
    let all = lab_process::of_session(leader);
    let is_named = |used: &ProcessUse| {
        used.process != leader
            && (known.contains_key(&used.process)
                || lab_process::environment_of(used.process).is_some_and(|all| all.contains(&wanted)))
    };
    let (mut own, mut others): (Vec<ProcessUse>, Vec<ProcessUse>) = all.into_iter().partition(is_named);
    loop {
        let descends = |used: &ProcessUse| own.iter().any(|parent| parent.process == used.parent);
        let (found, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(descends);
        if found.is_empty() {
            return own;
        }
        own.extend(found);
        others = rest;
    }
}

/// Adds up what was used.
struct Meter {
    package: String,
    /// The most processor time that each process was seen to have used.
    own: BTreeMap<u32, Duration>,
    by_clock: Duration,
}

impl Meter {
    fn new(package: &str) -> Self {
        Self { package: package.to_owned(), own: BTreeMap::new(), by_clock: Duration::ZERO }
    }

    fn add(&mut self, processes: &[ProcessUse], by_clock: Duration, bounds: Bounds) -> Option<Excess> {
        for used in processes {
            let most = self.own.entry(used.process).or_default();
            *most = used.processor.max(*most);
        }
        self.by_clock += by_clock;
        let memory: u64 = processes.iter().map(|used| used.memory).sum();
        if memory > bounds.memory {
            return Some(Excess::Memory(bounds.memory));
        }
        let time: Duration = self.own.values().sum();
        (time > bounds.time || self.by_clock > bounds.time * CLOCK_FACTOR).then_some(Excess::Time(bounds.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), memory: 1 << 30 };

    fn used(process: u32, seconds: u64, memory: u64) -> ProcessUse {
        ProcessUse { process, parent: 1, processor: Duration::from_secs(seconds), memory, peak_memory: memory }
    }

    #[test]
    fn the_time_of_compilers_that_have_ended_counts_and_that_of_dependencies_does_not() {
        let mut meter = Meter::new("own");
        assert_eq!(meter.add(&[], Duration::ZERO, BOUNDS), None);
        assert_eq!(meter.add(&[used(7, 6, 0)], Duration::from_secs(6), BOUNDS), None);
        assert_eq!(meter.add(&[used(8, 3, 0)], Duration::from_secs(6), BOUNDS), None);
        assert_eq!(meter.add(&[used(8, 5, 0)], Duration::ZERO, BOUNDS), Some(Excess::Time(BOUNDS.time)));
    }

    #[test]
    fn what_only_waits_is_stopped_by_the_clock() {
        let mut meter = Meter::new("own");
        assert_eq!(meter.add(&[used(7, 0, 0)], BOUNDS.time * CLOCK_FACTOR, BOUNDS), None);
        let later = meter.add(&[used(7, 0, 0)], Duration::from_millis(1), BOUNDS);
        assert_eq!(later, Some(Excess::Time(BOUNDS.time)));
    }

    #[test]
    fn the_memory_of_all_counts_together() {
        let mut meter = Meter::new("own");
        assert_eq!(meter.add(&[used(7, 0, 1 << 29), used(8, 0, 1 << 29)], Duration::ZERO, BOUNDS), None);
        let more = meter.add(&[used(7, 0, 1 << 29), used(8, 0, (1 << 29) + 1)], Duration::ZERO, BOUNDS);
        assert_eq!(more, Some(Excess::Memory(BOUNDS.memory)));
    }

    #[test]
    fn cargo_tells_when_nothing_but_the_own_code_is_left() {
        let own = OwnCode::default();
        for (now, all) in [
            ("serde, own(bin)", false),
            ("own(bin)", true),
            ("own, own(bin)", true),
            ("own-macros", false),
            ("", false),
        ] {
            own.note(now, "own");
            assert_eq!(own.is_all(), all, "{now}");
        }
    }
}
