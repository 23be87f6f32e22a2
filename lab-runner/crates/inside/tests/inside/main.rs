//! The tests of isolation, with containers: what programs can do in them, and what they cannot.
#![cfg(target_os = "linux")]

#[path = "../../../sandbox/tests/sandbox/bounds.rs"]
mod bounds;
mod containers;
#[path = "../../../sandbox/tests/sandbox/isolation.rs"]
mod isolation;
mod provider;
