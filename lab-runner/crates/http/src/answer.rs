//! Waiting for one answer on a connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::head::Head;
use super::reader::{Reader, Whole};
use super::response::{Parts, Response};
use super::timeout::Timeout;
use super::wire::{Step, Wire};
use lab_check::{CheckResult, Failure};

/// More interim answers than any server sends before the answer proper.
const MOST_INTERIM: usize = 32;

/// How much of what comes behind an answer is kept with it, in bytes: enough to recognise the rest of its body.
const MOST_BEHIND: usize = 256;

/// What a reset costs a server's own answer, and how to avoid it.
const RESET: &str = "if a server closes a socket that still holds unread bytes, the system resets the \
     connection, and the reset may destroy a response on its way; read the request to its end first, or close only the \
     sending side and keep reading for a while (RFC 9112 §9.6)";

impl Wire {
    /// The next answer to `method`, interim or final.
    pub async fn answer(&mut self, method: &str, timeout: Timeout) -> CheckResult<Response> {
        let mut reader = Reader::new(method);
        let mut head_at = None;
        loop {
            let read = reader.advance(&self.incoming, self.ended);
            if reader.has_head() && head_at.is_none() {
                head_at = Some(self.last_read);
            }
            match read {
                Ok(Some(whole)) => return Ok(self.response(whole, head_at)),
                Ok(None) => {}
                Err(wrong) => return Err(self.malformed(wrong, reader.has_head())),
            }
            if self.ended {
                return Err(self.cut_off(&reader));
            }
            if self.step(timeout.until).await == Step::TimeOver {
                return Err(self.too_late(&reader, timeout));
            }
        }
    }

    /// The next final answer to `method`. Interim answers before it stand in the transcript only.
    pub async fn final_answer(&mut self, method: &str, timeout: Timeout) -> CheckResult<Response> {
        for _ in 0..MOST_INTERIM {
            let response = self.answer(method, timeout).await?;
            if !response.is_interim() {
                self.answers += 1;
                return Ok(response);
            }
        }
        Err(self.failure(format!("the server sent {MOST_INTERIM} interim (1xx) responses and no final one")))
    }

    /// Lets a moment pass and reads what comes in it.
    pub async fn look_for(&mut self, moment: Duration) {
        let until = Instant::now() + moment;
        while self.step(until).await == Step::Moved {}
    }

    /// Looks a moment longer, so that bytes right behind an answer are seen.
    pub async fn look_behind(&mut self, moment: Duration) -> Bytes {
        let until = Instant::now() + moment;
        while !self.ended && self.incoming.is_empty() && self.step(until).await == Step::Moved {}
        let length = self.incoming.len();
        self.take(length)
    }

    fn response(&mut self, whole: Whole, head_at: Option<Instant>) -> Response {
        let raw = self.take(whole.length);
        let behind = Bytes::copy_from_slice(&self.incoming[..self.incoming.len().min(MOST_BEHIND)]);
        let body = whole.decoded.unwrap_or_else(|| raw.slice(whole.head.length..));
        let elapsed = head_at.unwrap_or(self.last_read).saturating_duration_since(self.last_write);
        let origin = Arc::new(self.origin.clone());
        Response::new(Parts {
            head: whole.head,
            body,
            trailers: whole.trailers,
            raw,
            extra: Bytes::new(),
            behind,
            elapsed,
            origin,
        })
    }

    /// An answer of which only the head was read.
    pub fn head_alone(&mut self, head: Head) -> Response {
        let (length, now) = (head.length, self.last_read);
        let whole = Whole { head, decoded: Some(Bytes::new()), trailers: Vec::new(), length };
        self.response(whole, Some(now))
    }

    /// What is no answer. Where one came before it, it may be the rest of that one.
    fn malformed(&mut self, wrong: String, has_head: bool) -> Failure {
        let begins_as_one = self.incoming.starts_with(b"HTTP/");
        if self.answers == 0 || has_head || begins_as_one {
            return self.recorded_failure(wrong);
        }
        self.recorded_failure(format!(
            "{wrong}; the response before it on this connection was complete, so that one's body may have been longer than \
             its Content-Length, or should not have been there at all"
        ))
    }

    /// The learner's failure, once all that came is in the transcript.
    pub fn recorded_failure(&mut self, wrong: String) -> Failure {
        self.record();
        self.failure(wrong)
    }

    /// Why no whole answer came, now that the connection is over.
    pub fn cut_off(&mut self, reader: &Reader) -> Failure {
        self.record();
        let mut message = reader.cut_off(&self.incoming, self.reset);
        match self.answers {
            0 => {}
            1 => message.push_str(" (after one response on it)"),
            many => message.push_str(&format!(" (after {many} responses on it)")),
        }
        let failure = self.failure(message);
        if self.reset { failure.because(RESET) } else { failure }
    }

    /// Why no whole answer came in time.
    pub fn too_late(&mut self, reader: &Reader, timeout: Timeout) -> Failure {
        self.record();
        let mut message = reader.too_late(&self.incoming, timeout);
        if self.waiting() > 0 {
            message.push_str("; nor has the server read the whole request");
        }
        self.failure(message).by_time()
    }
}
