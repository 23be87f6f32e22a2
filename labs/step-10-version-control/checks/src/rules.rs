//! Task 2: what may become of branches.

use futures::future::try_join_all;
use lab_kit::prelude::*;

use crate::support::{History, Host, lines};

/// What others have built on must not go away under them (git-receive-pack(1), "pre-receive Hook").
#[check(title = "main moves forward only", task = 2, points = 2, needs = ["push"],
        hints = ["When is a commit a successor of another?",
                 "A client that says --force asks nicely. Who decides?",
                 "`git merge-base --is-ancestor OLD NEW`"])]
async fn main_no_force(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let before = host.refs("demo").await?;
    let back = local.push(&["+main~1:main"]).await?;
    back.expect_refused("a push that takes main one commit back")?;
    // never fails alone: git sets no ref of a push that its hook refuses
    host.expect_refs("demo", &before, "a push that was refused").await?;
    let mut history = History::new(lab);
    let parent = local.own().args(["rev-parse", "main~1"]).our_text().await?;
    let other = history.from(&parent, "other").file("other.txt", lines(lab, 2));
    let other = history.add(other);
    let more = history.from(other, "other").file("more.txt", lines(lab, 2));
    history.add(more);
    let alone = history.on("alone").file("alone.txt", lines(lab, 2));
    history.add(alone);
    let next = history.from(&tip, "next").file("next.txt", lines(lab, 2));
    let next = history.add(next);
    let last = history.from(next, "next").file("last.txt", lines(lab, 2));
    history.add(last);
    let hashes = local.write(&history).await?;
    for (branch, what) in
        [("other", "a push that replaces main's last commit"), ("alone", "a push of another history to main")]
    {
        local.push(&[&format!("+{branch}:main")]).await?.expect_refused(what)?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    local.push(&["+next:main"]).await?.expect_taken("a fast-forward of main, though it was forced")?;
    // never fails alone: receive-pack tells of a ref as taken once it has moved it
    expect_equal("main after a fast-forward", &host.main_of("demo").await?, &hashes[4])?;
    // Git's commands look at the other commit in place of the first, unless they are told not to (git-replace(1)). Whether
    // such a ref may be pushed is the host's business.
    let mut history = History::new(lab);
    let stand_in = history.from(&hashes[4], "stand-in").file("other.txt", lines(lab, 2));
    history.add(stand_in);
    local.write(&history).await?;
    local.push(&[&format!("stand-in:refs/replace/{}", hashes[1])]).await?;
    local
        .push(&["+other:main"])
        .await?
        .expect_refused("a push that replaces main's commits by what a ref covers up")?;
    // never fails alone: git sets no ref of a push that its hook refuses
    expect_equal("main after a push that was refused", &host.main_of("demo").await?, &hashes[4])
}

/// A deleted branch is the shortest way to rewrite it (git-push(1), `--delete`).
#[check(title = "main stays", task = 2, points = 1, needs = ["push"],
        hints = ["What is the new hash of a ref that is to be deleted?"])]
async fn main_no_deletion(lab: &Lab) -> CheckResult {
    let (host, _) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let before = host.refs("demo").await?;
    // never fails alone: receive-pack deletes no branch that HEAD names, whatever the hook says
    local.push(&[":main"]).await?.expect_refused("the deletion of main")?;
    // never fails alone: git sets no ref of a push that its hook refuses
    host.expect_refs("demo", &before, "a push that was refused").await?;
    // never fails alone: receive-pack deletes no branch that HEAD names, whatever the hook says
    local.push(&["main:refs/heads/copy", ":main"]).await?.expect_refused("the deletion of main, with a copy of it")?;
    host.expect_refs("demo", &before, "a push that was refused").await
}

/// A rule that is wider than what it protects is in everybody's way. A ref is its whole name (gitglossary(7), "ref").
#[check(title = "other branches are their owners'", task = 2, points = 2, needs = ["push"],
        hints = ["`main` is the end of more names than one.", "Compare the whole name of the ref: refs/heads/main."])]
async fn topics_free(lab: &Lab) -> CheckResult {
    let (host, _) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let names = [
        "refs/heads/topic",
        "refs/heads/topic/main",
        "refs/heads/mainline",
        "refs/heads/refs/heads/main",
        "refs/tags/main",
        "refs/tags/nightly",
    ];
    let names =
        names.map(|name| if name == "refs/heads/topic" { format!("{name}-{}", lab.word()) } else { name.into() });
    for name in names {
        local.push(&[&format!("main:{name}")]).await?.expect_taken(&format!("a new {name}"))?;
        local.push(&[&format!("+main~2:{name}")]).await?.expect_taken(&format!("a {name} that goes back"))?;
        let orphan = lab.word();
        let mut history = History::new(lab);
        let commit = history.on(&orphan).file("a.txt", lines(lab, 1));
        history.add(commit);
        let hashes = local.write(&history).await?;
        let replaced = local.push(&[&format!("+{orphan}:{name}")]).await?;
        // never fails alone: a branch that goes back was taken just now, and that is no fast-forward either
        replaced.expect_taken(&format!("a {name} with another history"))?;
        // never fails alone: receive-pack tells of a ref as taken once it has moved it
        expect_equal(&format!("{name} after the push"), &host.refs("demo").await?.get(&name), &hashes.first())?;
        local.push(&[&format!(":{name}")]).await?.expect_taken(&format!("the deletion of {name}"))?;
        // never fails alone: receive-pack tells of a ref as taken once it has moved it
        expect_equal(&format!("{name} after its deletion"), &host.refs("demo").await?.get(&name), &None)?;
    }
    Ok(())
}

