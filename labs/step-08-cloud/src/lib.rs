//! The box office on several machines.
//!
//! `http` speaks with clients, `store` with Postgres, `bucket` with the object store, `broker` with NATS. `printing` prints a
//! ticket. The rest is to be written.

pub mod application;
pub mod broker;
pub mod bucket;
pub mod configuration;
pub mod http;
pub mod model;
pub mod printing;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod tools;
