//! What an audit finds, for events and reporters. `lab-instructor` makes the audit itself.

mod findings;
mod shard;

pub use findings::{AuditReport, Expectations, Generated, LabAudit, Lines, MutantResult, Problem, Survivor, Unproven};
pub use shard::Shard;
