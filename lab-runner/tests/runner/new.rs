//! `cargo lab new`: a lab that builds and passes its audit, under the names that were asked for. And `cargo lab fmt`,
//! which its files go through.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lab_runner::manifest::Manifest;
use lab_services::ServiceId;
use serde_json::Value;

use crate::sandbox::{Ran, command_in, folder, write_workspace};

/// A workspace of its own with the tests' lab in it, and none that an earlier run made.
fn workspace(name: &str, version: &str) -> PathBuf {
    let root = folder().join(name);
    let _ = fs::remove_dir_all(root.join("labs"));
    fs::create_dir_all(&root).unwrap();
    write_workspace(&root, version);
    root
}

fn run(root: &Path, arguments: &[&str]) -> Ran {
    Ran::of(command_in(root, arguments).output().unwrap())
}

/// The text files below `folder`, by their path in it.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// Every choice of the services that there are.
fn choices() -> Vec<Vec<&'static str>> {
    let all = ServiceId::all();
    let chosen = |bits: usize| {
        let taken = all.iter().enumerate().filter(|(number, _)| bits & (1 << number) != 0);
        taken.map(|(_, service)| service.id()).collect()
    };
    (0..1 << all.len()).map(chosen).collect()
}

/// The numbers that follow `before` in `text`.
fn numbers(text: &str, before: &str) -> Vec<u32> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split(before).skip(1).filter_map(|rest| digits(rest).parse().ok()).collect()
}

#[test]
fn a_new_lab_has_the_names_and_services_that_were_asked_for_and_nothing_of_the_template() {
    let root = workspace("new-names", "0.2.0");
    // What makes the files is compiled for the first lab, and that is said.
    assert_eq!(run(&root, &["new", "tiny-90", "--slug", "first"]).code, Some(0));
    for (number, services) in (2..).zip(choices()) {
        let (id, slug) = (format!("tiny-{number}"), format!("queues-{number}"));
        let mut arguments = vec!["new", &id, "--slug", &slug, "--title", "Queues, \"at least once\""];
        let list = services.join(",");
        if !services.is_empty() {
            arguments.extend(["--services", &list]);
        }
        let ran = run(&root, &arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.golden());
        assert!(ran.stdout.contains(&format!("cargo lab audit {id}")), "{}", ran.stdout);

        let folder = root.join(format!("labs/{id}-{slug}"));
        let path = camino::Utf8Path::from_path(&folder).unwrap().join("lab.toml");
        let manifest = Manifest::load(&path).unwrap();
        assert_eq!((&manifest.id, &manifest.slug, manifest.title.as_str()), (&id, &slug, "Queues, \"at least once\""));
        assert_eq!(manifest.services.iter().map(|service| service.id()).collect::<Vec<_>>(), services);
        let files = texts(&folder);
        for (file, text) in &files {
            assert!(!text.contains("{{") && !text.contains("{%") && !file.ends_with(".in"), "{file}: {text}");
            // A patch may end with a line of context that is empty.
            let tidy = text.ends_with('\n') && (!text.ends_with("\n\n") || file.ends_with(".patch"));
            assert!(tidy, "{file}: {text:?}");
        }
        assert!(files["src/main.rs"].contains(&format!("use tiny_{number}_queues_{number}::")));
        let package = |file: &str| toml::from_str::<toml::Table>(&files[file]).unwrap()["package"]["name"].clone();
        assert_eq!(package("Cargo.toml").as_str(), Some(format!("{id}-{slug}").as_str()));
        assert_eq!(package("checks/Cargo.toml").as_str(), Some(format!("{id}-{slug}-checks").as_str()));
        let suite: String =
            files.iter().filter(|(file, _)| file.starts_with("checks/src/")).map(|(_, text)| &**text).collect();
        let points = numbers(&suite, "points = ");
        assert!(
            points.iter().sum::<u32>() == 100 && points.iter().all(|points| *points > 0),
            "{services:?}: {points:?}"
        );
        let tasks = numbers(&suite, "task = ").into_iter().max();
        assert_eq!(numbers(&files["README.md"], "## Task ").into_iter().max(), tasks);
    }
    let formatted = run(&root, &["fmt", "--check"]);
    assert_eq!(formatted.stdout, "all files are formatted\n");
    let refreshed = run(&root, &["mutant", "refresh", "--dry-run"]);
    assert!(refreshed.stdout.contains(", 0 to be rewritten, 0 cannot be carried over"), "{}", refreshed.stdout);
    let hidden = fs::read_dir(root.join("labs")).unwrap().flatten();
    assert_eq!(hidden.filter(|entry| entry.file_name().to_str().unwrap().starts_with('.')).count(), 0);
}

