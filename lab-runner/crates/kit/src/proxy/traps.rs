//! Faults that wait for a certain statement or command.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When a trap closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the statement reaches the service.
    Arrival,
    /// Before its answer reaches the client.
    Answer,
}

/// A fault that waits for a statement or command; it happens once.
///
/// ```
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let trap = lab.postgres().await?.proxy().lose_answer_to("commit");
/// expect_that(trap.has_sprung(), "the order was never committed")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Trap {
    sprung: Arc<AtomicBool>,
}

impl Trap {
    /// Whether the statement came and the fault has happened.
    ///
    /// ```
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let trap = lab.postgres().await?.proxy().cut_at("update customers");
    /// assert!(!trap.has_sprung());
    /// # Ok(()) }
    /// ```
    pub fn has_sprung(&self) -> bool {
        self.sprung.load(Ordering::SeqCst)
    }
}

/// The traps of one proxy. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traps {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Read without a lock: nearly every statement passes while nothing is armed.
    armed: AtomicUsize,
    traps: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    text: String,
    moment: Moment,
    sprung: Arc<AtomicBool>,
}

impl Traps {
    pub(crate) fn arm(&self, text: &str, moment: Moment) -> Trap {
        let sprung = Arc::new(AtomicBool::new(false));
        let mut traps = self.lock();
        traps.push(Armed { text: normalised(text), moment, sprung: Arc::clone(&sprung) });
        self.inner.armed.store(traps.len(), Ordering::SeqCst);
        Trap { sprung }
    }

    pub(super) fn disarm(&self) {
        self.lock().clear();
        self.inner.armed.store(0, Ordering::SeqCst);
    }

    /// Whether `statement` meets a trap at `moment`. The trap is used up.
    pub(crate) fn spring(&self, statement: &str, moment: Moment) -> bool {
        if self.inner.armed.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let statement = normalised(statement);
        let mut traps = self.lock();
        let Some(found) = traps.iter().position(|trap| trap.moment == moment && statement.contains(&trap.text)) else {
            return false;
        };
        traps.remove(found).sprung.store(true, Ordering::SeqCst);
        self.inner.armed.store(traps.len(), Ordering::SeqCst);
        true
    }

    /// Whether `statement` is to be cut off before it arrives.
    pub(crate) fn at_arrival(&self, statement: &str) -> bool {
        self.spring(statement, Moment::Arrival)
    }

    /// Whether the answer to `statement` is to be lost.
    pub(crate) fn at_answer(&self, statement: &str) -> bool {
        self.spring(statement, Moment::Answer)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.inner.traps.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn a_trap_springs_once_whatever_the_letter_case_and_the_line_breaks() {
        let traps = Traps::default();
        let trap = traps.arm("Insert  INTO orders", Moment::Arrival);
        assert!(!traps.at_arrival("select 1"));
        assert!(!traps.at_answer("insert into orders"));
        assert!(!trap.has_sprung());
        assert!(traps.at_arrival("INSERT\n   INTO orders (id) VALUES ($1)"));
        assert!(trap.has_sprung());
        assert!(!traps.at_arrival("insert into orders"));
    }
}
