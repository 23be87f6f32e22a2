//! Reading a connection in parts: up to a mark, a head without its body, and a body while it comes.
//!
//! This is what long-lived answers need. Events of a server (SSE) come in a body that never ends; a WebSocket begins with
//! a head, and what follows it is no HTTP:
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn example(app: &App) -> CheckResult<()> {
//! let mut connection = app.connect().await?;
//! connection.send("GET /events/stream HTTP/1.1\r\nHost: lab\r\nAccept: text/event-stream\r\n\r\n").await?;
//! let mut events = connection.streamed_response().await?;
//! events.head().clone().expect_status(200)?.expect_media_type("text/event-stream")?;
//! let first = events.read_until(b"\n\n").await?;
//! # Ok(()) }
//! ```

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream};
use lab_check::{CheckResult, Failure, Ours as _, RecordedStream};
use tokio::net::TcpStream;

use super::chunked::Chunked;
use super::connection::Connection;
use super::framing::Framing;
use super::reader::{LONGEST_BODY, Reader};
use super::response::Response;
use super::text::{bytes as count, excerpt, size};
use super::timeout::Timeout;
use super::wire::{Step, Wire};

impl Connection {
    /// Reads until `mark` has come, and gives everything up to and including it. What follows is kept for the next call.
    ///
    /// ```no_run
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
    /// let status_line = connection.read_until("\r\n").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the server closes the connection, or the time is over, before it comes.
    pub async fn read_until(&mut self, mark: impl AsRef<[u8]>) -> CheckResult<Bytes> {
        let mark = mark.as_ref();
        let wanted = excerpt(mark);
        self.read_where(&wanted, |came| Some(find(came, mark)? + mark.len())).await
    }

    /// Reads exactly `length` bytes. What follows is kept for the next call.
    ///
    /// ```no_run
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
    /// assert_eq!(&connection.read_exact(8).await?[..], b"HTTP/1.1");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the server closes the connection, or the time is over, before they have come.
    pub async fn read_exact(&mut self, length: usize) -> CheckResult<Bytes> {
        self.read_where(&count(length as u64), |came| (came.len() >= length).then_some(length)).await
    }

    /// The head of the next final answer to `GET`, and its body while it comes.
    ///
    /// # Errors
    /// The learner's failure if no whole head comes.
    pub async fn streamed_response(&mut self) -> CheckResult<StreamedResponse<'_>> {
        let limit = self.limit;
        let (head, framing) = self.wire.head_of_answer(Timeout::new(limit)).await?;
        self.wire.origin.sent.pause();
        let left = if let Framing::Length(length) = framing { length } else { 0 };
        let wire = &mut self.wire;
        let (chunked, ended, pending) = (Chunked::default(), false, BytesMut::new());
        Ok(StreamedResponse { wire, limit, head, framing, chunked, left, ended, pending })
    }

    /// Hands the connection over to another client, for what is no HTTP any more: a WebSocket after its
    /// `101 Switching Protocols`. What passes is recorded as before.
    ///
    /// ```no_run
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let mut connection = app.connect().await?;
    /// connection.send("GET /ws HTTP/1.1\r\nHost: lab\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").await?;
    /// connection.next_answer().await?.expect_status(101)?;
    /// let socket = connection.into_stream()?; // for `tokio_tungstenite::WebSocketStream::from_raw_socket`
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the system has no file descriptor for it.
    pub fn into_stream(self) -> CheckResult<RecordedStream<TcpStream>> {
        self.wire.into_stream().ours("handing a connection over")
    }

    async fn read_where(&mut self, wanted: &str, end: impl Fn(&[u8]) -> Option<usize>) -> CheckResult<Bytes> {
        let timeout = Timeout::new(self.limit);
        loop {
            if let Some(end) = end(&self.wire.incoming) {
                return Ok(self.wire.take(end));
            }
            let came = size(&self.wire.incoming);
            if self.wire.ended {
                return Err(self.wire.recorded_failure(format!("the connection ended after {came}, before {wanted}")));
            }
            if self.wire.step(timeout.until).await == Step::TimeOver {
                return Err(self
                    .wire
                    .recorded_failure(format!("{wanted} did not come within {timeout}: {came} came in all"))
                    .by_time());
            }
        }
    }
}

/// An answer whose head has come, and whose body is read while it comes.
#[derive(Debug)]
pub struct StreamedResponse<'a> {
    wire: &'a mut Wire,
    limit: Duration,
    head: Response,
    framing: Framing,
    chunked: Chunked,
    /// How much of a body with a length is still to come.
    left: u64,
    /// The body is complete.
    ended: bool,
    /// What has come of the body, decoded, and was not asked for yet.
    pending: BytesMut,
}

impl<'a> StreamedResponse<'a> {
    /// The head, as an answer with an empty body.
    ///
    /// ```no_run
    /// # async fn example(connection: &mut lab_http::Connection) -> lab_kit::CheckResult<()> {
    /// connection.streamed_response().await?.head().clone().expect_status(200)?;
    /// # Ok(()) }
    /// ```
    pub fn head(&self) -> &Response {
        &self.head
    }

