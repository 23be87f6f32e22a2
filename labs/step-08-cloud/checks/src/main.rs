//! The suite of the cloud lab: files that pass the server by, and jobs that survive everybody.

mod bounded;
mod bypass;
mod completion;
mod downloads;
mod failover;
mod fencing;
#[cfg(not(learner_kit))]
mod held_out;
mod interrupted;
mod multipart;
mod orders;
mod private;
mod proxies;
mod restoring;
mod retries;
mod signing;
mod support;
mod sweep;
mod tickets;
mod upload;
mod workers;

lab_kit::file_order![
    "orders",
    "upload",
    "bypass",
    "signing",
    "completion",
    "private",
    "downloads",
    "multipart",
    "interrupted",
    "sweep",
    "tickets",
    "retries",
    "bounded",
    "workers",
    "fencing",
    "proxies",
    "failover",
    "restoring",
];

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&lab_postgres::Driver, &lab_store::Driver, &lab_nats::Driver])
}
