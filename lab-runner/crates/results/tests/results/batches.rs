//! Report folders: signed, verified, collected from shards and compared.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use lab_results::{collect, compare, signature, verify};
use lab_runner::grade::{GradeReport, Part};
use serde_json::{Value, json};

struct Place {
    _keep: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
}

fn place() -> Place {
    let keep = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
    Place { _keep: keep, root }
}

/// A result with one check, of two points.
fn result(verdict: &str, suite: &str) -> Value {
    let points = if verdict == "passed" { 2 } else { 0 };
    json!({
        "schema": "backend-labs/result/v1", "run_id": "r", "runner_version": "0.1.0", "lab": "tiny-1", "title": "Greeter",
        "submission": {"kind": "folder", "path": "ada", "sha256": "00", "left_out": []}, "suite": {"sha256": suite}, "seed": 7,
        "services": {}, "isolation": "bubblewrap", "outcome": "graded", "score": points, "max_score": 2, "partial": false,
        "started_at": "2026-11-29T17:00:00Z", "duration_ms": 3, "timings": {}, "diagnostics": null, "notes": [],
        "manifest_sha256": "22", "environment": {"os": "linux"}, "expected": [{"id": "greets", "max_points": 2}],
        "checks": [{
            "id": "greets", "title": "it greets", "task": 1, "verdict": verdict, "points": points, "max_points": 2,
            "skip_reason": null, "started_us": 1, "duration_ms": 1, "message": if points == 0 { json!("it says\u{1b} hi") } else { Value::Null },
            "sent": null, "received": null, "expected": null, "actual": null, "diff": [], "why": "", "source": "", "hint": null,
            "hints": [], "reproduce": null, "server_log": [], "held_out": false, "counted": true, "transcript": [],
        }],
    })
}

fn put(report: &Utf8Path, name: &str, result: &Value) {
    let folder = report.join("submissions").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("result.json"), result.to_string()).unwrap();
}

fn grades(names: &[&str], shard: Option<Part>) -> GradeReport {
    let graded = |name: &&str| {
        json!({"name": name, "folder": name, "outcome": "graded", "score": 2, "max_score": 2, "message": null, "sha256": "00",
            "standing": {"how": "graded"}, "duration_ms": 5, "failed": []})
    };
    let report = json!({
        "schema": "backend-labs/grades/v1", "lab": "tiny-1", "title": "Greeter", "runner_version": "0.1.0", "suite_sha256": "11",
        "seed": 7, "isolation": "bubblewrap", "duration_ms": 10, "checks": [], "submissions": names.iter().map(graded).collect::<Vec<_>>(),
    });
    GradeReport { shard, ..serde_json::from_value(report).unwrap() }
}

/// The report folder of shard `k` of two, with `names`.
fn shard(root: &Utf8Path, folder: &str, k: u32, names: &[&str], change: impl FnOnce(&mut GradeReport)) -> Utf8PathBuf {
    let place = root.join(folder);
    names.iter().for_each(|name| put(&place, name, &result("passed", "11")));
    let part = Part { k, n: 2, submissions: ["ada", "bob", "eve"].map(str::to_owned).to_vec() };
    let mut report = grades(names, Some(part));
    change(&mut report);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("grades.json"), serde_json::to_string(&report).unwrap()).unwrap();
    let terms = json!({"lab": "tiny-1", "seed": 7, "isolation": "bubblewrap", "runner_version": "0.1.0", "shard": report.shard});
    fs::write(place.join("grading.json"), terms.to_string()).unwrap();
    place
}

#[test]
fn shards_become_the_gradebook_of_one_machine() {
    let place = place();
    let one = shard(&place.root, "one", 1, &["ada", "bob"], |_| {});
    let two = shard(&place.root, "two", 2, &["eve"], |_| {});
    let whole = place.root.join("whole");
    let report = collect::collect(&[two, one], &whole).unwrap();
    assert!(report.shard.is_none());
    let alone = grades(&["ada", "bob", "eve"], None);
    assert_eq!(fs::read(whole.join("gradebook.csv")).unwrap(), alone.gradebook().unwrap());
    let terms: Value = serde_json::from_slice(&fs::read(whole.join("grading.json")).unwrap()).unwrap();
    assert_eq!((&terms["seed"], terms.get("shard")), (&json!(7), None));
    for name in ["ada", "bob", "eve"] {
        assert!(whole.join("submissions").join(name).join("result.json").is_file(), "{name}");
    }
}

