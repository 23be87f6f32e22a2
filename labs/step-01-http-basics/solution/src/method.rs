//! Request methods (RFC 9110 §9).

/// A method we have heard of. Whether a resource has it is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    /// `CONNECT`, `TRACE` and `PATCH`: known, and offered by nothing here.
    Unoffered,
}

impl Method {
    /// The method of that name. Names are case-sensitive (RFC 9110 §9.1).
    pub fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"GET" => Some(Self::Get),
            b"HEAD" => Some(Self::Head),
            b"POST" => Some(Self::Post),
            b"PUT" => Some(Self::Put),
            b"DELETE" => Some(Self::Delete),
            b"OPTIONS" => Some(Self::Options),
            b"CONNECT" | b"TRACE" | b"PATCH" => Some(Self::Unoffered),
            _ => None,
        }
    }
}
