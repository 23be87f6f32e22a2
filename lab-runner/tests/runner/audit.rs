//! `cargo lab audit`: a fair lab passes, and each kind of unfairness is found.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::assert_golden;
use crate::sandbox::{Ran, command_in, lab};

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn a_fair_lab_passes_the_audit() {
    let ran = lab(&["audit", "tiny-1", "--repeat", "2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    let masked: String = ran.stdout.lines().map(|line| format!("{}\n", mask(line))).collect();
    assert_golden!(masked);
}

/// Times are listed without their unit.
fn mask(line: &str) -> String {
    match (line.find(" ("), line.trim_start().split_once(" s of proofs")) {
        (Some(at), _) if line.contains("in a row") => format!("{} [times]", &line[..at]),
        (_, Some(_)) => "  [time] of proofs".to_owned(),
        _ => line.to_owned(),
    }
}

/// A workspace of its own with the lab in it. It stays where it is, so that a second run compiles little.
fn workspace(name: &str, version: &str) -> PathBuf {
    let root: PathBuf = crate::sandbox::folder().join(name);
    fs::create_dir_all(&root).unwrap();
    crate::sandbox::write_workspace(&root, version);
    root
}

/// `cargo lab audit --format json` in `root`, and its report.
fn audit(root: &Path, arguments: &[&str]) -> (Ran, Value) {
    let mut command = command_in(root, &["audit", "--repeat", "1", "--format", "json"]);
    command.args(arguments).env("LAB_FOLDER", root.join("lab"));
    let ran = Ran::of(command.output().unwrap());
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.golden()));
    (ran, report)
}

/// The strings that `pointer` leads to, in a report's first lab; of each element's `name`, if that is not empty.
fn names(report: &Value, list: &str, name: &str) -> Vec<String> {
    let elements = report["labs"][0][list].as_array().unwrap().iter();
    let pick = |element: &Value| if name.is_empty() { element.clone() } else { element[name].clone() };
    elements.map(|element| pick(element).as_str().unwrap().to_owned()).collect()
}

/// The problems that an audit finds in the workspace changed by `change`.
fn audited(name: &str, version: &str, change: impl FnOnce(&Path)) -> (Ran, Vec<String>) {
    let root = workspace(name, version);
    change(&root.join("labs/tiny-1-greeter"));
    let (ran, report) = audit(&root, &[]);
    let describe = |problem: &Value| {
        let (place, message) = (problem["place"].as_str().unwrap(), problem["message"].as_str().unwrap());
        format!("{place}: {}", message.replace(root.to_str().unwrap(), "[root]"))
    };
    let mut problems: Vec<String> = report["labs"][0]["problems"].as_array().unwrap().iter().map(describe).collect();
    // Mutants are tried in an order that the commit decides.
    problems.sort();
    (ran, problems)
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn what_is_unfair_in_a_lab_is_found() {
    let (ran, problems) = audited("unfair", "0.1.1", |lab| {
        replace(&lab.join("README.md"), "`survives`", "survives");
        replace(&lab.join("README.md"), "## Task 2:", "## Task 3:");
        replace(&lab.join("mutants/deaf.patch"), "Fails: echoes", "Fails: survives");
        replace(&lab.join("mutants/sulks.patch"), "let mut head", "let mut heads");
        let starter = fs::read_to_string(lab.join("src/main.rs")).unwrap();
        let careless = "\nfn never_called(list: Vec<u8>) -> bool {\n    return list.len() == 0\n}\n";
        fs::write(lab.join("src/main.rs"), starter + careless).unwrap();
        fs::write(lab.join("mutants/headless.patch"), "Breaks: it\n\n--- a/src/main.rs\n").unwrap();
        fs::write(lab.join("mutants/stale.patch"), "Breaks: it\nFail: greets\n\n--- a/src/main.rs\n").unwrap();
        let greets = fs::read_to_string(lab.join("mutants/shouts.patch")).unwrap();
        fs::write(lab.join("mutants/misspelt.patch"), greets.replace("Fails: greets", "Fails: greet")).unwrap();
        for (name, file) in [("escapes", "../escaped.rs"), ("absolute", "/absolute.rs"), ("manifest", "Cargo.toml")] {
            let patch = format!("Breaks: it\nFails: greets\n\n--- /dev/null\n+++ b/{file}\n@@ -0,0 +1 @@\n+new\n");
            fs::write(lab.join(format!("mutants/{name}.patch")), patch).unwrap();
        }
    });
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    // How the tools put it is theirs to change.
    let (tools, problems): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.contains(" complains:"));
    let [clippy, rustfmt] = tools.as_slice() else { panic!("{tools:?}") };
    assert!(clippy.starts_with("starter: clippy complains:\n"), "{clippy}");
    for lint in ["never used", "clippy::needless_return", "clippy::len_zero"] {
        assert!(clippy.contains(lint), "{clippy}");
    }
    assert!(rustfmt.starts_with("starter: rustfmt complains:\n"), "{rustfmt}");
    assert_golden!(problems.join("\n"));
}

