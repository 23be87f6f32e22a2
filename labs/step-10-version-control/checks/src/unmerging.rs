//! Task 6: a merge that is taken back, and landed again.

use lab_kit::prelude::*;

use crate::support::{History, Work, lines, one_line};

/// A branch that was merged into `main`, and commits on both sides.
struct Merged<'a> {
    work: Work<'a>,
    merge: String,
    /// What `main` was before, and what it is now.
    old: String,
    new: String,
    /// A branch that goes on where the merged one ended, `mended`, and one that was never merged, `fresh`.
    mended: String,
    fresh: String,
    /// A merge of which `main` knows nothing.
    elsewhere: String,
}

/// The files that the branch has brought.
const BROUGHT: [&str; 2] = ["topic-1.txt", "sub/topic-2.txt"];

impl<'a> Merged<'a> {
    async fn new(lab: &'a Lab) -> CheckResult<Self> {
        let mut history = History::new(lab);
        let (before, changed) = (lines(lab, 8), lines(lab, 1));
        let first = history.on("main").file("shared.txt", before.clone()).file("a.txt", lines(lab, 2));
        let first = history.add(first);
        let one = history.from(first, "topic").file(BROUGHT[0], lines(lab, 2));
        history.add(one);
        let two = history.on("topic").file(BROUGHT[1], lines(lab, 2)).file("shared.txt", format!("{before}{changed}"));
        let two = history.add(two);
        let old = history.on("main").file("b.txt", lines(lab, 2));
        let old = history.add(old);
        let mut merge = history.on("main").merges(two).file("shared.txt", format!("{before}{changed}"));
        merge = merge.message("Merge branch 'topic'");
        // As the branch has them.
        let merge = merge.same_as(two, &BROUGHT);
        let merge = history.add(merge);
        let new = history.on("main").file("c.txt", lines(lab, 2));
        let new = history.add(new);
        let mended = history.from(two, "mended").file(BROUGHT[0], lines(lab, 3)).file("topic-3.txt", lines(lab, 1));
        let mended = history.add(mended);
        let fresh = history.from(old, "fresh").file("fresh.txt", lines(lab, 1));
        let fresh = history.add(fresh);
        let clash = history.from(old, "clash").file("c.txt", lines(lab, 1));
        let clash = history.add(clash);
        let elsewhere = history.from(fresh, "elsewhere").merges(clash).file("c.txt", lines(lab, 1));
        let elsewhere = history.add(elsewhere);
        let (work, hashes) = Work::new(lab, &history).await?;
        let hash = |index: usize| hashes[index].clone();
        let (mended, fresh, elsewhere) = (hash(mended), hash(fresh), hash(elsewhere));
        Ok(Self { work, merge: hash(merge), old: hash(old), new: hash(new), mended, fresh, elsewhere })
    }

    /// Expects that HEAD has exactly the files of `commits`, each from the commit in which it is named.
    async fn expect_files(&self, expected: &[(&str, &str)], what: &str) -> CheckResult {
        let snapshot = self.work.snapshot()?;
        let list = async |commit: &str| {
            let text = snapshot.git().args(["ls-tree", "-r", commit]).our_text().await?;
            Ok::<_, Failure>(text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let mut wanted = Vec::new();
        for (commit, path) in expected {
            let all = list(commit).await?;
            wanted.extend(all.into_iter().filter(|line| line.ends_with(&format!("\t{path}"))));
        }
        wanted.sort_by_key(|line| line.split('\t').nth(1).map(str::to_owned));
        let actual = list("HEAD").await?;
        if actual == wanted {
            return Ok(());
        }
        Err(Failure::learner(format!("the files of main are others {what}"))
            .expected(wanted.join("\n"))
            .actual(actual.join("\n")))
    }

    /// The files of `main` without the branch.
    fn without(&self) -> Vec<(&str, &str)> {
        vec![(&self.old, "a.txt"), (&self.old, "b.txt"), (&self.new, "c.txt"), (&self.old, "shared.txt")]
    }

    /// The files of `main` with it.
    fn with(&self) -> Vec<(&str, &str)> {
        let new = &self.new;
        vec![(new, "a.txt"), (new, "b.txt"), (new, "c.txt"), (new, "shared.txt"), (new, BROUGHT[0]), (new, BROUGHT[1])]
    }

    /// Runs `tool`, and expects a new HEAD on top of the old one.
    async fn expect_moves(&self, tool: &[&str]) -> CheckResult<String> {
        let before = self.work.state().await?;
        let done = self.work.tool(tool).await?;
        done.expect_code(0)?;
        self.work.expect_clean(&before, &done).await?;
        let after = self.work.state().await?;
        let head = after.branch("main")?.to_owned();
        expect_equal("the hash that the tool prints", &one_line(&done)?, &head)?;
        let snapshot = self.work.snapshot()?;
        let ahead = snapshot.git().args(["merge-base", "--is-ancestor", before.branch("main")?, &head]).run().await?;
        if !ahead.ok || before.branch("main")? == head {
            let failure = done.failure("main is not further than it was");
            return Err(failure.expected("a commit on top of the old one").actual(head));
        }
        expect_equal("the branch topic", &after.branch("topic")?, &before.branch("topic")?)?;
        Ok(head)
    }
}

/// What is published is not rewritten: a merge is taken back by another commit (git-revert(1), "--mainline").
#[check(title = "a merge is taken back", task = 6, points = 2,
        hints = ["A merge has two parents. Compared with which of them is it to be undone?",
                 "`git revert` asks for `--mainline`. Which of them is main's?"])]