    /// What has come of the body since the last call, without the framing of chunks; waits if that is nothing. `None`
    /// once the body is complete.
    ///
    /// ```no_run
    /// # async fn example(connection: &mut lab_http::Connection) -> lab_kit::CheckResult<()> {
    /// let mut answer = connection.streamed_response().await?;
    /// while let Some(piece) = answer.next().await? {
    ///     lab_kit::expect_that(!piece.is_empty(), "a piece is empty")?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the body is broken, or nothing more comes in the connection's time limit.
    pub async fn next(&mut self) -> CheckResult<Option<Bytes>> {
        if !self.pending.is_empty() {
            return Ok(Some(self.pending.split().freeze()));
        }
        self.more(Timeout::new(self.limit)).await
    }

    /// Reads the body until `mark` has come, and gives everything up to and including it.
    ///
    /// ```no_run
    /// # async fn example(connection: &mut lab_http::Connection) -> lab_kit::CheckResult<()> {
    /// let event = connection.streamed_response().await?.read_until(b"\n\n").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the body ends, or the time is over, before it comes.
    pub async fn read_until(&mut self, mark: &[u8]) -> CheckResult<Bytes> {
        let timeout = Timeout::new(self.limit);
        loop {
            if let Some(at) = find(&self.pending, mark) {
                return Ok(self.pending.split_to(at + mark.len()).freeze());
            }
            if self.pending.len() > LONGEST_BODY {
                return Err(self.wire.recorded_failure(format!("8 MiB of the body came without {}", excerpt(mark))));
            }
            match self.more(timeout).await? {
                Some(piece) => self.pending.extend_from_slice(&piece),
                None => {
                    let before = format!("the body ended before {}", excerpt(mark));
                    return Err(self.wire.recorded_failure(before).actual(excerpt(&self.pending)));
                }
            }
        }
    }

    /// The rest of the body as a stream, for crates that read one.
    ///
    /// ```no_run
    /// # async fn example(connection: &mut lab_http::Connection) -> lab_kit::CheckResult<()> {
    /// use futures::TryStreamExt as _;
    ///
    /// let pieces: Vec<_> = connection.streamed_response().await?.into_stream().try_collect().await?;
    /// # Ok(()) }
    /// ```
    pub fn into_stream(self) -> impl Stream<Item = CheckResult<Bytes>> + 'a {
        stream::unfold(Some(self), |body| async {
            let mut body = body?;
            match body.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(body))),
                Ok(None) => None,
                Err(failure) => Some((Err(failure), None)),
            }
        })
    }

    async fn more(&mut self, timeout: Timeout) -> CheckResult<Option<Bytes>> {
        loop {
            if let Some(piece) = self.decode()? {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(None);
            }
            if self.wire.ended {
                let complete = self.framing == Framing::UntilClose && !self.wire.reset;
                self.ended = complete;
                return if complete { Ok(None) } else { Err(self.cut_off()) };
            }
            if self.wire.step(timeout.until).await == Step::TimeOver {
                return Err(self.wire.recorded_failure(format!("no more of the body within {timeout}")).by_time());
            }
        }
    }

    /// Takes what has come of the body.
    fn decode(&mut self) -> CheckResult<Option<Bytes>> {
        let piece = match self.framing {
            Framing::Empty => Bytes::new(),
            Framing::UntilClose => self.wire.take(self.wire.incoming.len()),
            Framing::Length(_) => {
                let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.wire.incoming.len());
                self.left -= take as u64;
                self.wire.take(take)
            }
            Framing::Chunked => {
                let done = self.chunked.advance(&self.wire.incoming);
                let complete = done.map_err(|wrong| self.wire.recorded_failure(wrong))?;
                self.wire.take(std::mem::take(&mut self.chunked.used));
                self.ended = complete;
                std::mem::take(&mut self.chunked.body).into()
            }
        };
        self.ended |= match self.framing {
            Framing::Empty => true,
            Framing::Length(_) => self.left == 0,
            Framing::Chunked | Framing::UntilClose => false,
        };
        Ok((!piece.is_empty()).then_some(piece))
    }

    fn cut_off(&mut self) -> Failure {
        let closed = if self.wire.reset { "reset" } else { "closed" };
        let missing = match self.framing {
            Framing::Length(_) => format!("{} of its body are missing", count(self.left)),
            _ => "its last chunk, of size 0, is missing".to_owned(),
        };
        self.wire.recorded_failure(format!("the server {closed} the connection in the middle of its answer: {missing}"))
    }
}

impl Wire {
    /// The head of the next final answer to `GET`, and what ends its body.
    async fn head_of_answer(&mut self, timeout: Timeout) -> CheckResult<(Response, Framing)> {
        loop {
            let mut reader = Reader::new("GET");
            while !reader.advance_head(&self.incoming).map_err(|wrong| self.recorded_failure(wrong))? {
                if self.ended {
                    return Err(self.cut_off(&reader));
                }
                if self.step(timeout.until).await == Step::TimeOver {
                    return Err(self.too_late(&reader, timeout));
                }
            }
            let Some((head, framing)) = reader.into_head() else { continue };
            let response = self.head_alone(head);
            // A switch of protocols is the last that this connection says in HTTP.
            if !response.is_interim() || response.status() == 101 {
                self.answers += 1;
                return Ok((response, framing));
            }
        }
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    if mark.is_empty() { Some(0) } else { bytes.windows(mark.len()).position(|window| window == mark) }
}
