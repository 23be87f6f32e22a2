//! Responses and how they go out (RFC 9112 §4–6).

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, SystemTime};

use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::date;
use crate::status::Status;

/// How much of a file is held in memory at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What is answered.
#[derive(Debug)]
pub struct Response {
    status: Status,
    headers: Vec<(&'static str, Vec<u8>)>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Bytes(Vec<u8>),
    File { file: File, length: u64 },
}

/// What the request and the state of the connection say about how a response goes out.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// The request was a HEAD: everything but the body.
    pub without_body: bool,
    /// What is said about the connection, if anything has to be.
    pub connection: Option<&'static str>,
}

impl Response {
    /// A response without content.
    pub fn empty(status: Status) -> Self {
        Self { status, headers: Vec::new(), content: Content::Bytes(Vec::new()) }
    }

    /// A response with bytes of the given media type.
    pub fn bytes(status: Status, media_type: &[u8], bytes: Vec<u8>) -> Self {
        let headers = vec![("Content-Type", media_type.to_vec())];
        Self { status, headers, content: Content::Bytes(bytes) }
    }

    /// A response with plain text.
    pub fn text(status: Status, text: impl Into<String>) -> Self {
        Self::bytes(status, b"text/plain; charset=utf-8", text.into().into_bytes())
    }

    /// A response with the first `length` bytes of a file.
    pub fn file(file: File, length: u64) -> Self {
        let headers = vec![("Content-Type", b"application/octet-stream".to_vec())];
        Self { status: Status::OK, headers, content: Content::File { file, length } }
    }

    /// Whether it says that the request was carried out.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status.code)
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends it, and waits at most `patience` for the client to take each piece.
    pub async fn write_to<W>(self, output: &mut W, delivery: Delivery, patience: Duration) -> io::Result<()>
    where
        W: AsyncWrite + Unpin,
    {
        let mut message = self.head(delivery);
        let silent = delivery.without_body || self.status.is_bodiless();
        match self.content {
            _ if silent => send(output, &message, patience).await,
            Content::Bytes(bytes) => {
                message.extend_from_slice(&bytes);
                send(output, &message, patience).await
            }
            Content::File { file, length } => {
                send(output, &message, patience).await?;
                copy(file, length, output, patience).await
            }
        }
    }

    fn head(&self, delivery: Delivery) -> Vec<u8> {
        let mut lines = format!("HTTP/1.1 {} {}\r\n", self.status.code, self.status.phrase);
        // Writing to a String cannot fail.
        let _ = write!(lines, "Date: {}\r\n", date::http_date(SystemTime::now()));
        if !self.status.is_bodiless() {
            let _ = write!(lines, "Content-Length: {}\r\n", self.content.length());
        }
        if let Some(connection) = delivery.connection {
            let _ = write!(lines, "Connection: {connection}\r\n");
        }
        let mut head = lines.into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}

impl Content {
    /// Its length in bytes.
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

async fn send<W: AsyncWrite + Unpin>(output: &mut W, bytes: &[u8], patience: Duration) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        timeout(patience, output.write_all(piece)).await??;
    }
    Ok(())
}

/// Sends exactly `length` bytes of `file`. A file that has become shorter is an error, and closes the connection:
/// the client was promised more, and must not take the next response for the rest.
async fn copy<W>(mut file: File, length: u64, output: &mut W, patience: Duration) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let mut piece = vec![0; PIECE];
    let mut left = length;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let read = file.read(&mut piece[..wanted]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        send(output, &piece[..read], patience).await?;
        left -= read as u64;
    }
    Ok(())
}
