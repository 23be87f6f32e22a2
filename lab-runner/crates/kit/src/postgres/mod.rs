//! The check's own Postgres database: made, watched through its proxy, and removed.
//!
//! A run connects once ([`Cluster`]) and makes databases ahead of time. A check takes one ([`Postgres`]), whose URL
//! leads through a proxy that records every statement and makes faults. Only databases and roles of the form
//! `lab_<run>_<number>` are ever dropped; what a killed run left is dropped by the next.

mod answer;
mod blame;
mod cluster;
mod connection;
mod database;
mod janitor;
mod log;
mod login;
mod query;
mod scram;
mod server;
mod session;
#[cfg(test)]
mod session_tests;
mod spares;
mod sql;
mod statement;
mod sweep;
mod wire;

pub use blame::Refusal;
pub use cluster::Cluster;
pub use database::Postgres;
pub use query::Sql;
pub use statement::{Recorded, Statement, Statements};
