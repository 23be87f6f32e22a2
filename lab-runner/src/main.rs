//! `cargo lab`. Everything is in the library; only this ends the process.

fn main() -> std::process::ExitCode {
    lab_runner::cli::main().into()
}
