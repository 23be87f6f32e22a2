//! The box office as its operators need it.
//!
//! `application` starts and ends it, `lifecycle` says in which phase it is, `http` speaks with clients, `store` with
//! Postgres, and `metrics` and `telemetry` with those who watch it.

mod application;
mod configuration;
pub mod http;
pub mod lifecycle;
pub mod metrics;
pub mod model;
pub mod shutdown;
pub mod store;
pub mod tally;
pub mod telemetry;
#[cfg(test)]
mod tests;

pub use application::{Application, RunError};
pub use configuration::{ApiToken, Configuration, ConfigurationError, Database, Limits, Timeout};
