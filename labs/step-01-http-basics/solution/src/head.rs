//! The head of a request: its request line and header fields (RFC 9112 §2–5).

use tokio::io::AsyncRead;
use tokio::time::timeout;

use crate::config::Limits;
use crate::error::RequestError;
use crate::headers::{Headers, is_token};
use crate::host;
use crate::input::{Input, LineError};
use crate::method::Method;
use crate::target::Target;
use crate::version::Version;

/// Everything before the body.
#[derive(Debug)]
pub struct Head {
    /// What is to be done.
    pub method: Method,
    /// With what.
    pub target: Target,
    /// In which version of HTTP.
    pub version: Version,
    /// And what else is said about it.
    pub headers: Headers,
}

/// Why there is no head, and the method as far as it was read: an answer to HEAD has no body even then.
#[derive(Debug)]
pub struct BadHead {
    /// What is wrong.
    pub error: RequestError,
    /// The method, or GET as long as it is not known.
    pub method: Method,
}

impl From<RequestError> for BadHead {
    fn from(error: RequestError) -> Self {
        Self { error, method: Method::Get }
    }
}

/// Reads the next head, or nothing if the client has no further request.
pub async fn read<R>(input: &mut Input<R>, limits: &Limits) -> Result<Option<Head>, BadHead>
where
    R: AsyncRead + Unpin,
{
    // Being idle between two requests is no slowness: the time runs from the first byte on.
    if !matches!(input.wait().await, Ok(true)) {
        return Ok(None);
    }
    match timeout(limits.header_timeout, parse(input, limits)).await {
        Ok(head) => head.map(Some),
        Err(_) => Err(RequestError::TooSlow.into()),
    }
}

async fn parse<R>(input: &mut Input<R>, limits: &Limits) -> Result<Head, BadHead>
where
    R: AsyncRead + Unpin,
{
    let line = request_line(input, limits.request_line).await?;
    let words = split_request_line(&line)?;
    let method = Method::from_name(words[0]).unwrap_or(Method::Get);
    head(input, limits, words).await.map_err(|error| BadHead { error, method })
}

/// The head that begins with a request line of these words.
async fn head<R>(input: &mut Input<R>, limits: &Limits, words: [&[u8]; 3]) -> Result<Head, RequestError>
where
    R: AsyncRead + Unpin,
{
    let [method, target, version] = words;
    let version = Version::parse(version)?;
    let headers = header_fields(input, limits.header_fields).await?;
    let known = Method::from_name(method).ok_or(RequestError::NotImplemented("the method is unknown"))?;
    let head = Head { method: known, target: Target::parse(target)?, version, headers };
    head.check_host()?;
    Ok(head)
}

/// The request line, and before it any empty lines that a careless client left (RFC 9112 §2.2).
async fn request_line<R>(input: &mut Input<R>, most: usize) -> Result<Vec<u8>, RequestError>
where
    R: AsyncRead + Unpin,
{
    let mut left = most;
    loop {
        let line = input.line(left).await.map_err(|error| line_error(error, RequestError::RequestLineTooLong))?;
        if !line.is_empty() {
            return Ok(line);
        }
        left = left.saturating_sub(2);
    }
}

fn split_request_line(line: &[u8]) -> Result<[&[u8]; 3], RequestError> {
    let mut words = line.split(|&byte| byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method), Some(target), Some(version), None) if is_token(method) => Ok([method, target, version]),
        _ => Err(RequestError::Malformed("the request line is not `METHOD target HTTP/1.1`")),
    }
}

async fn header_fields<R>(input: &mut Input<R>, most: usize) -> Result<Headers, RequestError>
where
    R: AsyncRead + Unpin,
{
    let mut headers = Headers::default();
    let mut left = most;
    loop {
        let line = input.line(left).await.map_err(|error| line_error(error, RequestError::FieldsTooLarge))?;
        if line.is_empty() {
            return Ok(headers);
        }
        left = left.saturating_sub(line.len() + 2);
        headers.push_line(&line)?;
    }
}

fn line_error(error: LineError, too_long: RequestError) -> RequestError {
    match error {
        LineError::TooLong => too_long,
        LineError::BadEnding => RequestError::Malformed("a line does not end in CRLF"),
        LineError::Connection(error) => error.into(),
    }
}

impl Head {
    /// Whether the client wants to send another request on this connection (RFC 9112 §9.3).
    pub fn wants_to_persist(&self) -> bool {
        let options = self.headers.list("connection");
        let says = |option: &str| options.iter().any(|said| said == option);
        match self.version {
            Version::Http11 => !says("close"),
            Version::Http10 => says("keep-alive") && !says("close"),
        }
    }

    /// Whether the client waits for a 100 (Continue) before it sends its body (RFC 9110 §10.1.1).
    pub fn expects_continue(&self) -> Result<bool, RequestError> {
        let expectations = self.headers.list("expect");
        match expectations.as_slice() {
            _ if self.version == Version::Http10 => Ok(false),
            [] => Ok(false),
            [only] if only == "100-continue" => Ok(true),
            _ => Err(RequestError::ExpectationFailed),
        }
    }

    /// HTTP/1.1 names its host, once, and as a host is named (RFC 9112 §3.2).
    fn check_host(&self) -> Result<(), RequestError> {
        match (self.headers.all("host").count(), self.version) {
            (1, _) | (0, Version::Http10) => Ok(()),
            (0, _) => Err(RequestError::Malformed("the Host header field is missing")),
            _ => Err(RequestError::Malformed("the Host header field is repeated")),
        }?;
        let valid = self.headers.first("host").is_none_or(host::is_valid);
        if valid { Ok(()) } else { Err(RequestError::Malformed("the Host header field names no host")) }
    }
}
