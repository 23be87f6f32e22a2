//! The box office on several machines.
//!
//! `http` speaks with clients, `uploads` decides what becomes of what they bring, `jobs` hands work to workers and does it,
//! `sweeper` removes what nobody needs, and `tools` are for the day on which a database is lost. Below them, `store` speaks
//! with Postgres and `bucket` with the object store; NATS is spoken with in `jobs`.

pub mod application;
mod bucket;
mod configuration;
mod http;
mod jobs;
mod model;
mod printing;
mod shutdown;
mod store;
mod sweeper;
pub mod telemetry;
#[cfg(test)]
mod tests;
pub mod tools;
mod uploads;
