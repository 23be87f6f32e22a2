//! Every format of every outcome: as its reader expects it, and nothing of a submission's is a command, markup or a formula in
//! it. `.ci/linters results` has the same documents read by their readers' own programs.

use std::path::PathBuf;

use base64::Engine as _;
use clap::ValueEnum as _;
use lab_results::formats::{self, Named};
use lab_runner::report::Report;
use lab_runner::results::Foreign;
use serde_json::{Value, json};

/// What a submission answers that means harm to whoever shows it.
const HOSTILE: &str = "=HYPERLINK(1)\n::error::hacked\n##[error]x ##vso[task.complete]\u{1b}[2J\u{202e}\n```\n</pre><script>alert(1)</script>\n\n# heading @all %0A::set-output name=x::y ]]>";

fn check(id: &str, verdict: &str) -> Value {
    let text = if verdict == "passed" { Value::Null } else { json!(HOSTILE) };
    json!({
        "id": id, "title": format!("the title of {id}"), "task": 1, "verdict": verdict, "points": if verdict == "passed" { 20 } else { 0 },
        "max_points": 20, "skip_reason": if verdict == "skipped" { json!({"kind": "needs_failed", "check": "late"}) } else { Value::Null },
        "started_us": 5, "duration_ms": 1234, "message": text, "sent": text, "received": text, "expected": text, "actual": text,
        "diff": [], "why": "because", "source": "RFC 9110", "hint": null, "hints": [], "reproduce": null,
        "server_log": if verdict == "passed" { json!([]) } else { json!([HOSTILE]) }, "held_out": false, "counted": verdict != "error",
        "transcript": [],
    })
}

fn report(outcome: &str, checks: Vec<Value>, why: Option<&str>) -> Report {
    let sum = |field: &str| {
        checks.iter().filter(|check| check["counted"] == true).map(|check| check[field].as_u64().unwrap()).sum::<u64>()
    };
    let expected: Vec<Value> =
        ["greets", "late", "needy", "wrong"].iter().map(|id| json!({"id": id, "max_points": 20})).collect();
    serde_json::from_value(json!({
        "schema": "backend-labs/result/v1", "run_id": "018f4f2e-7b1c-7000-8000-000000000000", "runner_version": "0.1.0",
        "lab": "tiny-1", "title": "Greeter",
        "submission": {"kind": "folder", "path": "submissions/ada", "sha256": "00ff", "left_out": [HOSTILE]},
        "suite": {"sha256": "11ee"}, "seed": 7, "services": {}, "isolation": "bubblewrap", "outcome": outcome,
        "score": sum("points"), "max_score": sum("max_points"), "partial": false, "started_at": "2026-11-29T17:00:00.123Z",
        "duration_ms": 3210, "timings": {}, "notes": [], "expected": expected, "checks": checks,
        "diagnostics": why.map(|why| json!({"message": why, "details": [HOSTILE], "omitted": 0, "hints": []})),
    }))
    .unwrap()
}

fn graded() -> Report {
    let checks = vec![
        check("greets", "passed"),
        check("late", "timed_out"),
        check("needy", "skipped"),
        check("wrong", "failed"),
    ];
    report("graded", checks, None)
}

/// Every outcome, by name.
fn samples() -> Vec<(&'static str, Report)> {
    let all = vec![check("greets", "passed"), check("late", "passed")];
    let ours = vec![check("greets", "passed"), check("late", "error")];
    vec![
        ("graded", graded()),
        ("passed", report("graded", all, None)),
        ("build", report("build_failed", Vec::new(), Some("the submission does not compile"))),
        ("start", report("start_failed", Vec::new(), Some("the server did not start"))),
        ("ours", report("infrastructure_error", ours, Some("Postgres is gone"))),
    ]
}

fn written(format: Foreign, report: &Report) -> String {
    formats::write(format, Named { report, name: "ada" }).unwrap()
}

fn value(format: Foreign, report: &Report) -> Value {
    serde_json::from_str(&written(format, report)).unwrap()
}

fn of(name: &str) -> Report {
    samples().into_iter().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn what_a_submission_wrote_is_inert_in_every_format() {
    for (name, report) in samples() {
        for format in Foreign::value_variants() {
            let text = written(*format, &report);
            let about = format!("{format:?} of {name}: {text}");
            for sign in ["\u{1b}", "\u{202e}", "##["] {
                assert!(!text.contains(sign), "{sign:?} in {about}");
            }
            let commands = text.lines().filter(|line| line.trim_start().starts_with("::"));
            let ours = if *format == Foreign::Github { text.lines().count() } else { 0 };
            assert_eq!(commands.count(), ours, "{about}");
            if matches!(format, Foreign::Summary | Foreign::Junit | Foreign::JunitStrict) {
                assert!(!text.contains("<script") && !text.contains("</pre><script"), "{about}");
            }
            if matches!(format, Foreign::Csv) {
                assert!(
                    !text.lines().any(|line| line.split(',').any(|cell| cell.trim_matches('"').starts_with('='))),
                    "{about}"
                );
            }
        }
    }
}

#[test]
fn each_github_annotation_is_one_command_with_its_text_as_data() {
    let text = written(Foreign::Github, &graded());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("::error title=tiny-1%3A the title of late::") && lines[0].contains("%0A"), "{text}");
    assert!(lines[0].contains("%250A"), "a percent sign is data: {text}");
    assert_eq!(lines[2], "::notice title=tiny-1::20 of 80 points");
}

