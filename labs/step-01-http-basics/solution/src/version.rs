//! The protocol version of a request (RFC 9110 §2.5).

use crate::error::RequestError;

/// A version of HTTP/1. A minor version above 1 is treated as 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

impl Version {
    /// Reads `HTTP/1.1` and its like.
    pub fn parse(text: &[u8]) -> Result<Self, RequestError> {
        match text {
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
                match (major, minor) {
                    (b'1', b'0') => Ok(Self::Http10),
                    (b'1', _) => Ok(Self::Http11),
                    _ => Err(RequestError::VersionNotSupported),
                }
            }
            _ => Err(RequestError::Malformed("the request line does not end in a version")),
        }
    }

    /// Whether a connection stays open only when we say so (RFC 9112 §9.3).
    pub fn keep_alive_must_be_said(self) -> bool {
        self == Self::Http10
    }
}
