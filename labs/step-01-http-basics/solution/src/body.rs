//! Request bodies, kept in memory up to a bound.

use tokio::io::AsyncRead;

use crate::chunked;
use crate::error::RequestError;
use crate::framing::BodyLength;
use crate::input::Input;

/// Reads a body of at most `most` bytes.
pub async fn read<R>(input: &mut Input<R>, length: BodyLength, most: usize) -> Result<Vec<u8>, RequestError>
where
    R: AsyncRead + Unpin,
{
    length.check(most)?;
    match length {
        BodyLength::Chunked => chunked::read(input, most).await,
        BodyLength::Exact(length) => {
            // What is declared is not yet here: memory grows with what arrives, not with what is promised.
            let mut body = Vec::new();
            let length = usize::try_from(length).map_err(|_| RequestError::BodyTooLarge)?;
            input.take(length, &mut body).await?;
            Ok(body)
        }
    }
}
