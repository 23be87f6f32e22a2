//! Every provider, from the first start to the last trace.
//!
//! What a provider does depends on the environment, so each test runs it in a process of its own: this very program,
//! told to be the child (see `child`).
#![expect(clippy::print_stdout, reason = "the child answers on stdout")]

mod chain;
mod child;
mod cleanup;
mod containers;
mod embedded;
mod external;
mod native;
mod probe;
mod resp;
mod world;
