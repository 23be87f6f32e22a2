//! Status codes with the phrases RFC 9110 §15 gives them.

/// A status code and its reason phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The three digits.
    pub code: u16,
    /// What they mean.
    pub phrase: &'static str,
}

impl Status {
    pub const OK: Self = Self::new(200, "OK");
    pub const CREATED: Self = Self::new(201, "Created");
    pub const NO_CONTENT: Self = Self::new(204, "No Content");
    pub const NOT_MODIFIED: Self = Self::new(304, "Not Modified");
    pub const BAD_REQUEST: Self = Self::new(400, "Bad Request");
    pub const FORBIDDEN: Self = Self::new(403, "Forbidden");
    pub const NOT_FOUND: Self = Self::new(404, "Not Found");
    pub const METHOD_NOT_ALLOWED: Self = Self::new(405, "Method Not Allowed");
    pub const NOT_ACCEPTABLE: Self = Self::new(406, "Not Acceptable");
    pub const REQUEST_TIMEOUT: Self = Self::new(408, "Request Timeout");
    pub const CONFLICT: Self = Self::new(409, "Conflict");
    pub const PRECONDITION_FAILED: Self = Self::new(412, "Precondition Failed");
    pub const CONTENT_TOO_LARGE: Self = Self::new(413, "Content Too Large");
    pub const URI_TOO_LONG: Self = Self::new(414, "URI Too Long");
    pub const EXPECTATION_FAILED: Self = Self::new(417, "Expectation Failed");
    pub const FIELDS_TOO_LARGE: Self = Self::new(431, "Request Header Fields Too Large");
    pub const INTERNAL_ERROR: Self = Self::new(500, "Internal Server Error");
    pub const NOT_IMPLEMENTED: Self = Self::new(501, "Not Implemented");
    pub const VERSION_NOT_SUPPORTED: Self = Self::new(505, "HTTP Version Not Supported");

    const fn new(code: u16, phrase: &'static str) -> Self {
        Self { code, phrase }
    }

    /// Whether a response with this status never has a body, nor says how long it would be.
    pub fn is_bodiless(self) -> bool {
        self == Self::NO_CONTENT || self == Self::NOT_MODIFIED
    }
}
