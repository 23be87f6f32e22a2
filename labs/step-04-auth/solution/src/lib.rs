//! A box office that knows who is asking.
//!
//! `auth` says who somebody is and what they may do; `http` is the API for programs, `web` the pages for people;
//! `store` speaks with Postgres; `model` is what they exchange.

mod application;
pub mod auth;
mod configuration;
pub mod http;
pub mod model;
pub mod store;
pub mod web;

#[cfg(test)]
mod tests;

pub use application::{AppState, Application, StartError};
pub use configuration::{Configuration, ConfigurationError};
