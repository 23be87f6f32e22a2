//! Building one request.

use std::fmt::Display;
use std::future::{Future, IntoFuture};
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::connection::Connection;
use super::curl;
use super::peer::Peer;
use super::prepared::PreparedRequest;
use super::response::Response;
use super::timeout;
use lab_check::CheckResult;

/// Everything but the unreserved characters of RFC 3986 §2.3.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One request. Awaiting it sends it on a fresh connection and gives the [`Response`].
///
/// It is sent with `Host`, `Connection: close` and a `User-Agent` that the seed draws for each check, and with
/// `Content-Length` if there is a body or the method usually has one. A field given by [`header`](Self::header) takes the
/// place of these. The path is sent as it is given.
///
/// ```no_run
/// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
/// let app = lab.start().await?;
/// app.get("/echo/abc").header("Accept-Encoding", "gzip").await?.expect_status(200)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    pub(super) peer: Peer,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) left_out: Vec<String>,
    pub(super) body: Option<Bytes>,
    pub(super) media_type: Option<String>,
    pub(super) within: Duration,
    /// The address of this machine that it comes from, where that matters.
    pub(super) source: Option<IpAddr>,
    /// Why the request could not be built, told when it is sent.
    pub(super) broken: Option<String>,
}

impl Request {
    /// A request of `method` for `target`, the path with its query.
    pub fn new(peer: Peer, method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            peer,
            method: method.into(),
            target: target.into(),
            fields: Vec::new(),
            left_out: Vec::new(),
            body: None,
            media_type: None,
            within: timeout::DEFAULT,
            source: None,
            broken: None,
        }
    }

    /// The path with its query that is asked for.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Adds a header field. The same name twice makes two fields.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/user-agent").header("User-Agent", "fox/1.0").await?.expect_body("fox/1.0")?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.fields.push((name.into(), value.to_string()));
        self
    }

    /// Leaves out a field that is sent otherwise, such as `Host`.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/").without_header("Host").await?.expect_status(400)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.left_out.push(name.into());
        self
    }

    /// Adds `name=value` to the query, percent-encoded.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/events").query("q", "100 %").query("limit", 5).await?.expect_status(200)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        let value = value.to_string();
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        self.target.extend(utf8_percent_encode(name, QUERY));
        self.target.push('=');
        self.target.extend(utf8_percent_encode(&value, QUERY));
        self
    }

    /// Sends `value` as JSON. `Content-Type` is `application/json` unless a header says otherwise.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.post("/events").json(&serde_json::json!({"title": "Hamlet"})).await?.expect_status(201)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body(bytes, "application/json"),
            Err(error) => {
                self.broken = Some(format!("the check's own body cannot be written as JSON: {error}"));
                self
            }
        }
    }

    /// Sends `bytes` with `Content-Type: media_type`, unless a header says otherwise.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.post("/echo").body("grüße", "text/plain; charset=utf-8").await?.expect_body("grüße")?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn body(mut self, bytes: impl AsRef<[u8]>, media_type: impl Into<String>) -> Self {
        self.body = Some(Bytes::copy_from_slice(bytes.as_ref()));
        self.media_type = Some(media_type.into());
        self
    }

    /// Sends `bytes` without a `Content-Type`.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.put("/files/notes").raw_body(vec![0, 255, 13, 10]).await?.expect_status(201)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn raw_body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = Some(Bytes::copy_from_slice(bytes.as_ref()));
        self.media_type = None;
        self
    }

    /// Sends a form, as a browser does.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.post("/login").form(&[("email", "a@b.c"), ("password", "correct horse")]).await?.expect_status(303)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, pairs: &[(K, V)]) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.body(text, "application/x-www-form-urlencoded")
    }

    /// Sends `token` as `Authorization: Bearer` (RFC 6750 §2.1).
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/me").bearer("not.a.token").await?.expect_status(401)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn bearer(self, token: impl Display) -> Self {
        self.header("Authorization", format_args!("Bearer {token}"))
    }

    /// Sends a cookie. Several share one `Cookie` field (RFC 6265 §5.4).
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/account").cookie("session", "stolen").await?.expect_status(401)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cookie(mut self, name: impl Display, value: impl Display) -> Self {
        match self.fields.iter_mut().find(|(field, _)| field.eq_ignore_ascii_case("cookie")) {
            Some((_, cookies)) => {
                cookies.push_str(&format!("; {name}={value}"));
                self
            }
            None => self.header("Cookie", format_args!("{name}={value}")),
        }
    }

    /// Gives the whole exchange this long, from connecting to the last byte of the answer, in place of 10 s.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/health").within(std::time::Duration::from_secs(2)).await?.expect_status(200)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Sends it from this address, for servers that tell their clients apart by it. It has to be one of this machine's own:
    /// Linux has all of 127.0.0.0/8, and `App::has_address` tells.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// use std::net::Ipv4Addr;
    ///
    /// let app = lab.start().await?;
    /// app.get("/").from_address(Ipv4Addr::new(127, 0, 0, 2)).await?.expect_status(200)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_address(mut self, source: impl Into<IpAddr>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sends it on a connection that is already open, without `Connection: close`, and gives the answer.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let mut connection = app.connect().await?;
    /// app.get("/").over(&mut connection).await?.expect_status(200)?;
    /// app.get("/").over(&mut connection).await?.expect_status(200)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if no whole answer comes.
    pub async fn over(self, connection: &mut Connection) -> CheckResult<Response> {
        self.is_whole()?;
        self.peer.transcript.repeatable(|| self.command().into_iter().collect());
        connection.within(self.within);
        connection.send(self.bytes(&self.peer.address.to_string(), false)).await?;
        connection.response_to(&self.method).await
    }

    /// The command that sends the same by hand, if it is of use.
    pub(super) fn command(&self) -> Option<String> {
        curl::command(self, &self.peer.address.to_string())
    }

    /// Connects without sending anything yet.
    ///
    /// # Errors
    /// The learner's failure if nothing listens there.
    pub async fn prepare(self) -> CheckResult<PreparedRequest> {
        self.is_whole()?;
        PreparedRequest::connect(self).await
    }
}

impl IntoFuture for Request {
    type Output = CheckResult<Response>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.prepare().await?.send().await })
    }
}
