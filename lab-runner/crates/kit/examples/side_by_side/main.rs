//! Three checks of the labs, written twice: with the kit, and with plain tokio, reqwest and sqlx.
//!
//! ```text
//! cargo run -p lab-kit --example side_by_side -- list
//! cargo run -p lab-kit --example side_by_side -- plain URL_OF_STEP_01 URL_OF_STEP_02 DATABASE_URL
//! ```
//! The first lists the kit's versions: as here they stand in a suite, where `cargo lab check` runs them. The second
//! runs the plain versions against servers that you started by hand (`cargo lab run` prints the URLs). They tell a
//! learner less, and they leave out what the kit does around a check: a server, a database and a port for each, the
//! transcript, time limits, telling our faults from theirs, the command that shows the same by hand.

mod plain;
mod with_the_kit;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["plain", http, database, url] => plain::main(http, database, url),
        _ => lab_kit::suite::main_with(&[&lab_postgres::Driver]),
    }
}
