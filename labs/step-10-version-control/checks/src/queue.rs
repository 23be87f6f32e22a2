//! Task 5: branches are merged into main, one after the other, when their tests pass.

use lab_kit::prelude::*;

use crate::support::{History, Host, Local, Setup, lines};

/// How a host tests the projects of these checks: the project brings the test.
pub const TEST: &str = "exec sh ./test.sh";

/// A host with a project whose test is `script`, and the branches `names` on top of it, each with a file called after it.
/// Tells where main stands.
pub async fn with_branches<'a>(
    lab: &'a Lab,
    setup: Setup<'a>,
    script: &str,
    names: &[&str],
) -> CheckResult<(Host<'a>, String)> {
    let mut history = History::new(lab);
    let first = history.on("main").file("test.sh", script).file("shared.txt", lines(lab, 5));
    let first = history.add(first);
    let tip = history.on("main").file("start.txt", lines(lab, 2));
    let tip = history.add(tip);
    for name in names {
        let commit = history.from(first, name).file(&format!("{name}.txt"), lines(lab, 2));
        history.add(commit);
    }
    let hashes = setup.repository("demo", &history).await?;
    Ok((setup.start().await?, hashes[tip].clone()))
}

/// The parents of a commit.
pub async fn parents(local: &Local<'_>, commit: &str) -> CheckResult<Vec<String>> {
    let shown = local.own().args(["rev-list", "--parents", "--max-count=1", commit]).run().await?;
    // never fails alone: whatever main leads to is fetched with it
    let text = shown.expect_success(&format!("the commit {commit} is fetched with main"))?.text();
    Ok(text.split(' ').skip(1).map(str::to_owned).collect())
}

/// The names of all files of a commit.
pub async fn files(local: &Local<'_>, commit: &str) -> CheckResult<Vec<String>> {
    let list = local.own().args(["ls-tree", "-r", "--name-only", commit]).our_text().await?;
    Ok(list.lines().map(str::to_owned).collect())
}

/// A merge has two parents, and the first is what it was merged into: by that everybody can follow main from merge to merge
/// (git-merge(1), "--no-ff").
#[check(title = "a branch is merged", task = 5, points = 3, needs = ["push"],
        hints = ["The host has no work tree. Which command merges two commits without one, or where can you make one for a moment?",
                 "A fast-forward makes no commit. What has to be there all the same?",
                 "Is `main~1` the name of a branch? Ask for the full ref, refs/heads/NAME."])]
async fn merge(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?.tested_by(TEST);
    let (host, tip) = with_branches(lab, setup, "exit 0\n", &["one", "topic/two"]).await?;
    let refs = host.refs("demo").await?;
    let answer = host.merge("demo", "one").await?.expect_status(201)?;
    let commit: String = answer.at("/commit")?;
    expect_equal("main after the merge", &host.main_of("demo").await?, &commit)?;
    let local = host.mirror("demo").await?;
    let both = vec![tip, refs["refs/heads/one"].clone()];
    expect_equal("the parents of the merge", &parents(&local, &commit).await?, &both)?;
    let all = ["one.txt", "shared.txt", "start.txt", "test.sh"].map(str::to_owned).to_vec();
    expect_equal("the files of the merge", &files(&local, &commit).await?, &all)?;
    // What main could simply move to is merged as well.
    let mut history = History::new(lab);
    let ahead = history.from(&commit, "ahead").file("ahead.txt", lines(lab, 1));
    history.add(ahead);
    let ahead = local.write(&history).await?.remove(0);
    // never fails alone: `push` asks the same
    local.push(&["ahead"]).await?.expect_taken("a branch on top of main")?;
    let answer = host.merge("demo", "ahead").await?.expect_status(201)?;
    let second: String = answer.at("/commit")?;
    let local = host.mirror("demo").await?;
    let both = vec![commit, ahead];
    expect_equal("the parents of the merge of a branch on top of main", &parents(&local, &second).await?, &both)?;
    let again = host.merge("demo", "one").await?.expect_status(200)?;
    let again: String = again.at("/commit")?;
    expect_equal("what is told of a branch that is merged already", &again, &second)?;
    expect_equal("main after a second merge of the same branch", &host.main_of("demo").await?, &second)?;
    // never fails alone: git sets no ref to what is not whole
    host.expect_sound("demo").await
}

/// What cannot be understood is not guessed (RFC 9110 §15.5.1).
#[check(title = "what cannot be merged", task = 5, points = 1, needs = ["merge"],
        hints = ["Which of these is the client's mistake in the request, and which is a name that leads nowhere?",
                 "`git rev-parse` understands far more than names of branches."])]
async fn merge_refused(lab: &Lab) -> CheckResult {
    let (host, tip) = with_branches(lab, Setup::new(lab)?, "exit 0\n", &["one"]).await?;
    let before = host.refs("demo").await?;
    let topic = before["refs/heads/one"].clone();
    for name in ["two", "main~1", "one^{tree}", "HEAD", "refs/heads/one", &tip, &topic, "", "../heads/one", "one one"] {
        let answer = host.merge("demo", name).await?;
        answer.expect_status(404).because(&format!("the branch {name:?} is not there"))?;
    }
    for body in ["", "{", "[]", "{}", "\"one\"", "{\"branch\": 1}", "{\"branch\": null}", "{\"branch\": [\"one\"]}"] {
        let request = host.app.post("/demo/merges").header("Authorization", host.writer.authorization());
        request.body(body, "application/json").await?.expect_status(400).because(&format!("the body {body:?}"))?;
    }
    // never fails alone: without a branch there is nothing that main could become
    host.expect_refs("demo", &before, "requests that were refused").await
}

