//! A box office with a REST API: events and orders as resources.
//!
//! `http` speaks with clients and knows no SQL; `store` speaks with Postgres and knows no HTTP; `model` is what
//! the two exchange.

mod application;
mod configuration;
pub mod http;
pub mod model;
pub mod store;

#[cfg(test)]
mod tests;

pub use application::{Application, StartError};
pub use configuration::{Configuration, ConfigurationError};
