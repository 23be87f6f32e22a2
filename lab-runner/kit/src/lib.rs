//! What the hidden tests of Backend Labs are written with, and the events a suite sends to the runner.
//!
//! A suite is a program of its own. It starts the learner's server as often as its checks ask, talks to it over
//! HTTP, looks at its database and its cache, and reports on a socket that the server has no handle on.

#[cfg(feature = "suite")]
extern crate self as lab_kit;

pub mod events;
pub mod process;
pub mod scram;

#[cfg(feature = "suite")]
mod balancer;
#[cfg(feature = "suite")]
pub mod check;
#[cfg(feature = "suite")]
mod failure;
#[cfg(feature = "suite")]
pub mod http;
#[cfg(feature = "suite")]
pub mod id;
#[cfg(feature = "suite")]
mod lab;
#[cfg(feature = "suite")]
pub mod postgres;
#[cfg(feature = "suite")]
pub mod proxy;
#[cfg(feature = "suite")]
pub mod redis;
#[cfg(feature = "suite")]
mod server;
#[cfg(feature = "suite")]
pub mod suite;
#[cfg(feature = "suite")]
pub mod time;
#[cfg(feature = "suite")]
pub mod token;
#[cfg(feature = "suite")]
pub mod transcript;

#[cfg(feature = "suite")]
pub use balancer::Balancer;
#[cfg(feature = "suite")]
pub use failure::{Because, CheckResult, Failure, Ours, expect_equal, expect_that};
#[cfg(feature = "suite")]
pub use inventory;
#[cfg(feature = "suite")]
pub use lab::Lab;
#[cfg(feature = "suite")]
pub use lab_kit_macros::check;
#[cfg(feature = "suite")]
pub use rand;
#[cfg(feature = "suite")]
pub use server::{App, ByHand, Container, Exit, ServerBuilder};

/// What nearly every check needs.
#[cfg(feature = "suite")]
pub mod prelude {
    pub use std::time::Duration;

    pub use serde_json::{Value, json};

    pub use crate::check;
    pub use crate::failure::{Because, CheckResult, Failure, Ours, expect_equal, expect_that};
    pub use crate::http::{Connection, Request, Response};
    pub use crate::lab::Lab;
    pub use crate::server::App;
}