/// Two who have changed one line have to talk to each other; the host knows no better (git-merge(1), "HOW CONFLICTS ARE
/// PRESENTED").
#[check(title = "a conflict", task = 5, points = 2, needs = ["merge"],
        hints = ["How does git tell a conflict from any other failure?",
                 "What does the first merge leave behind that the next one stumbles over?"])]
async fn merge_conflict(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?.tested_by(TEST);
    let mut history = History::new(lab);
    let text = lines(lab, 5);
    // A name may hold what ends a name in a list that people read.
    let odd = "it's \"odd\"\n.txt";
    let first =
        history.on("main").file("test.sh", "exit 0\n").file("shared é.txt", text.clone()).file("b.txt", text.clone());
    let first = history.add(first.file(odd, text.clone()));
    for (branch, file) in [("one", "shared é.txt"), ("two", "b.txt"), ("three", "c.txt")] {
        let commit = history.from(first, branch).file(file, lines(lab, 5));
        history.add(commit);
    }
    let both = history.from(first, "both").file("shared é.txt", lines(lab, 5)).file(odd, lines(lab, 5));
    history.add(both);
    let on_main = history.on("main").file("shared é.txt", lines(lab, 5)).file(odd, lines(lab, 5)).without("b.txt");
    history.add(on_main);
    setup.repository("demo", &history).await?;
    let host = setup.start().await?;
    let before = host.refs("demo").await?;
    for (branch, conflicting) in [
        ("one", &["shared é.txt"][..]),
        ("two", &["b.txt"]),
        ("both", &[odd, "shared é.txt"]),
        ("one", &["shared é.txt"]),
    ] {
        let answer = host.merge("demo", branch).await?.expect_status(409)?;
        let mut files: Vec<String> = answer.at("/files")?;
        // In which order they are told is the host's business.
        files.sort_unstable();
        expect_equal("the files that conflict", &files, &conflicting.iter().map(|&file| file.to_owned()).collect())?;
        // never fails alone: git makes no commit where there is a conflict
        host.expect_refs("demo", &before, "a merge with a conflict").await?;
    }
    host.merge("demo", "three").await?.expect_status(201).because("no file of this branch is in conflict")?;
    Ok(())
}

/// What is tested is what main will be, and not what the branch was (Bors, "Not rocket science": the repository of code that
/// always passes all the tests).
#[check(title = "tests that fail", task = 5, points = 3, needs = ["merge"],
        hints = ["In which state are the files on which the test runs?",
                 "Where does the test's output go: to your server's log, or into the answer?",
                 "What happens to a server that waits for a test that never ends?"])]
async fn merge_tests(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?.tested_by(TEST).env("TEST_TIMEOUT_MS", "1500");
    let word = lab.word();
    // What it writes where it is loud is more than a pipe holds: whoever reads it only at the end waits for ever (pipe(7)).
    let script = format!(
        "echo {word}-out\necho {word}-err >&2\n\
         test -e start.txt || {{ echo not the merged state; exit 9; }}\n\
         test -e of-another-test && {{ echo not a new folder; exit 8; }}\n: > of-another-test\n\
         if test -e loud.txt || test -e shrill.txt; then line={word}; count=0\n\
         while [ ${{#line}} -lt 1000 ]; do line=$line-$line; done\n\
         while [ $count -lt 200 ]; do echo $line; echo $line >&2; count=$((count + 1)); done; fi\n\
         test -e shrill.txt && {{ echo {word}-last-out; echo {word}-last-err >&2; exit 1; }}\n\
         test -e red.txt && exit 1\ntest -e killed.txt && kill -9 $$\ntest -e slow.txt && sleep 300\nexit 0\n"
    );
    let names = ["red", "slow", "killed", "shrill", "loud", "green"];
    let (host, _) = with_branches(lab, setup, &script, &names).await?;
    let before = host.refs("demo").await?;
    for name in ["red", "killed", "slow", "shrill", "red"] {
        let answer =
            host.merge("demo", name).await?.expect_status(422).because(&format!("the tests of {name} fail"))?;
        // Of much, the host may keep the end.
        let ends: &[&str] = match name {
            "red" => &["out", "err"],
            "shrill" => &["last-out", "last-err"],
            _ => &[],
        };
        if !ends.is_empty() {
            for end in ends {
                let line = format!("{word}-{end}");
                answer.clone().expect_where("what the test has written, under `output`", |answer| {
                    answer.at::<String>("/output").is_ok_and(|output| output.contains(&line))
                })?;
            }
        }
        host.expect_refs("demo", &before, "a merge whose tests fail").await?;
    }
    for name in ["green", "loud"] {
        host.merge("demo", name)
            .await?
            .expect_status(201)
            .because(&format!("the tests pass with the branch {name} merged"))?;
    }
    Ok(())
}
