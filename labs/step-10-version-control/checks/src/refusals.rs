//! Task 6: when a tool keeps its hands off.

use lab_kit::prelude::*;

use crate::support::{History, Work, lines, plain_text};

/// A repository with a merge, the second commit that `main` has after its first. Tells the hashes of both.
async fn with_merge(lab: &Lab) -> CheckResult<(Work<'_>, String, String)> {
    let mut history = History::new(lab);
    let first = history.on("main").file("a.txt", lines(lab, 2)).file("b.txt", lines(lab, 2));
    let first = history.add(first);
    let topic = history.from(first, "topic").file("topic.txt", lines(lab, 1));
    let topic = history.add(topic);
    let merge = history.on("main").merges(topic).same_as(topic, &["topic.txt"]);
    let merge = history.add(merge);
    let last = history.on("main").file("a.txt", lines(lab, 3));
    history.add(last);
    let (work, hashes) = Work::new(lab, &history).await?;
    Ok((work, hashes[first].clone(), hashes[merge].clone()))
}

/// Whoever runs a tool has work lying about, and mistypes: neither may cost anything (README, task 6).
#[check(title = "tools that refuse", task = 6, points = 2, needs = ["culprit", "backport", "unmerge", "land", "purge"],
        hints = ["What has the user not committed yet, and what would become of it?",
                 "Is each name looked up before the first thing is changed?"])]
async fn tools_refuse(lab: &Lab) -> CheckResult {
    let (work, first, merge) = with_merge(lab).await?;
    let state = work.state().await?;
    let unknown = "0123456789012345678901234567890123456789";
    let (first, merge) = (first.as_str(), merge.as_str());
    let wrong: [&[&str]; 17] = [
        &["culprit"],
        &["culprit", first],
        &["culprit", first, "main"],
        &["culprit", unknown, "main", "true"],
        &["culprit", first, "nobody", "true"],
        &["backport"],
        &["backport", "main"],
        &["backport", unknown, "topic"],
        &["backport", "main", "topic", "nobody"],
        &["unmerge"],
        &["unmerge", unknown],
        &["unmerge", merge, merge],
        &["land"],
        &["land", "nobody"],
        &["purge"],
        &["purge", "a.txt", "b.txt"],
        &["nonsense"],
    ];
    for arguments in wrong {
        let done = work.tool(arguments).await?;
        done.expect_code(2)?.expect_output("")?;
        expect_that(!done.errors().trim().is_empty(), format!("`{}` fails and does not say why", arguments.join(" ")))?;
        work.expect_untouched(&state, &done).await?;
    }
    for staged in [false, true] {
        // Each begins with a repository that no tool has had its hands on.
        let (work, first, merge) = with_merge(lab).await?;
        let text = format!("mine {}\n", lab.word());
        std::fs::write(work.folder().join("a.txt"), &text).ours("changing a file")?;
        if staged {
            work.git().args(["add", "a.txt"]).ours().await?;
        }
        let state = work.state().await?;
        let right: [&[&str]; 5] = [
            &["culprit", &first, "main", "true"],
            &["backport", "main", "topic"],
            &["unmerge", &merge],
            &["land", "topic"],
            &["purge", "b.txt"],
        ];
        for arguments in right {
            let done = work.tool(arguments).await?;
            done.expect_code(2).because("there are changes that are not committed")?;
            work.expect_untouched(&state, &done).await?;
            let now = plain_text(work.folder(), "a.txt").unwrap_or_default();
            expect_equal("the file with changes that are not committed", &now, &text)?;
        }
    }
    Ok(())
}