#[test]
fn shards_that_are_no_whole_are_refused_with_the_reason() {
    let place = place();
    let root = &place.root;
    let one = shard(root, "one", 1, &["ada", "bob"], |_| {});
    let cases = [
        (vec![one.clone()], "shards are missing: 2/2"),
        (vec![one.clone(), shard(root, "again", 1, &["eve"], |_| {})], "are both shard 1"),
        (vec![one.clone(), shard(root, "twice", 2, &["bob", "eve"], |_| {})], "both have \"bob\""),
        (vec![one.clone(), shard(root, "gap", 2, &[], |_| {})], "no shard has [\"eve\"]"),
        (
            vec![one.clone(), shard(root, "suite", 2, &["eve"], |report| report.suite_sha256 = "99".into())],
            "differ in their suite: 11 and 99",
        ),
        (vec![one.clone(), shard(root, "seed", 2, &["eve"], |report| report.seed = 8)], "differ in their seed"),
        (vec![one.clone(), shard(root, "whole", 2, &["eve"], |report| report.shard = None)], "no shard of one"),
        (
            vec![
                one,
                shard(root, "other", 2, &["eve"], |report| report.shard.as_mut().unwrap().submissions.push("x".into())),
            ],
            "not given the same submissions",
        ),
    ];
    for (folders, reason) in cases {
        let to = root.join("to");
        let refused = collect::collect(&folders, &to).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
        assert!(!to.exists(), "{reason}");
    }
}

#[test]
fn what_would_change_is_told_for_each_check_with_its_reason() {
    let place = place();
    let (before, now) = (place.root.join("before"), place.root.join("now"));
    for (name, old, new) in [("ada", "passed", "failed"), ("bob", "passed", "passed")] {
        put(&before, name, &result(old, "11"));
        put(&now, name, &result(new, "99"));
    }
    put(&before, "gone", &result("passed", "11"));
    let compared = compare::compare(&before, &now).unwrap();
    assert_eq!((compared.changed.len(), compared.unchanged), (1, 1));
    assert_eq!(compared.only_before, ["gone"]);
    let text = compared.text();
    assert!(text.contains("ada  2/2 → 0/2  (the suite has changed)"), "{text}");
    assert!(text.contains("greets  passed 2/2 → failed 0/2") && text.contains("1 of 2 would change"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    // With nothing else changed, the verdict is not to be relied on.
    put(&now, "ada", &result("failed", "11"));
    assert!(compare::compare(&before, &now).unwrap().text().contains("it cannot be repeated"));
}

/// Keys as instructors make them.
fn keys(root: &Utf8Path) -> (Utf8PathBuf, Utf8PathBuf) {
    let (private, public) = (root.join("grader.pem"), root.join("grader.pub"));
    let openssl = |arguments: &[&str]| {
        let ran = Command::new("openssl").args(arguments).output().expect("this test needs openssl");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", private.as_str()]);
    openssl(&["pkey", "-in", private.as_str(), "-pubout", "-out", public.as_str()]);
    (private, public)
}

#[test]
fn a_signed_result_verifies_here_and_with_openssl_and_a_changed_one_does_not() {
    let place = place();
    let report = place.root.join("out");
    put(&report, "ada", &result("passed", "11"));
    let (private, public) = keys(&place.root);
    signature::sign_all(&report, &signature::private_key(&private).unwrap()).unwrap();
    let file = report.join("submissions/ada/result.json");
    let key = signature::public_key(&public).unwrap();
    let verified = || verify::verify(std::slice::from_ref(&file), &key);
    let (text, all) = verified();
    assert!(all && text.contains("2 of 2 points") && text.contains("suite 11"), "{text}");
    let sig = signature::beside(&file);
    let openssl = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        public.as_str(),
        "-rawin",
        "-in",
        file.as_str(),
        "-sigfile",
        sig.as_str(),
    ];
    assert!(Command::new("openssl").args(openssl).output().unwrap().status.success());

    let signed = fs::read(&file).unwrap();
    fs::write(&file, String::from_utf8(signed.clone()).unwrap().replace("\"seed\":7", "\"seed\":8")).unwrap();
    assert!(!verified().1);
    fs::write(&file, signed).unwrap();
    let (_, stranger) = keys(&place.root);
    let (text, all) = verify::verify(std::slice::from_ref(&file), &signature::public_key(&stranger).unwrap());
    assert!(!all && text.contains("NOT VERIFIED"), "{text}");
    fs::remove_file(sig).unwrap();
    assert!(verified().0.contains("it has no signature"));
    assert!(signature::private_key(&public).is_err() && signature::public_key(&private).is_err());
}

#[test]
fn a_result_that_contradicts_itself_is_not_verified_whoever_has_signed_it() {
    let reasons = [
        ("/score", json!(1), "its score is 1 of 2"),
        ("/checks/0/points", json!(1), "not those of its verdict"),
        ("/expected/0/id", json!("other"), "does not list the checks"),
        ("/schema", json!("else"), "of the schema else"),
    ];
    let good = result("passed", "11");
    let parsed = |value: &Value| serde_json::from_value(value.clone()).unwrap();
    verify::consistent(&parsed(&good)).unwrap();
    for (pointer, value, reason) in reasons {
        let mut wrong = good.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        let why = verify::consistent(&parsed(&wrong)).unwrap_err();
        assert!(why.contains(reason), "{why}");
    }
}