#[test]
fn a_lab_under_names_that_cannot_be_is_refused_and_nothing_is_written() {
    let root = workspace("new-refused", "0.2.1");
    let before = texts(&root.join("labs"));
    let cases: [(&[&str], &str); 7] = [
        (
            &["tiny-1", "--slug", "queues"],
            "there is a lab with the id `tiny-1` already: labs/tiny-1-greeter\n\nhint: `tiny-2` is free",
        ),
        (&["tiny-2", "--slug", "greeter"], "there is a lab with the slug `greeter` already"),
        (&["queues", "--slug", "queues"], "the labs of this course are called `tiny-N`\n\nhint: `tiny-2` is free"),
        (&["tiny-02", "--slug", "queues"], "the labs of this course are called `tiny-N`"),
        (&["tiny-2", "--slug", "../queues"], "lower-case letters and digits, joined by hyphens"),
        (&["tiny-2", "--slug", "queues", "--title", "two\nlines"], "a title is one line"),
        (&["tiny-2", "--slug", "queues", "--services", "postgre"], "hint: did you mean `postgres`?"),
    ];
    for (arguments, told) in cases {
        let ran = run(&root, &[&["new"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{}", ran.golden());
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert_eq!(texts(&root.join("labs")), before);
}

#[test]
fn a_new_lab_whose_submission_is_a_program_passes_its_own_checks() {
    let root = workspace("new-program", "0.2.6");
    let both = run(&root, &["new", "tiny-2", "--slug", "words", "--program", "--services", "postgres"]);
    assert!(both.code == Some(2) && both.stderr.contains("cannot be used with"), "{}", both.golden());
    let made = run(&root, &["new", "tiny-2", "--slug", "words", "--program"]);
    assert_eq!(made.code, Some(0), "{}", made.golden());
    let files = texts(&root.join("labs/tiny-2-words"));
    for (file, text) in &files {
        assert!(!text.contains("{{") && !text.contains("{%") && !file.ends_with(".in"), "{file}: {text}");
    }
    assert_eq!(run(&root, &["fmt", "--check"]).stdout, "all files are formatted\n");
    let checked = |source: &[&str]| {
        let arguments = [&["check", "tiny-2", "--all", "--format", "json"], source].concat();
        let ran = Ran::of(command_in(&root, &arguments).env("LAB_FOLDER", root.join("lab")).output().unwrap());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.golden()));
        (ran.code, report["score"].as_u64(), report["max_score"].as_u64())
    };
    assert_eq!(checked(&["--solution"]), (Some(0), Some(100), Some(100)));
    assert_eq!(checked(&[]), (Some(1), Some(0), Some(100)));
}

/// Builds a lab on every service that there is, its suite and its mutants.
#[test]
#[ignore = "compiles what labs on every service need; the nightly workflow runs it"]
fn a_new_lab_passes_its_audit_at_once() {
    let root = workspace("new-audit", "0.2.2");
    let services = ServiceId::all().iter().map(|service| service.id()).collect::<Vec<_>>().join(",");
    for (id, asked) in [("tiny-2", ["--services", &services].as_slice()), ("tiny-3", &["--program"])] {
        let made = run(&root, &[&["new", id, "--slug", &format!("queues-{id}")], asked].concat());
        assert_eq!(made.code, Some(0), "{}", made.golden());
        let mut audit = command_in(&root, &["audit", id, "--repeat", "1", "--format", "json"]);
        let audited = Ran::of(audit.env("LAB_FOLDER", root.join("lab")).output().unwrap());
        let report: Value = serde_json::from_str(&audited.stdout).unwrap_or_else(|_| panic!("{}", audited.golden()));
        assert_eq!(report["labs"][0]["problems"], Value::Array(Vec::new()));
        assert_eq!(audited.code, Some(0), "{}", audited.golden());
        // The first task is a line away, and the rest is the learner's.
        let (score, most) = (report["labs"][0]["starter"][0].as_u64(), report["labs"][0]["starter"][1].as_u64());
        assert_eq!((score, most), (Some(0), Some(100)));
    }
}

#[test]
fn a_solution_is_formatted_and_its_mutants_follow() {
    let root = workspace("fmt", "0.2.3");
    let lab = root.join("labs/tiny-1-greeter");
    let solution = lab.join("solution/src/main.rs");
    let good = fs::read_to_string(&solution).unwrap();
    let deaf = fs::read_to_string(lab.join("mutants/deaf.patch")).unwrap();
    fs::write(&solution, good.replace("fn main()", "\n\n\nfn   main()")).unwrap();
    let check = run(&root, &["fmt", "--check"]);
    let told = "unformatted  labs/tiny-1-greeter/solution/src/main.rs\n`cargo lab fmt` formats them\n";
    assert_eq!((check.code, check.stdout.as_str()), (Some(1), told), "{}", check.golden());
    assert_ne!(fs::read_to_string(&solution).unwrap(), good);

    let ran = run(&root, &["fmt", "tiny-1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(
        ran.stdout.starts_with("formatted  labs/tiny-1-greeter/solution/src/main.rs\n3 patches: 3 fit"),
        "{}",
        ran.stdout
    );
    assert_eq!(fs::read_to_string(&solution).unwrap(), good);
    assert_eq!(fs::read_to_string(lab.join("mutants/deaf.patch")).unwrap(), deaf);
    // rustfmt breaks the line that the mutant changes.
    let long = good.replace(
        "Some(word) => (\"200 OK\"",
        "Some(word) => (\"200 OK, and a reason that is so long that no line of the house style could ever hold it\"",
    );
    fs::write(&solution, long).unwrap();
    let ran = run(&root, &["fmt", "tiny-1"]);
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    assert!(ran.stdout.contains("cannot   deaf"), "{}", ran.stdout);
    fs::write(&solution, "fn main( {").unwrap();
    let ran = run(&root, &["fmt", "tiny-1"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("unclosed delimiter"), "{}", ran.golden());
}

/// The tests that come with a new lab's solution, on every service that there is.
#[test]
#[ignore = "compiles a client and needs servers of its own; the nightly workflow runs it"]
fn the_own_tests_of_a_new_labs_solution_pass() {
    let root = workspace("new-tests", "0.2.4");
    let services = ServiceId::all().iter().map(|service| service.id()).collect::<Vec<_>>().join(",");
    let made = run(&root, &["new", "tiny-2", "--slug", "queues", "--services", &services]);
    assert_eq!(made.code, Some(0), "{}", made.golden());
    let ran = run(&root, &["test", "tiny-2", "--solution"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.starts_with("passed  tiny-2  "), "{}", ran.golden());
}
