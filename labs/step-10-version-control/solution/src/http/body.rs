//! A request's body on its way into git: in pieces, unpacked if it was packed, and never more than there is room for.

use std::io::{self, Write as _};
use std::mem;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use flate2::write::MultiGzDecoder;
use futures::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::time::timeout;

use super::error::ApiError;

/// The most that a body may be, unpacked. It is never held: this is for the disk's sake.
const MOST: u64 = 1 << 30;
/// How long a client may say nothing in the middle of a body.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much packed is unpacked at once. Gzip makes at most a thousand times as much of it.
const PIECE: usize = 4 * 1024;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is more than there is room for.
    #[error("the body is too large")]
    TooLarge,
    /// Nothing came for too long.
    #[error("the body did not go on")]
    Stalled,
    /// The connection ended in the middle of it.
    #[error("the body ended early")]
    Broken,
    /// It is not what its header says.
    #[error("the body is not gzip")]
    NotGzip,
}

/// How a body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// Packed. Git does that with requests of more than a kilobyte.
    Gzip,
}

impl Encoding {
    /// What the headers say.
    ///
    /// # Errors
    /// An encoding that we do not read (RFC 9110 §15.5.16).
    pub fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase()).as_deref() {
            None | Some(b"identity") => Ok(Self::Identity),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip),
            Some(_) => Err(ApiError::UnsupportedForm("the body may be packed by gzip only")),
        }
    }
}

/// Takes pieces as they come and gives them as they were before.
enum Decoder {
    Identity,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Decoder {
    fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
        }
    }

    fn decode(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(piece.to_vec()),
            Self::Gzip(decoder) => {
                decoder.write_all(piece)?;
                Ok(mem::take(decoder.get_mut()))
            }
        }
    }

    fn finish(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(Vec::new()),
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                Ok(mem::take(decoder.get_mut()))
            }
        }
    }
}

/// Where a body goes: git's input, until git has heard enough.
struct Sink {
    stdin: Option<ChildStdin>,
    written: u64,
}

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        self.written += bytes.len() as u64;
        if self.written > MOST {
            return Err(BodyError::TooLarge);
        }
        // Git may answer before it has read everything. The rest of the body is read nevertheless: a client that is
        // still sending would not see the answer.
        if let Some(stdin) = &mut self.stdin
            && stdin.write_all(bytes).await.is_err()
        {
            self.stdin = None;
        }
        Ok(())
    }
}

/// Copies `body` to `stdin` and closes it.
///
/// # Errors
/// The body could not be read to its end.
pub async fn feed(body: Body, encoding: Encoding, stdin: ChildStdin) -> Result<(), BodyError> {
    let mut sink = Sink { stdin: Some(stdin), written: 0 };
    let mut decoder = Decoder::new(encoding);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = timeout(PATIENCE, chunks.next()).await.map_err(|_| BodyError::Stalled)? {
        for piece in chunk.map_err(|_| BodyError::Broken)?.chunks(PIECE) {
            sink.write(&decoder.decode(piece).map_err(|_| BodyError::NotGzip)?).await?;
        }
    }
    sink.write(&decoder.finish().map_err(|_| BodyError::NotGzip)?).await
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_however_it_is_cut() {
        let text = b"0032want 7a1f\n".repeat(1_000);
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(&text).unwrap();
        let packed = packer.finish().unwrap();
        for size in [1, 7, packed.len()] {
            let mut decoder = Decoder::new(Encoding::Gzip);
            let mut unpacked = Vec::new();
            for piece in packed.chunks(size) {
                unpacked.extend(decoder.decode(piece).unwrap());
            }
            unpacked.extend(decoder.finish().unwrap());
            assert_eq!(unpacked, text);
        }
    }

    #[test]
    fn what_is_no_gzip_or_ends_early_is_an_error() {
        assert!(Decoder::new(Encoding::Gzip).decode(b"0032want 7a1f\n").is_err());
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(b"want").unwrap();
        let packed = packer.finish().unwrap();
        let mut decoder = Decoder::new(Encoding::Gzip);
        assert!(decoder.decode(&packed[..packed.len() - 4]).is_ok_and(|_| decoder.finish().is_err()));
    }
}
