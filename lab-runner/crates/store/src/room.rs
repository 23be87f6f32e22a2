//! How much a check may send to the store, and whether the store has said that it keeps no more.
//!
//! All buckets of a run lie in one store, which has a bound of its own. One check may fill a small part of that by what it
//! sends. It can fill all of it by copies that the store makes: then the store answers 500 to everybody, and whoever met
//! that is asked again, alone (`lab_check::service::Tenant::shortage`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lab_proxy::{Counted, Output, Protocol, Session};

/// How many bytes each of a check's two ways passes on: many times what a lab's checks send.
pub(super) const MOST: u64 = 256 << 20;

/// What is said of a store that keeps no more.
pub(super) const FULL: &str = "the object store keeps no more: it answered 500 to what was to be written";

/// Whether the store has answered 500, to whomever it was. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused(Arc<AtomicBool>);

impl Refused {
    /// The store has answered `status`.
    pub fn answered(&self, status: u16) {
        if status == 500 {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// What it is short of, if it is.
    pub fn shortage(&self) -> Option<String> {
        self.0.load(Ordering::Relaxed).then(|| FULL.to_owned())
    }
}

/// The protocol of one way: everything is passed on and counted, up to [`MOST`], and answers of 500 are noticed.
pub(super) struct Watched {
    pub passed: Counted,
    pub refused: Refused,
}

impl Protocol for Watched {
    fn session(&self) -> Box<dyn Session> {
        Box::new(WatchedSession { passed: self.passed.session(), refused: self.refused.clone() })
    }

    fn unreachable(&self, reason: &str) {
        Protocol::unreachable(&self.passed, reason);
    }
}

struct WatchedSession {
    passed: Box<dyn Session>,
    refused: Refused,
}

impl Session for WatchedSession {
    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        self.passed.client(bytes, output);
    }

    /// The store writes an answer's head at once, so that it begins what is read. What an object holds may look the same: then
    /// the check is asked once more than it needs to be.
    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        if bytes.starts_with(b"HTTP/1.1 500 ") {
            self.refused.answered(500);
        }
        self.passed.server(bytes, output);
    }
}
