//! One answer: its parts as they came.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::head::Head;
use super::origin::Origin;
use lab_check::Failure;

/// One answer of the server under test. Clones share it.
///
/// Its expectations (`expect_…`) take it and give it back, so that they chain. One that fails says what was sent, what
/// came back, what was expected, where the two differ, and which command shows the same by hand.
///
/// ```no_run
/// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
/// let app = lab.start().await?;
/// let response = app.get("/echo/abc").await?.expect_status(200)?.expect_media_type("text/plain")?.expect_body("abc")?;
/// assert_eq!(response.body().len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Response {
    parts: Arc<Parts>,
}

/// What an answer consists of.
#[derive(Clone)]
pub(super) struct Parts {
    pub head: Head,
    pub body: Bytes,
    pub trailers: Vec<(String, String)>,
    /// Head and body as they stood on the wire.
    pub raw: Bytes,
    /// What came right behind it on a connection of its own.
    pub extra: Bytes,
    /// What had come behind it when it was taken, on whatever connection; the next answer begins with it.
    pub behind: Bytes,
    pub elapsed: Duration,
    pub origin: Arc<Origin>,
}

impl Response {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// What had come behind it, or the beginning of that.
    pub(super) fn behind(&self) -> &[u8] {
        if self.parts.extra.is_empty() { &self.parts.behind } else { &self.parts.extra }
    }

    pub(super) fn with_extra(self, extra: Bytes) -> Self {
        if extra.is_empty() {
            return self;
        }
        Self::new(Parts { extra, ..Arc::unwrap_or_clone(self.parts) })
    }

    /// The path with its query that was asked for; `/` if the request was written byte by byte.
    pub fn target(&self) -> &str {
        self.parts.origin.request.as_ref().map_or("/", |request| request.target.as_str())
    }

    pub(super) fn is_http_1_0(&self) -> bool {
        self.parts.head.minor == 0
    }

    /// The status code.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let status = app.get("/health").await?.status();
    /// lab_kit::expect_equal("the status", &status, &200)
    /// # }
    /// ```
    pub fn status(&self) -> u16 {
        self.parts.head.status
    }

    /// The reason phrase, which may be empty and means nothing (RFC 9112 §4).
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// lab.note(format!("the reason is {}", app.get("/").await?.reason()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reason(&self) -> &str {
        &self.parts.head.reason
    }

    /// The version in the status line: `HTTP/1.1` or `HTTP/1.0`.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// lab_kit::expect_equal("the version", &app.get("/").await?.version(), &"HTTP/1.1")
    /// # }
    /// ```
    pub fn version(&self) -> &'static str {
        if self.is_http_1_0() { "HTTP/1.0" } else { "HTTP/1.1" }
    }

    /// Whether it is an interim answer (1xx), after which the answer proper follows.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// assert!(!app.get("/").await?.is_interim());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_interim(&self) -> bool {
        self.parts.head.is_interim()
    }

    /// Whether the server says that it closes the connection after this answer (RFC 9112 §9.3).
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// if app.post("/nowhere").body("abc", "text/plain").over(&mut connection).await?.announces_close() {
    ///     connection.expect_closed(std::time::Duration::from_secs(5)).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn announces_close(&self) -> bool {
        let mut options = self.parts.head.members("connection");
        match self.is_http_1_0() {
            true => !options.any(|option| option.eq_ignore_ascii_case("keep-alive")),
            false => options.any(|option| option.eq_ignore_ascii_case("close")),
        }
    }

    /// The first value of the field `name`, whatever its case.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let event = app.post("/events").json(&serde_json::json!({"title": "Hamlet"})).await?;
    /// let location = event.header("location").unwrap_or("/").to_owned();
    /// app.get(location).await?.expect_status(200)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).into_iter().next()
    }

    /// Every value of the field `name`, in order, such as of `Set-Cookie`. A byte beyond ASCII is the character of the
    /// same number.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// for cookie in app.get("/login").await?.headers("set-cookie") {
    ///     lab_kit::expect_that(cookie.contains("HttpOnly"), "a script can read the cookie")?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.all_headers().iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect()
    }

    /// Every field of the head, in order.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// lab.note(format!("{} fields", app.get("/").await?.all_headers().len()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn all_headers(&self) -> &[(String, String)] {
        &self.parts.head.fields
    }

    /// The fields after a chunked body (RFC 9112 §7.1.2).
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// assert!(app.get("/").await?.trailers().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn trailers(&self) -> &[(String, String)] {
        &self.parts.trailers
    }

    /// The media type in `Content-Type`, lower case and without parameters.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// assert_eq!(app.get("/events").await?.media_type().as_deref(), Some("application/json"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The body, without the framing of chunks.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// assert_eq!(app.get("/echo/abc").await?.body(), b"abc");
    /// # Ok(())
    /// # }
    /// ```
    pub fn body(&self) -> &[u8] {
        &self.parts.body
    }

    /// The body as text. What is not UTF-8 becomes U+FFFD.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let page = app.get("/").await?.text();
    /// lab_kit::expect_that(page.contains("<h1>"), "the page has no heading")
    /// # }
    /// ```
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.body()).into_owned()
    }

    /// The head's bytes as they came, the empty line included.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// assert!(app.get("/").await?.raw_head().ends_with(b"\r\n\r\n"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw_head(&self) -> &[u8] {
        &self.parts.raw[..self.parts.head.length]
    }

    /// What came right behind the answer to a request that was alone on its connection: a body longer than
    /// `Content-Length` says, or a body after `HEAD`. Nothing proves that no more would have come later;
    /// [`Connection::expect_nothing_more`](super::Connection::expect_nothing_more) looks longer.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let response = app.head("/").await?;
    /// lab_kit::expect_that(response.extra_bytes().is_empty(), "the answer to HEAD has a body")
    /// # }
    /// ```
    pub fn extra_bytes(&self) -> &[u8] {
        &self.parts.extra
    }

    /// The time from the last byte sent to the head received.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// lab.note(format!("answered after {:?}", app.get("/health").await?.elapsed()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn elapsed(&self) -> Duration {
        self.parts.elapsed
    }

    /// The learner's failure on this answer, for a judgement of the check's own.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let response = app.get("/events").await?;
    /// if response.elapsed() > std::time::Duration::from_secs(5) {
    ///     return Err(response.failure("the list took more than 5 s"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        self.parts.origin.failure(message, &self.parts.raw)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("headers", &self.all_headers())
            .field("body", &super::text::excerpt(self.body()))
            .finish_non_exhaustive()
    }
}
