//! Postgres as a suite uses it: each check's own database, watched through its proxy, and removed.
//!
//! A run connects once ([`Cluster`]) and makes databases ahead of time. A check takes one ([`Postgres`]), whose URL
//! leads through a proxy that records every statement and makes faults. Only databases and roles of the form
//! `lab_<run>_<number>` are ever dropped; what a killed run left is dropped by the next.

mod cluster;
mod connection;
mod database;
mod database_pool;
mod driver;
mod insert;
mod keeper;
mod left;
mod lock_waits;
mod log;
mod login;
mod names;
mod own_cluster;
mod pg_error;
mod query;
mod reaper;
mod refusal;
mod room;
mod server;
mod session;
#[cfg(test)]
mod session_tests;
mod settled;
mod sql;
mod start_up;
mod statement;
mod sweep;
mod transaction;
mod waiting;
mod wire;

pub use cluster::Cluster;
pub use database::Postgres;
pub use driver::{Driver, LabCluster, LabPostgres};
pub use own_cluster::OwnCluster;
pub use query::Sql;
pub use refusal::Refusal;
pub use statement::{Recorded, Statement, Statements};
pub use transaction::Transaction;
