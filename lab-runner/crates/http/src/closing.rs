//! Who closes a raw connection, and when.

use std::time::Duration;

use super::connection::Connection;
use super::text::{duration, excerpt, size};
use super::timeout::Timeout;
use super::wire::Step;
use lab_check::{CheckResult, Failure};

/// How long nothing must happen before a connection counts as open and silent. What a server does right after an
/// answer, it does within this on a busy machine.
const MOMENT: Duration = Duration::from_millis(100);
/// The most that is read from a connection that does not end, in bytes.
const MOST: usize = 8 * 1024 * 1024;

impl Connection {
    /// Fails unless the server closes the connection within `limit`, without another word. A reset is a close, too.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n").await?;
    /// connection.response().await?.expect_status(200)?;
    /// connection.expect_closed(std::time::Duration::from_secs(5)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it stays open, or if more bytes come.
    pub async fn expect_closed(&mut self, limit: Duration) -> CheckResult {
        let closed = self.quiet(limit).await;
        match closed {
            Quiet::Ended => Ok(()),
            Quiet::Spoke => Err(self.spoke("the server sent more bytes instead of closing the connection")),
            Quiet::Silent => {
                let limit = duration(limit);
                Err(self
                    .failure(format!("the server kept the connection open for {limit}; it should have closed it"))
                    .expected("the connection closed by the server")
                    .actual(format!("the connection still open after {limit}")))
            }
        }
    }

    /// Fails if the server has closed the connection or says something that nobody asked for. It looks for 100 ms; the
    /// proof that a connection is usable is the next request on it.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// app.get("/").over(&mut connection).await?.expect_status(200)?;
    /// connection.expect_open().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it is closed, or if bytes come.
    pub async fn expect_open(&mut self) -> CheckResult {
        self.expect_silence(MOMENT).await
    }

    /// Fails if the server says anything, or closes the connection, within `limit`.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.1\r\nHost: lab\r\n").await?;
    /// connection.expect_silence(std::time::Duration::from_millis(200)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if bytes or an end come.
    pub async fn expect_silence(&mut self, limit: Duration) -> CheckResult {
        match self.quiet(limit).await {
            Quiet::Silent => Ok(()),
            Quiet::Spoke if self.wire.incoming.starts_with(b"HTTP/") => {
                Err(self.spoke("the server sent a response although no complete request was waiting for one"))
            }
            Quiet::Spoke => Err(self.spoke("the server sent bytes that belong to no response")),
            Quiet::Ended => Err(self
                .failure("the server closed the connection; it should have kept it open")
                .expected("the connection open")
                .actual("the connection closed by the server")),
        }
    }

    /// Fails if bytes follow the last answer; whether the connection is closed does not matter. It looks for 100 ms.
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
    /// The learner's failure if bytes come.
    pub async fn expect_nothing_more(&mut self) -> CheckResult {
        match self.quiet(MOMENT).await {
            Quiet::Silent | Quiet::Ended => Ok(()),
            Quiet::Spoke => Err(self.spoke("the server sent more bytes after its response was complete")),
        }
    }

    /// Everything the server sends until it closes the connection, from what was not read yet.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("\0\0\0\0 no HTTP at all\r\n\r\n").await?;
    /// let last_words = connection.read_until_closed(std::time::Duration::from_secs(5)).await?;
    /// # let _ = last_words;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the connection is still open after `limit`, or if more than 8 MiB come.
    pub async fn read_until_closed(&mut self, limit: Duration) -> CheckResult<Vec<u8>> {
        let timeout = Timeout::new(limit);
        let wire = &mut self.wire;
        while !wire.ended {
            if wire.incoming.len() > MOST {
                wire.record();
                return Err(wire.failure("the server does not stop sending: it has sent more than 8 MiB"));
            }
            if wire.step(timeout.until).await == Step::TimeOver {
                wire.record();
                let came = size(&wire.incoming);
                return Err(wire
                    .failure(format!("the server kept the connection open for {timeout} and sent {came}"))
                    .expected("the connection closed by the server")
                    .actual(format!("the connection still open after {timeout}")));
            }
        }
        let length = wire.incoming.len();
        Ok(wire.take(length).to_vec())
    }

    /// The learner's failure on this connection, for a judgement of the check's own. It shows the last answer and what
    /// came after it.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.0\r\n\r\n").await?;
    /// let bytes = connection.read_until_closed(std::time::Duration::from_secs(5)).await?;
    /// if bytes.is_empty() {
    ///     return Err(connection.failure("the server closed the connection without a word"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        let received = [&self.wire.taken[..], &self.wire.incoming[..]].concat();
        self.wire.origin.failure(message, &received)
    }

    /// Waits until something happens, at most `limit`.
    async fn quiet(&mut self, limit: Duration) -> Quiet {
        let timeout = Timeout::new(limit);
        let wire = &mut self.wire;
        let quiet = loop {
            if !wire.incoming.is_empty() {
                break Quiet::Spoke;
            }
            if wire.ended {
                break Quiet::Ended;
            }
            if wire.step(timeout.until).await == Step::TimeOver {
                break Quiet::Silent;
            }
        };
        wire.record();
        wire.origin.sent.pause();
        quiet
    }

    fn spoke(&self, message: &str) -> Failure {
        let bytes = &self.wire.incoming;
        let shown = excerpt(bytes);
        self.failure(format!("{message}: {shown}"))
            .expected("no more bytes")
            .actual(format!("{}: {shown}", size(bytes)))
    }
}

/// What a quiet moment came to.
enum Quiet {
    Silent,
    Spoke,
    Ended,
}
