//! A raw connection, for checks that care about bytes and about who closes when.

use std::time::Duration;

use bytes::Bytes;

use super::origin::Origin;
use super::peer::Peer;
use super::response::Response;
use super::sent::Sent;
use super::text;
use super::timeout::{self, Timeout};
use super::wire::Wire;
use lab_check::CheckResult;

/// How long a server that has begun to answer may leave bytes unread before sending them is put off.
const STALL: Duration = Duration::from_secs(1);
/// A TCP connection to the server under test. Nothing is added to what is sent.
///
/// Trouble that the server makes (a reset, an end in the middle of an answer, garbage, silence) is the learner's
/// failure and says what had come so far.
///
/// ```no_run
/// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
/// let app = lab.start().await?;
/// let mut connection = app.connect().await?;
/// connection.send("GET / HTTP/1.1\r\nHost: lab\r\n\r\nGET / HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
/// connection.response().await?.expect_status(200)?;
/// connection.response().await?.expect_status(200)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connection {
    pub(super) wire: Wire,
    pub(super) limit: Duration,
}

impl Connection {
    /// Connects to the server.
    ///
    /// # Errors
    /// The learner's failure if nothing listens there.
    pub async fn open(peer: Peer) -> CheckResult<Self> {
        let origin = Origin { peer, sent: Sent::default(), request: None };
        let wire = Wire::connect(origin, None, Timeout::new(timeout::DEFAULT)).await?;
        Ok(Self { wire, limit: timeout::DEFAULT })
    }

    /// Gives each of the following sends and answers this long, in place of 10 s.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.within(std::time::Duration::from_secs(2)).send("GET / HTTP/1.0\r\n\r\n").await?;
    /// connection.response().await?.expect_status(200)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn within(&mut self, limit: Duration) -> &mut Self {
        self.limit = limit;
        self
    }

    /// Sends `bytes` as they are. A server that has closed the connection fails the next read, not this.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.1\r\nHost : lab\r\n\r\n").await?;
    /// connection.response().await?.expect_status(400)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the server neither reads nor answers.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> CheckResult {
        self.wire.queue(Bytes::copy_from_slice(bytes.as_ref()));
        self.wire.flush(Timeout::new(self.limit), STALL).await
    }

    /// Sends `bytes` in pieces of `size` bytes, with a moment between, so that the server reads them one by one.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send_in_pieces(1, "GET /echo/abc HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
    /// connection.response().await?.expect_status(200)?.expect_body("abc")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the server neither reads nor answers.
    pub async fn send_in_pieces(&mut self, size: usize, bytes: impl AsRef<[u8]>) -> CheckResult {
        let (bytes, size) = (bytes.as_ref(), size.max(1));
        let pieces = bytes.len().div_ceil(size);
        let wire = &mut self.wire;
        wire.origin.peer.transcript.note(format!("what follows is sent in {pieces} pieces of {size}"));
        wire.record_sent(bytes);
        wire.origin.sent.push_in_pieces(bytes, size);
        let timeout = Timeout::new(self.limit + pause(pieces) * u32::try_from(pieces).unwrap_or(u32::MAX));
        for (index, piece) in bytes.chunks(size).enumerate() {
            if index > 0 {
                self.wire.look_for(pause(pieces)).await;
            }
            self.wire.queue_unrecorded(piece);
            self.wire.flush(timeout, STALL).await?;
        }
        Ok(())
    }

    /// Closes the sending side and goes on reading. The server sees the end of its input.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.1\r\nHost:").await?;
    /// connection.finish_writing().await?;
    /// connection.read_until_closed(std::time::Duration::from_secs(5)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the server neither reads nor answers what was sent before.
    pub async fn finish_writing(&mut self) -> CheckResult {
        self.wire.flush(Timeout::new(self.limit), STALL).await?;
        self.wire.finish().await;
        Ok(())
    }

    /// The next final answer, to any method but `HEAD` and `CONNECT`. Interim answers (1xx) before it are passed over,
    /// and what follows it is kept for the next call.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.0\r\n\r\n").await?;
    /// connection.response().await?.expect_status(200)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if no whole answer comes.
    pub async fn response(&mut self) -> CheckResult<Response> {
        self.response_to("GET").await
    }

    /// The next final answer, read as one to `method`: an answer to `HEAD` has no body (RFC 9112 §6.3).
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("HEAD / HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
    /// connection.response_to("HEAD").await?.expect_status(200)?;
    /// connection.expect_nothing_more().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if no whole answer comes.
    pub async fn response_to(&mut self, method: &str) -> CheckResult<Response> {
        let response = self.wire.final_answer(method, Timeout::new(self.limit)).await;
        self.wire.origin.sent.pause();
        response
    }

    /// The next answer, whether interim (1xx) or final.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("POST /echo HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n").await?;
    /// if connection.next_answer().await?.is_interim() {
    ///     connection.send("abc").await?;
    ///     connection.response().await?.expect_body("abc")?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if no whole answer comes.
    pub async fn next_answer(&mut self) -> CheckResult<Response> {
        let response = self.wire.answer("GET", Timeout::new(self.limit)).await;
        self.wire.origin.sent.pause();
        response
    }

    /// One interim answer (1xx), such as `100 Continue`.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("POST /echo HTTP/1.1\r\nHost: lab\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n").await?;
    /// connection.interim().await?.expect_status(100)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if none comes, or a final answer in its place.
    pub async fn interim(&mut self) -> CheckResult<Response> {
        let response = self.next_answer().await?;
        if response.is_interim() {
            return Ok(response);
        }
        let actual = text::status(response.status());
        Err(response
            .failure(format!("expected an interim response (1xx), got {actual}"))
            .expected("an interim response such as 100 Continue")
            .actual(actual))
    }
}

/// The moment between two of so many pieces: long enough for the server to read each, 100 ms in all or not much more.
fn pause(pieces: usize) -> Duration {
    let pieces = u64::try_from(pieces).unwrap_or(u64::MAX).max(1);
    Duration::from_millis((100 / pieces).clamp(1, 30))
}
