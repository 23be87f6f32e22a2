//! Time that passes only while we run: a process group that was stopped, or a machine that was suspended, has not used
//! up anybody's time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often the time is looked at.
const STEP: Duration = Duration::from_secs(1);
/// A step that took longer was held up, and counts as long as this.
const LONGEST_STEP: Duration = Duration::from_secs(3);

/// Returns once `limit` is over, pauses of the whole process not counted.
pub(crate) async fn sleep_awake(limit: Duration) {
    let mut left = limit;
    while !left.is_zero() {
        let began = Instant::now();
        sleep(STEP.min(left)).await;
        left = left.saturating_sub(counted(began.elapsed()));
    }
}

/// What counts of a step that took as long as `step`.
pub(crate) fn counted(step: Duration) -> Duration {
    step.min(LONGEST_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_was_held_up_counts_little() {
        assert_eq!(counted(Duration::from_millis(1_200)), Duration::from_millis(1_200));
        assert_eq!(counted(Duration::from_secs(30)), LONGEST_STEP);
    }

    #[tokio::test]
    async fn all_time_counts_while_nothing_stands_still() {
        let began = Instant::now();
        sleep_awake(Duration::from_millis(30)).await;
        assert!(began.elapsed() >= Duration::from_millis(30));
    }
}
