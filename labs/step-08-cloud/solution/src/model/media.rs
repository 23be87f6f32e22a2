//! What kinds of files we take, and what we do with each.

use std::str::FromStr;

/// A kind of file that may be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `image/png`
    Png,
    /// `image/jpeg`
    Jpeg,
    /// `application/pdf`
    Pdf,
    /// `text/html`
    Html,
    /// `text/plain`
    Plain,
}

/// A kind that we do not take.
#[derive(Debug, thiserror::Error)]
#[error("this type is not taken")]
pub struct UnknownType;

impl MediaType {
    const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::Pdf, Self::Html, Self::Plain];

    /// As it stands in `Content-Type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
            Self::Html => "text/html",
            Self::Plain => "text/plain",
        }
    }

    /// What every file of this kind begins with. Texts begin with anything.
    pub fn magic(self) -> &'static [u8] {
        match self {
            Self::Png => b"\x89PNG\r\n\x1a\n",
            Self::Jpeg => b"\xff\xd8\xff",
            Self::Pdf => b"%PDF-",
            Self::Html | Self::Plain => b"",
        }
    }

    /// Whether it is text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Html | Self::Plain)
    }
}

/// Whether a browser may show what has this type. A short list of what cannot run anything: everything else is saved.
pub fn is_harmless(media_type: &str) -> bool {
    [MediaType::Png, MediaType::Jpeg].iter().any(|harmless| harmless.as_str() == media_type)
}

impl FromStr for MediaType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(UnknownType)
    }
}
