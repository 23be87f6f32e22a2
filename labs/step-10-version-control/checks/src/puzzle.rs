//! Task 7: a history that was put in order by hand.

use std::collections::BTreeSet;

use lab_kit::prelude::*;
use tempfile::TempDir;

use crate::support::Git;

/// The history as it was handed out.
const PUZZLE: &str = include_str!("../../history/puzzle.export");
/// Where the learner's is.
const SOLVED: &str = "history/solved.export";
/// The longest that is looked at, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// A history in a repository of the grader's own.
struct Read<'a> {
    lab: &'a Lab,
    folder: TempDir,
    /// Its commits, the first one first.
    commits: Vec<String>,
}

impl<'a> Read<'a> {
    async fn new(lab: &'a Lab, stream: &str) -> CheckResult<Self> {
        let folder = TempDir::new().ours("making a folder for a history")?;
        let git = || Git::new(lab, folder.path());
        git().args(["init", "--quiet", "--bare", "--template=", "--initial-branch=main"]).ours().await?;
        let broken = |said: String| {
            Failure::learner(format!("{SOLVED} cannot be read by git fast-import"))
                .expected("what `git fast-export main` writes")
                .actual(said)
        };
        if stream.len() > MOST_BYTES {
            return Err(broken(format!("{} bytes", stream.len())));
        }
        let ran = git().args(["fast-import", "--quiet"]).input(stream).run().await?;
        if !ran.ok {
            return Err(broken(ran.errors));
        }
        let list = git().args(["rev-list", "--reverse", "--topo-order", "refs/heads/main"]).run().await?;
        if !list.ok {
            return Err(broken("there is no branch main in it".into()));
        }
        let commits = list.text().lines().map(str::to_owned).collect();
        Ok(Self { lab, folder, commits })
    }

    async fn of_the_learner(lab: &'a Lab) -> CheckResult<Self> {
        Self::new(lab, &lab.file(SOLVED)?).await
    }

    fn git(&self) -> Git<'_> {
        Git::new(self.lab, self.folder.path())
    }

    /// How a commit is called in a report.
    async fn subject(&self, commit: &str) -> CheckResult<String> {
        self.git().args(["show", "--no-patch", "--format=%s", commit]).our_text().await
    }

    /// The words that pages use and none defines.
    async fn undefined(&self, commit: &str) -> CheckResult<BTreeSet<String>> {
        let arguments = ["grep", "-h", "-E", "^(define|use) ", commit, "--", "pages/*.page"];
        // It fails where there is no such line.
        let text = self.git().args(arguments).run().await?.text();
        let words = |kind: &str| -> BTreeSet<String> {
            text.lines().filter_map(|line| line.strip_prefix(kind)).map(str::to_owned).collect()
        };
        Ok(words("use ").difference(&words("define ")).cloned().collect())
    }

    /// Who wrote a commit, when, why, and which files it changes.
    async fn told(&self, commit: &str) -> CheckResult<String> {
        let format = "--format=%an <%ae>, %ad%n%B";
        let arguments = ["show", "--name-only", "--no-renames", "--root", format, commit];
        let text = self.git().args(arguments).our_text().await?;
        Ok(text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"))
    }
}

/// Who looks for a mistake in a history, or takes one commit of it elsewhere, needs each commit to be whole (git-rebase(1),
/// "--exec").
#[check(title = "every commit builds", task = 7, points = 2,
        hints = ["Which commit defines the word that the first broken one uses? It has to come before.",
                 "`git rebase --interactive --root --exec 'sh check.sh'` stops where a commit does not build.",
                 "Which two commits change the same lines? Their conflict is yours to solve, twice."])]
async fn puzzle_builds(lab: &Lab) -> CheckResult {
    let solved = Read::of_the_learner(lab).await?;
    for (index, commit) in solved.commits.iter().enumerate() {
        let undefined = solved.undefined(commit).await?;
        if !undefined.is_empty() {
            let subject = solved.subject(commit).await?;
            let words = undefined.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Failure::learner(format!("commit {} of {SOLVED} does not build: {subject}", index + 1))
                .expected("every word that a page uses is defined by a page")
                .actual(format!("nobody defines {words}")));
        }
    }
    let puzzle = Read::new(lab, PUZZLE).await?;
    let tree = async |read: &Read<'_>| read.git().args(["rev-parse", "refs/heads/main^{tree}"]).our_text().await;
    let (was, is) = (tree(&puzzle).await?, tree(&solved).await?);
    if was == is {
        return Ok(());
    }
    Err(Failure::learner("the last commit has other files than the puzzle's last one").expected(was).actual(is))
}

/// One commit of everything builds, too, and tells nobody anything: who, when and why are what a history is for (Pro Git, 7.6,
/// "Reordering Commits").
#[check(title = "and is still itself", task = 7, points = 2, needs = ["puzzle_builds"],
        hints = ["Which commits are gone, or have become one?",
                 "Whose name and date does a commit get that you make yourself in the middle of a rebase?",
                 "A merge is not needed to put commits in another order."])]
async fn puzzle_kept(lab: &Lab) -> CheckResult {
    let (puzzle, solved) = (Read::new(lab, PUZZLE).await?, Read::of_the_learner(lab).await?);
    let told = async |read: &Read<'_>| {
        let mut all = Vec::new();
        for commit in &read.commits {
            all.push(read.told(commit).await?);
        }
        all.sort();
        Ok::<_, Failure>(all)
    };
    let (was, is) = (told(&puzzle).await?, told(&solved).await?);
    if was != is {
        let missing = |all: &[String], others: &[String]| {
            all.iter().filter(|one| !others.contains(one)).cloned().collect::<Vec<_>>().join("\n\n")
        };
        return Err(Failure::learner("the commits are not those of the puzzle in another order")
            .expected(missing(&was, &is))
            .actual(missing(&is, &was)));
    }
    let merges = solved.git().args(["rev-list", "--merges", "refs/heads/main"]).our_text().await?;
    expect_equal("merges in the history", &merges.lines().count(), &0)
}
