//! How long each statement of the server under test waited for a lock, for the transcript.
//!
//! Postgres tells of a wait while it lasts (`pg_locks.waitstart`), and so the administrator looks while a statement takes
//! long: often at first, then less and less, so that who only computes is not disturbed. A wait that is over before the
//! first look is not seen, and the last look's age is the error of what is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::time::sleep;

/// A statement that takes no longer than this is not looked at.
const FIRST_LOOK: Duration = Duration::from_millis(4);
/// The longest time between two looks.
const SELDOM: Duration = Duration::from_millis(100);

/// The sessions that wait, and for how many microseconds they have. Who reads `pg_locks` holds up everybody who takes a
/// lock meanwhile, and reads the whole table, however empty: it is read only where somebody waits (measured: 0.55 ms
/// against 0.27 ms, of which 0.14 ms are any statement's). Not every administrator is told who waits.
const ASK: &str = "select pid, (extract(epoch from clock_timestamp() - min(waitstart)) * 1000000)::int8 \
                   from pg_locks where not granted and waitstart is not null \
                   and (exists (select from pg_stat_get_activity(null) where wait_event_type = 'Lock') \
                   or not pg_has_role('pg_read_all_stats', 'usage')) group by pid";

/// The waits of one check's connections. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct LockWaits {
    sessions: Arc<Mutex<BTreeMap<u64, Session>>>,
    arrived: Arc<Notify>,
}

/// A connection's session.
#[derive(Debug, Default)]
struct Session {
    /// Its process in Postgres.
    process: Option<i32>,
    /// Since when it is at a statement, if it is.
    busy: Option<Instant>,
    /// How long that statement had waited at the last look, and when this was.
    seen: Option<(Duration, Instant)>,
}

impl LockWaits {
    /// The session of `connection` is this process of Postgres.
    pub fn is_process(&self, connection: u64, process: i32) {
        self.lock().entry(connection).or_default().process = Some(process);
    }

    /// A statement has arrived on `connection`.
    pub fn arrived(&self, connection: u64) {
        self.lock().entry(connection).or_default().busy.get_or_insert_with(Instant::now);
        self.arrived.notify_one();
    }

    /// A statement on `connection` was answered, which had arrived at `since`: how long it waited for a lock.
    pub fn answered(&self, connection: u64, since: Instant) -> Duration {
        let mut sessions = self.lock();
        let session = sessions.entry(connection).or_default();
        session.busy = None;
        let waited = session.seen.take().filter(|(_, seen)| *seen >= since);
        // It went on waiting after the last look, until about now.
        waited.map_or(Duration::ZERO, |(waited, seen)| (waited + seen.elapsed().min(SELDOM)).min(since.elapsed()))
    }

    /// `connection` has ended.
    pub fn ended(&self, connection: u64) {
        self.lock().remove(&connection);
    }

    /// Looks for waits, as the administrator of `pool`, whenever a statement takes long. Never ends.
    pub async fn look(self, pool: PgPool) {
        loop {
            self.arrived.notified().await;
            let mut pause = FIRST_LOOK;
            loop {
                sleep(pause).await;
                let Some(age) = self.oldest() else { break };
                if age < FIRST_LOOK {
                    pause = FIRST_LOOK;
                    continue;
                }
                // As long again as it has taken so far.
                pause = age.clamp(FIRST_LOOK, SELDOM);
                let Ok(waiting) = sqlx::query_as::<_, (i32, i64)>(ASK).fetch_all(&pool).await else { continue };
                self.take(&waiting, Instant::now());
            }
        }
    }

    /// How long the oldest statement that is not answered has taken so far.
    fn oldest(&self) -> Option<Duration> {
        self.lock().values().filter_map(|session| session.busy).min().map(|since| since.elapsed())
    }

    fn take(&self, waiting: &[(i32, i64)], now: Instant) {
        for session in self.lock().values_mut().filter(|session| session.busy.is_some()) {
            let found = waiting.iter().find(|(process, _)| session.process == Some(*process));
            if let Some((_, waited)) = found {
                session.seen = Some((Duration::from_micros(u64::try_from(*waited).unwrap_or_default()), now));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_belongs_to_the_statement_during_which_it_was_seen() {
        let waits = LockWaits::default();
        waits.is_process(1, 4711);
        let since = Instant::now().checked_sub(Duration::from_millis(200)).unwrap();
        waits.arrived(1);
        assert!(waits.oldest().is_some());
        waits.take(&[(4711, 30_000), (4712, 90_000)], Instant::now());
        let waited = waits.answered(1, since);
        assert!(waited >= Duration::from_millis(30) && waited < Duration::from_millis(130), "{waited:?}");
        assert_eq!(waits.oldest(), None);
        let since = Instant::now();
        waits.arrived(1);
        assert_eq!(waits.answered(1, since), Duration::ZERO);
    }
}
