//! The chunked transfer coding (RFC 9112 §7.1).

use tokio::io::AsyncRead;

use crate::error::RequestError;
use crate::headers;
use crate::input::{Input, LineError};

/// The longest line with a chunk's size and its extensions, in bytes.
const SIZE_LINE: usize = 1024;
/// The most that the trailer fields of a body may have, in bytes.
const TRAILERS: usize = 8 * 1024;

/// Reads the chunks of a body of at most `most` bytes, and the trailer fields after them.
pub async fn read<R>(input: &mut Input<R>, most: usize) -> Result<Vec<u8>, RequestError>
where
    R: AsyncRead + Unpin,
{
    let mut body = Vec::new();
    loop {
        let size = chunk_size(&line(input, SIZE_LINE).await?)?;
        if size == 0 {
            skip_trailers(input).await?;
            return Ok(body);
        }
        let size = usize::try_from(size).map_err(|_| RequestError::BodyTooLarge)?;
        if size > most - body.len() {
            return Err(RequestError::BodyTooLarge);
        }
        input.take(size, &mut body).await?;
        // Two bytes and no more: a chunk that is longer than its size says must not be taken for its ending.
        let mut ending = Vec::new();
        input.take(2, &mut ending).await?;
        if ending != b"\r\n" {
            return Err(RequestError::Malformed("a chunk does not end where its size says"));
        }
    }
}

/// The size of a chunk, which hexadecimal digits state; extensions are ignored, as they may be.
fn chunk_size(line: &[u8]) -> Result<u64, RequestError> {
    let digits = match line.iter().position(|&byte| byte == b';') {
        // White space may stand before an extension, and nowhere else (RFC 9112 §7.1.1).
        Some(semicolon) => headers::trim_end(&line[..semicolon]),
        None => line,
    };
    if digits.is_empty() {
        return Err(RequestError::Malformed("a chunk has no size"));
    }
    let mut size: u64 = 0;
    for &digit in digits {
        let value = char::from(digit).to_digit(16).ok_or(RequestError::Malformed("a chunk size is no number"))?;
        let larger = size.checked_mul(16).and_then(|size| size.checked_add(u64::from(value)));
        size = larger.ok_or(RequestError::Malformed("a chunk size is larger than any chunk"))?;
    }
    Ok(size)
}

/// Trailer fields end the body as an empty line ends the head. Nothing here has a use for them.
async fn skip_trailers<R>(input: &mut Input<R>) -> Result<(), RequestError>
where
    R: AsyncRead + Unpin,
{
    let mut left = TRAILERS;
    loop {
        let field = line(input, left).await?;
        if field.is_empty() {
            return Ok(());
        }
        left = left.saturating_sub(field.len() + 2);
    }
}

async fn line<R>(input: &mut Input<R>, most: usize) -> Result<Vec<u8>, RequestError>
where
    R: AsyncRead + Unpin,
{
    input.line(most).await.map_err(|error| match error {
        LineError::TooLong => RequestError::Malformed("a line of the chunked coding is too long"),
        LineError::BadEnding => RequestError::Malformed("a line of the chunked coding does not end in CRLF"),
        LineError::Connection(error) => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::chunk_size;

    #[test]
    fn a_size_is_ascii_digits_and_fits() {
        assert_eq!(chunk_size(b"1a").ok(), Some(26));
        assert_eq!(chunk_size(b"0001A;x=\"a;b\"").ok(), Some(26));
        assert_eq!(chunk_size(b"3 \t;x").ok(), Some(3));
        assert_eq!(chunk_size(b"ffffffffffffffff").ok(), Some(u64::MAX));
        for bad in ["", ";x", "+3", "0x3", "3 ", " 3", "3\u{0c}", "3\u{a0}", "\u{ff13}", "10000000000000000"] {
            assert!(chunk_size(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
