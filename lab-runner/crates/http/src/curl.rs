//! A request as a line for a shell: `curl` where it can send the same, `printf` and `nc` where it cannot.

use super::head_wrong::is_token;
use super::origin::QUIET;
use super::request::Request;
use super::shell::{host_and_port, print, quote};

/// The longest body that stands in the command line itself, in bytes.
const LONGEST_ARGUMENT: usize = 2_000;
/// curl waits a second for `100 Continue` before it sends a body longer than this, in bytes.
const EXPECTS_BEYOND: usize = 1_024;

/// The command that sends `request` to `address`; `None` if it were too long to be of use.
pub(super) fn command(request: &Request, address: &str) -> Option<String> {
    if !can_send(request) {
        return Some(format!("{} | nc {QUIET}{}", print(&request.bytes(address, true))?, host_and_port(address)));
    }
    let mut words = vec!["curl".to_owned(), "-i".to_owned()];
    words.extend(path_options(&request.target));
    words.extend(method(request));
    words.extend(request.source.into_iter().flat_map(|source| ["--interface".to_owned(), source.to_string()]));
    words.extend(headers(request));
    let (before, body) = body(request.body.as_deref())?;
    words.extend(body);
    words.push(quote(&format!("http://{address}{}", request.target)));
    Some(format!("{before}{}", words.join(" ")))
}

/// Whether curl sends the request as it stands.
fn can_send(request: &Request) -> bool {
    let target = &request.target;
    let plain_target = target.starts_with('/') && target.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    let plain_fields = request.fields.iter().all(|(name, value)| {
        !name.is_empty()
            && name.bytes().all(is_token)
            && !value.chars().any(char::is_control)
            && value.trim() == value
            // curl would make chunks of its own, and count for itself.
            && !name.eq_ignore_ascii_case("transfer-encoding")
            && !name.eq_ignore_ascii_case("content-length")
    });
    let plain_method = !request.method.is_empty() && request.method.bytes().all(is_token);
    let head_with_body = request.method == "HEAD" && request.body.is_some();
    let leaves_out = request.leaves_out("host") || request.leaves_out("content-length");
    // Of several it sends one.
    let hosts = request.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).count();
    plain_target && plain_fields && plain_method && !head_with_body && !leaves_out && hosts < 2
}

fn path_options(target: &str) -> Vec<String> {
    let path = target.split('?').next().unwrap_or_default();
    let mut options = Vec::new();
    if path.split('/').any(|segment| matches!(decoded_dots(segment).as_str(), "." | "..")) {
        options.push("--path-as-is".to_owned());
    }
    if target.contains(['[', ']', '{', '}']) {
        options.push("-g".to_owned());
    }
    options
}

/// curl removes dots written as `%2e`, too.
fn decoded_dots(segment: &str) -> String {
    segment.to_ascii_lowercase().replace("%2e", ".")
}

fn method(request: &Request) -> Vec<String> {
    match request.method.as_str() {
        "HEAD" => vec!["-I".to_owned()],
        "GET" if request.body.is_none() => Vec::new(),
        other => vec!["-X".to_owned(), quote(other)],
    }
}

fn headers(request: &Request) -> Vec<String> {
    let mut fields: Vec<String> = request
        .fields
        .iter()
        .map(|(name, value)| if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") })
        .collect();
    match &request.body {
        Some(body) => {
            // An empty one keeps curl from adding what was not sent.
            match request.content_type() {
                Some(media_type) if !request.has("content-type") => fields.push(format!("Content-Type: {media_type}")),
                None => fields.push("Content-Type:".to_owned()),
                Some(_) => {}
            }
            if body.len() > EXPECTS_BEYOND && !request.has("expect") {
                fields.push("Expect:".to_owned());
            }
        }
        None if request.states_empty_body() => fields.push("Content-Length: 0".to_owned()),
        None => {}
    }
    fields.into_iter().flat_map(|field| ["-H".to_owned(), quote(&field)]).collect()
}

/// What stands before curl, and curl's own words.
fn body(payload: Option<&[u8]>) -> Option<(String, Vec<String>)> {
    let Some(bytes) = payload else { return Some((String::new(), Vec::new())) };
    match as_argument(bytes) {
        // After --data-binary an @ would name a file.
        Some(text) if text.starts_with('@') => Some((String::new(), vec!["--data-raw".to_owned(), quote(text)])),
        Some(text) => Some((String::new(), vec!["--data-binary".to_owned(), quote(text)])),
        None => Some((format!("{} | ", print(bytes)?), vec!["--data-binary".to_owned(), "@-".to_owned()])),
    }
}

fn as_argument(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let printable = text.chars().all(|c| !c.is_control() || c == '\n');
    (printable && text.len() <= LONGEST_ARGUMENT).then_some(text)
}