#[test]
fn the_summary_says_nothing_to_markdown() {
    let text = written(Foreign::Summary, &graded());
    let shown = text.split_once("<details>").unwrap().1;
    for sign in ['`', '#', '@', '*', '['] {
        assert!(!shown.replace("&#", "").contains(sign), "{sign} in {shown}");
    }
}

#[test]
fn gradescope_gets_a_score_and_tests_or_neither() {
    let result = value(Foreign::Gradescope, &graded());
    assert_eq!((&result["score"], &result["tests"][0]["status"]), (&json!(20), &json!("passed")), "{result}");
    assert_eq!(result["tests"].as_array().unwrap().len(), 4);
    assert!(result["tests"].as_array().unwrap().iter().all(|test| test["visibility"] == "visible"));
    let sum: u64 = result["tests"].as_array().unwrap().iter().map(|test| test["score"].as_u64().unwrap()).sum();
    assert_eq!(sum, 20);
    assert_eq!(value(Foreign::Gradescope, &of("build"))["score"], 0);
    let ours = value(Foreign::Gradescope, &of("ours"));
    assert!(ours.get("score").is_none() && ours.get("tests").is_none(), "{ours}");
}

#[test]
fn classroom50_gets_just_the_fields_of_its_schema() {
    for (name, report) in samples() {
        let result = value(Foreign::Classroom50, &report);
        let mut fields: Vec<&String> = result.as_object().unwrap().keys().collect();
        fields.sort();
        let named = [
            "assignment",
            "classroom",
            "commit",
            "datetime",
            "max-score",
            "release",
            "review",
            "schema",
            "score",
            "submission",
            "tests",
        ];
        assert_eq!(fields, named, "{name}");
        let total = |field: &str| {
            result["tests"].as_array().unwrap().iter().map(|test| test[field].as_u64().unwrap()).sum::<u64>()
        };
        assert_eq!(
            (json!(total("score")), json!(total("max-score"))),
            (result["score"].clone(), result["max-score"].clone()),
            "{name}"
        );
        assert_eq!(result["datetime"], "2026-11-29T17:00:00Z");
    }
    assert_eq!(value(Foreign::Classroom50, &of("build"))["max-score"], 80);
}

#[test]
fn github_classrooms_reporter_gets_base64_of_ascii() {
    let text = written(Foreign::Classroom, &graded());
    let decoded = base64::engine::general_purpose::STANDARD.decode(text.trim()).unwrap();
    assert!(decoded.is_ascii());
    let result: Value = serde_json::from_slice(&decoded).unwrap();
    assert_eq!((&result["version"], &result["status"], &result["max_score"]), (&json!(1), &json!("fail"), &json!(80)));
    let total: u64 = result["tests"].as_array().unwrap().iter().map(|test| test["score"].as_u64().unwrap()).sum();
    assert_eq!(total, 20);
}

#[test]
fn prairielearn_gets_a_share_within_its_size() {
    let result = value(Foreign::Prairielearn, &graded());
    assert_eq!((&result["gradable"], &result["score"]), (&json!(true), &json!(0.25)), "{result}");
    assert_eq!(value(Foreign::Prairielearn, &of("ours"))["gradable"], false);
    assert_eq!(value(Foreign::Prairielearn, &of("build"))["score"], json!(0.0));
    let mut large = graded();
    for check in &mut large.checks {
        check.message = Some("\u{1}é\n".repeat(1 << 17));
    }
    let text = written(Foreign::Prairielearn, &large);
    assert!(text.len() <= 1_000_000, "{}", text.len());
}

#[test]
fn ctrf_names_no_member_that_its_schema_has_not() {
    let known = ["name", "status", "duration", "suite", "message", "trace", "rawStatus", "tags", "stdout", "extra"];
    for (name, report) in samples() {
        let result = value(Foreign::Ctrf, &report);
        for test in result["results"]["tests"].as_array().unwrap() {
            let strange = test.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str()));
            assert_eq!(strange, None, "{name}");
        }
        let summary = &result["results"]["summary"];
        let parts: u64 = ["passed", "failed", "skipped", "pending", "other"]
            .iter()
            .map(|part| summary[*part].as_u64().unwrap())
            .sum();
        assert_eq!(summary["tests"], json!(parts), "{name}");
    }
}

#[test]
fn a_fault_of_ours_is_a_failed_score_without_points_to_lti() {
    let score = value(Foreign::Lti, &graded());
    assert_eq!((&score["scoreGiven"], &score["scoreMaximum"]), (&json!(20), &json!(80)));
    assert_eq!(
        (&score["gradingProgress"], &score["timestamp"]),
        (&json!("FullyGraded"), &json!("2026-11-29T17:00:03.333Z"))
    );
    assert_eq!(score["comment"], "20 of 80 points; not passed: late, needy, wrong");
    let ours = value(Foreign::Lti, &of("ours"));
    assert_eq!(ours["gradingProgress"], "Failed");
    assert!(ours.get("scoreGiven").is_none() && ours.get("scoreMaximum").is_none(), "{ours}");
}

/// For readers of other languages, which `.ci/linters results` runs on them.
#[test]
fn the_documents_can_be_had_as_files() {
    let Some(folder) = std::env::var_os("LAB_WRITE_FORMATS").map(PathBuf::from) else { return };
    for (name, report) in samples() {
        let place = folder.join(name);
        std::fs::create_dir_all(&place).unwrap();
        for format in Foreign::value_variants() {
            std::fs::write(place.join(formats::file_name(*format)), written(*format, &report)).unwrap();
        }
    }
}
