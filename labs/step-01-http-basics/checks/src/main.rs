//! The hidden suite of step 01: HTTP/1.1 as seen from the other end of the wire.

mod answers;
mod bodies;
mod bounds;
mod chunked;
mod clients;
mod connections;
mod files;
mod gzip;
mod methods;
mod reading;
mod support;
mod traversal;

fn main() -> std::process::ExitCode {
    lab_kit::suite::main()
}
