//! The bytes a client sends, in whatever pieces they arrive. What one request leaves over belongs to the next.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::time::timeout;

/// A buffered reader that gives up on a client that falls silent.
pub struct Input<R> {
    reader: BufReader<R>,
    patience: Duration,
}

/// Why there is no line.
#[derive(Debug)]
pub enum LineError {
    /// It is longer than allowed.
    TooLong,
    /// It ends in a bare line feed, or holds a bare carriage return.
    BadEnding,
    /// The connection failed.
    Connection(io::Error),
}

impl From<io::Error> for LineError {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}

impl<R: AsyncRead + Unpin> Input<R> {
    /// Reads from `inner`, and waits at most `patience` for each piece.
    pub fn new(inner: R, patience: Duration) -> Self {
        Self { reader: BufReader::new(inner), patience }
    }

    /// Whether something is here that has not been read yet.
    pub fn has_more(&self) -> bool {
        !self.reader.buffer().is_empty()
    }

    /// Waits for the next byte; false when the client has nothing more to say.
    pub async fn wait(&mut self) -> io::Result<bool> {
        Ok(!self.fill().await?.is_empty())
    }

    /// The next line without its CRLF, which counts to the `most` bytes.
    pub async fn line(&mut self, most: usize) -> Result<Vec<u8>, LineError> {
        let mut line = Vec::new();
        loop {
            let available = self.fill().await?;
            if available.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let end = available.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(available.len(), |index| index + 1);
            line.extend_from_slice(&available[..taken]);
            self.reader.consume(taken);
            if line.len() > most {
                return Err(LineError::TooLong);
            }
            if end.is_some() {
                return without_ending(line);
            }
        }
    }

    /// Appends the next `count` bytes to `target`.
    pub async fn take(&mut self, count: usize, target: &mut Vec<u8>) -> io::Result<()> {
        let mut missing = count;
        while missing > 0 {
            let available = self.fill().await?;
            if available.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let taken = available.len().min(missing);
            target.extend_from_slice(&available[..taken]);
            self.reader.consume(taken);
            missing -= taken;
        }
        Ok(())
    }

    /// Reads all that still comes and forgets it.
    pub async fn discard(&mut self) -> io::Result<()> {
        let mut scratch = [0; 4096];
        while self.reader.read(&mut scratch).await? > 0 {}
        Ok(())
    }

    async fn fill(&mut self) -> io::Result<&[u8]> {
        match timeout(self.patience, self.reader.fill_buf()).await {
            Ok(filled) => filled,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

fn without_ending(mut line: Vec<u8>) -> Result<Vec<u8>, LineError> {
    if !line.ends_with(b"\r\n") {
        return Err(LineError::BadEnding);
    }
    line.truncate(line.len() - 2);
    if line.contains(&b'\r') { Err(LineError::BadEnding) } else { Ok(line) }
}