/// Who pushes several refs has meant them together: half of a push is a state that nobody has made (git-receive-pack(1):
/// pre-receive decides on all refs, update on each alone).
#[check(title = "a refused push changes nothing", task = 2, points = 3, needs = ["main_no_force"],
        hints = ["Is each ref judged before the first one is changed?",
                 "The hook `update` is asked for each ref alone. Which one is asked once for all?"])]
async fn all_or_nothing(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let mut history = History::new(lab);
    for branch in ["a-topic", "z-topic"] {
        let commit = history.from(&tip, branch).file("topic.txt", lines(lab, 2));
        history.add(commit);
    }
    local.write(&history).await?;
    // never fails alone: `topics_free` asks the same
    local.push(&["main:b-old", "main:y-old"]).await?.expect_taken("two new branches")?;
    let before = host.refs("demo").await?;
    for (refs, what) in [
        (&["a-topic", "z-topic", "+main~1:main"][..], "a push of two branches, and of a main that goes back"),
        (&[":b-old", ":y-old", "+main~1:main"], "the deletion of two branches, and a main that goes back"),
        (
            &["a-topic", "+z-topic:y-old", ":b-old", ":main"],
            "a push of two branches, and the deletion of two with main",
        ),
        (&["a-topic", "z-topic", "main:refs/tags/v1"], "a push of two branches, and of a tag v1 without a signature"),
    ] {
        let pushed = local.push(refs).await?;
        pushed.expect_refused(what)?;
        host.expect_refs("demo", &before, what).await?;
        // git tells the fate of each, and whoever has pushed must not take one for pushed.
        // never fails alone: git tells of every ref of a push that its hook refuses
        expect_equal("how many refs of a refused push are told as refused", &pushed.refused.len(), &refs.len())?;
    }
    // never fails alone: `topics_free` asks the same of one at a time
    local.push(&["a-topic", "z-topic", ":b-old"]).await?.expect_taken("the same without what was wrong")
}

/// Two who start at one commit cannot both be next. Who is second hears so, and nothing of the first is lost
/// (git-update-ref(1): the old value is compared before the new one is set).
#[check(title = "pushes at the same moment", task = 2, points = 3, needs = ["main_no_force"],
        hints = ["What has become of main between your question what it is and your change of it?",
                 "A ref is set only if it still is what it was when the push was judged.",
                 "`git receive-pack` does that for you, if you leave the refs to it."])]
async fn pushes_at_once(lab: &Lab) -> CheckResult {
    const CLIENTS: usize = 6;
    let (host, mut tip) = Host::simple(lab).await?;
    for _ in 0..2 {
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            let local = host.mirror("demo").await?;
            let mut history = History::new(lab);
            let commit = history.from(&tip, "main").file(&format!("{number}.txt"), lines(lab, 2));
            history.add(commit);
            let own = history.from(&tip, "own").file(&format!("{number}.txt"), lines(lab, 2));
            history.add(own);
            let hashes = local.write(&history).await?;
            clients.push((local, hashes));
        }
        let pushed = try_join_all(clients.iter().map(|(local, _)| local.push(&["main"]))).await?;
        let won: Vec<usize> = (0..CLIENTS).filter(|number| pushed[*number].ran.ok).collect();
        // never fails alone: git compares the old value of a ref before it sets the new one
        expect_equal("how many of six pushes from one main are taken", &won.len(), &1)?;
        let winner = clients[won[0]].1[0].clone();
        // never fails alone: receive-pack tells of a ref as taken once it has moved it
        expect_equal("main, after six pushes of which one was taken", &host.main_of("demo").await?, &winner)?;
        tip = winner;
        let names: Vec<String> = (0..CLIENTS).map(|_| lab.word()).collect();
        let own = clients.iter().zip(&names).map(async |((local, hashes), name)| {
            local.push(&[&format!("own:refs/heads/{name}")]).await?.expect_taken("one of six new branches at once")?;
            Ok::<_, Failure>((format!("refs/heads/{name}"), hashes[1].clone()))
        });
        let own = try_join_all(own).await?;
        let refs = host.refs("demo").await?;
        for (name, hash) in own {
            expect_equal(&format!("{name} after six pushes at once"), &refs.get(&name), &Some(&hash))?;
        }
    }
    // never fails alone: git sets no ref to what is not whole
    host.expect_sound("demo").await
}
