//! What a check and every driver of a service share: how a check fails, the record of what happened, and what a suite asks
//! of a service.

pub mod exchanges;
mod failure;
pub mod naming;
pub mod network;
pub mod place;
mod recorded_stream;
pub mod service;
pub mod transcript;

pub use failure::{Because, CheckResult, Failure, Ours, expect_equal, expect_that};
pub use lab_protocol::Difference;
pub use recorded_stream::RecordedStream;
