//! What a check and every driver of a service share: how a check fails, and the record of what happened.

mod failure;
pub mod naming;
pub mod transcript;

pub use failure::{Because, CheckResult, Failure, Ours, expect_equal, expect_that};
pub use lab_protocol::Difference;
