//! Task 6: the commit that broke it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use lab_kit::prelude::*;

use crate::support::{History, Work, one_line, plain_text};

/// A straight history of `count` commits behind the first, each with its number in `n.txt`.
async fn straight(lab: &Lab, count: usize) -> CheckResult<(Work<'_>, Vec<String>)> {
    let mut history = History::new(lab);
    for number in 0..=count {
        let commit =
            history.on("main").file("n.txt", format!("{number}\n")).file(&format!("f{}.txt", number % 7), lab.word());
        history.add(if number == 0 { commit.file("same.txt", "same\n") } else { commit });
    }
    Work::new(lab, &history).await
}

/// Where a test notes each of its runs.
struct Log(PathBuf);

impl Log {
    fn new(lab: &Lab) -> CheckResult<Self> {
        Ok(Self(lab.folder()?))
    }

    /// A script that notes its run and goes on with `script`, in which `$n` is the commit's number.
    fn script(&self, script: &str) -> String {
        format!("n=$(cat n.txt); echo $n >> {}/runs; {script}", self.0.display())
    }

    /// The commits on which it was run since it was last asked.
    fn take(&self) -> Vec<String> {
        let runs = plain_text(&self.0, "runs").unwrap_or_default().lines().map(str::to_owned).collect();
        let _ = std::fs::remove_file(self.0.join("runs"));
        runs
    }
}

/// Between a commit that was right and one that is wrong there is one that made it so; the state of the files says which
/// (git-bisect(1)).
#[check(title = "the commit that broke it", task = 6, points = 2,
        hints = ["`git bisect run` does nearly all of it. What does it print besides the hash, and where does it leave you?",
                 "Where does what the command writes go?",
                 "What were the branch and the files before? `git bisect reset` knows."])]
async fn culprit(lab: &Lab) -> CheckResult {
    let log = Log::new(lab)?;
    let (work, hashes) = straight(lab, 40).await?;
    work.git().args(["tag", "good", &hashes[3]]).ours().await?;
    work.git().args(["branch", "topic", &hashes[20]]).ours().await?;
    let before = work.state().await?;
    for (good, bad, (from, to)) in
        [("good", "main", (4, 40)), (&hashes[0][..12], "main~1", (1, 39)), ("good", "topic", (4, 20))]
    {
        let first = usize::try_from(lab.number(from, to)).unwrap_or(5);
        let script =
            log.script(&format!("echo noise; echo more >&2; test \"$1\" = 'a b' || exit 200; [ $n -lt {first} ]"));
        let done = work.tool(&["culprit", good, bad, "sh", "-c", &script, "x", "a b"]).await?;
        done.expect_code(0)?;
        let found = one_line(&done)?;
        if found != hashes[first] {
            let number =
                hashes.iter().position(|hash| *hash == found).map_or("none".into(), |number| number.to_string());
            return Err(done
                .failure("another commit is named")
                .expected(format!("{}, number {first}", hashes[first]))
                .actual(format!("{found}, number {number}")));
        }
        work.expect_untouched(&before, &done).await?;
        for (word, stream) in [("noise", "output"), ("more", "error")] {
            let told = format!("what the command writes to standard {stream} is not in the tool's standard error");
            expect_that(done.errors().contains(word), told)?;
        }
        // never fails alone: who has not run the command does not know which commit it is
        expect_that(!log.take().is_empty(), "the command was not run")?;
    }
    // Every failure counts but 125 and those that are none of the command's.
    for code in [1, 2, 124, 126, 127] {
        let script = format!("[ $(cat n.txt) -lt 9 ] || exit {code}");
        let done = work.tool(&["culprit", "good", "main", "sh", "-c", &script]).await?;
        done.expect_code(0)?
            .expect_output(format!("{}\n", hashes[9]))
            .because("exit codes from 1 to 127 but 125 mean bad")?;
    }
    // What a command leaves in files that git knows, such as a list that it sorts, is none of the user's changes.
    let script = "echo changed >> same.txt; git add same.txt; echo again >> same.txt; [ $(cat n.txt) -lt 9 ]";
    let done = work.tool(&["culprit", "good", "main", "sh", "-c", script]).await?;
    done.expect_code(0)?.expect_output(format!("{}\n", hashes[9])).because("the command has changed a file as well")?;
    work.expect_untouched(&before, &done).await?;
    for end in ["exit 128", "exit 255", "kill -9 $$"] {
        let done = work.tool(&["culprit", "good", "main", "sh", "-c", end]).await?;
        done.expect_code(2).because("a command that ends so has tested nothing")?;
        work.expect_untouched(&before, &done).await?;
    }
    Ok(())
}

