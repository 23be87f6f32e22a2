//! What is wrong with the head of an answer, in a beginner's words.

use httparse::Error;

use super::text::excerpt;

/// An empty line where a status line belongs.
pub(super) const EMPTY_LINE_FIRST: &str = "the response begins with an empty line in place of a status line";
/// A head beyond the bound.
pub(super) const TOO_LONG: &str =
    "the head of the response does not end: more than 64 KiB came without the empty line that ends a head";

/// A status code that is none.
pub(super) fn status_out_of_range(status: u16) -> String {
    format!("the status code is {status:03}, but status codes go from 100 to 599")
}

/// What httparse stumbled over, found again line by line.
pub(super) fn explain(bytes: &[u8], error: Error) -> String {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    match error {
        Error::Version | Error::Token => wrong_version(first),
        Error::Status => wrong_status(first),
        Error::TooManyHeaders => "the head of the response has too many fields".to_owned(),
        Error::HeaderName | Error::HeaderValue | Error::NewLine => lines
            .take_while(|line| !line.is_empty())
            .find_map(wrong_field)
            .unwrap_or_else(|| format!("the head of the response is malformed ({error})")),
    }
}

fn wrong_version(line: &[u8]) -> String {
    if line.starts_with(b"HTTP/") {
        return format!("the status line is {}, but the HTTP version must be 1.0 or 1.1", excerpt(line));
    }
    format!(
        "the response does not begin with a status line such as `HTTP/1.1 200 OK`: it begins with {}",
        excerpt(line)
    )
}

fn wrong_status(line: &[u8]) -> String {
    let parts: Vec<_> = line.splitn(3, |byte| *byte == b' ').collect();
    let code = parts.get(1).copied().unwrap_or_default();
    if code.len() == 3 && code.iter().all(u8::is_ascii_digit) {
        return format!("the status line is {}, and its reason phrase contains a control character", excerpt(line));
    }
    let then = if code.len() > 3 { ", and these by another space" } else { "" };
    format!(
        "the status line is {}, but the version must be followed by one space and a status code of three digits{then}",
        excerpt(line)
    )
}

fn wrong_field(line: &[u8]) -> Option<String> {
    let shown = excerpt(line);
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Some(format!(
            "the head of the response has a line without a colon: {shown}; if that is the body, the empty line before it is \
             missing"
        ));
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() {
        return Some(format!("a field in the head of the response has no name: {shown}"));
    }
    if matches!(name.last(), Some(b' ' | b'\t')) {
        return Some(format!("a field in the head of the response has white space before its colon: {shown}"));
    }
    if let Some(byte) = name.iter().find(|byte| !is_token(**byte)) {
        let byte = excerpt(&[*byte]);
        return Some(format!(
            "a field name in the head of the response contains {byte}, which is not allowed there: {shown}"
        ));
    }
    if value.iter().any(|byte| (byte.is_ascii_control() && *byte != b'\t') || *byte == 0x7f) {
        return Some(format!("a field in the head of the response contains a control character: {shown}"));
    }
    None
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
