//! A protocol that forwards every byte and counts it, for services of which a driver asks no more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::protocol::{Output, Protocol, Session};

/// What has passed a proxy, and whether its service could be reached. Clones share it.
///
/// ```
/// # fn example(transcript: lab_check::transcript::Transcript) -> std::io::Result<()> {
/// use std::sync::Arc;
/// use lab_proxy::{Counted, Failpoints, Proxy, Upstream};
///
/// let counted = Counted::default();
/// let upstream = Upstream::Tcp("127.0.0.1".into(), 9000);
/// let proxy = Proxy::start("the mail", upstream, Arc::new(counted.clone()), Failpoints::default(), transcript)?;
/// assert_eq!(counted.sent() + counted.received(), 0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Counted(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    sent: AtomicU64,
    /// How many bytes clients may send.
    most: u64,
    received: AtomicU64,
    unreachable: Mutex<Option<String>>,
}

impl Default for Counted {
    fn default() -> Self {
        Self::at_most(u64::MAX)
    }
}

impl Counted {
    /// Passes on so many bytes of clients and no more: whoever sends more is cut off, and so is everybody who sends
    /// anything from then on. A service that keeps what it is sent has a bound by it, whosever it is.
    #[must_use]
    pub fn at_most(bytes: u64) -> Self {
        let counts =
            Counts { sent: AtomicU64::new(0), most: bytes, received: AtomicU64::new(0), unreachable: Mutex::default() };
        Self(Arc::new(counts))
    }

    /// Whether clients have sent more than is passed on.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.sent() > self.0.most
    }

    /// How many bytes clients have sent to the service so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// How many bytes the service has sent to its clients so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    /// Why the service could not be reached, if it ever could not.
    #[must_use]
    pub fn unreachable(&self) -> Option<String> {
        self.0.unreachable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Protocol for Counted {
    fn session(&self) -> Box<dyn Session> {
        Box::new(self.clone())
    }

    fn unreachable(&self, reason: &str) {
        let mut kept = self.0.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert_with(|| format!("the service could not be reached: {reason}"));
    }
}

impl Session for Counted {
    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        self.0.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if self.is_exceeded() {
            output.end = true;
        } else {
            output.to_server.extend_from_slice(bytes);
        }
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        self.0.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        output.to_client.extend_from_slice(bytes);
    }
}
