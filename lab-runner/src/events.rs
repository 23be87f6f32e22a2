//! The only place where the engine and the reporters meet: what happens while a submission is graded.

use std::collections::BTreeMap;
use std::time::Duration;

use lab_protocol::CheckInfo;

use crate::report::{Check, Report};

/// Something happened.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Something may be wrong, and grading goes on.
    Warning {
        /// What, as a sentence fragment.
        message: String,
        /// What may help.
        hints: Vec<String>,
    },
    /// Something takes long enough to be worth a line, such as the fetching of a program.
    Doing(String),
    /// Cargo has built some of what it has to.
    Building {
        /// What is built: a package, or `the suite of …`.
        what: String,
        /// Units that are done.
        done: u64,
        /// Units in all.
        total: u64,
        /// What is being compiled now.
        now: String,
    },
    /// Cargo is done.
    Built {
        /// What was built.
        what: String,
        /// How long it took.
        took: Duration,
    },
    /// These checks will be reported, in this order.
    Planned(Vec<CheckInfo>),
    /// A check began.
    CheckStarted(String),
    /// A check ended. Its points are final, `counted` is not yet.
    CheckFinished(Box<Check>),
    /// Everything is known.
    Finished(Box<Report>),
    /// A server runs for work by hand.
    Serving {
        /// The URLs of it and of its services, by name.
        urls: BTreeMap<String, String>,
        /// The port that it was meant to have, if somebody else has it.
        taken: Option<u16>,
    },
    /// That server wrote a line.
    ServerLog(String),
}

/// Whoever wants to know.
pub trait Listener: Send + Sync {
    /// Is told of everything, in order.
    fn hear(&self, progress: Progress);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Deaf;

impl Listener for Deaf {
    fn hear(&self, _: Progress) {}
}
