//! What the two say to each other, a line of JSON each, on a socket that the program has no handle on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::limits::Limit;

/// What is to be started, from outside. With it come the three standard streams.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Start {
    /// A program.
    Program {
        /// It, and its arguments.
        argv: Vec<Text>,
        /// Its whole environment.
        environment: Vec<(Text, Text)>,
        /// The folder it is started in.
        folder: PathBuf,
        /// What it may use.
        limits: Vec<Limit>,
    },
    /// Nothing: sockets are made for whoever holds the first of the streams.
    Sockets,
}

/// What is told from inside.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It runs, and is called so in the container.
    Started(u32),
    /// It cannot be started.
    Failed(String),
    /// It has exited with this.
    Exited(i32),
    /// This signal has ended it.
    Signalled(i32),
}

/// What need not be text.
pub(crate) type Text = Vec<u8>;
