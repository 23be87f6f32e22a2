//! The whole host, as git meets it: the program, real clones and pushes, one folder of repositories for each test.

mod support;

use support::{Desk, Host, KEY};

#[test]
fn what_one_pushes_another_clones() {
    let host = Host::start("true");
    let ada = host.clone_as("ada");
    ada.commit("events.txt", "Jazz at Noon\n");
    // Larger than what git sends in one piece.
    ada.commit("poster.bin", &"0123456789abcdef".repeat(200_000));
    ada.expect(&["-c", "http.postBuffer=65536", "push", "--quiet", "origin", "main"]);
    let bob = host.clone_as("bob");
    assert_eq!(bob.head("main"), ada.head("main"));
    let shallow = host.desk.clone_of(&host.url("bob"), &["--depth", "1"]);
    assert_eq!(shallow.text(&["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn a_reader_and_a_stranger_change_nothing() {
    let host = Host::start("true");
    let ada = host.clone_as("ada");
    ada.commit("a", "1\n");
    ada.expect(&["push", "--quiet", "origin", "main"]);
    assert!(!ada.git(&["push", &host.url("bob"), "HEAD:topic"]).success);
    assert!(!ada.git(&["push", &host.url("ada").replace("s3cret", "guess"), "HEAD:topic"]).success);
    assert_eq!(host.post("/tickets/merges", "bob", r#"{"branch": "main"}"#).0, 403);
    assert_eq!(host.post("/tickets/merges", "eve", r#"{"branch": "main"}"#).0, 401);
    assert_eq!(host.post("/%2e%2e/merges", "ada", r#"{"branch": "main"}"#).0, 404);
    assert_eq!(host.references(), ["refs/heads/main"]);
}

#[test]
fn a_refused_push_changes_nothing_and_leaves_nothing() {
    let host = Host::start("true");
    let ada = host.clone_as("ada");
    ada.commit("a", "1\n");
    ada.commit("a", "2\n");
    ada.expect(&["push", "--quiet", "origin", "main"]);
    let before = (host.references(), host.objects());
    ada.commit("b", KEY);
    ada.commit("b", "nothing\n");
    for refs in [
        &["main", "HEAD:topic"][..],
        &["HEAD~3:main", "HEAD~3:refs/heads/topic", "--force"],
        &[":main"],
        &["HEAD~2:refs/tags/v1"],
    ] {
        let pushed = ada.git(&[&["push", "origin"], refs].concat());
        assert!(!pushed.success && pushed.errors.contains("[remote rejected]"), "{refs:?}: {}", pushed.errors);
        assert_eq!((host.references(), host.objects()), before, "{refs:?}");
    }
    ada.expect(&["push", "--quiet", "origin", "HEAD~2:refs/heads/topic/main", "HEAD~2:refs/tags/main"]);
}

#[test]
fn a_host_that_is_killed_leaves_the_next_one_nothing_to_stumble_over() {
    let mut host = Host::start("true");
    for number in 0..3 {
        let ada = host.clone_as("ada");
        ada.commit(&format!("{number}"), "1\n");
        ada.expect(&["push", "--quiet", "origin", "main"]);
        ada.commit("key", KEY);
        assert!(!ada.git(&["push", "origin", "main"]).success);
        host.kill_and_start();
    }
    assert_eq!(host.left_beside_repositories(), [".box-office-hooks"]);
    assert!(host.temporary_files().is_empty(), "{:?}", host.temporary_files());
}

#[test]
fn names_are_only_names() {
    let host = Host::start("true");
    let ada = host.clone_as("ada");
    ada.commit("a\nb", "1\n");
    ada.expect(&["push", "--quiet", "origin", "main"]);
    ada.commit("c", "1\n");
    let branch = "$(touch${IFS}canary);`touch${IFS}canary`'\"|&-x";
    ada.expect(&["push", "--quiet", "origin", &format!("HEAD:refs/heads/{branch}")]);
    let (status, body) = host.post("/tickets/merges", "ada", &format!(r#"{{"branch": {}}}"#, quoted(branch)));
    assert_eq!(status, 201, "{body}");
    assert!(!host.desk.has("canary"));
    for unknown in ["main~1", "nothing", "../main", "\0", ""] {
        let (status, _) = host.post("/tickets/merges", "ada", &format!(r#"{{"branch": {}}}"#, quoted(unknown)));
        assert_eq!(status, 404, "{unknown:?}");
    }
}

#[test]
fn what_is_merged_was_tested_as_a_whole() {
    let host = Host::start("test $(ls | wc -l) -lt 3 || { echo too many files; exit 1; }");
    let ada = host.clone_as("ada");
    ada.commit("a", "1\n");
    ada.expect(&["push", "--quiet", "origin", "main"]);
    for (branch, file) in [("one", "b"), ("two", "c"), ("three", "a")] {
        ada.expect(&["checkout", "--quiet", "-b", branch, "main"]);
        ada.commit(file, branch);
        ada.expect(&["push", "--quiet", "origin", branch]);
    }
    let (status, body) = host.post("/tickets/merges", "ada", r#"{"branch": "one"}"#);
    assert_eq!(status, 201, "{body}");
    let main = host.main();
    assert!(body.contains(&main), "{body}");
    let (status, body) = host.post("/tickets/merges", "ada", r#"{"branch": "two"}"#);
    assert_eq!((status, body.contains("too many files")), (422, true), "{body}");
    assert_eq!(host.post("/tickets/merges", "ada", r#"{"branch": "one"}"#), (200, format!(r#"{{"commit":"{main}"}}"#)));
    assert_eq!(host.main(), main);
    // Behind the merge, somebody else has changed the same line.
    ada.expect(&["fetch", "--quiet"]);
    ada.expect(&["checkout", "--quiet", "--detach", "origin/main"]);
    ada.commit("a", "2\n");
    ada.expect(&["push", "--quiet", "origin", "HEAD:main"]);
    let refused = host.post("/tickets/merges", "ada", r#"{"branch": "three"}"#);
    assert_eq!(refused, (409, r#"{"error":"conflict","files":["a"]}"#.to_owned()));
    assert_eq!(host.main(), ada.head("HEAD"));
}

#[test]
fn a_release_is_signed_and_stays() {
    let host = Host::start("true");
    let ada = host.clone_as("ada");
    ada.commit("a", "1\n");
    ada.expect(&["push", "--quiet", "origin", "main"]);
    for (name, purpose, accepted) in [("v1", "file", false), ("v2", "git", true)] {
        host.sign_release(&ada, name, purpose);
        assert_eq!(ada.git(&["push", "origin", name]).success, accepted, "{name}");
    }
    assert!(!ada.git(&["push", "origin", "v2:refs/tags/v3"]).success);
    assert!(!ada.git(&["push", "origin", ":v2"]).success);
    assert!(!ada.git(&["push", "--force", "origin", "main:refs/tags/v2"]).success);
}

#[test]
fn a_push_that_would_lose_work_takes_nothing_along() {
    let host = Host::start("true");
    let (ada, late) = (host.clone_as("ada"), Desk::new());
    ada.commit("a", "1\n");
    ada.expect(&["push", "--quiet", "origin", "main"]);
    let late = late.clone_of(&host.url("ada"), &[]);
    ada.commit("a", "2\n");
    ada.expect(&["push", "--quiet", "origin", "main"]);
    late.commit("a", "3\n");
    assert!(!late.git(&["push", "--force", "origin", "main", "HEAD:topic"]).success);
    assert_eq!(host.references(), ["refs/heads/main"]);
    assert_eq!(host.main(), ada.head("main"));
}

/// As JSON has it.
fn quoted(text: &str) -> String {
    let escaped: String = text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    format!("\"{escaped}\"")
}
