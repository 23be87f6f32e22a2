//! Decoding a chunked body (RFC 9112 §7.1) as its bytes arrive.

use httparse::{EMPTY_HEADER, Status};

use super::head;
use super::text::{bytes as count, excerpt, latin_1};

/// The longest line with a chunk's size and its extensions, in bytes.
const LONGEST_LINE: usize = 16 * 1024;
/// More fields than any trailer has.
const MOST_TRAILERS: usize = 256;

/// A chunked body in the making.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    /// What has been decoded.
    pub body: Vec<u8>,
    /// The fields after the last chunk.
    pub trailers: Vec<(String, String)>,
    /// How many of the bytes given are used up.
    pub used: usize,
    chunk: u64,
    size: u64,
    state: State,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Size,
    Data(u64),
    AfterData,
    Trailers,
    Done,
}

impl Chunked {
    /// Goes on with `bytes`, everything that came since the body began. `true` once the body is complete.
    ///
    /// # Errors
    /// What is wrong with a chunk, as a sentence.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<bool, String> {
        loop {
            let rest = &bytes[self.used..];
            let next = match self.state {
                State::Size => self.size_line(rest)?,
                State::Data(left) => self.data(rest, left),
                State::AfterData => self.after_data(rest)?,
                State::Trailers => self.trailers(rest)?,
                State::Done => return Ok(true),
            };
            let Some(next) = next else { return Ok(false) };
            self.state = next;
        }
    }

    fn size_line(&mut self, rest: &[u8]) -> Result<Option<State>, String> {
        let number = self.chunk + 1;
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            if rest.len() > LONGEST_LINE {
                return Err(format!("chunk {number} of the body has a size line without an end"));
            }
            return Ok(None);
        };
        let Some(line) = rest[..end].strip_suffix(b"\r") else {
            return Err(format!(
                "chunk {number} of the body has the size line {}, which ends in \\n alone instead of \\r\\n",
                excerpt(&rest[..end])
            ));
        };
        self.size = size(line).ok_or_else(|| {
            let said = if number == 1 { ", although the head says `Transfer-Encoding: chunked`" } else { "" };
            format!(
                "chunk {number} of the body begins with {} instead of its size in hexadecimal digits{said}",
                excerpt(line)
            )
        })?;
        self.chunk = number;
        self.used += end + 1;
        Ok(Some(if self.size == 0 { State::Trailers } else { State::Data(self.size) }))
    }

    fn data(&mut self, rest: &[u8], left: u64) -> Option<State> {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        self.body.extend_from_slice(&rest[..take]);
        self.used += take;
        match left - take as u64 {
            0 => Some(State::AfterData),
            _ if take == 0 => None,
            left => Some(State::Data(left)),
        }
    }

    fn after_data(&mut self, rest: &[u8]) -> Result<Option<State>, String> {
        match rest {
            [b'\r', b'\n', ..] => {
                self.used += 2;
                Ok(Some(State::Size))
            }
            [] | [b'\r'] => Ok(None),
            other => Err(format!(
                "chunk {} of the body says it has {} (hexadecimal {:x}), but after them comes {} instead of \\r\\n",
                self.chunk,
                count(self.size),
                self.size,
                excerpt(&other[..other.len().min(20)])
            )),
        }
    }

    fn trailers(&mut self, rest: &[u8]) -> Result<Option<State>, String> {
        let mut room = vec![EMPTY_HEADER; MOST_TRAILERS];
        match httparse::parse_headers(rest, &mut room) {
            Ok(Status::Complete((length, fields))) => {
                self.trailers = fields.iter().map(|f| (f.name.to_owned(), latin_1(f.value))).collect();
                self.used += length;
                Ok(Some(State::Done))
            }
            Ok(Status::Partial) if rest.len() <= head::LONGEST => Ok(None),
            Ok(Status::Partial) => Err("the trailer of the chunked body has no end".to_owned()),
            Err(_) => Err(format!(
                "the last chunk must be followed by an empty line, or by fields and an empty line, but here comes {}",
                excerpt(&rest[..rest.len().min(40)])
            )),
        }
    }
}

/// The size in a chunk's first line, whose extensions nobody has to know.
fn size(line: &[u8]) -> Option<u64> {
    let text = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let extended = text.len() < line.len();
    let digits = std::str::from_utf8(text).ok()?;
    // White space may stand before an extension, and nowhere else (RFC 9112 §7.1.1).
    let digits = if extended { digits.trim_end_matches([' ', '\t']) } else { digits };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() { Some(0) } else { u64::from_str_radix(significant, 16).ok() }
}
