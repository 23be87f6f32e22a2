//! The server under test: started as a process of its own, watched, signalled and always ended.

mod app;
mod builder;
mod container;
mod diagnose;
mod keeper;
mod log;
pub(crate) mod port;
mod process;
mod ready;
mod start_line;

pub use app::App;
pub use builder::ServerBuilder;
pub use container::{ByHand, Container};
pub(crate) use keeper::Keeper;
pub use process::Ending;
pub(crate) use process::spawn;
