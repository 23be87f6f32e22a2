//! What a server asked of a service while a check ran: recorded by the service's driver, counted and shown by the check.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::failure::{CheckResult, Failure};
use crate::transcript::{Exchange, Mark as TimelineMark, Transcript};

/// No check needs more, and a server that never stops asking must not fill our memory. What comes after is counted.
const MOST: usize = 200_000;
/// The same for the bytes of their texts.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How many different ones a failure lists.
const MOST_LISTED: usize = 12;
/// How much of one it shows, in bytes.
const MOST_SHOWN: usize = 160;

/// One thing that a server asked of a service, as the service's driver keeps it.
pub trait Recordable: Clone + std::fmt::Debug {
    /// The service's name in a sentence, such as `Postgres`.
    const SERVICE: &'static str;
    /// What one is called, such as `SQL statement`; with an `s`, several are.
    const NOUN: &'static str;

    /// Whether it counts: it asks for data or changes some, and is not a matter of its connection alone.
    fn counts(&self) -> bool;

    /// Its text.
    fn text(&self) -> String;
}

/// What was asked, in the order of arrival.
///
/// ```
/// use lab_check::CheckResult;
/// use lab_check::exchanges::{Exchanges, Recordable};
///
/// fn example<T: Recordable>(seen: &Exchanges<T>) -> CheckResult {
///     seen.expect_at_most(3, "a list does not need a query for each of its rows")
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Exchanges<T> {
    kept: Vec<T>,
    /// How many more there were, of which nothing is kept. They are taken to count.
    unkept: usize,
}

impl<T> Default for Exchanges<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), unkept: 0 }
    }
}

impl<T> Deref for Exchanges<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.kept
    }
}

impl<T> FromIterator<T> for Exchanges<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { kept: items.into_iter().collect(), unkept: 0 }
    }
}

impl<T: Recordable> Exchanges<T> {
    /// Those that count: see [`Recordable::counts`].
    #[must_use]
    pub fn counted(&self) -> Self {
        Self { kept: self.kept.iter().filter(|one| one.counts()).cloned().collect(), unkept: self.unkept }
    }

    /// Expects exactly `count` that count, because of `why`.
    ///
    /// # Errors
    /// The learner's failure, with those that were seen.
    pub fn expect(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count("", count, why, |seen| seen == count)
    }

    /// Expects no more than `count` that count, because of `why`.
    ///
    /// # Errors
    /// The learner's failure, with those that were seen.
    pub fn expect_at_most(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count("at most ", count, why, |seen| seen <= count)
    }

    /// Expects `count` that count, or more, because of `why`.
    ///
    /// # Errors
    /// The learner's failure, with those that were seen.
    pub fn expect_at_least(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count("at least ", count, why, |seen| seen >= count)
    }

    fn expect_count(&self, bound: &str, count: usize, why: &str, holds: impl FnOnce(usize) -> bool) -> CheckResult {
        let seen = self.counted();
        let number = seen.len() + seen.unkept;
        if holds(number) {
            return Ok(());
        }
        Err(Failure::learner(format!("{} reached {}", number_of::<T>(number), T::SERVICE))
            .expected(format!("{bound}{} to reach {}", number_of::<T>(count), T::SERVICE))
            .actual(seen.listed())
            .because(why))
    }

    /// Every different text with how often it came, in the order of arrival.
    fn listed(&self) -> String {
        let mut lines: Vec<(String, usize)> = Vec::new();
        for one in &self.kept {
            let text = on_one_line(&one.text());
            match lines.iter_mut().find(|(known, _)| *known == text) {
                Some((_, times)) => *times += 1,
                None => lines.push((text, 1)),
            }
        }
        let mut list = number_of::<T>(self.len() + self.unkept);
        for (text, times) in lines.iter().take(MOST_LISTED) {
            let times = if *times > 1 { format!("{times} × ") } else { String::new() };
            list.push_str(&format!("\n  {times}{text}"));
        }
        if lines.len() > MOST_LISTED {
            list.push_str(&format!("\n  and {} more", lines.len() - MOST_LISTED));
        }
        if self.unkept > 0 {
            list.push_str(&format!("\n  and {} of which only the number was kept", self.unkept));
        }
        list
    }
}

