//! The files of a result: its page and its trace.

use std::path::Path;

use serde_json::Value;

use crate::sample;

/// Writes `result` as a run would, and makes its page. Gives the page's text.
fn written(folder: &Path, result: &Value) -> String {
    std::fs::write(folder.join("result.json"), result.to_string()).unwrap();
    lab_web::write(folder.try_into().unwrap()).unwrap();
    std::fs::read_to_string(folder.join("report.html")).unwrap()
}

#[test]
fn what_a_hostile_submission_wrote_is_no_markup() {
    let keep = tempfile::tempdir().unwrap();
    let text = written(keep.path(), &sample::hostile());
    assert!(text.contains("&lt;script&gt;window.harm = 1&lt;/script&gt;"));
    for harmful in ["<iframe", "<img", "<script>window.harm", "onerror=\"", "\u{202e}", "\u{1b}", "\u{0}"] {
        assert!(!text.contains(harmful), "{harmful:?}");
    }
    let policy = text.split_once("Content-Security-Policy\" content=\"").unwrap().1.split('"').next().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ")
            && !policy.contains("unsafe")
            && policy.contains("connect-src 'none'"),
        "{policy}"
    );
}

#[test]
fn the_largest_result_makes_a_page_of_two_megabytes_at_most_that_says_what_was_cut() {
    let keep = tempfile::tempdir().unwrap();
    let text = written(keep.path(), &sample::largest());
    assert!(text.len() <= 2_000_000 && text.len() > 200_000, "{}", text.len());
    assert!(text.contains("Long messages and long lists are cut here"), "{}", text.len());
    assert!(text.contains("more events are left out here"));
}

#[test]
fn a_trace_has_a_thread_for_each_lane_and_no_bars_that_overlap() {
    let keep = tempfile::tempdir().unwrap();
    written(keep.path(), &sample::learners());
    let trace: Value = serde_json::from_slice(&std::fs::read(keep.path().join("trace.json")).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let names: Vec<&str> = events
        .iter()
        .filter(|event| event["name"] == "thread_name")
        .map(|event| event["args"]["name"].as_str().unwrap())
        .collect();
    for name in ["client", "client (30)", "server :20002", "SQL 2", "Redis 1", "log"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let mut bars: Vec<(u64, u64, u64, u64)> = events
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| ["pid", "tid", "ts", "dur"].map(|name| event[name].as_u64().unwrap()).into())
        .collect();
    bars.sort_unstable();
    assert!(bars.len() > 150, "{}", bars.len());
    for pair in bars.windows(2) {
        let ((process, thread, at, length), next) = (pair[0], pair[1]);
        assert!((process, thread) != (next.0, next.1) || at + length <= next.2, "{pair:?}");
    }
}
