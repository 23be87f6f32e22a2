//! What the hidden tests of Backend Labs are written with.
//!
//! A suite is a program of its own. It starts the learner's server as often as its checks ask, talks to it over
//! HTTP, looks at its database and its cache, and reports on a socket that the server has no handle on. Where a lab grades
//! a program that is run and ends, it runs that instead ([`Lab::program`]).
//!
//! Begin with [`how_to`]: an index of questions, and ten kinds of check, each beside the same one without the kit.

extern crate self as lab_kit;

mod balancer;
pub mod check;
mod files;
pub mod guess;
pub mod how_to;
pub mod id;
mod keepsake;
mod lab;
mod launch;
pub mod machine;
mod passage;
mod percentile;
mod platform;
mod program;
mod server;
mod services;
pub mod suite;
pub mod time;
pub mod token;
mod tool;

pub use balancer::Balancer;
pub use files::{Content, Files};
pub use inventory;
pub use lab::Lab;
pub use lab_check::{Because, CheckResult, Difference, Failure, Ours, expect_equal, expect_that, transcript};
pub use lab_http as http;
pub use lab_kit_macros::check;
pub use lab_proxy as proxy;
pub use launch::{Exit, SystemPrograms};
pub use percentile::percentile;
pub use program::{Finished, ProgramBuilder, Running};
pub use rand;
pub use server::{App, ByHand, Container, ServerBuilder};
pub use tool::{Tool, ToolRun};

/// What nearly every check needs.
pub mod prelude {
    pub use std::time::Duration;

    pub use serde_json::{Value, json};

    pub use crate::check;
    pub use crate::lab::Lab;
    pub use crate::program::{Finished, Running};
    pub use crate::server::App;
    pub use lab_check::{Because, CheckResult, Failure, Ours, expect_equal, expect_that};
    pub use lab_http::{Connection, Request, Response, absent};
}