/// Each run halves what is left: twice as many commits cost one run more (D. Knuth, The Art of Computer Programming, 6.2.1).
#[check(title = "as few runs as there can be", task = 6, points = 1, needs = ["culprit"],
        hints = ["How many commits can one run rule out?", "Does the command run on commits whose fate is known?"])]
async fn culprit_runs(lab: &Lab) -> CheckResult {
    const COMMITS: usize = 130;
    // The logarithm of 130 to base 2 is a little more than 7.
    const MOST: usize = 8 + 2;
    let log = Log::new(lab)?;
    let (work, hashes) = straight(lab, COMMITS).await?;
    for first in [1, COMMITS, usize::try_from(lab.number(2, 129)).unwrap_or(7)] {
        let script = log.script(&format!("[ $n -lt {first} ]"));
        let done = work.tool(&["culprit", &hashes[0], "main", "sh", "-c", &script]).await?;
        // never fails alone: `culprit` asks the same, and `culprit_anywhere` of either end
        done.expect_code(0)?.expect_output(format!("{}\n", hashes[first]))?;
        let runs = log.take();
        if runs.len() > MOST {
            return Err(done
                .failure(format!("the command was run {} times for {COMMITS} commits", runs.len()))
                .expected(format!("at most {MOST} runs"))
                .actual(format!("on the commits {}", runs.join(", "))));
        }
    }
    Ok(())
}

/// A commit that does not build is neither good nor bad: exit code 125 says so (git-bisect(1), "Bisect run").
#[check(title = "commits that cannot be tested", task = 6, points = 2, needs = ["culprit"],
        hints = ["What do you know of a commit whose test ends in 125?",
                 "If all that is left cannot be tested, each of them may be the one, and so may the first bad one."])]
async fn culprit_skips(lab: &Lab) -> CheckResult {
    let (work, hashes) = straight(lab, 40).await?;
    let before = work.state().await?;
    // What cannot be tested stands apart from where it broke.
    let script = "n=$(cat n.txt); [ $n -ge 18 ] && [ $n -le 22 ] && exit 125; [ $n -lt 31 ]";
    let done = work.tool(&["culprit", &hashes[0], "main", "sh", "-c", script]).await?;
    done.expect_code(0)?.expect_output(format!("{}\n", hashes[31]))?;
    // never fails alone: `culprit` asks the same
    work.expect_untouched(&before, &done).await?;
    // It stands right where it broke.
    let script = "n=$(cat n.txt); [ $n -ge 18 ] && [ $n -le 22 ] && exit 125; [ $n -lt 20 ]";
    let done = work.tool(&["culprit", &hashes[0], "main", "sh", "-c", script]).await?;
    done.expect_code(1)?;
    let named: BTreeSet<String> = String::from_utf8_lossy(done.output()).lines().map(str::to_owned).collect();
    let expected: BTreeSet<String> = hashes[18..=23].iter().cloned().collect();
    if named != expected {
        let told = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("\n");
        let failure = done.failure("the commits of which each may be the one are others");
        return Err(failure.expected(told(&expected)).actual(told(&named)));
    }
    // never fails alone: `culprit` asks the same
    work.expect_untouched(&before, &done).await
}

/// Histories have branches, and what broke it may be on one of them (git-bisect-lk2009(1), "Bisection algorithm").
#[check(title = "a commit behind a merge", task = 6, points = 1, needs = ["culprit"],
        hints = ["Which commits are in BAD's history and not in GOOD's? Not only those on the way along the first parents."])]
async fn culprit_merges(lab: &Lab) -> CheckResult {
    let mut history = History::new(lab);
    let first = history.on("main").file("start.txt", lab.word());
    let first = history.add(first);
    for side in 0..4 {
        let branch = format!("side-{side}");
        let mut tip = first;
        for number in 0..4 {
            let commit = history.from(tip, &branch).file(&format!("{branch}-{number}.txt"), lab.word());
            tip = history.add(commit);
        }
        let mut merge = history.on("main").merges(tip);
        for number in 0..4 {
            merge = merge.file(&format!("{branch}-{number}.txt"), lab.word());
        }
        history.add(merge);
    }
    let (work, hashes) = Work::new(lab, &history).await?;
    let before = work.state().await?;
    let (side, number) = (lab.number(0, 3), lab.number(0, 3));
    let script = format!("test ! -e side-{side}-{number}.txt");
    let done = work.tool(&["culprit", &hashes[0], "main", "sh", "-c", &script]).await?;
    // Each side has four commits and a merge.
    let index = usize::try_from(1 + side * 5 + number).unwrap_or_default();
    done.expect_code(0)?.expect_output(format!("{}\n", hashes[index]))?;
    // never fails alone: `culprit` asks the same
    work.expect_untouched(&before, &done).await
}
