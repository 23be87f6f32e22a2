//! What a client asks for.

/// One request. It will need more than these two: its version, its header fields and its body.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// `/echo/abc`
    pub path: String,
}

impl Request {
    /// Reads a request from its bytes, or gives nothing if they are none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().next()?;
        let mut words = line.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        // TODO(step-01.3): look at the version, which is the third word.
        // TODO(step-01.2): read the header fields from the lines that follow, and refuse lines that are not fields.
        Some(Self { method: method.to_owned(), path: path.to_owned() })
    }
}
