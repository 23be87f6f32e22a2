//! The server under test: started as a process of its own, watched, signalled and always ended.

mod app;
mod builder;
mod container;
mod diagnose;
mod keeper;
mod log;
mod port;
mod process;
mod ready;
mod start_line;

pub use app::App;
pub use builder::ServerBuilder;
pub use container::{ByHand, Container};
pub(crate) use keeper::Keeper;
#[cfg(any(test, not(target_os = "linux")))]
pub(crate) use port::apart_from_looks;
pub use process::{Ending, Exit};
