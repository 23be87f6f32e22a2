//! Which threads of a program work, as far as one look after another tells.

use std::collections::HashMap;

use lab_process::ThreadUse;

/// What the last look has shown of each thread.
#[derive(Debug, Default)]
pub(super) struct ThreadWatch {
    last: HashMap<u32, Seen>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    waits: u64,
    interruptions: u64,
    /// Whether a processor was taken from it when it had one last, and it has gone on with nothing else since.
    interrupted: bool,
}

impl ThreadWatch {
    /// How many of `threads` work: they have a processor, or had one until it was taken from them.
    pub fn working(&mut self, threads: &[ThreadUse]) -> usize {
        let last = std::mem::take(&mut self.last);
        let mut working = 0;
        for thread in threads {
            let before = last.get(&thread.thread).copied().unwrap_or_default();
            let waits = thread.waits.saturating_sub(before.waits);
            let interruptions = thread.interruptions.saturating_sub(before.interruptions);
            let interrupted = match (waits, interruptions) {
                (0, 0) => before.interrupted,
                // Which of them was the last is not told: the one that is more frequent, probably.
                _ => interruptions >= waits,
            };
            working += usize::from(thread.runnable && (interrupted || thread.running.unwrap_or(true)));
            let seen = Seen { waits: thread.waits, interruptions: thread.interruptions, interrupted };
            self.last.insert(thread.thread, seen);
        }
        working
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(runnable: bool, running: bool, waits: u64, interruptions: u64) -> ThreadUse {
        ThreadUse { thread: 7, runnable, running: Some(running), waits, interruptions }
    }

    #[test]
    fn who_was_interrupted_works_and_who_was_woken_does_not_yet() {
        let mut watch = ThreadWatch::default();
        let looks = [
            (thread(true, true, 0, 0), 1, "it runs"),
            (thread(true, false, 0, 1), 1, "it was interrupted"),
            (thread(true, false, 0, 1), 1, "and still is"),
            (thread(false, false, 1, 1), 0, "it waits for something"),
            (thread(true, false, 1, 1), 0, "it was woken"),
            (thread(true, true, 1, 1), 1, "and runs"),
            (thread(true, false, 4, 2), 0, "it was woken again and again"),
        ];
        for (thread, working, what) in looks {
            assert_eq!(watch.working(&[thread]), working, "{what}");
        }
    }

    #[test]
    fn where_nobody_tells_who_has_a_processor_whoever_could_run_counts() {
        let thread = ThreadUse { running: None, ..thread(true, false, 1, 0) };
        assert_eq!(ThreadWatch::default().working(&[thread]), 1);
    }
}