fn number_of<T: Recordable>(count: usize) -> String {
    match count {
        0 => format!("no {}", T::NOUN),
        1 => format!("1 {}", T::NOUN),
        _ => format!("{count} {}s", T::NOUN),
    }
}

fn on_one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= MOST_SHOWN {
        return line;
    }
    format!("{}…", &line[..line.floor_char_boundary(MOST_SHOWN)])
}

/// The record of one check's exchanges with one service, filled by its connections and read by the check. Clones share it.
#[derive(Debug)]
pub struct ExchangeLog<T> {
    entries: Arc<Mutex<Entries<T>>>,
    transcript: Transcript,
    /// How many connections there were.
    connections: Arc<AtomicU64>,
    /// The connection that this clone records.
    connection: Option<u64>,
}

/// A place in the log: from it on, what was asked is given. Of one that was kept, its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    kept: usize,
    unkept: usize,
}

/// One that the log holds, or has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryId(Option<usize>);

#[derive(Debug)]
struct Entries<T> {
    /// None for those that were taken out again.
    kept: Vec<Option<T>>,
    bytes: usize,
    /// How many there was no room for.
    unkept: usize,
    service_error: Option<String>,
    shortage: Option<String>,
}

impl<T> Clone for ExchangeLog<T> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            transcript: self.transcript.clone(),
            connections: self.connections.clone(),
            connection: self.connection,
        }
    }
}

impl<T: Recordable> ExchangeLog<T> {
    /// An empty log, whose exchanges stand in `transcript` too.
    pub fn new(transcript: Transcript) -> Self {
        let entries = Entries { kept: Vec::new(), bytes: 0, unkept: 0, service_error: None, shortage: None };
        Self { entries: Arc::new(Mutex::new(entries)), transcript, connections: Arc::default(), connection: None }
    }

    /// The same log for a new connection.
    #[must_use]
    pub fn of_a_connection(&self) -> Self {
        Self { connection: Some(self.connections.fetch_add(1, Ordering::Relaxed) + 1), ..self.clone() }
    }

    /// The number of the connection that this clone records, if it records one.
    pub fn connection(&self) -> Option<u64> {
        self.connection
    }

    /// Keeps `one`, whose texts have `bytes` bytes; what there is no room for is only counted.
    pub fn keep(&self, one: T, bytes: usize) -> EntryId {
        let mut entries = self.lock();
        if entries.kept.len() < MOST && entries.bytes + bytes <= MOST_BYTES {
            entries.bytes += bytes;
            entries.kept.push(Some(one));
            return EntryId(Some(entries.kept.len() - 1));
        }
        entries.unkept += 1;
        if entries.unkept == 1 {
            let (service, noun) = (T::SERVICE, T::NOUN);
            self.transcript
                .note(format!("{service}: there are more {noun}s than can be kept; the rest is only counted"));
        }
        EntryId(None)
    }

    /// Changes the one that was kept as `id`, if it was, and gives what `change` gives.
    pub fn change<R>(&self, id: EntryId, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut entries = self.lock();
        entries.kept.get_mut(id.0?)?.as_mut().map(change)
    }

    /// Takes the one that was kept as `id` out again: the service did not run it.
    pub fn take_out(&self, id: EntryId) {
        let mut entries = self.lock();
        if let Some(kept) = id.0.and_then(|index| entries.kept.get_mut(index)) {
            *kept = None;
        }
    }

    /// Has the transcript tell of an exchange on this clone's connection.
    pub fn record(&self, exchange: Exchange) {
        let (service, connection) = (T::SERVICE.to_owned(), self.connection);
        self.transcript.exchanged(Exchange { service, connection, ..exchange });
    }

    /// A failpoint has cut the connection.
    pub fn cut(&self) {
        let service = T::SERVICE.to_owned();
        self.transcript
            .mark(format!("{service}: the connection was cut here by the check"), TimelineMark::Cut { service });
    }

    /// A line for the transcript.
    pub fn note(&self, text: impl Into<String>) {
        self.transcript.note(text);
    }

