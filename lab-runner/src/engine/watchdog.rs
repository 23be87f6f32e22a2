//! Notices a suite that is alive but at a standstill, long before the time of all its checks together is over: one whose
//! threads are all blocked or stopped says nothing any more, and a check that holds its thread does not end.

use std::collections::BTreeMap;
use std::time::Duration;

use lab_protocol::Event;
use tokio::time::Instant;

use crate::awake;

/// A suite says every two seconds that it is at work. One that was silent for so long is not, however busy the machine is.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// How long after its time a check may take to be told: its servers are ended, and its database asked who is to blame.
const GRACE: Duration = Duration::from_secs(90);

/// What is known of a suite's progress.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// Since when it was silent, if it says regularly that it is at work: one that was built earlier may not.
    silent: Option<Duration>,
    /// How long each check has been running.
    running: BTreeMap<String, Duration>,
    last_look: Instant,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self { silent: None, running: BTreeMap::new(), last_look: Instant::now() }
    }

    /// Takes note of what the suite said.
    pub(super) fn on_event(&mut self, event: &Event) {
        match event {
            Event::Alive => self.silent = Some(Duration::ZERO),
            Event::CheckStarted { id } => {
                self.running.insert(id.clone(), Duration::ZERO);
            }
            Event::CheckPostponed { id } => {
                self.running.remove(id);
            }
            Event::CheckFinished(report) => {
                self.running.remove(&report.id);
            }
            _ => {}
        }
        self.silent = self.silent.map(|_| Duration::ZERO);
    }

    /// Looks at the clock, where `limit` tells how long a check may take. Tells what is at a standstill, if anything is.
    pub(super) fn look(&mut self, limit: impl Fn(&str) -> Duration) -> Option<String> {
        let elapsed = awake::counted(self.last_look.elapsed());
        self.last_look = Instant::now();
        self.pass(elapsed, limit)
    }

    fn pass(&mut self, elapsed: Duration, limit: impl Fn(&str) -> Duration) -> Option<String> {
        // An earlier suite tells neither that it is at work nor that a check is to be asked again.
        let silent = self.silent? + elapsed;
        self.silent = Some(silent);
        self.running.values_mut().for_each(|running| *running += elapsed);
        if silent > LONGEST_SILENCE {
            return Some(format!("the suite has said nothing for {} s and was stopped", LONGEST_SILENCE.as_secs()));
        }
        let hung = self.running.iter().find(|(id, running)| **running > limit(id) + GRACE)?.0;
        Some(format!("the check `{hung}` did not end although its time was over, and the suite was stopped"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(_: &str) -> Duration {
        Duration::from_secs(20)
    }

    #[test]
    fn a_suite_that_falls_silent_is_noticed_and_one_that_never_spoke_is_not() {
        let mut old = Watchdog::new();
        assert_eq!(old.pass(LONGEST_SILENCE * 2, limit), None);
        let mut watchdog = Watchdog::new();
        watchdog.on_event(&Event::Alive);
        assert_eq!(watchdog.pass(LONGEST_SILENCE, limit), None);
        watchdog.on_event(&Event::SuiteFinished);
        assert_eq!(watchdog.pass(LONGEST_SILENCE, limit), None);
        assert!(watchdog.pass(SECOND, limit).unwrap().contains("said nothing for 60 s"));
    }

    #[test]
    fn a_check_that_does_not_end_is_named_and_one_that_waits_to_be_asked_again_is_not() {
        let mut watchdog = Watchdog::new();
        watchdog.on_event(&Event::CheckStarted { id: "echoes".into() });
        watchdog.on_event(&Event::CheckPostponed { id: "echoes".into() });
        watchdog.on_event(&Event::CheckStarted { id: "greets".into() });
        for _ in 0..110 {
            watchdog.on_event(&Event::Alive);
            assert_eq!(watchdog.pass(SECOND, limit), None);
        }
        assert!(watchdog.pass(SECOND, limit).unwrap().starts_with("the check `greets` did not end"));
    }
}
