//! What `watch` shows: on a terminal one screen that is kept up to date, elsewhere a line for each event.

mod fit;
mod lines;
mod model;
mod pages;
mod screen;
#[cfg(test)]
mod tests;

pub use lines::WatchLines;
pub use screen::{WatchScreen, Wish};
