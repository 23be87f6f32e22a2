//! NATS with JetStream as a suite uses it: a server of each check's own, reached through a proxy that makes faults.
//!
//! Where the program is on this machine, a check's server is a process of its own, which can be killed and started again
//! on the same files ([`Nats::kill`], [`Nats::start_again`]). Where it is not (an external server, a container), one server
//! is lent to one check at a time, and what that has made is removed before the next one gets it.

mod broker;
mod brokers;
mod driver;
mod nats;
mod state;
mod subscription;

pub use async_nats;

pub use brokers::Brokers;
pub use driver::{Driver, LabNats};
pub use nats::Nats;
pub use state::{Consumer, Stream};
pub use subscription::Subscription;
