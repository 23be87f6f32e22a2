//! What the page's program writes and serves. How a browser has it is tested in `browser`, a workspace of its own.

mod batch;
mod files;
mod sample;
mod served;
mod site;
