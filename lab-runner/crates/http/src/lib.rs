//! The HTTP/1.1 client of the checks: raw TCP, so that the exact bytes are known and every wrong answer is explained.
//!
//! [`Request`] sends one request on a fresh connection. [`Connection`] is for checks that care about bytes: pieces,
//! pipelining, half-closed sockets. Both give a [`Response`], whose expectations take it and give it back:
//!
//! ```no_run
//! # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
//! use serde_json::json;
//!
//! let app = lab.start().await?;
//! app.post("/events").json(&json!({"title": "Hamlet"})).await?.expect_status(201)?.expect_json(json!({
//!     "id": lab_http::any_id(),
//!     "title": "Hamlet",
//! }))?;
//! # Ok(())
//! # }
//! ```
//!
//! The client is strict where a wrong server must be seen (a broken status line, a bad chunk, two lengths that differ)
//! and lenient where RFC 9110 and RFC 9112 let a recipient be (letter case, white space, a missing reason phrase, a
//! bare line feed in the head).

mod answer;
mod any;
mod burst;
mod chunked;
mod closing;
mod connect;
mod connection;
mod curl;
mod expect;
mod framing;
mod graphql;
mod head;
mod head_wrong;
mod json;
mod json_body;
mod message;
mod multipart;
mod origin;
pub mod partial;
mod pattern;
mod peer;
mod prepared;
mod reader;
mod request;
mod response;
mod sent;
mod shell;
#[cfg(test)]
mod tests;
mod text;
mod timeout;
mod walk;
mod wire;

pub use any::{absent, any, any_array, any_boolean, any_id, any_integer, any_number, any_object, any_string, any_time};
pub use burst::burst;
pub use connection::Connection;
pub use head::wrong_beginning;
pub use multipart::Part;
pub use partial::StreamedResponse;
pub use pattern::{any_element, contains, exactly};
pub use peer::Peer;
pub use prepared::PreparedRequest;
pub use request::Request;
pub use response::Response;
pub use walk::walk;
