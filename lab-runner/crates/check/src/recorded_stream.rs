//! A stream of a check's own client, whose bytes are recorded like those of the kit's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::transcript::Transcript;

/// A stream that records what passes through it. Any client that works on a stream works on this one, and what it says to
/// the server under test and hears from it is in the transcript.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use lab_check::{RecordedStream, transcript::Transcript};
/// use tokio::io::AsyncWriteExt as _;
///
/// let (client, _server) = tokio::io::duplex(64);
/// let mut client = RecordedStream::new(client, Transcript::default());
/// client.write_all(b"PING\r\n").await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RecordedStream<S> {
    stream: S,
    transcript: Transcript,
    connection: u64,
    /// Bytes that came before the stream was taken over, as far as they were not read.
    early: Vec<u8>,
}

impl<S> RecordedStream<S> {
    /// Records what passes through `stream` in `transcript`, as a connection with a number of its own.
    pub fn new(stream: S, transcript: Transcript) -> Self {
        let connection = transcript.next_connection();
        Self { stream, transcript, connection, early: Vec::new() }
    }

    /// Goes on with a connection that has the number `connection` in `transcript` already. `early` are bytes that came on
    /// it, were recorded, and are still to be read.
    pub fn resume(stream: S, transcript: Transcript, connection: u64, early: Vec<u8>) -> Self {
        Self { stream, transcript, connection, early }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RecordedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.early.is_empty() {
            let count = this.early.len().min(buffer.remaining());
            buffer.put_slice(&this.early[..count]);
            this.early.drain(..count);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let read = &buffer.filled()[before..];
        if !read.is_empty() {
            this.transcript.received(this.connection, read);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RecordedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let count = ready!(Pin::new(&mut this.stream).poll_write(context, bytes))?;
        this.transcript.sent(this.connection, &bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use lab_protocol::Happening;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_passes_is_recorded_once_and_early_bytes_come_first() {
        let transcript = Transcript::default();
        let (client, mut server) = tokio::io::duplex(64);
        let number = transcript.next_connection();
        let mut client = RecordedStream::resume(client, transcript.clone(), number, b"early ".to_vec());
        client.write_all(b"question").await.unwrap();
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "early answer");
        let recorded: Vec<_> = transcript.entries().into_iter().map(|entry| entry.what).collect();
        assert_eq!(
            recorded,
            [
                Happening::Sent { connection: number, text: "question".into(), port: None },
                Happening::Received { connection: number, text: "answer".into() },
            ]
        );
    }
}
