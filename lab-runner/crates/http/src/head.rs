//! Reading the head of an answer: status line and fields (RFC 9112 §4, §5).

use httparse::{EMPTY_HEADER, Error, ParserConfig, Status};

use super::head_wrong;
use super::text::latin_1;

/// The longest head that is read, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;
/// Every field takes at least four bytes, so no head within the bound has more.
const MOST_FIELDS: usize = LONGEST / 4;

/// The parsed head of an answer.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// The minor version of HTTP/1.
    pub minor: u8,
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The fields in their order, values without the white space around them.
    pub fields: Vec<(String, String)>,
    /// How many bytes the head takes, the empty line at its end included.
    pub length: usize,
}

impl Head {
    /// Every value of the field `name`, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The members of every comma-separated list under `name` (RFC 9110 §5.6.1).
    pub fn members<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name).flat_map(|value| value.split(',')).map(str::trim)
    }

    /// Whether another head follows before the answer proper. 101 is the last HTTP on its connection.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }
}

/// Parses the head that `bytes` begin with; `None` while it is not complete.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head>, String> {
    if matches!(bytes.first(), Some(b'\r' | b'\n')) {
        // Only a server has to overlook an empty line before the start line (RFC 9112 §2.2).
        return Err(head_wrong::EMPTY_LINE_FIRST.to_owned());
    }
    let parsed = parse_with_room(bytes, 64).or_else(|error| match error {
        Error::TooManyHeaders => parse_with_room(bytes, MOST_FIELDS),
        other => Err(other),
    });
    match parsed {
        Ok(Some(head)) if head.length > LONGEST => Err(head_wrong::TOO_LONG.to_owned()),
        Ok(Some(head)) if !(100..600).contains(&head.status) => Err(head_wrong::status_out_of_range(head.status)),
        Ok(None) if bytes.len() > LONGEST => Err(head_wrong::TOO_LONG.to_owned()),
        Ok(parsed) => Ok(parsed),
        Err(error) => Err(head_wrong::explain(bytes, error)),
    }
}

/// What keeps `bytes`, the beginning of an answer, from being one, as a sentence in a beginner's words; nothing as long as
/// they may become one.
///
/// ```
/// let wrong = lab_http::wrong_beginning(b"\r\nHTTP/1.1 200 OK\r\n");
/// assert_eq!(wrong.as_deref(), Some("the response begins with an empty line in place of a status line"));
/// assert_eq!(lab_http::wrong_beginning(b"HTTP/1.1 404 Not Found\r\n"), None);
/// ```
#[must_use]
pub fn wrong_beginning(bytes: &[u8]) -> Option<String> {
    parse(bytes).err()
}

fn parse_with_room(bytes: &[u8], fields: usize) -> Result<Option<Head>, Error> {
    let mut room = vec![EMPTY_HEADER; fields];
    let mut response = httparse::Response::new(&mut room);
    // A client must read a folded field as if the fold were spaces (RFC 9112 §5.2).
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let Status::Complete(length) = config.parse_response(&mut response, bytes)? else { return Ok(None) };
    Ok(Some(Head {
        minor: response.version.unwrap_or(1),
        status: response.code.unwrap_or(0),
        reason: reason(bytes),
        fields: response.headers.iter().map(field).collect(),
        length,
    }))
}

fn field(header: &httparse::Header<'_>) -> (String, String) {
    let mut value = latin_1(header.value);
    if value.contains(['\r', '\n']) {
        value = value.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    }
    (header.name.to_owned(), value)
}

/// The reason phrase as it came: httparse gives none if it holds anything but ASCII.
fn reason(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let phrase = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
    latin_1(phrase).trim().to_owned()
}
