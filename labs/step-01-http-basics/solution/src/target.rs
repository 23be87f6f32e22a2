//! Request targets (RFC 9112 §3.2).

use crate::error::RequestError;
use crate::host;

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A path, still percent-encoded, without its query.
    Path(String),
    /// The server as a whole: `*`.
    Server,
}

impl Target {
    /// Reads `/path?query`, `http://host/path?query` or `*`.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let malformed = RequestError::Malformed("the request target is neither a path nor a URI");
        if bytes == b"*" {
            return Ok(Self::Server);
        }
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(malformed);
        }
        let text = String::from_utf8_lossy(bytes);
        let rest = if text.starts_with('/') { &text } else { after_authority(&text).ok_or(malformed)? };
        let path = rest.split('?').next().unwrap_or_default();
        Ok(Self::Path(if path.is_empty() { "/".to_owned() } else { path.to_owned() }))
    }
}

/// What follows the host in `http://host:port/path?query`.
fn after_authority(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // A host and a port; a user in front of it is how links deceive (RFC 9110 §4.2.4).
    (!authority.is_empty() && host::is_valid(authority.as_bytes())).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn path(target: &str) -> Option<String> {
        match Target::parse(target.as_bytes()) {
            Ok(Target::Path(path)) => Some(path),
            _ => None,
        }
    }

    #[test]
    fn every_form_of_a_target_leads_to_its_path() {
        assert_eq!(path("/a/b?c=/d").as_deref(), Some("/a/b"));
        assert_eq!(path("http://host:80/a?b").as_deref(), Some("/a"));
        assert_eq!(path("http://host").as_deref(), Some("/"));
        assert_eq!(path("http://host?a=/b").as_deref(), Some("/"));
        assert_eq!(path("a/b"), None);
        assert_eq!(path("http://user@host/a"), None);
        assert_eq!(path("http:///a"), None);
    }
}
