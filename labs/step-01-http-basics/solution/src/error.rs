//! Why a request cannot be answered as it asks, and what is answered in its place.

use std::io;

use crate::response::Response;
use crate::status::Status;

/// What is wrong with a request.
#[derive(Debug)]
pub enum RequestError {
    /// It breaks the grammar.
    Malformed(&'static str),
    /// Its request line is longer than we read.
    RequestLineTooLong,
    /// Its header fields are larger than we read.
    FieldsTooLarge,
    /// Its body is larger than we keep.
    BodyTooLarge,
    /// Its head took too long, or its body came to a halt.
    TooSlow,
    /// It uses a method or a transfer coding that we do not know.
    NotImplemented(&'static str),
    /// It speaks another major version of HTTP.
    VersionNotSupported,
    /// It expects what we do not offer.
    ExpectationFailed,
    /// The connection failed, so that nobody is there to be told.
    Disconnected,
}

impl From<io::Error> for RequestError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::TooSlow } else { Self::Disconnected }
    }
}

impl RequestError {
    /// What the client is told, if there still is one.
    pub fn response(&self) -> Option<Response> {
        let (status, reason) = match self {
            Self::Malformed(reason) => (Status::BAD_REQUEST, *reason),
            Self::RequestLineTooLong => (Status::URI_TOO_LONG, "the request line is too long"),
            Self::FieldsTooLarge => (Status::FIELDS_TOO_LARGE, "the header fields are too large"),
            Self::BodyTooLarge => (Status::CONTENT_TOO_LARGE, "the body is too large"),
            Self::TooSlow => (Status::REQUEST_TIMEOUT, "the request took too long to arrive"),
            Self::NotImplemented(reason) => (Status::NOT_IMPLEMENTED, *reason),
            Self::VersionNotSupported => (Status::VERSION_NOT_SUPPORTED, "this server speaks HTTP/1.1"),
            Self::ExpectationFailed => (Status::EXPECTATION_FAILED, "only 100-continue can be expected"),
            Self::Disconnected => return None,
        };
        Some(Response::text(status, reason))
    }
}
