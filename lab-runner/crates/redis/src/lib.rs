//! Redis as a suite uses it: each check's own keyspace, watched through its proxy, and emptied.
//!
//! A run connects once ([`Keyspaces`]). A check gets a logical database and a user who can reach no other
//! ([`Redis`]), and its server a URL that leads through a proxy which logs in, keeps it in that database, records
//! every command and makes faults. A database that holds keys of somebody else is never taken.

mod command;
mod driver;
mod guards;
mod instance;
mod keyspace;
mod keyspaces;
mod log;
mod pairing;
mod replies;
mod rewrite;
mod scripts;
mod server;
mod session;
mod subscriptions;
mod told;
mod watch;
mod wire;

pub use ::redis::AsyncCommands;

pub use command::{Command, Commands, Recorded};
pub use driver::{Driver, LabRedis};
pub use keyspace::Redis;
pub use keyspaces::Keyspaces;
