//! The whole program, as a shell meets it. `cargo lab test step-11` runs what you write here.

use std::process::{Command, Stdio};

#[test]
fn without_a_command_it_ends_with_exit_code_2() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_step-11-fundamentals"));
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}
