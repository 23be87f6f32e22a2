//! Task 6: a correction that older releases need as well.

use lab_kit::prelude::*;

use crate::support::{History, Snapshot, State, Work, lines};

/// What a backport begins with: `main` with a correction in its middle, and two releases that began before it.
struct Releases<'a> {
    work: Work<'a>,
    fix: String,
}

impl<'a> Releases<'a> {
    async fn new(lab: &'a Lab) -> CheckResult<Self> {
        let mut history = History::new(lab);
        let text: Vec<String> = (0..12).map(|_| lines(lab, 1)).collect();
        let first = history.on("main").file("program.txt", text.concat()).file("notes.txt", lines(lab, 1));
        let first = history.add(first);
        for (branch, line) in [("release-1", 0), ("release-2", 11), ("release-3", 6)] {
            let mut changed = text.clone();
            changed[line] = lines(lab, 1);
            let commit = history.from(first, branch).file("program.txt", changed.concat());
            history.add(commit);
        }
        let before = history.on("main").file("feature.txt", lines(lab, 2));
        history.add(before);
        let mut fixed = text;
        fixed[6] = format!("fixed {}\n", lab.word());
        let fix = history.on("main").file("program.txt", fixed.concat()).file("new/test.txt", lines(lab, 1));
        let fix = fix
            .message(&format!("Count {} again\n\nIt was counted twice.\n\nReviewed-by: A <a@example.com>", lab.word()));
        let fix = history.add(fix);
        let after = history.on("main").file("feature.txt", lines(lab, 3));
        history.add(after);
        let (work, hashes) = Work::new(lab, &history).await?;
        Ok(Self { work, fix: hashes[fix].clone() })
    }

    /// Expects `branch` to be the correction on top of what it was.
    async fn expect_fixed(&self, snapshot: &Snapshot<'_>, before: &State, branch: &str) -> CheckResult<String> {
        let show = async |format: &str, commit: &str| {
            let format = format!("--format={format}");
            snapshot.git().args(["show", "--no-patch", &format, commit]).our_text().await
        };
        let full = format!("refs/heads/{branch}");
        let parent = show("%P", &full).await?;
        expect_equal(&format!("the parent of {branch}"), &parent.as_str(), &before.branch(branch)?)?;
        for (what, format) in [("author", "%an <%ae>"), ("author's date", "%ad")] {
            let (own, original) = (show(format, &full).await?, show(format, &self.fix).await?);
            expect_equal(&format!("the {what} of the commit on {branch}"), &own, &original)?;
        }
        let message = show("%B", &full).await?;
        let original = show("%B", &self.fix).await?;
        let line = format!("(cherry picked from commit {})", self.fix);
        let rest = message.trim_end().strip_suffix(&line).map(str::trim_end);
        if rest != Some(original.trim_end()) {
            let failure = Failure::learner(format!("the message of the commit on {branch} is another"));
            return Err(failure.expected(format!("{original}\n{line}")).actual(message));
        }
        let change = async |commit: &str| {
            // Without the numbers of lines, which may be others, and the hashes of files.
            let arguments = ["show", "--format=", "--unified=0", commit];
            let patch = snapshot.git().args(arguments).our_text().await?;
            let is_change = |line: &&str| line.starts_with(['+', '-']);
            Ok::<_, Failure>(patch.lines().filter(is_change).collect::<Vec<_>>().join("\n"))
        };
        expect_equal(
            &format!("what the commit on {branch} changes"),
            &change(&full).await?,
            &change(&self.fix).await?,
        )?;
        show("%H", &full).await
    }
}

/// Who reads a release's history wants to know where a commit comes from, and who wrote it (git-cherry-pick(1), "-x").
#[check(title = "a correction for older releases", task = 6, points = 2,
        hints = ["Which option of `git cherry-pick` says where a commit comes from?",
                 "Where was HEAD before you began, and what if one of the branches is checked out?",
                 "What does git say of a change that is there already?"])]