async fn unmerge(lab: &Lab) -> CheckResult {
    let merged = Merged::new(lab).await?;
    let work = &merged.work;
    let before = work.state().await?;
    let head = merged.expect_moves(&["unmerge", &merged.merge]).await?;
    merged.expect_files(&merged.without(), "once the merge was taken back").await?;
    let snapshot = work.snapshot()?;
    let shown = snapshot.git().args(["show", "--no-patch", "--format=%P%n%B", &head]).our_text().await?;
    let (parents, message) = shown.split_once('\n').unwrap_or_default();
    expect_equal("the parents of the commit that takes it back", &parents, &before.branch("main")?)?;
    expect_that(message.contains(&merged.merge), "the message does not name the merge that it takes back")?;
    for (commit, what) in [(&merged.new, "is no merge"), (&merged.elsewhere, "is not in main's history")] {
        let state = work.state().await?;
        let done = work.tool(&["unmerge", commit]).await?;
        done.expect_code(2).because(&format!("the commit {what}"))?;
        work.expect_untouched(&state, &done).await?;
    }
    // What the merge has brought, others have built upon since.
    let mut history = History::new(lab);
    let first = history.on("main").file("a.txt", lines(lab, 2));
    let first = history.add(first);
    let topic = history.from(first, "topic").file(BROUGHT[0], lines(lab, 2));
    let topic = history.add(topic);
    let merge = history.on("main").merges(topic).same_as(topic, &BROUGHT[..1]);
    let merge = history.add(merge);
    let later = history.on("main").file(BROUGHT[0], lines(lab, 3));
    history.add(later);
    let (work, hashes) = Work::new(lab, &history).await?;
    let state = work.state().await?;
    let done = work.tool(&["unmerge", &hashes[merge]]).await?;
    done.expect_code(1).because("a later commit has changed a file that the merge has brought")?;
    work.expect_untouched(&state, &done).await
}

/// To git, a branch that was merged is merged, whatever was taken back since: merging it again brings nothing (git's
/// howto/revert-a-faulty-merge).
#[check(title = "and landed again", task = 6, points = 2, needs = ["unmerge"],
        hints = ["Why does `git merge topic` say that it is up to date already?",
                 "What takes back the commit that has taken it back?",
                 "Look for the commits that took back a merge of this branch and were not taken back themselves."])]
async fn land(lab: &Lab) -> CheckResult {
    let merged = Merged::new(lab).await?;
    let work = &merged.work;
    // never fails alone: `unmerge` asks the same
    merged.expect_moves(&["unmerge", &merged.merge]).await?;
    merged.expect_moves(&["land", "topic"]).await?;
    merged.expect_files(&merged.with(), "once the branch was landed again").await?;
    let state = work.state().await?;
    let done = work.tool(&["land", "topic"]).await?;
    done.expect_code(0).because("the branch has landed already")?;
    expect_equal("what is printed where nothing is to be done", &one_line(&done)?, &state.branch("main")?.to_owned())?;
    work.expect_untouched(&state, &done).await?;
    // Then there are two commits that have taken the merge back, of which one was taken back itself.
    merged.expect_moves(&["unmerge", &merged.merge]).await?;
    // never fails alone: `unmerge` asks the same of the first time
    merged.expect_files(&merged.without(), "once the merge was taken back again").await?;
    merged.expect_moves(&["land", "topic"]).await?;
    // never fails alone: whatever brings the branch back a second time has brought it back once
    merged.expect_files(&merged.with(), "once the branch was landed a second time").await
}

/// A branch comes back because it was mended: with what it had, and with what it has now (git's howto/revert-a-faulty-merge).
#[check(title = "and landed with what was mended", task = 6, points = 1, needs = ["land"],
        hints = ["Which commits of the branch does a merge bring, and which does it take for merged already?"])]
async fn land_mended(lab: &Lab) -> CheckResult {
    let merged = Merged::new(lab).await?;
    // never fails alone: `unmerge` asks the same
    merged.expect_moves(&["unmerge", &merged.merge]).await?;
    merged.expect_moves(&["land", "mended"]).await?;
    let mut expected = merged.with();
    expected.retain(|(_, path)| *path != BROUGHT[0]);
    expected.extend([(merged.mended.as_str(), BROUGHT[0]), (merged.mended.as_str(), "topic-3.txt")]);
    merged.expect_files(&expected, "once the mended branch was landed").await
}

/// An ordinary merge lands as ever (git-merge(1)).
#[check(title = "a branch that nobody took back", task = 6, points = 1, needs = ["land"],
        hints = ["What is to be done where nothing was taken back?", "What does a merge with a conflict leave behind?"])]
async fn land_plainly(lab: &Lab) -> CheckResult {
    let merged = Merged::new(lab).await?;
    let work = &merged.work;
    merged.expect_moves(&["land", "fresh"]).await?;
    let mut expected = merged.with();
    expected.push((&merged.fresh, "fresh.txt"));
    merged.expect_files(&expected, "once a branch was landed").await?;
    let before = work.state().await?;
    let done = work.tool(&["land", "clash"]).await?;
    done.expect_code(1).because("both have made a file c.txt")?;
    work.expect_untouched(&before, &done).await
}
