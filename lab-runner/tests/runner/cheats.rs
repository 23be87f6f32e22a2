//! Every known way in which graders were fooled: none of them gets a point that was not earned.

use serde_json::json;

use crate::assert_golden;
use crate::sandbox::{check, repository, workspace};

#[test]
fn an_exit_status_of_zero_is_no_pass() {
    let ran = check("cheat-exit-zero", &[]);
    assert_eq!(ran.code, Some(3));
    assert_golden!(ran.golden());
}

#[test]
fn what_a_constructor_prints_is_no_result() {
    let ran = check("cheat-constructor", &[]);
    assert_eq!(ran.code, Some(3));
    assert_golden!(ran.golden());
}

#[test]
fn forged_events_are_not_believed() {
    let ran = check("cheat-forged-events", &["--format", "json"]);
    let result = ran.json();
    assert_eq!(ran.code, Some(1));
    assert_eq!(result["score"], 0, "{result}");
    assert_eq!(result["checks"].as_array().unwrap().len(), 3);
}

#[test]
fn a_build_script_is_not_taken() {
    let hidden = workspace().join("labs/tiny-1-greeter/checks/src/main.rs");
    let before = std::fs::read(&hidden).unwrap();
    let ran = check("cheat-build-script", &["--format", "json"]);
    assert_eq!(ran.json()["submission"]["left_out"], json!(["build.rs"]));
    assert_eq!(ran.json()["score"], 60, "{}", ran.stdout);
    assert_eq!(std::fs::read(&hidden).unwrap(), before);
}

#[test]
fn a_cargo_configuration_is_not_taken() {
    let ran = check("cheat-cargo-config", &["--format", "json"]);
    assert_eq!(ran.json()["submission"]["left_out"], json!([".cargo/"]));
    assert_eq!(ran.json()["score"], 60, "{}", ran.stdout);
}

#[test]
fn a_manifest_is_not_taken() {
    let ran = check("cheat-autotests", &["--format", "json"]);
    assert_eq!(ran.json()["submission"]["left_out"], json!(["Cargo.toml"]));
    assert_eq!(ran.json()["score"], 60, "{}", ran.stdout);
}

#[test]
fn a_toolchain_is_not_taken() {
    let ran = check("cheat-toolchain", &[]);
    assert_golden!(ran.golden());
}

#[test]
fn hidden_tests_are_not_in_sight_of_a_build() {
    let ran = check("cheat-include-tests", &[]);
    assert_eq!(ran.code, Some(3));
    let hidden =
        std::fs::read_to_string(repository().join("lab-runner/tests/workspace/labs/tiny-1-greeter/checks/src/main.rs"));
    let telling = hidden.unwrap().lines().filter(|line| line.len() > 30).map(str::to_owned).collect::<Vec<_>>();
    assert!(!telling.iter().any(|line| ran.stdout.contains(line)), "{}", ran.stdout);
    assert_golden!(ran.golden());
}
