//! The hidden suite of step 01: HTTP/1.1 as seen from the other end of the wire.

mod answers;
mod bodies;
mod bounds;
mod chunked;
mod clients;
mod conditional;
mod connections;
mod fields;
mod files;
mod gzip;
mod head;
#[cfg(not(learner_kit))]
mod held_out;
mod methods;
mod pipelining;
mod reading;
mod support;
mod timeouts;
mod traversal;
mod unwanted;

lab_kit::file_order![
    "reading",
    "methods",
    "connections",
    "bodies",
    "chunked",
    "files",
    "pipelining",
    "gzip",
    "head",
    "unwanted",
    "conditional",
    "traversal",
    "clients",
    "bounds",
    "timeouts",
    "fields"
];

fn main() -> std::process::ExitCode {
    lab_kit::suite::main()
}
