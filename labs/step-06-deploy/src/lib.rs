//! The box office, which works, and which nobody can operate yet.
//!
//! `application` starts it, `http` speaks with clients, `store` with Postgres, and `metrics` and `telemetry` with those
//! who watch it.

mod application;
mod configuration;
pub mod http;
pub mod metrics;
pub mod model;
pub mod shutdown;
pub mod store;
pub mod tally;
pub mod telemetry;

pub use application::{Application, BuildError};
pub use configuration::{Configuration, ConfigurationError, Limits};
