//! `cargo lab audit`: a fair lab passes, and each kind of unfairness is found.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::assert_golden;
use crate::sandbox::{Ran, command_in, copy, lab, repository};

#[test]
fn a_fair_lab_passes_the_audit() {
    let ran = lab(&["audit", "tiny-1", "--repeat", "2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    let masked: String = ran.stdout.lines().map(|line| format!("{}\n", mask(line))).collect();
    assert_golden!(masked);
}

/// Times are listed without their unit.
fn mask(line: &str) -> String {
    match (line.find(" ("), line.find("audited in")) {
        (Some(at), _) if line.contains("in a row") => format!("{} [times]", &line[..at]),
        (_, Some(at)) => format!("{}audited", &line[..at]),
        _ => line.to_owned(),
    }
}

/// The workspace changed by `change`. It stays where it is, so that the second run compiles little.
fn audited(name: &str, version: &str, change: impl FnOnce(&Path)) -> (Ran, Vec<String>) {
    let root: PathBuf = crate::sandbox::folder().join(name);
    fs::create_dir_all(&root).unwrap();
    crate::sandbox::write_workspace(&root, version);
    let lab = root.join("labs/tiny-1-greeter");
    change(&lab);
    let mut command = command_in(&root, &["audit", "--repeat", "1", "--format", "json"]);
    command.env("LAB_FOLDER", root.join("lab"));
    let ran = Ran::of(command.output().unwrap());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.golden()));
    let told =
        |problem: &Value| format!("{}: {}", problem["place"].as_str().unwrap(), problem["message"].as_str().unwrap());
    let problems = report["labs"][0]["problems"].as_array().unwrap().iter().map(told).collect();
    (ran, problems)
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn the_template_of_a_lab_passes_its_audit_as_it_is() {
    let (ran, problems) = audited("template", "0.1.2", |lab| {
        fs::remove_dir_all(lab).unwrap();
        copy(&repository().join("fixtures/lab-template"), &lab.with_file_name("step-00-template"));
    });
    assert_eq!((ran.code, problems), (Some(0), Vec::new()), "{}", ran.stderr);
}

#[test]
fn what_is_unfair_in_a_lab_is_found() {
    let (ran, problems) = audited("unfair", "0.1.1", |lab| {
        replace(&lab.join("README.md"), "`survives`", "survives");
        replace(&lab.join("README.md"), "## Task 2:", "## Task 3:");
        replace(&lab.join("mutants/deaf.patch"), "Fails: echoes", "Fails: survives");
        replace(&lab.join("mutants/sulks.patch"), "let mut head", "let mut heads");
        fs::write(lab.join("mutants/headless.patch"), "--- a/src/main.rs\n").unwrap();
    });
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    assert_golden!(problems.join("\n"));
}
