//! `lab-instructor`, which `cargo lab` becomes for the commands that instructors and CI use. Everything is in the library.

fn main() -> std::process::ExitCode {
    lab_runner::cli::main_with(lab_instructor::commands::dispatch).into()
}
