//! One TCP connection, read and written at the same time.
//!
//! A server may answer, and close, before it has read everything (RFC 9112 §9.6). So nothing here writes without
//! reading: what goes out waits in one buffer, what comes in gathers in another, and every step moves whichever can.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::os::fd::AsFd as _;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::connect::connect_with_retry;
use super::origin::Origin;
use super::text::duration;
use super::timeout::Timeout;
use lab_check::transcript::Mark;
use lab_check::{CheckResult, Failure, RecordedStream};

/// How much is read at once, in bytes.
const READ_SIZE: usize = 16 * 1024;
/// How much may gather unused, in bytes: more than any answer may take on the wire.
const MOST_GATHERED: usize = 64 * 1024 * 1024;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes moved, or the connection changed.
    Moved,
    /// The server can say nothing more, and nothing is left to send.
    Over,
    /// The time is over.
    TimeOver,
}

/// A connection to the server under test.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    number: u64,
    /// What was sent here, and to whom.
    pub origin: Origin,
    /// What came and has not been used yet.
    pub incoming: BytesMut,
    outgoing: BytesMut,
    /// What came and is not in the transcript yet: a message is recorded whole, not read by read.
    unrecorded: Vec<u8>,
    /// Whether the server can send no more.
    pub ended: bool,
    /// Whether the connection ended in a reset.
    pub reset: bool,
    /// What was taken from it last.
    pub taken: Bytes,
    /// How many final answers were taken from it.
    pub answers: usize,
    /// When the last byte was handed to the system.
    pub last_write: Instant,
    /// When the last byte came from it.
    pub last_read: Instant,
}

