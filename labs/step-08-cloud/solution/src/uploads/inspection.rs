//! Looks at what was brought, as it comes: its size, its hash, its first bytes. Memory is needed for one piece at a time.

use reqwest::Response;
use reqwest::header::{CONTENT_LENGTH, ETAG};
use sha2::{Digest as _, Sha256 as Hasher};

use crate::bucket::BucketError;
use crate::model::Content;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is what it was said to be. The entity tag is that of the bytes that were looked at.
    Right {
        /// By which the store knows these bytes again.
        entity_tag: String,
    },
    /// It is something else; the text says in what.
    Wrong(&'static str),
}

/// Reads an object and holds it against what was said of it.
///
/// # Errors
/// The store failed on the way.
pub async fn inspect(mut object: Response, said: &Content) -> Result<Finding, BucketError> {
    let header = |name| object.headers().get(name).and_then(|value| value.to_str().ok());
    let entity_tag = header(ETAG).unwrap_or_default().to_owned();
    if header(CONTENT_LENGTH).and_then(|length| length.parse().ok()) != Some(said.size) {
        return Ok(Finding::Wrong("the size is another one"));
    }
    let mut inspection = Inspection::new(said);
    while let Some(piece) = object.chunk().await? {
        inspection.look_at(&piece);
    }
    Ok(inspection.finding(entity_tag))
}

struct Inspection<'a> {
    said: &'a Content,
    size: u64,
    hasher: Hasher,
    beginning: Vec<u8>,
    text: Option<Text>,
}

impl<'a> Inspection<'a> {
    fn new(said: &'a Content) -> Self {
        let text = said.media_type.is_text().then(Text::default);
        Self { said, size: 0, hasher: Hasher::new(), beginning: Vec::new(), text }
    }

    fn look_at(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        self.hasher.update(piece);
        let missing = self.said.media_type.magic().len().saturating_sub(self.beginning.len());
        self.beginning.extend(piece.iter().take(missing));
        if let Some(text) = &mut self.text {
            text.look_at(piece);
        }
    }

    fn finding(self, entity_tag: String) -> Finding {
        if self.size != self.said.size {
            Finding::Wrong("the size is another one")
        } else if self.hasher.finalize()[..] != self.said.sha256.0 {
            Finding::Wrong("the hash is another one")
        } else if self.beginning != self.said.media_type.magic() || self.text.is_some_and(|text| !text.is_text()) {
            Finding::Wrong("it is of another type")
        } else {
            Finding::Right { entity_tag }
        }
    }
}

/// Whether bytes that come in pieces are UTF-8 without NUL. A character may begin in one piece and end in the next.
#[derive(Debug, Default)]
struct Text {
    begun: Vec<u8>,
    broken: bool,
}

impl Text {
    fn look_at(&mut self, piece: &[u8]) {
        if self.broken {
            return;
        }
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend_from_slice(piece);
        match std::str::from_utf8(&bytes) {
            Ok(text) => self.broken = text.contains('\0'),
            // Without a length of what is wrong, it is only that the end is missing.
            Err(error) if error.error_len().is_none() => {
                let (whole, begun) = bytes.split_at(error.valid_up_to());
                self.broken = whole.contains(&0);
                self.begun = begun.to_vec();
            }
            Err(_) => self.broken = true,
        }
    }

    fn is_text(&self) -> bool {
        !self.broken && self.begun.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MediaType, Sha256};

    fn finding(media_type: MediaType, pieces: &[&[u8]]) -> Finding {
        let whole = pieces.concat();
        let sha256 = Sha256(Hasher::digest(&whole).into());
        let said = Content { media_type, size: whole.len() as u64, sha256 };
        let mut inspection = Inspection::new(&said);
        pieces.iter().for_each(|piece| inspection.look_at(piece));
        inspection.finding(String::new())
    }

    fn is_right(media_type: MediaType, pieces: &[&[u8]]) -> bool {
        finding(media_type, pieces) == Finding::Right { entity_tag: String::new() }
    }

    #[test]
    fn the_first_bytes_tell_the_type_in_however_many_pieces() {
        assert!(is_right(MediaType::Pdf, &[b"%P", b"DF", b"-1.7 and so on"]));
        assert!(!is_right(MediaType::Pdf, &[b"%PDF"]));
        assert!(!is_right(MediaType::Png, &[b"\x89PNG\n\x1a\n and so on"]));
        assert!(is_right(MediaType::Jpeg, &[b"\xff", b"\xd8", b"\xff\xe0"]));
    }

    #[test]
    fn a_text_is_utf_8_without_nul_in_however_many_pieces() {
        assert!(is_right(MediaType::Plain, &["Zo\u{eb}".as_bytes()]));
        assert!(is_right(MediaType::Html, &[b"Zo\xc3", b"\xab"]));
        assert!(!is_right(MediaType::Plain, &[b"Zo\xc3"]));
        assert!(!is_right(MediaType::Plain, &[b"Zo\xc3", b"e"]));
        assert!(!is_right(MediaType::Plain, &[b"Zo\xeb"]));
        assert!(!is_right(MediaType::Plain, &[b"Zo\0e"]));
    }

    #[test]
    fn another_size_or_hash_is_wrong() {
        let said = Content { media_type: MediaType::Plain, size: 3, sha256: Sha256([0; 32]) };
        let found = |bytes: &[u8]| {
            let mut inspection = Inspection::new(&said);
            inspection.look_at(bytes);
            inspection.finding(String::new())
        };
        assert_eq!(found(b"four"), Finding::Wrong("the size is another one"));
        assert_eq!(found(b"two"), Finding::Wrong("the hash is another one"));
    }
}
