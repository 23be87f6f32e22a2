//! Header fields: names in any case, values as the bytes they came as.

use crate::error::RequestError;

/// White space in a head: a space or a tab, and nothing else (RFC 9110 §5.6.3). `str::trim` also strips form feeds and
/// no-break spaces, and whoever strips more than the proxy before it can be made to see another request.
pub const WHITE_SPACE: [char; 2] = [' ', '\t'];

/// The fields of one request, in order.
#[derive(Debug, Default)]
pub struct Headers {
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    /// In lower case.
    name: String,
    value: Vec<u8>,
}

impl Headers {
    /// Adds a field line (RFC 9112 §5).
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), RequestError> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(RequestError::Malformed("a header field goes on in the next line"));
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Err(RequestError::Malformed("a header field has no colon"));
        };
        let name = &line[..colon];
        // A space before the colon falls out here, too: it is no character of a token.
        if !is_token(name) {
            return Err(RequestError::Malformed("a header field has a bad name"));
        }
        let value = trim(&line[colon + 1..]);
        if value.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control()) {
            return Err(RequestError::Malformed("a header field holds a control character"));
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        self.fields.push(Field { name, value: value.to_vec() });
        Ok(())
    }

    /// The values of every field of that name, which is given in lower case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| field.value.as_slice())
    }

    /// The value of the first field of that name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_slice())
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The members of a comma-separated list, which may stand in several fields, in lower case (RFC 9110 §5.6.1).
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut members = Vec::new();
        for value in self.all(name) {
            let text = String::from_utf8_lossy(value).to_ascii_lowercase();
            let trimmed = text.split(',').map(|member| member.trim_matches(WHITE_SPACE));
            members.extend(trimmed.filter(|member| !member.is_empty()).map(str::to_owned));
        }
        members
    }
}

/// The bytes without the white space at both ends.
pub fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = trim_end(bytes);
    let start = bytes.iter().position(|&byte| !is_white_space(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

/// The bytes without the white space at their end.
pub fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| !is_white_space(byte)).map_or(0, |last| last + 1);
    &bytes[..end]
}

fn is_white_space(byte: u8) -> bool {
    WHITE_SPACE.contains(&char::from(byte))
}

/// Whether the bytes form a token (RFC 9110 §5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::{Headers, trim};

    fn parsed(line: &[u8]) -> Option<Headers> {
        let mut headers = Headers::default();
        headers.push_line(line).ok()?;
        Some(headers)
    }

    #[test]
    fn only_spaces_and_tabs_are_white_space() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\xa0a\x85"), b"\xa0a\x85");
        let headers = parsed("Transfer-Encoding: a,\t chunked , \u{a0}chunked".as_bytes()).expect("a field");
        assert_eq!(headers.list("transfer-encoding"), ["a", "chunked", "\u{a0}chunked"]);
    }

    #[test]
    fn bytes_beyond_ascii_are_kept_and_control_characters_refused() {
        assert_eq!(parsed(b"A: \xe9\t\"b\" ").expect("a field").first("a"), Some(&b"\xe9\t\"b\""[..]));
        for bad in [&b"A: \x0cchunked"[..], b"A: a\0", b"A : b", b"A\x0b: b", b" A: b", b": b", b"A"] {
            assert!(parsed(bad).is_none(), "{}", bad.escape_ascii());
        }
    }
}
