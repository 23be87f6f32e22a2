//! A built request as the bytes that go out.

use bytes::Bytes;

use super::request::Request;
use lab_check::{CheckResult, Failure};

impl Request {
    /// Fails where a part of it could not be built: our own fault.
    pub(super) fn is_whole(&self) -> CheckResult {
        self.broken.as_ref().map_or(Ok(()), |why| Err(Failure::Ours(why.clone())))
    }

    /// The bytes to send to the server at `authority`.
    pub(super) fn bytes(&self, authority: &str, close: bool) -> Bytes {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut field = |name: &str, value: &str| {
            if !self.has(name) && !self.leaves_out(name) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        };
        field("Host", authority);
        field("User-Agent", self.peer.agent);
        if close {
            field("Connection", "close");
        }
        if let Some(media_type) = &self.media_type {
            field("Content-Type", media_type);
        }
        if self.states_length() {
            field("Content-Length", &self.body.as_ref().map_or(0, Bytes::len).to_string());
        }
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        Bytes::from(bytes)
    }

    fn states_length(&self) -> bool {
        // Both would be a smuggling attempt, which a check writes out by hand (RFC 9112 §6.2).
        !self.has("transfer-encoding") && (self.body.is_some() || self.states_empty_body())
    }

    /// Whether the method usually has a body and this request has none (RFC 9110 §8.6).
    pub(super) fn states_empty_body(&self) -> bool {
        self.body.is_none()
            && matches!(self.method.as_str(), "POST" | "PUT" | "PATCH")
            && !self.has("content-length")
            && !self.leaves_out("content-length")
    }

    /// Whether the check gives the field `name` itself.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
    }

    /// Whether the field `name` must not be sent.
    pub(super) fn leaves_out(&self, name: &str) -> bool {
        self.left_out.iter().any(|left_out| left_out.eq_ignore_ascii_case(name))
    }

    /// The media type of the body, from whatever says it.
    pub(super) fn content_type(&self) -> Option<&str> {
        let given = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        match given {
            Some((_, value)) => Some(value),
            None if self.leaves_out("content-type") => None,
            None => self.media_type.as_deref(),
        }
    }
}
