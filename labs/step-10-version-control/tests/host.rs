//! Your own tests, of the whole host: `cargo lab test step-10` runs them. The grader does not look at them.

use std::process::Command;

/// Tests of a program that is to work with git are best made with git.
#[test]
fn there_is_a_git_to_test_with() {
    let output = Command::new("git").arg("--version").output().expect("git starts");
    assert!(output.status.success());
}