impl Wire {
    /// Connects, from `source` if one is named.
    pub async fn connect(origin: Origin, source: Option<IpAddr>, timeout: Timeout) -> CheckResult<Self> {
        let address = origin.peer.address;
        let gone = || format!("nothing listens on {address}: is the server still running?");
        let stream = match connect_with_retry(&origin.peer.network, source, address, timeout.until).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return Err(match error.kind() {
                    ErrorKind::ConnectionRefused => origin.failure(gone(), b""),
                    ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
                        origin.failure("the server reset the connection while it was being established", b"")
                    }
                    ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                        origin.failure(format!("the server at {address} is unreachable: {error}"), b"")
                    }
                    _ => Failure::ours("connecting to the server under test", &error),
                });
            }
            Err(_) => {
                let message =
                    format!("the server accepted no connection within {timeout}: does it still call accept()?");
                return Err(origin.failure(message, b"").by_time());
            }
        };
        // On Linux a connection to a free port of one's own machine can meet itself.
        if stream.local_addr().is_ok_and(|own| own == address) {
            return Err(origin.failure(gone(), b""));
        }
        // Pieces must leave as they are written. If the system will not have it, they still leave.
        let _ = stream.set_nodelay(true);
        let number = origin.peer.transcript.next_connection();
        let now = Instant::now();
        Ok(Self {
            stream,
            number,
            origin,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            unrecorded: Vec::new(),
            ended: false,
            reset: false,
            taken: Bytes::new(),
            answers: 0,
            last_write: now,
            last_read: now,
        })
    }

    /// Puts bytes in line to be sent and records them.
    pub fn queue(&mut self, bytes: Bytes) {
        self.record();
        self.origin.peer.transcript.sent_to(self.origin.peer.address.port(), self.number, &bytes);
        self.outgoing.extend_from_slice(&bytes);
        self.origin.sent.push(bytes);
    }

    /// The same for a part of what was recorded already.
    pub fn queue_unrecorded(&mut self, bytes: &[u8]) {
        self.outgoing.extend_from_slice(bytes);
    }

    /// Records bytes that are about to be sent in parts.
    pub fn record_sent(&mut self, bytes: &[u8]) {
        self.record();
        self.origin.peer.transcript.sent_to(self.origin.peer.address.port(), self.number, bytes);
    }

    /// How many bytes wait to be sent.
    pub fn waiting(&self) -> usize {
        self.outgoing.len()
    }

    /// Waits for the socket and moves what can be moved.
    pub async fn step(&mut self, until: Instant) -> Step {
        loop {
            let interest = match (self.ended, self.outgoing.is_empty()) {
                (false, true) => Interest::READABLE,
                (false, false) => Interest::READABLE | Interest::WRITABLE,
                (true, false) => Interest::WRITABLE,
                (true, true) => return Step::Over,
            };
            // A server that never pauses must not outrun the clock.
            if Instant::now() >= until {
                return Step::TimeOver;
            }
            let Ok(ready) = timeout_at(until, self.stream.ready(interest)).await else { return Step::TimeOver };
            let read = !self.ended && self.read();
            let written = !self.outgoing.is_empty() && self.write();
            if let Err(error) = ready {
                self.break_off(&error);
                return Step::Moved;
            }
            if read || written {
                return Step::Moved;
            }
        }
    }

    /// Reads once; `false` if there was nothing to read.
    fn read(&mut self) -> bool {
        if self.incoming.len() > MOST_GATHERED {
            self.end("is no longer read: more than 64 MiB came");
            return true;
        }
        self.incoming.reserve(READ_SIZE);
        let before = self.incoming.len();
        match self.stream.try_read_buf(&mut self.incoming) {
            Ok(0) => self.end(if self.reset { "is gone" } else { "was closed by the server" }),
            Ok(_) => {
                self.last_read = Instant::now();
                self.unrecorded.extend_from_slice(&self.incoming[before..]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) => self.break_off(&error),
        }
        true
    }

    /// Writes once; `false` if nothing could be written.
    fn write(&mut self) -> bool {
        match self.stream.try_write(&self.outgoing) {
            Ok(count) => {
                self.outgoing.advance(count);
                self.last_write = Instant::now();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            // Nobody reads any more, but what the server said before may still be read. After a plain close this is
            // what the close does to late bytes, and no reset of the server's making.
            Err(_) => {
                self.outgoing.clear();
                self.reset |= !self.ended;
            }
        }
        true
    }

    fn break_off(&mut self, error: &io::Error) {
        self.outgoing.clear();
        self.reset = true;
        self.end(&format!("broke: {error}"));
    }

    fn end(&mut self, how: &str) {
        if !self.ended {
            self.ended = true;
            self.record();
            self.note(format!("connection {} {how}", self.number));
        }
    }

    /// Closes the sending side once everything is sent.
    pub async fn finish(&mut self) {
        // Where the connection is gone already there is nothing left to close.
        let _ = self.stream.shutdown().await;
        self.origin.sent.finished = true;
        self.note(format!("connection {}: the sending side was closed", self.number));
    }

    fn note(&self, text: String) {
        self.origin.peer.transcript.mark(text, Mark::Connection { connection: self.number });
    }

    /// Sends what waits. Gives up early, and keeps the rest for later, where the server answers in place of reading.
    ///
    /// # Errors
    /// The learner's failure if the server neither reads nor answers.
    pub async fn flush(&mut self, timeout: Timeout, stall: std::time::Duration) -> CheckResult {
        let all = self.outgoing.len();
        let mut moved = Instant::now();
        while !self.outgoing.is_empty() {
            let answered = !self.incoming.is_empty() || self.ended;
            let until = if answered { timeout.until.min(moved + stall) } else { timeout.until };
            match self.step(until).await {
                Step::Moved => moved = Instant::now(),
                Step::Over => break,
                Step::TimeOver if answered => break,
                Step::TimeOver => {
                    let read = all - self.outgoing.len();
                    let limit = duration(timeout.limit);
                    return Err(self.failure(format!(
                        "the server stopped reading: it read {read} of {all} bytes within {limit} and sent nothing"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Takes the first `length` bytes that came.
    pub fn take(&mut self, length: usize) -> Bytes {
        self.record();
        self.taken = self.incoming.split_to(length).freeze();
        self.taken.clone()
    }

    /// The connection as a stream for another client, with what came and was not taken yet.
    ///
    /// # Errors
    /// The system has no file descriptor for it.
    pub fn into_stream(mut self) -> io::Result<RecordedStream<TcpStream>> {
        self.record();
        // What drops here is one of two handles on the socket, which stays open.
        let stream = std::net::TcpStream::from(self.stream.as_fd().try_clone_to_owned()?);
        let transcript = self.origin.peer.transcript.clone();
        let early = std::mem::take(&mut self.incoming).to_vec();
        Ok(RecordedStream::resume(TcpStream::from_std(stream)?, transcript, self.number, early))
    }

    /// Puts what came into the transcript.
    pub fn record(&mut self) {
        if !self.unrecorded.is_empty() {
            self.origin.peer.transcript.received(self.number, &self.unrecorded);
            self.unrecorded.clear();
        }
    }

    /// The learner's failure, with what was sent and what came.
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        self.origin.failure(message, &self.incoming)
    }
}

impl Drop for Wire {
    /// A check that is cut off by its time limit shows what had come, too.
    fn drop(&mut self) {
        self.record();
    }
}
