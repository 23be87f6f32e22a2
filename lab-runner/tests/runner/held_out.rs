//! Held-out checks: a learner is asked none of them, a grade counts them, and a report shows of them what it may.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::sandbox::{Ran, command_in, folder, write_workspace};

/// A variant of `echoes` with another shape of word: a server that knows what the visible check asks has not met it.
pub const CHECK: &str = r#"
/// A word is any that a path can hold (Knigge §2).
#[check(title = "a word of two letters is given back", task = 2, points = 7, needs = ["echoes"], held_out,
        hints = ["Which words do you expect?"])]
async fn echoes_short(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    app.get("/echo/ab").await?.expect_status(200)?.expect_body("ab")
}
"#;
/// It was fitted to the words that it had seen.
const FITTED: &str =
    "Breaks: gives back long words only\nFails: echoes_short\n\n--- a/src/main.rs\n+++ b/src/main.rs\n";

/// The tests' lab with a held-out check, in a workspace of its own, which is made once.
fn workspace() -> &'static Path {
    static WORKSPACE: OnceLock<PathBuf> = OnceLock::new();
    WORKSPACE.get_or_init(|| {
        let root = folder().join("held-out");
        fs::create_dir_all(&root).unwrap();
        write_workspace(&root, "0.1.60");
        let suite = root.join("labs/tiny-1-greeter/checks/src/main.rs");
        let text = fs::read_to_string(&suite).unwrap();
        fs::write(&suite, text + CHECK).unwrap();
        root
    })
}

/// A submission that was fitted to the visible checks.
fn fitted(root: &Path) -> PathBuf {
    let solution = fs::read_to_string(root.join("labs/tiny-1-greeter/solution/src/main.rs")).unwrap();
    let fitted = solution.replace("Some(word) =>", "Some(word) if word.len() > 2 =>");
    assert_ne!(solution, fitted);
    let submission = root.join("fitted");
    fs::create_dir_all(submission.join("src")).unwrap();
    fs::write(submission.join("src/main.rs"), fitted.replace("None => (\"404", "_ => (\"404")).unwrap();
    submission
}

fn run(root: &Path, arguments: &[&str]) -> Ran {
    Ran::of(command_in(root, arguments).env("LAB_FOLDER", root.join("lab")).output().unwrap())
}

fn result(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.golden()))
}

/// The held-out check of a result.
fn held_out(result: &Value) -> &Value {
    result["checks"].as_array().unwrap().iter().find(|check| check["held_out"] == true).unwrap()
}

#[test]
fn a_learner_is_asked_no_held_out_check_and_a_grade_counts_them_on_top() {
    let root = workspace();
    let submission = fitted(root);
    let submission = submission.to_str().unwrap();
    let json = ["check", "tiny-1", "--submission", submission, "--format", "json"];

    let own = result(&run(root, &json));
    assert_eq!((&own["score"], &own["max_score"], &own["partial"]), (&100.into(), &100.into(), &false.into()));
    assert!(!own.to_string().contains("held_out\":true"), "{own}");
    let named = run(root, &["check", "tiny-1", "echoes_short", "--submission", submission]);
    assert_eq!(named.code, Some(2), "{}", named.golden());

    let asked = run(root, &[&json[..], &["--held-out"]].concat());
    assert_eq!(asked.code, Some(1), "{}", asked.golden());
    let hidden = result(&asked);
    assert_eq!((&hidden["score"], &hidden["max_score"]), (&100.into(), &107.into()));
    assert_eq!(held_out(&hidden)["id"], "held_out_1");
    for covered in ["echoes_short", "two letters", "/echo/ab", "Which words"] {
        assert!(!asked.stdout.contains(covered), "{covered}: {}", asked.golden());
    }

    let title = run(root, &[&json[..], &["--held-out=title"]].concat());
    assert_eq!(held_out(&result(&title))["title"], "a word of two letters is given back");
    assert!(!title.stdout.contains("/echo/ab"), "{}", title.golden());

    let full = result(&run(root, &[&json[..], &["--held-out=full"]].concat()));
    assert!(held_out(&full)["sent"].as_str().unwrap().contains("/echo/ab"), "{full}");

    let report = root.join("grades");
    let _ = fs::remove_dir_all(&report);
    let graded = ["grade", submission, "--lab", "tiny-1", "--isolation", "none", "--report", report.to_str().unwrap()];
    let graded = run(root, &graded);
    assert_eq!(graded.code, Some(0), "{}", graded.golden());
    let grades = fs::read_to_string(report.join("gradebook.csv")).unwrap();
    assert!(grades.contains("fitted,100,107,"), "{grades}");
    let told = fs::read_to_string(report.join("submissions/fitted/report.txt")).unwrap();
    assert!(told.contains("held_out_1") && !told.contains("/echo/ab"), "{told}");
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn an_audit_wants_a_mutant_for_a_held_out_check() {
    let root = workspace();
    let lab = root.join("labs/tiny-1-greeter");
    let audit = |arguments: &[&str]| {
        let ran = run(root, &[&["audit", "tiny-1", "--repeat", "1", "--format", "json"], arguments].concat());
        (ran.code, result(&ran)["labs"][0]["problems"].to_string())
    };
    let (code, problems) = audit(&[]);
    assert!(code == Some(1) && problems.contains("echoes_short"), "no mutant fails it: {problems}");

    let solution = fs::read_to_string(lab.join("solution/src/main.rs")).unwrap();
    let line = solution.lines().position(|line| line.contains("Some(word) =>")).unwrap() + 1;
    let old: Vec<&str> = solution.lines().skip(line - 1).take(3).collect();
    let patch = format!(
        "{FITTED}@@ -{line},3 +{line},3 @@\n-{}\n+{}\n {}\n-{}\n+{}\n",
        old[0],
        old[0].replace("Some(word) =>", "Some(word) if word.len() > 2 =>"),
        old[1],
        old[2],
        old[2].replace("None =>", "_ =>"),
    );
    fs::write(lab.join("mutants/fitted.patch"), patch).unwrap();
    let (code, problems) = audit(&[]);
    fs::remove_file(lab.join("mutants/fitted.patch")).unwrap();
    assert_eq!(code, Some(0), "{problems}");
}