#[test]
fn what_the_readme_and_a_needs_have_wrong_is_told_with_its_line_and_the_nearest_name() {
    let (ran, problems) = audited("misnamed", "0.1.6", |lab| {
        replace(&lab.join("README.md"), "| `greets` | 40 |", "| `greets` | 30 |");
        replace(&lab.join("README.md"), "| `survives`", "| `greats` | 1 | it |\n| `survives`");
        replace(
            &lab.join("checks/src/main.rs"),
            "points = 20, needs = [\"greets\"]",
            "points = 20, needs = [\"echos\"]",
        );
    });
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    assert_golden!(problems.join("\n"));
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn an_expectation_that_is_deleted_is_noticed_and_a_panic_of_a_check_is_told_with_its_line() {
    let root = workspace("ratchet", "0.1.7");
    let lab = root.join("labs/tiny-1-greeter");
    let promise = "[functions]\n\"src/main.rs greets\" = { expectations = 2, unproven = 1 }\n";
    fs::write(lab.join("checks/expectations.toml"), promise).unwrap();
    let survives = "let mut rude = app.connect().await?;";
    replace(&lab.join("checks/src/main.rs"), ".expect_status(200)?.expect_body(\"hello\")", ".expect_body(\"hello\")");
    replace(&lab.join("checks/src/main.rs"), survives, &format!("{survives}\n    assert!(lab.word().is_empty());"));
    let (ran, report) = audit(&root, &["--within", "0s"]);
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    assert_eq!(names(&report, "problems", "place"), ["checks/src/main.rs greets"]);
    let told = "of 2 expectations there, 1 are left; if that is meant, say so in checks/expectations.toml";
    assert_eq!(names(&report, "problems", "message"), [told]);
    assert_eq!(report["labs"][0]["expectations"]["total"], 4);

    let ran = Ran::of(command_in(&root, &["check", "--solution", "--quiet"]).output().unwrap());
    assert_eq!(ran.code, Some(4), "{}", ran.golden());
    let place = "checks/src/main.rs:33: assertion failed: lab.word().is_empty()";
    assert!(ran.stdout.contains(place) || ran.stderr.contains(place), "{}", ran.golden());
}

/// It used to score 0 of 0, and its mutants to be "NOT CAUGHT".
#[test]
fn a_lab_whose_service_cannot_be_had_is_told_once_with_the_reason_and_judged_in_nothing() {
    let root = workspace("unserved", "0.1.5");
    replace(&root.join("labs/tiny-1-greeter/lab.toml"), "roadmap = [1]", "roadmap = [1]\nservices = [\"postgres\"]");
    let (ran, report) = audit(&root, &["--services", "external"]);
    assert_eq!(ran.code, Some(4), "{}", ran.golden());
    let problems = report["labs"][0]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0]["place"].as_str(), &problems[0]["infrastructure"]), (Some("services"), &true.into()));
    let message = problems[0]["message"].as_str().unwrap();
    assert!(
        message.contains("provider `external` has no Postgres") && message.contains("LAB_POSTGRES_URL"),
        "{message}"
    );
    assert_eq!(
        (&report["labs"][0]["mutants"], &report["labs"][0]["starter"]),
        (&Value::Array(Vec::new()), &Value::Null)
    );
    assert!(!ran.stderr.contains("NOT CAUGHT") && !ran.stderr.contains("0/0"), "{}", ran.stderr);
    let mut command = command_in(&root, &["audit", "--services", "external"]);
    let read = Ran::of(command.env("LAB_FOLDER", root.join("lab")).output().unwrap());
    assert_eq!(read.code, Some(4));
    assert!(read.stdout.contains("ERROR   services: provider `external` has no Postgres"), "{}", read.stdout);
    assert!(read.stdout.ends_with("infrastructure error: not every lab could be audited\n"), "{}", read.stdout);
    assert!(!read.stdout.contains("mutant"), "{}", read.stdout);
}

