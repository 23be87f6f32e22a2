//! Task 6: a file that must never have been.

use std::collections::BTreeMap;

use lab_kit::prelude::*;

use crate::support::{History, Snapshot, Work, lines};

/// The file that is to go.
const PATH: &str = "conf/my secrets é.txt";

/// A history in which it came, changed, was on branches and behind a tag, and went.
struct Leaked<'a> {
    work: Work<'a>,
    /// What the file has held.
    words: Vec<String>,
    before: Snapshot<'a>,
}

impl<'a> Leaked<'a> {
    async fn new(lab: &'a Lab) -> CheckResult<Self> {
        let words: Vec<String> = (0..3).map(|_| format!("word-{}-{}", lab.word(), lab.word())).collect();
        let mut history = History::new(lab);
        for number in 0..2 {
            let commit = history.on("main").file(&format!("clean-{number}.txt"), lines(lab, 2));
            history.add(commit);
        }
        let clean = history.from(1, "clean").file("clean.txt", lines(lab, 1));
        history.add(clean);
        let came = history.on("main").file(PATH, words[0].clone()).file("my secrets é.txt", lines(lab, 1));
        let came = history.add(came.file("conf/other.txt", lines(lab, 1)));
        let side = history.from(came, "side").file("side.txt", lines(lab, 1)).file(PATH, words[1].clone());
        let side = history.add(side);
        let on_main = history.on("main").file("main.txt", lines(lab, 2));
        history.add(on_main);
        let merge = history.on("main").merges(side).same_as(side, &["side.txt", PATH]);
        history.add(merge);
        let went =
            history.on("main").without(PATH).file("main.txt", lines(lab, 3)).message("Remove what nobody should see");
        history.add(went);
        let last = history.on("main").file("last.txt", lines(lab, 1));
        history.add(last);
        let old = history.from(came, "releases/old").file("old.txt", lines(lab, 1)).file(PATH, words[2].clone());
        history.add(old);
        let (work, _) = Work::new(lab, &history).await?;
        let git = || work.git();
        git().args(["tag", "light", "side"]).ours().await?;
        git().args(["tag", "-a", "-m", "A note\n\nwith a body", "noted", "releases/old"]).ours().await?;
        git().args(["tag", "-a", "-m", "clean", "clean-tag", "clean"]).ours().await?;
        git().args(["update-ref", "refs/archive/x", "main~1"]).ours().await?;
        git().args(["update-ref", "refs/remotes/origin/side", "side"]).ours().await?;
        // What branches leave behind when they move: entries in the log of HEAD, and objects without a ref.
        git().args(["checkout", "--quiet", "side"]).ours().await?;
        git().args(["commit", "--quiet", "--amend", "--reset-author", "-m", "Amended"]).ours().await?;
        git().args(["gc", "--quiet"]).ours().await?;
        let before = Snapshot::of_work_tree(lab, work.folder())?;
        Ok(Self { work, words, before })
    }
}

/// What a repository has, told without a hash: each ref, and of each commit who, when, after which others, with which message,
/// and which files but the one that is to go. Commits are called by their authors' times, which are all different.
async fn shape(snapshot: &Snapshot<'_>) -> CheckResult<Vec<String>> {
    let format = "--format=%(refname) %(objecttype) %(taggername) %(taggeremail) %(taggerdate:raw) \
                  %(authordate:raw)%(*authordate:raw) %(if)%(taggername)%(then)%(contents)%(end)%00";
    let refs = snapshot.git().args(["for-each-ref", format]).our_text().await?;
    let mut shape: Vec<String> = refs.split('\0').map(|entry| entry.trim().to_owned()).collect();
    let arguments = ["log", "--all", "--no-abbrev", "-z", "--format=%H%n%at%n%P%n%an <%ae> %ad, %cn <%ce> %cd%n%B"];
    let log = snapshot.git().args(arguments).our_text().await?;
    let commits: Vec<Vec<&str>> = log.split('\0').map(|entry| entry.trim().splitn(4, '\n').collect()).collect();
    let times: BTreeMap<&str, &str> =
        commits.iter().filter_map(|commit| Some((*commit.first()?, *commit.get(1)?))).collect();
    let mut told = BTreeMap::new();
    for commit in &commits {
        let [hash, time, parents, rest] = commit[..] else { continue };
        let parents: Vec<&str> = parents.split(' ').filter_map(|parent| times.get(parent)).copied().collect();
        let tree = snapshot.git().args(["ls-tree", "-r", "-z", hash]).our_text().await?;
        let files: Vec<&str> = tree.split('\0').filter(|line| !line.ends_with(&format!("\t{PATH}"))).collect();
        told.insert(time, format!("commit {time} after {parents:?}\n{rest}\n{}", files.join("\n")));
    }
    shape.extend(told.into_values());
    Ok(shape)
}

