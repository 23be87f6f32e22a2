//! A box office with hot pages: events from a cache, customers with sessions, a limit on attempts.
//!
//! `store` speaks with Postgres, `cache` keeps copies in Redis, and `catalog` is the one place that decides which copy
//! is read, made and cleared when. `sessions` and `rate_limit` keep what belongs in Redis and nowhere else. `http`
//! speaks with clients and knows neither SQL nor Redis.

mod application;
pub mod cache;
mod catalog;
mod configuration;
pub mod http;
pub mod model;
mod rate_limit;
mod redis_client;
mod sessions;
pub mod store;

#[cfg(test)]
mod tests;

pub use application::{AppState, Application, StartError};
pub use catalog::Catalog;
pub use configuration::{Configuration, ConfigurationError, SessionLimits};
pub use rate_limit::{RateLimit, Verdict};
pub use redis_client::{Redis, RedisFailure};
pub use sessions::Sessions;