async fn backport(lab: &Lab) -> CheckResult {
    let releases = Releases::new(lab).await?;
    let Releases { work, fix } = &releases;
    let before = work.state().await?;
    let done = work.tool(&["backport", fix, "release-1", "release-2"]).await?;
    done.expect_code(0)?;
    work.expect_clean(&before, &done).await?;
    let snapshot = work.snapshot()?;
    let one = releases.expect_fixed(&snapshot, &before, "release-1").await?;
    let two = releases.expect_fixed(&snapshot, &before, "release-2").await?;
    done.expect_output(format!("release-1 {one}\nrelease-2 {two}\n"))?;
    let after = work.state().await?;
    for branch in ["main", "release-3"] {
        expect_equal(
            &format!("the branch {branch}, which was not named"),
            &after.branch(branch)?,
            &before.branch(branch)?,
        )?;
    }
    expect_equal("how many refs there are", &after.refs().len(), &before.refs().len())?;
    let again = work.tool(&["backport", fix, "release-2", "release-1"]).await?;
    again.expect_code(0).because("the change is there already")?;
    again.expect_output(format!("release-2 {two}\nrelease-1 {one}\n")).because("the change is there already")?;
    work.expect_untouched(&after, &again).await
}

/// A branch that is checked out is two things: what the ref says, and what lies in the work tree (git-cherry-pick(1)).
#[check(title = "a correction for the branch that is checked out", task = 6, points = 1, needs = ["backport"],
        hints = ["What do the index and the work tree hold when the branch under them moves?"])]
async fn backport_checked_out(lab: &Lab) -> CheckResult {
    let releases = Releases::new(lab).await?;
    let Releases { work, fix } = &releases;
    work.git().args(["checkout", "--quiet", "release-2"]).ours().await?;
    let before = work.state().await?;
    let done = work.tool(&["backport", fix, "release-2", "release-1"]).await?;
    done.expect_code(0)?;
    work.expect_clean(&before, &done).await?;
    let snapshot = work.snapshot()?;
    // never fails alone: `backport` asks the same, and this branch is not the one that is checked out
    releases.expect_fixed(&snapshot, &before, "release-1").await?;
    releases.expect_fixed(&snapshot, &before, "release-2").await?;
    Ok(())
}

/// A conflict is somebody's work, and not a tool's: until then all is as it was (git-cherry-pick(1), "--abort").
#[check(title = "a conflict leaves all as it was", task = 6, points = 2, needs = ["backport"],
        hints = ["What has become of the first branch when the second has a conflict?",
                 "Move the branches when all commits are made, and not before.",
                 "What does git leave in .git and in the work tree while it waits for you?"])]
async fn backport_conflict(lab: &Lab) -> CheckResult {
    let releases = Releases::new(lab).await?;
    let Releases { work, fix } = &releases;
    let before = work.state().await?;
    for branches in [
        &["release-3"][..],
        &["release-1", "release-3", "release-2"],
        &["release-3", "release-1"],
        &["release-1", "release-3"],
    ] {
        let done = work.tool(&[&["backport", fix.as_str()], branches].concat()).await?;
        done.expect_code(1)?;
        done.expect_output("")?;
        if !done.errors().contains("release-3") {
            let failure = done.failure("standard error does not say on which branch the conflict is");
            return Err(failure.expected("release-3").actual(done.errors()));
        }
        work.expect_untouched(&before, &done).await?;
    }
    let done = work.tool(&["backport", fix, "release-1", "release-2"]).await?;
    // never fails alone: `backport` asks the same, and the runs before have left nothing behind
    done.expect_code(0).because("no conflict is left on the way")?;
    // never fails alone: `backport` asks the same, and the runs before have left nothing behind
    work.expect_clean(&before, &done).await?;
    // Where the branch with the conflict is checked out.
    let (other, name) = (Releases::new(lab).await?, "release-3");
    other.work.git().args(["checkout", "--quiet", name]).ours().await?;
    let here = other.work.state().await?;
    let done = other.work.tool(&["backport", &other.fix, "release-1", name]).await?;
    done.expect_code(1)?;
    other.work.expect_untouched(&here, &done).await
}
