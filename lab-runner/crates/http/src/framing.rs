//! Where the body of an answer ends (RFC 9112 §6.3).

use super::head::Head;

/// What ends a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body.
    Empty,
    /// The body has this many bytes.
    Length(u64),
    /// The body comes in chunks.
    Chunked,
    /// The body lasts until the connection closes.
    UntilClose,
}

/// The framing of an answer to `method`.
///
/// # Errors
/// Why the head announces no framing that can be trusted, as a sentence.
pub(super) fn of(method: &str, head: &Head) -> Result<Framing, String> {
    if (100..200).contains(&head.status) {
        return Ok(Framing::Empty);
    }
    let length = content_length(head)?;
    let chunked = is_chunked(head)?;
    if length.is_some() && chunked {
        return Err(
            "the response has both Content-Length and Transfer-Encoding, so nobody can tell where its body ends \
                    (RFC 9112 §6.2)"
                .to_owned(),
        );
    }
    if bodiless(method, head.status) {
        return Ok(Framing::Empty);
    }
    Ok(match (chunked, length) {
        (true, _) => Framing::Chunked,
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::UntilClose,
    })
}

/// Whether an answer has no body, whatever its fields say.
fn bodiless(method: &str, status: u16) -> bool {
    method == "HEAD" || matches!(status, 204 | 304) || (method == "CONNECT" && (200..300).contains(&status))
}

/// The one value of Content-Length. The same value twice is one value.
fn content_length(head: &Head) -> Result<Option<u64>, String> {
    let mut found: Option<u64> = None;
    for value in head.members("content-length") {
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let Some(length) = digits.then(|| value.parse().ok()).flatten() else {
            return Err(format!("the response's Content-Length is `{value}`, which is not a number of bytes"));
        };
        match found {
            Some(other) if other != length => {
                return Err(format!("the response has two different values of Content-Length: {other} and {length}"));
            }
            _ => found = Some(length),
        }
    }
    Ok(found)
}

/// Whether the body is chunked.
fn is_chunked(head: &Head) -> Result<bool, String> {
    let codings: Vec<_> = head.members("transfer-encoding").filter(|coding| !coding.is_empty()).collect();
    let Some(unwanted) = codings.iter().find(|coding| !coding.eq_ignore_ascii_case("chunked")) else {
        return match codings.len() {
            0 => Ok(false),
            _ if head.minor == 0 => {
                Err("the response is HTTP/1.0 but has Transfer-Encoding, which HTTP/1.1 introduced \
                                         (RFC 9112 §6.1)"
                    .to_owned())
            }
            1 => Ok(true),
            _ => Err("the response is `chunked` twice, but may be so only once (RFC 9112 §6.1)".to_owned()),
        };
    };
    Err(format!(
        "the response has the transfer coding `{unwanted}`, but without a TE field in the request only `chunked` may be \
         used (RFC 9112 §7.4)"
    ))
}
