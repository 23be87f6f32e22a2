//! What is made of results, from report folders as the runner writes them.
//! (The recursion limit is for serde_json, which takes a JSON text apart token by token.)
#![recursion_limit = "256"]

mod batches;
mod formats;
mod gradebook;
