//! Words for amounts, and bytes as they stand in a sentence.

use std::time::Duration;

use http::StatusCode;
use lab_check::transcript::show_bytes;

/// The most of some bytes that stands in the middle of a sentence.
const EXCERPT: usize = 60;

/// `10 s`, `1.5 s` or `250 ms`.
pub(super) fn duration(duration: Duration) -> String {
    if duration >= Duration::from_secs(1) {
        return format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0);
    }
    format!("{} ms", duration.as_millis())
}

/// A status with its name, such as `404 Not Found`.
pub(super) fn status(code: u16) -> String {
    let reason = match code {
        // RFC 9110 §15.5.14 and §15.5.21, where the library has the names of older RFCs.
        413 => Some("Content Too Large"),
        422 => Some("Unprocessable Content"),
        _ => StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason()),
    };
    reason.map_or_else(|| code.to_string(), |reason| format!("{code} {reason}"))
}

/// `1 byte` or `7 bytes`.
pub(super) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// The number of bytes in `slice`, as a sentence has it.
pub(super) fn size(slice: &[u8]) -> String {
    bytes(slice.len() as u64)
}

/// The beginning of some bytes, on one line and in backquotes.
pub(super) fn excerpt(slice: &[u8]) -> String {
    if slice.is_empty() {
        return "nothing".to_owned();
    }
    let shown = show_bytes(&slice[..slice.len().min(EXCERPT)]).replace('\n', "\\n").replace('\t', "\\t");
    let more = if slice.len() > EXCERPT { "…" } else { "" };
    format!("`{shown}{more}`")
}

/// Header bytes as text, each byte the character of the same number, so that nothing is lost (RFC 9110 §5.5).
pub(super) fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
