//! What the HTTP layer and the store exchange, in types that hold nothing that makes no sense.

mod job;
mod media;
mod order;
mod upload;

pub use job::{Job, JobState};
pub use media::{MediaType, is_harmless};
pub use order::{NewOrder, Order};
pub use upload::{Content, NewUpload, Part, PartPlan, Sha256, Upload, UploadRequest, UploadState};

/// What is wrong with a request, in words for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// One line of text of a length that we keep. Without control characters: one with a line feed could pass for several lines.
fn is_line(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
