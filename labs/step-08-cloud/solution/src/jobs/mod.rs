//! Jobs: accepted by writing a row, carried to workers by NATS, and done by whichever worker has a hand free.
//!
//! The row is what counts. A message says no more than that somebody shall look at a job; it may come late, or twice.

mod broker;
mod relay;
mod worker;

pub use broker::{Broker, BrokerError};
pub use relay::Relay;
pub use worker::Worker;
