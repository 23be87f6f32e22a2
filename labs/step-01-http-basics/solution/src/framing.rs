//! How long the body of a request is (RFC 9112 §6).

use crate::error::RequestError;
use crate::head::Head;
use crate::headers;
use crate::version::Version;

/// The length of a body, as the head states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes; none where nothing is said.
    Exact(u64),
    /// As many as its chunks have.
    Chunked,
}

impl BodyLength {
    /// Refuses a body that is known to be larger than `most` bytes.
    pub fn check(self, most: usize) -> Result<(), RequestError> {
        match self {
            Self::Exact(length) if usize::try_from(length).is_ok_and(|length| length <= most) => Ok(()),
            Self::Exact(_) => Err(RequestError::BodyTooLarge),
            Self::Chunked => Ok(()),
        }
    }
}

/// Reads it off the head. Two readings of one length are how requests are smuggled, so any doubt is an error.
pub fn body_length(head: &Head) -> Result<BodyLength, RequestError> {
    if !head.headers.has("transfer-encoding") {
        return content_length(head);
    }
    if head.headers.has("content-length") {
        return Err(RequestError::Malformed("Content-Length and Transfer-Encoding exclude each other"));
    }
    if head.version == Version::Http10 {
        return Err(RequestError::Malformed("HTTP/1.0 knows no Transfer-Encoding"));
    }
    let codings = head.headers.list("transfer-encoding");
    match codings.split_last() {
        Some((last, [])) if last == "chunked" => Ok(BodyLength::Chunked),
        Some((last, _)) if last == "chunked" => Err(RequestError::NotImplemented("the transfer coding is unknown")),
        _ => Err(RequestError::Malformed("the last transfer coding is not chunked")),
    }
}

fn content_length(head: &Head) -> Result<BodyLength, RequestError> {
    let mut length = None;
    for value in head.headers.all("content-length") {
        // Equal members of a list are one statement made twice (RFC 9110 §8.6).
        for member in value.split(|&byte| byte == b',') {
            let stated = decimal(headers::trim(member))?;
            if length.is_some_and(|earlier| earlier != stated) {
                return Err(RequestError::Malformed("two Content-Lengths differ"));
            }
            length = Some(stated);
        }
    }
    Ok(BodyLength::Exact(length.unwrap_or(0)))
}

/// Digits and nothing else: `str::parse` would also take `+5`.
fn decimal(digits: &[u8]) -> Result<u64, RequestError> {
    let bad = RequestError::Malformed("the Content-Length is no number");
    if digits.is_empty() {
        return Err(bad);
    }
    let mut number: u64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(bad);
        }
        let larger = number.checked_mul(10).and_then(|number| number.checked_add(u64::from(digit - b'0')));
        number = larger.ok_or(RequestError::Malformed("the Content-Length is larger than any body"))?;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn a_length_is_ascii_digits_and_fits() {
        assert_eq!(decimal(b"0").ok(), Some(0));
        assert_eq!(decimal(b"007").ok(), Some(7));
        assert_eq!(decimal(b"18446744073709551615").ok(), Some(u64::MAX));
        let bad = ["", "+5", "-1", "0x5", "5 ", "5_0", "18446744073709551616", "\u{0665}", "\u{ff15}", "5\u{0c}"];
        for bad in bad {
            assert!(decimal(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
