//! How long something may take, and the words for it.

use std::time::Duration;

use tokio::time::Instant;

use super::text::duration;

/// How long an answer may take unless a check says otherwise: far above what any lab's server needs on a busy
/// machine, far below what a learner would wait for.
pub(super) const DEFAULT: Duration = Duration::from_secs(10);

/// A limit that began to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeout {
    /// The whole limit.
    pub limit: Duration,
    /// When it is over.
    pub until: Instant,
}

impl Timeout {
    /// A limit that begins now.
    pub fn new(limit: Duration) -> Self {
        let now = Instant::now();
        // A limit beyond what the clock can hold is as good as a day.
        let until = now.checked_add(limit).unwrap_or(now + Duration::from_secs(86_400));
        Self { limit, until }
    }
}

impl std::fmt::Display for Timeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&duration(self.limit))
    }
}
