//! `cargo lab bench`: measures a lab from a check of all to the verdict on an edit, and batches of submissions.

use serde_json::Value;

use crate::sandbox::lab;
use lab_not_tried::not_tried;

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

#[test]
fn a_bench_of_batches_says_how_many_are_graded_in_a_minute_and_in_how_much_memory() {
    if let Err(error) = lab_sandbox::Choice::Auto.sandbox() {
        return not_tried("isolation", &error.to_string());
    }
    let ran = lab(&["bench", "grade", "tiny-1", "--submissions", "2", "--usual", "0", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    let batch: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.golden()));
    assert_eq!((&batch["submissions"], &batch["isolation"]), (&2.into(), &"bubblewrap".into()), "{batch:#}");
    assert!(batch["batch_per_minute"].as_f64().is_some_and(|count| count > 0.0), "{batch:#}");
    // The grader itself takes some, and a compiler in the sandbox takes more.
    let memory = |what: &str| batch["memory"][what].as_f64().unwrap_or_else(|| panic!("no {what}: {batch:#}"));
    assert!(memory("ours_mebibytes") > 1.0 && memory("all_mebibytes") > memory("ours_mebibytes"), "{batch:#}");
    // Not measured is not as good as nothing.
    assert!(batch["usual_per_minute"].is_null() && batch["against_usual"].is_null(), "{batch:#}");
}
