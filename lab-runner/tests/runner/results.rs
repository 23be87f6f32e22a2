//! What is made of results for others: formats, signatures, one gradebook of several machines', and what would change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::sandbox::{Ran, check, copy, folder, lab, submission};

/// An empty folder for the test `name`, and in it three submissions.
fn place(name: &str) -> PathBuf {
    let place = folder().join("results").join(name);
    let _ = fs::remove_dir_all(&place);
    for (name, of) in [("ada", "half-done"), ("bob", "not-compiling"), ("eve", "exits-at-once")] {
        fs::create_dir_all(place.join("submissions")).unwrap();
        copy(&submission(of), &place.join("submissions").join(name));
    }
    place
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Grades what is in `place` to its folder `out`.
fn grade(place: &Path, out: &str, more: &[&str]) -> Ran {
    let (submissions, out) = (place.join("submissions"), place.join(out));
    let first = ["grade", submissions.to_str().unwrap(), "--lab", "tiny-1", "--isolation", "none", "--seed", "7"];
    let ran = lab(&[&first[..], &["--report", out.to_str().unwrap()], more].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    ran
}

#[test]
fn check_prints_what_other_programs_read_and_keeps_its_exit_codes() {
    let ran = check("half-done", &["--format", "gradescope"]);
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    let result: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((result["score"].as_u64(), result["tests"].as_array().unwrap().len()), (Some(60), 3), "{result}");
    let ran = check("not-compiling", &["--format", "github"]);
    assert_eq!(ran.code, Some(3), "{}", ran.golden());
    assert!(ran.stdout.lines().count() == 2 && ran.stdout.lines().all(|line| line.starts_with("::")), "{}", ran.stdout);
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn shards_that_are_collected_are_the_gradebook_of_one_machine() {
    let place = place("shards");
    grade(&place, "alone", &[]);
    grade(&place, "one", &["--shard", "1/2", "--times", place.join("alone").to_str().unwrap()]);
    let out = |name: &str| place.join(name).to_str().unwrap().to_owned();
    let gap = lab(&["grade", "collect", &out("one"), "--report", &out("all")]);
    assert_eq!(gap.code, Some(2), "{}", gap.golden());
    assert!(gap.stderr.contains("shards are missing: 2/2"), "{}", gap.golden());
    grade(&place, "two", &["--shard", "2/2", "--times", place.join("alone").to_str().unwrap()]);
    let all = lab(&["grade", "collect", &out("two"), &out("one"), "--report", &out("all")]);
    assert_eq!(all.code, Some(0), "{}", all.golden());
    assert_eq!(text(&place.join("all/gradebook.csv")), text(&place.join("alone/gradebook.csv")));
    for name in ["ada", "bob", "eve"] {
        let result: Value =
            serde_json::from_str(&text(&place.join("all/submissions").join(name).join("result.json"))).unwrap();
        assert_eq!(result["expected"].as_array().unwrap().len(), 3, "{name}: {result}");
    }
    assert!(all.stdout.contains("3 submissions"), "{}", all.stdout);
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn a_signed_batch_has_its_formats_and_verifies_and_what_would_change_is_told() {
    let place = place("signed");
    let (key, public) = (place.join("grader.pem"), place.join("grader.pub"));
    let openssl =
        |arguments: &[&str]| assert!(Command::new("openssl").args(arguments).output().unwrap().status.success());
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", key.to_str().unwrap()]);
    openssl(&["pkey", "-in", key.to_str().unwrap(), "-pubout", "-out", public.to_str().unwrap()]);
    grade(&place, "out", &["--formats", "gradescope,lti", "--sign", key.to_str().unwrap()]);
    let of = |name: &str| place.join("out/submissions").join(name);
    let score: Value = serde_json::from_str(&text(&of("bob").join("lti.json"))).unwrap();
    assert_eq!(
        (&score["scoreGiven"], &score["scoreMaximum"], &score["userId"]),
        (&0.into(), &100.into(), &"bob".into())
    );
    assert!(of("ada").join("gradescope.json").is_file());

    let files = [of("ada").join("result.json"), place.join("out/gradebook.csv")];
    let verified =
        || lab(&["verify", files[0].to_str().unwrap(), files[1].to_str().unwrap(), "--key", public.to_str().unwrap()]);
    let ran = verified();
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("60 of 100 points"), "{}", ran.golden());
    fs::write(&files[0], text(&files[0]).replace("\"score\": 60", "\"score\": 61")).unwrap();
    let ran = verified();
    assert_eq!(ran.code, Some(1), "{}", ran.golden());

    fs::write(&files[0], text(&files[0]).replace("\"score\": 61", "\"score\": 60")).unwrap();
    fs::remove_dir_all(place.join("submissions/eve")).unwrap();
    copy(&submission("half-done"), &place.join("submissions/eve"));
    let path = |name: &str| place.join(name).to_str().unwrap().to_owned();
    let again =
        ["regrade", &path("submissions"), "--against", &path("out"), "--report", &path("again"), "--isolation", "none"];
    let ran = lab(&again);
    assert_eq!(ran.code, Some(1), "{}", ran.golden());
    assert!(ran.stdout.contains("eve  0/100") && ran.stdout.contains("its files have changed"), "{}", ran.golden());
    assert!(ran.stdout.contains("1 of 3 would change"), "{}", ran.golden());
    assert!(place.join("again/regrade.json").is_file());

    // Both together: eve's second attempt counts.
    fs::write(place.join("roster.csv"), "learner,name\nada,Ada\neve,Eve\n").unwrap();
    fs::write(place.join("policy.toml"), "[labs.tiny-1]\npoints = 10\n").unwrap();
    let (out, again, roster, policy) = (path("out"), path("again"), path("roster.csv"), path("policy.toml"));
    let book = path("book");
    let ran = lab(&["gradebook", &out, &again, "--report", &book, "--roster", &roster, "--policy", &policy]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("tiny-1  2 of 2 have a grade"), "{}", ran.golden());
    assert!(ran.stdout.contains("not in the roster, and in no platform's table: bob"), "{}", ran.golden());
    let table = text(&place.join("book/gradebook.csv"));
    assert_eq!(table, "learner,name,tiny-1,tiny-1 notes,total\nada,Ada,6,,6\neve,Eve,6,,6\n");
    fs::write(place.join("policy.toml"), "[labs.tiny-1]\npoint = 10\n").unwrap();
    let ran = lab(&["gradebook", &out, "--report", &book, "--policy", &policy]);
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
    assert!(ran.stderr.contains("unknown field `point`"), "{}", ran.golden());
}