/// A secret has to go from wherever a ref can lead, and nothing else must (git-filter-branch(1); git-filter-repo's manual,
/// "Sensitive data removal").
#[check(title = "a file that has never been", task = 6, points = 3,
        hints = ["Which commits have the file: those of main, or those of every ref?",
                 "What does an annotated tag lead to once its commit is another?",
                 "A commit without the file in its whole past has nothing that would change its hash."])]
async fn purge(lab: &Lab) -> CheckResult {
    let leaked = Leaked::new(lab).await?;
    let Leaked { work, before, .. } = &leaked;
    let state = work.state().await?;
    let expected = shape(before).await?;
    let done = work.tool(&["purge", PATH]).await?;
    done.expect_code(0)?.expect_output("")?;
    work.expect_clean(&state, &done).await?;
    let after = work.snapshot()?;
    let found = after.git().args(["log", "--all", "--format=%H %s", "--", PATH]).our_text().await?;
    if !found.is_empty() {
        return Err(done.failure("commits still have the file").expected("none").actual(found));
    }
    let actual = shape(&after).await?;
    if actual != expected {
        let wrong = |all: &[String], others: &[String]| {
            all.iter().filter(|one| !others.contains(one)).cloned().collect::<Vec<_>>().join("\n\n")
        };
        let failure = done.failure("more has changed than the file");
        return Err(failure.expected(wrong(&expected, &actual)).actual(wrong(&actual, &expected)));
    }
    let now = work.state().await?;
    for name in ["refs/heads/clean", "refs/tags/clean-tag"] {
        let (was, is) = (state.refs().get(name), now.refs().get(name));
        expect_equal(&format!("{name}, in whose past the file is not"), &is, &was)?;
    }
    Ok(())
}

/// What no ref leads to is there all the same: in the logs of refs, in packs, and for whoever knows its hash (git-gc(1),
/// "--prune"; git-reflog(1), "expire").
#[check(title = "no object is left of it", task = 6, points = 2, needs = ["purge"],
        hints = ["Which list keeps a commit alive that no branch has any more?",
                 "How long does git keep what nothing leads to, if it is not told otherwise?",
                 "Did the tool you have used put the old refs aside, under another name?"])]
async fn purge_objects(lab: &Lab) -> CheckResult {
    let leaked = Leaked::new(lab).await?;
    let Leaked { work, words, before } = &leaked;
    let with_it = before.git().args(["log", "--all", "--reflog", "--format=%H", "--", PATH]).our_text().await?;
    let done = work.tool(&["purge", PATH]).await?;
    // never fails alone: `purge` asks the same
    done.expect_code(0)?;
    let after = work.snapshot()?;
    for word in words {
        after.expect_nowhere(word, "after the purge").await?;
    }
    let objects = after.objects().await?;
    let old: Vec<&str> = with_it.lines().filter(|hash| objects.contains(*hash)).collect();
    if !old.is_empty() {
        return Err(done
            .failure("commits that have had the file are still there")
            .expected("none")
            .actual(old.join("\n")));
    }
    after.expect_sound().await
}

/// What is not there cannot be removed, and a name in another folder is another file (README, task 6).
#[check(title = "a file that was never there", task = 6, points = 1, needs = ["purge"],
        hints = ["Which files does the pattern that you give git match?"])]
async fn purge_nothing(lab: &Lab) -> CheckResult {
    let leaked = Leaked::new(lab).await?;
    let Leaked { work, .. } = &leaked;
    let state = work.state().await?;
    for path in ["secrets é.txt", "conf/*.txt", "conf", "main.tx", ":/", "."] {
        let done = work.tool(&["purge", path]).await?;
        done.expect_code(2).because(&format!("no commit has a file {path:?}"))?;
        work.expect_untouched(&state, &done).await?;
    }
    Ok(())
}
