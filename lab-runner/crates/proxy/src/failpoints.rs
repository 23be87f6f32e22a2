//! Faults that wait for a certain statement or command.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When a failpoint triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the statement reaches the service.
    Arrival,
    /// Before its answer reaches the client.
    Answer,
}

/// A fault that waits for a statement or command; it happens once.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let failpoint = lab.postgres().await?.proxy().lose_answer_to("commit");
/// expect_that(failpoint.was_triggered(), "the order was never committed")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Failpoint {
    triggered: Arc<AtomicBool>,
}

impl Failpoint {
    /// Whether the statement came and the fault has happened.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let failpoint = lab.postgres().await?.proxy().cut_at("update customers");
    /// assert!(!failpoint.was_triggered());
    /// # Ok(()) }
    /// ```
    pub fn was_triggered(&self) -> bool {
        self.triggered.load(Ordering::SeqCst)
    }
}

/// The failpoints of one proxy. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Failpoints {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Read without a lock: nearly every statement passes while nothing is armed.
    armed: AtomicUsize,
    failpoints: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    text: String,
    moment: Moment,
    triggered: Arc<AtomicBool>,
}

impl Failpoints {
    /// Waits for a statement that holds `text`, whatever its letter case and white space.
    pub fn arm(&self, text: &str, moment: Moment) -> Failpoint {
        let triggered = Arc::new(AtomicBool::new(false));
        let mut failpoints = self.lock();
        failpoints.push(Armed { text: normalised(text), moment, triggered: Arc::clone(&triggered) });
        self.inner.armed.store(failpoints.len(), Ordering::SeqCst);
        Failpoint { triggered }
    }

    pub(super) fn is_armed(&self) -> bool {
        self.inner.armed.load(Ordering::SeqCst) > 0
    }

    pub(super) fn disarm(&self) {
        self.lock().clear();
        self.inner.armed.store(0, Ordering::SeqCst);
    }

    /// Whether `statement` meets a failpoint at `moment`. The failpoint is used up.
    pub fn trigger(&self, statement: &str, moment: Moment) -> bool {
        if self.inner.armed.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let statement = normalised(statement);
        let mut failpoints = self.lock();
        let Some(found) =
            failpoints.iter().position(|failpoint| failpoint.moment == moment && statement.contains(&failpoint.text))
        else {
            return false;
        };
        failpoints.remove(found).triggered.store(true, Ordering::SeqCst);
        self.inner.armed.store(failpoints.len(), Ordering::SeqCst);
        true
    }

    /// Whether `statement` is to be cut off before it arrives.
    pub fn at_arrival(&self, statement: &str) -> bool {
        self.trigger(statement, Moment::Arrival)
    }

    /// Whether the answer to `statement` is to be lost.
    pub fn at_answer(&self, statement: &str) -> bool {
        self.trigger(statement, Moment::Answer)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.inner.failpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lower case, with each run of white space as one blank.
fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failpoint_triggers_once_whatever_the_letter_case_and_the_line_breaks() {
        let failpoints = Failpoints::default();
        let failpoint = failpoints.arm("Insert  INTO orders", Moment::Arrival);
        assert!(!failpoints.at_arrival("select 1"));
        assert!(!failpoints.at_answer("insert into orders"));
        assert!(!failpoint.was_triggered());
        assert!(failpoints.at_arrival("INSERT\n   INTO orders (id) VALUES ($1)"));
        assert!(failpoint.was_triggered());
        assert!(!failpoints.at_arrival("insert into orders"));
    }
}
