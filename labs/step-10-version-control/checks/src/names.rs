//! Task 2: names that somebody else has chosen.

use lab_kit::prelude::*;
use walkdir::WalkDir;

use crate::support::{History, Setup, lines};

/// Names of refs may hold nearly everything a shell has a meaning for, and names of files all of it (git-check-ref-format(1);
/// CWE-78).
#[check(title = "names are data", task = 2, points = 3, needs = ["push"],
        hints = ["What does `sh` do with a branch called `$(touch x)`?",
                 "A program gets its arguments one by one, without a shell in between.",
                 "A name that begins with a hyphen is an option to whoever takes options."])]
async fn names_are_data(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?;
    let outside = setup.outside();
    let mut history = History::new(lab);
    let commit = history.on("main").file("start.txt", lines(lab, 2));
    history.add(commit);
    let tip = setup.repository("demo", &history).await?.pop().unwrap_or_default();
    let host = setup.start().await?;
    let local = host.mirror("demo").await?;
    let names = [
        "$(touch${IFS}$REPOS_DIR/canary-1)",
        "`touch${IFS}$REPOS_DIR/canary-2`",
        "a;touch${IFS}$REPOS_DIR/canary-3;",
        "a|touch${IFS}$REPOS_DIR/canary-4",
        "a'b",
        "a\"b",
        "&touch${IFS}$REPOS_DIR/canary-5&",
        "-x",
        "--help",
        "umläut/ø",
        "%2e%2e",
        "a%0ab",
        "refs/heads/main",
    ];
    // The same in all branches, so that these do not stand in each other's way.
    let files = ["a\nb.txt", "$(touch $REPOS_DIR/canary-6)", "-rf", "it's \"quoted\".txt", "päth/ü.txt"];
    let text = lines(lab, 1);
    for (number, name) in names.into_iter().enumerate() {
        let mut history = History::new(lab);
        let commit = history.from(&tip, "work").author("$(touch $REPOS_DIR/canary-7) `x`; | '");
        let commit = files.into_iter().fold(commit, |commit, file| commit.file(file, text.clone()));
        let commit =
            commit.message("$(touch $REPOS_DIR/canary-8)\n\n`x`").file(&format!("{number}.txt"), lines(lab, 1));
        history.add(commit);
        let hash = local.write(&history).await?.remove(0);
        let full = format!("refs/heads/{name}");
        let pushed = local.push(&[&format!("{hash}:{full}")]).await?;
        pushed.expect_taken(&format!("a branch called {name}"))?;
        // never fails alone: receive-pack tells of a ref as taken once it has moved it
        expect_equal(&format!("{full} after the push"), &host.refs("demo").await?.get(&full), &Some(&hash))?;
        let merged = host.merge("demo", name).await?.expect_status(201).because(&format!("a branch called {name}"))?;
        let merged: String = merged.at("/commit")?;
        let fetched = host.mirror("demo").await?;
        let list = fetched.own().args(["ls-tree", "-r", "-z", "--name-only", &merged]).run().await?;
        // never fails alone: whatever main leads to is fetched with it
        let list = list.expect_success("the merge is fetched")?.text();
        if let Some(file) = files.iter().find(|file| !list.split('\0').any(|name| name == **file)) {
            return Err(Failure::learner(format!("the file {file:?} is not in the merge of {name}"))
                .actual(format!("{list:?}")));
        }
        local.push(&[&format!(":{full}")]).await?.expect_taken(&format!("the deletion of {name}"))?;
    }
    let canaries = WalkDir::new(&outside).into_iter().flatten();
    let canary = canaries.map(|entry| entry.file_name().display().to_string()).find(|name| name.starts_with("canary"));
    if let Some(canary) = canary {
        return Err(Failure::learner(format!("a name was run as a command: it has made the file {canary}"))
            .expected("no shell reads a name"));
    }
    Ok(())
}