    /// The place after the last so far.
    pub fn mark(&self) -> Mark {
        let entries = self.lock();
        Mark { kept: entries.kept.len(), unkept: entries.unkept }
    }

    /// What arrived after `mark`.
    pub fn since(&self, mark: Mark) -> Exchanges<T> {
        let entries = self.lock();
        let kept = entries.kept.iter().skip(mark.kept).flatten().cloned().collect();
        Exchanges { kept, unkept: entries.unkept - mark.unkept }
    }

    /// All of them.
    pub fn all(&self) -> Exchanges<T> {
        self.since(Mark { kept: 0, unkept: 0 })
    }

    /// The service failed, or its connection did: not by what was asked. The first cause is kept.
    pub fn service_failed(&self, what: String) {
        self.lock().service_error.get_or_insert(what);
    }

    /// Why the service failed, if it did.
    pub fn service_error(&self) -> Option<String> {
        self.lock().service_error.clone()
    }

    /// Something was used up that others use too. The first is kept.
    pub fn ran_short(&self, what: String) {
        self.lock().shortage.get_or_insert(what);
    }

    /// What was used up, if anything was.
    pub fn shortage(&self) -> Option<String> {
        self.lock().shortage.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone)]
    struct Question(String);

    impl Recordable for Question {
        const SERVICE: &'static str = "Oracle";
        const NOUN: &'static str = "question";

        fn counts(&self) -> bool {
            self.0 != "hello"
        }

        fn text(&self) -> String {
            self.0.clone()
        }
    }

    fn asked(texts: &[&str]) -> Exchanges<Question> {
        texts.iter().map(|text| Question((*text).into())).collect()
    }

    #[test]
    fn only_what_counts_is_counted() {
        let seen = asked(&["hello", "who am I?"]);
        assert!(
            seen.expect(1, "").is_ok() && seen.expect_at_most(1, "").is_ok() && seen.expect_at_least(1, "").is_ok()
        );
        assert!(
            seen.expect(2, "").is_err() && seen.expect_at_most(0, "").is_err() && seen.expect_at_least(2, "").is_err()
        );
    }

    #[test]
    fn a_failed_expectation_lists_each_text_with_how_often_it_came() {
        let seen = asked(&["who\n  am I?", "what now?", "what now?"]);
        let Err(Failure::Learner(explanation)) = seen.expect_at_most(1, "one question is enough") else { panic!() };
        assert_eq!(explanation.message, "3 questions reached Oracle");
        assert_eq!(explanation.expected.unwrap(), "at most 1 question to reach Oracle");
        assert_eq!(explanation.actual.unwrap(), "3 questions\n  who am I?\n  2 × what now?");
        assert_eq!(explanation.because.unwrap(), "one question is enough");
    }

    #[test]
    fn what_there_is_no_room_for_is_counted_all_the_same() {
        let log = ExchangeLog::new(Transcript::default());
        let fill = |times: usize, bytes| {
            for _ in 0..times {
                log.keep(Question("who am I?".into()), bytes);
            }
        };
        fill(10, MOST_BYTES / 4);
        let mark = log.mark();
        fill(5, MOST_BYTES / 4);
        assert!(log.since(mark).expect(5, "").is_ok() && log.all().expect(15, "").is_ok());
        assert!(log.all().expect_at_most(14, "").is_err());
        let log = ExchangeLog::new(Transcript::default());
        for _ in 0..MOST + 10 {
            log.keep(Question("who am I?".into()), 9);
        }
        assert!(log.all().expect(MOST + 10, "").is_ok());
    }

    #[test]
    fn what_was_not_run_is_no_part_of_the_record() {
        let log = ExchangeLog::new(Transcript::default());
        let (first, second) = (log.keep(Question("a".into()), 1), log.keep(Question("b".into()), 1));
        let mark = log.mark();
        log.take_out(first);
        assert_eq!(log.change(second, |one| one.0.push('!')), Some(()));
        assert_eq!(log.change(first, |one| one.0.push('!')), None);
        assert_eq!(log.all().iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["b!"]);
        log.keep(Question("c".into()), 1);
        assert_eq!(log.since(mark).len(), 1);
    }
}
