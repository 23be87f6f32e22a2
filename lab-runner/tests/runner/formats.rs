//! The formats of a result, and what goes where.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::Value;

use crate::assert_golden;
use crate::sandbox::{Ran, check, command, folder, lab};

#[test]
fn the_solution_passes_and_says_so() {
    let ran = lab(&["check", "tiny-1", "--solution"]);
    assert_eq!(ran.code, Some(0));
    assert_golden!(ran.golden());
}

#[test]
fn json_carries_everything() {
    let ran = check("half-done", &["--format", "json"]);
    assert_golden!(serde_json::to_string_pretty(&ran.json()).unwrap());
}

#[test]
fn json_tells_of_a_build_that_failed() {
    let ran = check("not-compiling", &["--format", "json"]);
    assert_golden!(serde_json::to_string_pretty(&ran.json()).unwrap());
}

#[test]
fn junit_is_read_by_every_ci_system() {
    let ran = check("half-done", &["--format", "junit"]);
    let masked = regex_free_mask(&ran.stdout);
    assert_golden!(masked);
}

/// Times stand in attributes; everything else is masked with the rest.
fn regex_free_mask(xml: &str) -> String {
    let mut text = xml.to_owned();
    for attribute in [" time=\"", " timestamp=\"", "name=\"seed\" value=\""] {
        let parts: Vec<&str> = text.split(attribute).collect();
        let (first, rest) = parts.split_first().unwrap();
        let masked = rest.iter().map(|part| format!("{attribute}[masked]{}", &part[part.find('"').unwrap()..]));
        text = format!("{first}{}", masked.collect::<String>());
    }
    text
}

#[test]
fn a_report_folder_holds_all_formats() {
    let report = folder().join("report");
    let ran = check("half-done", &["--quiet", "--report", report.to_str().unwrap()]);
    assert_eq!(ran.stdout, "tiny-1 60/100\n");
    assert_eq!(ran.stderr, "");
    let json: Value = serde_json::from_str(&std::fs::read_to_string(report.join("result.json")).unwrap()).unwrap();
    assert_eq!(json["score"], 60);
    assert!(std::fs::read_to_string(report.join("junit.xml")).unwrap().contains("failures=\"1\""));
    assert!(std::fs::read_to_string(report.join("report.txt")).unwrap().contains("60/100 points"));
    let page = std::fs::read_to_string(report.join("report.html")).unwrap();
    assert!(page.contains("60 of 100 points") && page.contains("echoes"), "{page}");
    let trace: Value = serde_json::from_str(&std::fs::read_to_string(report.join("trace.json")).unwrap()).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().iter().any(|event| event["cat"] == "request"));
}

#[test]
fn there_is_no_colour_in_a_pipe_unless_it_is_asked_for() {
    let arguments = ["check", "tiny-1", "--solution"];
    assert!(!lab(&arguments).stdout.contains('\u{1b}'));
    assert!(lab(&[&arguments[..], &["--color", "always"]].concat()).stdout.contains('\u{1b}'));
}

#[test]
fn the_same_seed_gives_the_same_words() {
    let sent = || {
        let result: Value =
            serde_json::from_str(&check("half-done", &["--format", "json", "--seed", "7"]).stdout).unwrap();
        result["checks"][1]["sent"].as_str().unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!(sent(), sent());
}

#[test]
fn any_program_is_graded_by_its_command() {
    let arguments = ["check", "tiny-1", "--format", "json", "--command"];
    let program = "while :; do sleep 1; done";
    let ran = lab(&[&arguments[..], &[program]].concat());
    let result = ran.json();
    assert_eq!(result["outcome"], "start_failed");
    assert_eq!(result["submission"]["kind"], "command");
}

/// A server that answers every request with `body`. Gives its URL.
fn serve(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    format!("http://127.0.0.1:{port}")
}

#[test]
fn a_server_that_runs_already_is_graded_by_its_url() {
    let url = serve("hello".to_owned());
    let ran = lab(&["check", "tiny-1", "greets", "--format", "json", "--url", &url]);
    let result = ran.json();
    assert_eq!(ran.code, Some(0), "{result}");
    assert_eq!(result["score"], 40);
}

#[test]
fn all_transcripts_of_a_run_are_on_its_clock() {
    let ran = lab(&["check", "tiny-1", "--solution", "--format", "json"]);
    let result: Value = serde_json::from_str(&ran.stdout).unwrap();
    let end = 1_000 * (result["duration_ms"].as_u64().unwrap() + 1);
    let suite_ready = 1_000 * result["timings"]["suite_ready_ms"].as_u64().unwrap();
    for check in result["checks"].as_array().unwrap() {
        let started = check["started_us"].as_u64().unwrap();
        assert!((suite_ready..end).contains(&started), "{check}");
        let mut before = started;
        for entry in check["transcript"].as_array().unwrap() {
            let at = entry["at_us"].as_u64().unwrap();
            assert!((before..end).contains(&at), "{entry} of {}", check["id"]);
            before = at;
        }
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    for format in ["human", "json", "junit"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command(&["check", "tiny-1", "--solution", "--format", format]).stdout(full).output().unwrap();
        let ran = Ran::of(output);
        assert_eq!(ran.code, Some(4), "{format}: {}", ran.stderr);
        assert!(ran.stderr.contains("cannot write to standard output: No space left"), "{format}: {}", ran.stderr);
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    for format in ["human", "json"] {
        let mut running = command(&["check", "tiny-1", "--solution", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(running.stdout.take());
        let ran = Ran::of(running.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{format}");
    }
}

/// What a submission writes to clear the screen, to turn text around, and to command a CI system.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[H\u{202e}100/100 points ##[error]x\u{9b}1m";

#[test]
fn what_a_submission_answers_is_inert_in_every_format() {
    let url = serve(format!("{HOSTILE}\n::error::hacked\n"));
    for format in ["human", "json", "junit"] {
        let ran = lab(&["check", "tiny-1", "greets", "--url", &url, "--format", format]);
        assert_eq!(ran.code, Some(1), "{format}: {}", ran.stdout);
        assert!(ran.stdout.contains("100/100 points"), "it is shown: {}", ran.stdout);
        assert_inert(&ran.stdout);
    }
    let ran = lab(&["check", "tiny-1", "greets", "--url", &url, "--format", "json"]);
    let result: Value = serde_json::from_str(&ran.stdout).unwrap();
    let received = result["checks"][0]["received"].as_str().unwrap();
    assert!(received.contains('\u{202e}') && received.contains("##[error]"), "JSON holds the truth: {received}");
}

#[test]
fn what_a_submission_logs_is_inert_in_every_format() {
    let program = format!("printf '%s\\n' '{HOSTILE}' '::error::hacked'; exit 3");
    for format in ["human", "json", "junit"] {
        let ran = lab(&["check", "tiny-1", "--format", format, "--command", &program]);
        assert_eq!(ran.code, Some(3), "{format}: {}", ran.stdout);
        assert!(ran.stdout.contains("hacked"), "it is shown: {}", ran.stdout);
        assert_inert(&ran.stdout);
    }
}

fn assert_inert(text: &str) {
    for sign in ["\u{1b}", "\u{202e}", "\u{9b}", "##["] {
        assert!(!text.contains(sign), "{sign:?} in {text}");
    }
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
}
