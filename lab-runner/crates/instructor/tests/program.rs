//! The program as the runner starts it. What its commands do, the runner's own tests ask through `cargo lab`.

use std::process::Command;

/// Where cargo has put it. That there is a test of it has cargo build it for the tests of the whole workspace.
const PROGRAM: &str = env!("CARGO_BIN_EXE_lab-instructor");

fn ran(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn it_has_the_command_line_of_cargo_lab() {
    let (code, help, _) = ran(&["audit", "--help"]);
    assert_eq!(code, Some(0));
    assert!(help.contains("Usage: cargo lab audit "), "{help}");
    let (code, _, told) = ran(&["audit", "--repeat", "0"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("'0' for '--repeat <NUMBER>'"), "{told}");
}

#[test]
fn what_learners_ask_for_is_the_runners() {
    let (code, _, told) = ran(&["next"]);
    assert_eq!(code, Some(2));
    assert_eq!(told, "error: lab-instructor has the commands of instructors and CI; `cargo lab` has this one\n");
}