#[test]
fn when_the_time_is_over_what_is_left_is_told_and_nothing_has_failed() {
    let root = workspace("within", "0.1.3");
    let (ran, report) = audit(&root, &["--within", "0s"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert_eq!((&report["planned"], &report["left"]), (&4.into(), &4.into()));
    let left = ["mutant deaf", "mutant shouts", "mutant sulks", "solution"];
    assert_eq!(names(&report, "left", ""), left);
    let mut command = command_in(&root, &["audit", "--within", "0s"]);
    let told = Ran::of(command.env("LAB_FOLDER", root.join("lab")).output().unwrap());
    let line = "time ran out with 4 of 4 proofs left: tiny-1 (starter and solution, 3 of the mutants)\n\
                no problem in the part that was proven\n";
    assert!(told.stdout.ends_with(line), "{}", told.golden());
}

#[test]
fn shards_share_the_work_and_a_proof_stays_on_record_until_a_file_changes() {
    let root = workspace("shards", "0.1.4");
    let _ = fs::remove_dir_all(root.join("lab/proofs"));
    let (first, solution) = audit(&root, &["--shard", "1/2"]);
    let (second, mutants) = audit(&root, &["--shard", "2/2"]);
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{}{}", first.golden(), second.golden());
    assert_eq!((&solution["shard"], &mutants["shard"]), (&"1/2".into(), &"2/2".into()));
    assert_eq!(names(&solution, "mutants", "name"), Vec::<String>::new());
    assert_eq!(solution["labs"][0]["rounds_ms"].as_array().unwrap().len(), 1);
    assert_eq!(names(&mutants, "mutants", "name"), ["deaf", "shouts", "sulks"]);
    assert!(mutants["labs"][0]["rounds_ms"].as_array().unwrap().is_empty());

    let on_record = || audit(&root, &["--within", "0s"]).1["labs"][0]["on_record"].as_u64();
    assert_eq!(on_record(), Some(4));
    replace(&root.join("labs/tiny-1-greeter/README.md"), "# Tiny 1", "# Tiny  1");
    assert_eq!(on_record(), Some(0));
}

#[test]
fn an_audit_that_would_prove_nothing_is_refused() {
    for arguments in [["--repeat", "0"], ["--shard", "0/2"], ["--shard", "3/2"], ["--within", "soon"]] {
        let ran = lab(&[&["audit", "tiny-1"], arguments.as_slice()].concat());
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.golden());
    }
}

/// The solution of the tests' lab with `old` changed to `new` on the line that holds it, as cargo-mutants lists it.
fn listed(change: &str, old: &str, new: &str) -> Value {
    let solution = include_str!("../workspace/labs/tiny-1-greeter/solution/src/main.rs");
    let (number, line) =
        solution.lines().zip(1..).map(|(line, at)| (at, line)).find(|(_, line)| line.contains(old)).unwrap();
    let file = "labs/tiny-1-greeter/src/main.rs";
    serde_json::json!({
        "name": format!("{file}:{number}:5: {change}"), "package": "tiny-1-greeter", "file": file, "function": null,
        "span": {"start": {"line": number, "column": 5}, "end": {"line": number, "column": 9}},
        "replacement": new, "genre": "BinaryOperator",
        "diff": format!("--- {file}\n+++ {change}\n@@ -{number} +{number} @@\n-{line}\n+{}\n", line.replace(old, new)),
    })
}

/// Puts a program in cargo-mutants' place that says it is `version` and lists `mutants`; gives the path to find it by.
fn stand_in(root: &Path, version: &str, mutants: &[Value]) -> String {
    let bin = root.join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(root.join("list.json"), serde_json::to_string(mutants).unwrap()).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--version*) echo 'cargo-mutants {version}' ;; *) cat '{}' ;; esac\n",
        root.join("list.json").display()
    );
    fs::write(bin.join("cargo-mutants"), script).unwrap();
    fs::set_permissions(bin.join("cargo-mutants"), fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// What cargo-mutants itself makes of a solution, nightly runs tell: here a stand-in lists what is known beforehand.
#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn generated_mutants_are_graded_until_a_check_fails_and_survivors_are_listed() {
    let root = workspace("generated", "0.1.9");
    // What the first build adds to Cargo.lock would be a change of the lab's inputs.
    let locked =
        Command::new("cargo").args(["metadata", "--offline", "--format-version", "1"]).current_dir(&root).output();
    assert!(locked.unwrap().status.success());
    let lab = root.join("labs/tiny-1-greeter");
    let equivalent = "[[mutant]]\nname = \"src/main.rs: replace 8080 with 8081 in main\"\nreason = \"PORT is always set\"\n\
                      [[mutant]]\nname = \"src/main.rs: replace gone with ()\"\nreason = \"it was there once\"\n";
    fs::write(lab.join("mutants/equivalent.toml"), equivalent).unwrap();
    let path = stand_in(
        &root,
        "27.1.0",
        &[
            listed("replace the word with nothing in serve", "word.to_owned()", "String::new()"),
            listed("replace 404 with 410 in serve", "404 Not Found", "410 Gone"),
            listed("replace 8080 with 8081 in main", "8080", "8081"),
            listed("replace () with u8 in serve", "let length = body.len();", "let length: () = body.len();"),
        ],
    );
    let run = |arguments: &[&str]| {
        let mut command = command_in(&root, &["audit", "--mutants"]);
        command.args(arguments).env("LAB_FOLDER", root.join("lab")).env("PATH", &path);
        Ran::of(command.output().unwrap())
    };
    let audit = |mutants: &str| {
        let ran = run(&[mutants, "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.golden()));
        (ran, report)
    };
    let _ = fs::remove_dir_all(root.join("lab/proofs"));

    let (ran, report) = audit("auto");
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    let survivor = serde_json::json!({
        "file": "src/main.rs", "line": 24, "change": "replace 404 with 410 in serve",
        "text": "None => (\"404 Not Found\", String::new()),",
    });
    let found = serde_json::json!({
        "made": 4, "equivalent": 1, "viable": 2, "caught": 1, "unviable": 1, "by_check": {"`echoes`": 1},
        "survivors": [survivor],
    });
    assert_eq!(report["labs"][0]["generated"], found);
    let too_few = "1 of 2 viable ones are caught, and it should be 90 of 100: each survivor asks for a case in a check, or \
                   for a line in mutants/equivalent.toml that says why nothing can see it";
    let stale = "no generated mutant is called `src/main.rs: replace gone with ()` any more";
    assert_eq!(names(&report, "problems", "message"), [stale, too_few]);

    // The same files again: only what has survived is worth another try; what is asked for by name always is.
    let (_, again) = audit("auto");
    assert_eq!((&again["planned"], &again["labs"][0]["generated"]), (&1.into(), &found));
    let (_, named) = audit("auto:the word");
    assert_eq!((&named["planned"], &named["labs"][0]["generated"]["caught"]), (&1.into(), &1.into()));
    let shown = run(&["auto", "--within", "0s"]).stdout;
    let survivor = "SURVIVED  src/main.rs:24: replace 404 with 410 in serve\n            None => (";
    let figures = "1 of 2 viable generated mutants are caught; 1 do not build, 1 of 4 are equivalent";
    assert!(shown.contains(survivor) && shown.contains(figures), "{shown}");
}

#[test]
fn who_has_no_program_that_generates_mutants_is_told_what_to_install() {
    let root = workspace("generated-by-none", "0.1.10");
    let path = stand_in(&root, "26.0.0", &[]);
    let ran = Ran::of(command_in(&root, &["audit", "--mutants", "auto"]).env("PATH", path).output().unwrap());
    assert_eq!(ran.code, Some(4), "{}", ran.golden());
    assert_golden!(ran.golden().replace(root.to_str().unwrap(), "[root]"));
    let ran = Ran::of(command_in(&root, &["audit", "--mutants", "auto,deaf"]).output().unwrap());
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
}
