//! Recognising one whole answer in the bytes that came, without touching a socket.

use bytes::Bytes;

use super::chunked::Chunked;
use super::framing::{self, Framing};
use super::head::{self, Head};
use super::text::{bytes as count, size};
use super::timeout::Timeout;

/// The longest body that is read, in bytes.
pub(super) const LONGEST_BODY: usize = 8 * 1024 * 1024;
/// The most bytes a body may take on the wire: a byte per chunk takes six.
const LONGEST_ON_WIRE: usize = 6 * LONGEST_BODY;

/// After so many bytes that begin a status line nothing but a new line brings news.
const SURELY_HTTP: usize = 32;

/// One answer in the making.
#[derive(Debug)]
pub(super) struct Reader {
    method: String,
    state: State,
    /// How many bytes the last attempt at the head saw.
    tried: usize,
}

#[derive(Debug)]
enum State {
    Head,
    Body { head: Head, framing: Framing, chunked: Chunked },
}

/// Where an answer ends, and what it holds.
#[derive(Debug)]
pub(super) struct Whole {
    /// Its head.
    pub head: Head,
    /// The decoded body; `None` if the bytes after the head are the body as they stand.
    pub decoded: Option<Bytes>,
    /// The fields after a chunked body.
    pub trailers: Vec<(String, String)>,
    /// How many bytes it takes in all.
    pub length: usize,
}

impl Reader {
    /// A reader for the answer to `method`.
    pub fn new(method: &str) -> Self {
        Self { method: method.to_owned(), state: State::Head, tried: 0 }
    }

    /// Whether the head has been seen.
    pub fn has_head(&self) -> bool {
        matches!(self.state, State::Body { .. })
    }

    /// Goes on with `bytes`, everything that came since the answer began, as far as the head. `true` once it is whole.
    ///
    /// # Errors
    /// What is wrong with the head, as a sentence.
    pub fn advance_head(&mut self, bytes: &[u8]) -> Result<bool, String> {
        if self.has_head() {
            return Ok(true);
        }
        // A head is parsed anew with each line that comes, not with each byte.
        let tried = std::mem::replace(&mut self.tried, bytes.len());
        if tried > SURELY_HTTP && bytes.len() <= head::LONGEST && !bytes[tried..].contains(&b'\n') {
            return Ok(false);
        }
        let Some(head) = head::parse(bytes)? else { return Ok(false) };
        let framing = framing::of(&self.method, &head)?;
        self.state = State::Body { head, framing, chunked: Chunked::default() };
        Ok(true)
    }

    /// The head, if it is whole, and what ends the body.
    pub fn into_head(self) -> Option<(Head, Framing)> {
        match self.state {
            State::Body { head, framing, .. } => Some((head, framing)),
            State::Head => None,
        }
    }

    /// Goes on with `bytes`, everything that came since the answer began. `ended` says that no more can come.
    ///
    /// # Errors
    /// What is wrong with the answer, as a sentence.
    pub fn advance(&mut self, bytes: &[u8], ended: bool) -> Result<Option<Whole>, String> {
        if !self.advance_head(bytes)? {
            return Ok(None);
        }
        let State::Body { head, framing, chunked } = &mut self.state else { return Ok(None) };
        let body = &bytes[head.length..];
        let (length, decoded) = match *framing {
            Framing::Empty => (Some(0), None),
            Framing::Length(length) => (within_bound(length)?.filter(|length| *length <= body.len()), None),
            Framing::UntilClose => {
                endless(body.len(), LONGEST_BODY)?;
                (ended.then_some(body.len()), None)
            }
            Framing::Chunked => {
                let complete = chunked.advance(body)?;
                endless(chunked.body.len(), LONGEST_BODY)?;
                endless(body.len(), LONGEST_ON_WIRE)?;
                (complete.then_some(chunked.used), complete.then(|| Bytes::from(std::mem::take(&mut chunked.body))))
            }
        };
        Ok(length.map(|length| Whole {
            head: head.clone(),
            decoded,
            trailers: std::mem::take(&mut chunked.trailers),
            length: head.length + length,
        }))
    }

    /// Why the answer is incomplete now that the connection is over.
    pub fn cut_off(&self, bytes: &[u8], was_reset: bool) -> String {
        let closed = if was_reset { "the server reset the connection" } else { "the server closed the connection" };
        match &self.state {
            State::Head if bytes.is_empty() => format!("{closed} before it sent a response"),
            State::Head => format!(
                "{closed} in the middle of the response's head: {} arrived, but not the empty line that ends a head",
                size(bytes)
            ),
            State::Body { head, framing: Framing::Length(length), .. } => format!(
                "{closed} after {} of the {} that Content-Length announces",
                bytes.len() - head.length,
                count(*length)
            ),
            State::Body { .. } => {
                format!(
                    "{closed} in the middle of a chunked body: its last chunk, of size 0, or what follows it is missing"
                )
            }
        }
    }

    /// Why the answer is incomplete although its time is over.
    pub fn too_late(&self, bytes: &[u8], timeout: Timeout) -> String {
        match &self.state {
            State::Head if bytes.is_empty() => format!("no response within {timeout}"),
            State::Head => format!(
                "no complete response within {timeout}: {} arrived, but not the empty line that ends a head",
                size(bytes)
            ),
            State::Body { head, framing: Framing::Length(length), .. } => format!(
                "no complete response within {timeout}: Content-Length announces {}, but {} arrived",
                count(*length),
                bytes.len() - head.length
            ),
            State::Body { framing: Framing::UntilClose, .. } => format!(
                "no complete response within {timeout}: the head has neither Content-Length nor Transfer-Encoding, so \
                 the body lasts until the server closes the connection, and it did not"
            ),
            State::Body { chunked, .. } => format!(
                "no complete response within {timeout}: the chunked body has {} so far, but its last chunk, of size 0, \
                 or what follows it is missing",
                count(chunked.body.len() as u64)
            ),
        }
    }
}

fn endless(length: usize, bound: usize) -> Result<(), String> {
    if length > bound { Err("the body of the response does not end: more than 8 MiB came".to_owned()) } else { Ok(()) }
}

fn within_bound(length: u64) -> Result<Option<usize>, String> {
    match usize::try_from(length) {
        Ok(length) if length <= LONGEST_BODY => Ok(Some(length)),
        _ => Err(format!("Content-Length announces {}, but no response here has more than 8 MiB", count(length))),
    }
}
