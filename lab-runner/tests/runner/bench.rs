//! `cargo lab bench`: measures a lab from a check of all to the verdict on an edit.

use serde_json::Value;

use crate::sandbox::lab;

#[test]
fn a_bench_says_how_long_a_check_and_an_edit_wait() {
    let ran = lab(&["bench", "tiny-1", "--repeat", "1", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    let bench: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.golden()));
    assert_eq!((&bench["lab"], &bench["rounds"]), (&"tiny-1".into(), &1.into()));
    for time in ["/check_ms", "/cargo_ms", "/edits/named/total_ms", "/edits/named/cargo_ms", "/edits/lab/total_ms"] {
        assert!(bench.pointer(time).and_then(Value::as_f64).is_some_and(|time| time > 0.0), "{time}: {}", ran.golden());
    }
    // What is graded after an edit is what was edited, and so cargo had something to do.
    assert!(bench["edits"]["named"]["total_ms"].as_f64() >= bench["edits"]["named"]["cargo_ms"].as_f64(), "{bench}");
}
