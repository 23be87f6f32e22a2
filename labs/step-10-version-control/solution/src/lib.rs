//! The box office's git host, and tools for its history.
//!
//! `http` speaks with clients, `access` knows who they are, `push` decides what may be pushed, `merge` merges and tests,
//! and `tools` are what developers run on their own machines. Whatever happens to a repository is done by git, which
//! `git` starts.

mod access;
pub mod application;
mod configuration;
mod git;
mod http;
mod merge;
mod object;
mod process;
pub mod push;
mod repository;
pub mod tools;
