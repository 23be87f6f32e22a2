//! The tools, each in a repository of a test's own.

mod support;

use support::{Desk, Local, tool};

fn history(desk: &Desk, commits: u32) -> Local {
    let local = desk.empty();
    for number in 0..commits {
        local.commit("number", &format!("{number}\n"));
    }
    local
}

fn unchanged(local: &Local, work: impl FnOnce()) {
    let state =
        || (local.text(&["for-each-ref"]), local.text(&["status", "--porcelain", "--branch"]), local.head("HEAD"));
    let before = state();
    work();
    assert_eq!(state(), before);
    assert_eq!(local.text(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn the_culprit_is_found_in_few_runs() {
    let desk = Desk::new();
    let local = history(&desk, 65);
    for first in [1, 40, 64] {
        let script = format!("echo run >&2; test $(cat number) -lt {first}");
        unchanged(&local, || {
            let done = tool(&local, &["culprit", "main~64", "main", "sh", "-c", &script]);
            assert_eq!(done.output.trim_end(), local.head(&format!("main~{}", 64 - first)));
            assert!(done.errors.matches("run").count() <= 8, "{}", done.errors);
        });
    }
}

#[test]
fn what_cannot_be_tested_is_passed_by_or_named() {
    let desk = Desk::new();
    let local = history(&desk, 21);
    unchanged(&local, || {
        let script = "n=$(cat number); test $n -ne 5 || exit 125; test $n -lt 12";
        let done = tool(&local, &["culprit", "main~20", "main", "sh", "-c", script]);
        assert_eq!(done.output.trim_end(), local.head("main~8"));
        let script = "n=$(cat number); test $n -ne 11 || exit 125; test $n -lt 12";
        let done = tool(&local, &["culprit", "main~20", "main", "sh", "-c", script]);
        assert_eq!(done.code, Some(1));
        assert_eq!(done.output.lines().count(), 2);
        assert_eq!(tool(&local, &["culprit", "main~20", "main", "sh", "-c", "exit 128"]).code, Some(2));
        assert_eq!(tool(&local, &["culprit", "main~20", "main", "no such program"]).code, Some(2));
    });
}

#[test]
fn a_backport_reaches_all_branches_or_none() {
    let desk = Desk::new();
    let local = history(&desk, 3);
    local.expect(&["branch", "old", "main~2"]);
    local.expect(&["branch", "older", "main~1"]);
    local.commit("fix", "fixed\n");
    let done = tool(&local, &["backport", "main", "old", "older", "main"]);
    assert_eq!(done.code, Some(0), "{}", done.errors);
    assert!(local.text(&["log", "-1", "--format=%B", "older"]).ends_with(&format!("{})", local.head("main"))));
    local.expect(&["branch", "fits", "main~1"]);
    unchanged(&local, || {
        let done = tool(&local, &["backport", "main~1", "fits", "old"]);
        assert_eq!((done.code, done.errors.contains("old")), (Some(1), true), "{}", done.errors);
        assert_eq!(tool(&local, &["backport", "main", "fits", "nowhere"]).code, Some(2));
    });
}

#[test]
fn what_was_unmerged_lands_again_as_often_as_one_likes() {
    let desk = Desk::new();
    let local = history(&desk, 2);
    local.expect(&["checkout", "--quiet", "-b", "topic"]);
    local.commit("one", "1\n");
    local.expect(&["checkout", "--quiet", "main"]);
    local.commit("other", "1\n");
    for round in 0..3 {
        assert_eq!(tool(&local, &["land", "topic"]).code, Some(0));
        assert!(local.has("one") && local.has("other") && (round == 0 || local.has("two")), "{round}");
        unchanged(&local, || assert_eq!(tool(&local, &["land", "topic"]).output.trim_end(), local.head("HEAD")));
        assert_eq!(tool(&local, &["unmerge", "HEAD"]).code, Some(0));
        assert!(!local.has("one") && !local.has("two") && local.has("other"), "{round}");
        if round == 0 {
            local.expect(&["checkout", "--quiet", "topic"]);
            local.commit("two", "2\n");
            local.expect(&["checkout", "--quiet", "main"]);
        }
    }
    assert_eq!(tool(&local, &["unmerge", "HEAD"]).code, Some(2));
}

#[test]
fn what_was_purged_has_never_been() {
    let desk = Desk::new();
    let local = history(&desk, 2);
    local.commit("secrets/of ours", "hunter2 and more\n");
    local.expect(&["tag", "-a", "-m", "noted", "noted"]);
    local.commit("of ours", "harmless\n");
    local.expect(&["update-ref", "refs/archive/x", "HEAD"]);
    local.expect(&["rm", "--quiet", "secrets/of ours"]);
    local.expect(&["commit", "--quiet", "-m", "gone"]);
    let (kept, changed) = (local.head("main~3"), local.head("main"));
    let people = ["log", "--format=%an %ae %ad %cn %ce %cd %B", "main"];
    let before = local.text(&people);
    let done = tool(&local, &["purge", "secrets/of ours"]);
    assert_eq!(done.code, Some(0), "{}", done.errors);
    assert_eq!((local.head("main~3"), local.text(&people)), (kept, before));
    let objects = local.text(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    assert!(!objects.contains(&changed));
    for object in objects.lines() {
        assert!(!local.git(&["cat-file", "-p", object]).output.contains("hunter2"), "{object}");
    }
    assert_eq!(local.text(&["cat-file", "-t", "noted"]), "tag");
    assert!(local.has("of ours") && local.text(&["status", "--porcelain"]).is_empty());
    local.expect(&["fsck", "--full"]);
}

#[test]
fn a_tool_that_makes_no_sense_touches_nothing() {
    let desk = Desk::new();
    let local = history(&desk, 3);
    let nonsense: [&[&str]; 8] = [
        &["mend"],
        &["culprit", "main"],
        &["backport", "main"],
        &["backport", "nothing", "main"],
        &["unmerge", "main"],
        &["land", "nowhere"],
        &["purge", "nothing"],
        &["purge", "../number"],
    ];
    unchanged(&local, || {
        for arguments in nonsense {
            assert_eq!(tool(&local, arguments).code, Some(2), "{arguments:?}");
        }
    });
    local.write("number", "not committed\n");
    assert_eq!(tool(&local, &["land", "main"]).code, Some(2));
    assert_eq!(local.text(&["diff", "--name-only"]), "number");
}
