//! Answers that say back what the request said.

use crate::encoding::{self, Coding};
use crate::head::Head;
use crate::response::Response;
use crate::status::Status;

/// The text of the path, compressed for those who take it so.
pub fn text(text: String, head: &Head) -> Response {
    let response = match encoding::choose(&head.headers) {
        Some(Coding::Identity) => Response::text(Status::OK, text),
        Some(Coding::Gzip) => match encoding::gzip(text.as_bytes()) {
            Ok(bytes) => {
                Response::bytes(Status::OK, b"text/plain; charset=utf-8", bytes).header("Content-Encoding", "gzip")
            }
            Err(_) => Response::text(Status::INTERNAL_ERROR, "the text could not be compressed"),
        },
        None => Response::text(Status::NOT_ACCEPTABLE, "only gzip and identity are on offer"),
    };
    // Also on the plain answer: a cache has to know that another client may get another one.
    response.header("Vary", "Accept-Encoding")
}

/// The body, byte for byte.
pub fn body(body: Vec<u8>, head: &Head) -> Response {
    let media_type = head.headers.first("content-type").unwrap_or(b"application/octet-stream");
    Response::bytes(Status::OK, media_type, body)
}

/// What the client calls itself.
pub fn user_agent(head: &Head) -> Response {
    let name = head.headers.first("user-agent").unwrap_or_default();
    Response::bytes(Status::OK, b"text/plain", name.to_vec())
}
