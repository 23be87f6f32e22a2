//! Submissions that do not do what they should: each has one clear message, and the right exit code.

use crate::assert_golden;
use crate::sandbox::check;

#[test]
fn half_a_solution_gets_its_points_and_the_rest_explained() {
    assert_golden!(check("half-done", &[]).golden());
}

#[test]
fn code_that_does_not_compile_is_told_in_rustcs_own_words() {
    let ran = check("not-compiling", &[]);
    assert_eq!(ran.code, Some(3));
    assert_golden!(ran.golden());
}

#[test]
fn a_server_that_exits_at_once_is_told_so() {
    assert_golden!(check("exits-at-once", &[]).golden());
}

#[test]
fn a_server_that_panics_at_the_start_shows_its_panic() {
    assert_golden!(check("panics", &[]).golden());
}

#[test]
fn a_server_that_panics_at_a_request_fails_that_check_alone() {
    let ran = check("panics-later", &["--format", "json"]);
    let result = ran.json();
    assert_eq!(ran.code, Some(1));
    assert_eq!(result["checks"][0]["verdict"], "passed");
    assert_eq!(result["checks"][1]["verdict"], "failed");
    let log = result["checks"][1]["server_log"].to_string();
    assert!(log.contains("nobody may ask for an echo"), "{log}");
    assert_eq!(result["checks"][2]["verdict"], "passed");
}

#[test]
fn a_server_that_never_becomes_ready_is_told_what_it_answers() {
    assert_golden!(check("never-ready", &[]).golden());
}

#[test]
fn a_server_on_the_wrong_port_is_told_so() {
    assert_golden!(check("wrong-port", &[]).golden());
}

#[test]
fn a_server_that_closes_every_connection_is_told_so() {
    assert_golden!(check("closes-connections", &[]).golden());
}

#[test]
fn a_server_that_answers_with_garbage_is_shown_its_garbage() {
    assert_golden!(check("garbage", &[]).golden());
}

#[test]
fn an_endless_body_is_given_up() {
    let ran = check("endless-body", &["--format", "json"]);
    let result = ran.json();
    assert_eq!(result["checks"][1]["verdict"], "failed", "{result}");
    assert_eq!(result["score"], 60);
}

#[test]
fn a_server_that_hangs_costs_the_check_and_not_the_run() {
    let ran = check("hangs", &["--format", "json", "--time-limit", "2"]);
    let result = ran.json();
    assert_eq!(ran.code, Some(1));
    assert_eq!(result["checks"][1]["verdict"], "timed_out", "{result}");
    assert_eq!(result["score"], 60);
}

#[test]
fn processes_that_a_server_leaves_behind_are_ended() {
    let ran = check("forks", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    let left = crate::interrupts::processes_with("86399");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_link_that_leads_out_is_not_taken_and_named() {
    let ran = check("links-out", &["--format", "json"]);
    assert_eq!(ran.json()["submission"]["left_out"], serde_json::json!(["src/hostname.txt (a link)"]));
}
