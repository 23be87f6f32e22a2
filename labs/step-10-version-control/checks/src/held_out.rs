//! Held out: what the other checks ask one by one, in other places, lengths and orders.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use lab_kit::prelude::*;
use lab_kit::rand::Rng as _;

use crate::queue::{TEST, files, with_branches};
use crate::support::{History, Host, Setup, Work, lines, secret};

/// However long a history or a file is, a secret may be anywhere in it (README, task 3).
#[check(title = "a secret in a long history, and in a large file", task = 3, points = 3,
        needs = ["secret_removed", "secret_new_refs"], held_out,
        hints = ["Is a file read in pieces? Then a secret may begin in one and end in the next."])]
async fn secret_anywhere(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let before = host.refs("demo").await?;
    let mut history = History::new(lab);
    let bad = lab.number(3, 55);
    for number in 0..60 {
        let mut commit = if number == 0 { history.from(&tip, "long") } else { history.on("long") };
        if number == bad {
            commit = commit.file(&format!("a/{}/b.env", lab.word()), format!("x{}x", secret(lab)));
        } else if number == bad + 1 {
            commit = commit.without("a");
        }
        history.add(commit.file(&format!("n-{}.txt", number % 5), lines(lab, 1)));
    }
    local.write(&history).await?;
    let refs = ["main:refs/heads/fine", "long:refs/heads/long", "long~40:refs/heads/shorter"];
    // never fails alone: `secret_removed` and `secret_new_refs` ask the same of fewer commits
    local.push(&refs).await?.expect_refused("a push of 60 commits of which one has a secret")?;
    // never fails alone: git sets no ref of a push that its hook refuses
    host.expect_refs("demo", &before, "a push that was refused").await?;
    for place in [65_536, 1 << 20, (2 << 20) + 17] {
        let mut bytes = vec![0; 3 << 20];
        lab.random(|random| random.fill_bytes(&mut bytes));
        let found = secret(lab);
        let at = place - usize::try_from(lab.number(1, 40)).unwrap_or(1);
        bytes[at..at + found.len()].copy_from_slice(found.as_bytes());
        let mut history = History::new(lab);
        let commit = history.from(&tip, "large").file("large.bin", bytes);
        history.add(commit);
        local.write(&history).await?;
        local.push(&["large"]).await?.expect_refused("a secret in a file of 3 MB")?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    Ok(())
}

/// Whatever is asked at once, main is green after each of its merges, and who was told 201 is in it (README, task 5).
#[check(title = "merges and pushes, all at once", task = 5, points = 3,
        needs = ["merge_together", "merge_moved_main"], held_out,
        hints = ["Which state of main was the last one that was tested?"])]
async fn merge_mixed(lab: &Lab) -> CheckResult {
    const NAMES: [&str; 6] = ["b0", "b1", "b2", "b3", "b4", "b5"];
    let setup = Setup::new(lab)?.tested_by(TEST);
    // Of each pair only one may be there.
    let script = "sleep 0.2\nfor pair in 'b0 b1' 'b2 b3' 'b4 b5'; do set -- $pair\n\
                  if [ -e $1.txt ] && [ -e $2.txt ]; then echo $pair; exit 1; fi; done\nexit 0\n";
    let (host, tip) = with_branches(lab, setup, script, &NAMES).await?;
    let local = host.mirror("demo").await?;
    let mut history = History::new(lab);
    let pushed = history.from(&tip, "direct").file("direct.txt", lines(lab, 1));
    history.add(pushed);
    local.write(&history).await?;
    let mut order = NAMES;
    lab.random(|random| {
        for index in (1..order.len()).rev() {
            order.swap(index, usize::try_from(random.next_u32()).unwrap_or_default() % (index + 1));
        }
    });
    let merging = lab.burst(order.map(|name| host.merge("demo", name)));
    let pushing = try_join_all((0..4).map(async |number| {
        let pushed = local.push(&[&format!("direct:refs/heads/side-{number}")]).await?;
        // never fails alone: `merge_moved_main` asks the same
        pushed.expect_taken("a new branch while branches are merged")
    }));
    let (answers, pushed) = futures::join!(merging, pushing);
    pushed?;
    let mut landed = BTreeSet::new();
    for (answer, name) in answers?.into_iter().zip(order) {
        let status = answer.status();
        answer.expect_status_in(&[201, 422])?;
        if status == 201 {
            landed.insert(format!("{name}.txt"));
        }
    }
    let local = host.mirror("demo").await?;
    let main = host.main_of("demo").await?;
    let there: BTreeSet<String> =
        files(&local, &main).await?.into_iter().filter(|file| file.starts_with('b')).collect();
    expect_equal("the branches that are in main, and those that were answered with 201", &there, &landed)?;
    for pair in NAMES.chunks(2) {
        let count = pair.iter().filter(|name| there.contains(&format!("{name}.txt"))).count();
        expect_equal("how many of two branches that break together are in main", &count, &1)?;
    }
    // never fails alone: git sets no ref to what is not whole
    host.expect_sound("demo").await
}

/// Any length, any commit, any that cannot be tested (README, task 6).
#[check(title = "any commit of any history", task = 6, points = 3, needs = ["culprit_skips", "culprit_merges"], held_out,
        hints = ["For which place of the first bad commit is yours another one?"])]
async fn culprit_anywhere(lab: &Lab) -> CheckResult {
    for count in [1, 2, 3, 7, 24] {
        let mut history = History::new(lab);
        for number in 0..=count {
            let commit = history.on("main").file("n.txt", format!("{number}\n")).file("other.txt", lab.word());
            history.add(commit);
        }
        let (work, hashes) = Work::new(lab, &history).await?;
        let before = work.state().await?;
        for first in [1, count, usize::try_from(lab.number(1, i64::try_from(count).unwrap_or(1))).unwrap_or(1)] {
            // Far from where it broke, some cannot be tested.
            let script = format!(
                "n=$(cat n.txt); [ $n -ne {first} ] && [ $n -ne {} ] && [ $((n % 3)) -eq 1 ] && exit 125; [ $n -lt {first} ]",
                first - 1
            );
            let done = work.tool(&["culprit", &hashes[0], &hashes[count], "sh", "-c", &script]).await?;
            // never fails alone: `culprit_skips` asks for the same exit code
            done.expect_code(0)?.expect_output(format!("{}\n", hashes[first]))?;
            // never fails alone: `culprit` asks the same
            work.expect_untouched(&before, &done).await?;
        }
    }
    Ok(())
}
