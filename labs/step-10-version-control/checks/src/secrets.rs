//! Task 3: what must never be in a history.

use lab_kit::prelude::*;

use crate::support::{History, Host, Local, Setup, lines, secret};

/// How soon what a refused push has brought has to be gone.
const SOON: Duration = Duration::from_secs(10);

/// A secret that was published is no secret: it has to be found before it is there for everybody (GitHub documentation, "About
/// push protection").
#[check(title = "a secret is refused", task = 3, points = 2, needs = ["push"],
        hints = ["Which commits does a push bring, and which files do these have?",
                 "Names of files may hold line feeds and quotes: how does git print them if it is not told otherwise?",
                 "A file need not be text. `git cat-file --batch` gives the bytes."])]
async fn secret_refused(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let before = host.refs("demo").await?;
    let found = secret(lab);
    let text = format!("{}KEY={found} # {}\n", lines(lab, 3), lab.word());
    let mut binary = vec![0, 0xff, b'\n', 0xfe];
    binary.extend(found.bytes());
    binary.extend([0, 1, 2]);
    let files: [(&str, Vec<u8>); 7] = [
        ("config.env", text.clone().into()),
        ("deep/er/config.env", found.clone().into()),
        ("a\nb \"c\" é.txt", text.clone().into()),
        ("image.bin", binary),
        ("start-0.txt", format!("{text}{}", lines(lab, 2)).into()),
        (".hidden", text.clone().into()),
        ("x.lock", format!("a{found}b").into()),
    ];
    for (name, content) in files {
        let shown = String::from_utf8_lossy(&content).lines().find(|line| line.contains(&found)).map(str::to_owned);
        let what = format!("a secret in the file {name:?}, whose line is {:?},", shown.unwrap_or_default());
        let mut history = History::new(lab);
        let commit = history.from(&tip, "main").file(name, content).file("other.txt", lines(lab, 1));
        history.add(commit);
        local.write(&history).await?;
        local.push(&["main"]).await?.expect_refused(&what)?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    // What only looks like one.
    let short = found.trim_end_matches(|c: char| c.is_ascii_hexdigit()).to_owned() + &found[9..40];
    let like = [
        format!("{short}g"),
        short.to_ascii_uppercase(),
        format!("key_live_{}", found[9..].to_ascii_uppercase()),
        found.replace("live", "test"),
        found.replace('_', "-"),
    ];
    let mut history = History::new(lab);
    let commit = history.from(&tip, "main").file("like.txt", like.join("\n"));
    history.add(commit);
    local.write(&history).await?;
    local.push(&["main"]).await?.expect_taken("a push with what only looks like a secret")
}

/// What a later commit removes stays in the earlier one, for whoever looks there (Pro Git, 7.6, "Removing a File from Every
/// Commit").
#[check(title = "a secret that was removed again", task = 3, points = 3, needs = ["secret_refused"],
        hints = ["Which states does a push bring beside the last one?", "`git rev-list NEW --not --all` lists them."])]
async fn secret_removed(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let before = host.refs("demo").await?;
    for emptied in [false, true] {
        let mut history = History::new(lab);
        let first = history.from(&tip, "main").file("a.txt", lines(lab, 1));
        history.add(first);
        let with = history.on("main").file("config.env", format!("KEY={}\n", secret(lab)));
        history.add(with);
        let after = history.on("main");
        history.add(if emptied { after.file("config.env", "KEY=\n") } else { after.without("config.env") });
        let last = history.on("main").file("b.txt", lines(lab, 1));
        history.add(last);
        local.write(&history).await?;
        local.push(&["main"]).await?.expect_refused("a push with a secret that was removed again")?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    Ok(())
}

/// A new ref has no old commit from which a range could begin: its old hash is all zeros (githooks(5), "pre-receive").
#[check(title = "a secret behind a new ref", task = 3, points = 3, needs = ["secret_removed"],
        hints = ["What is the old hash of a branch that is new?",
                 "A tag may lead to commits that no branch has.",
                 "What is new is what no ref of the repository leads to."])]
async fn secret_new_refs(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let mut history = History::new(lab);
    let known = history.from(&tip, "known").file("a.txt", lines(lab, 1));
    history.add(known);
    local.write(&history).await?;
    // never fails alone: `push` asks the same
    local.push(&["known"]).await?.expect_taken("a branch")?;
    let before = host.refs("demo").await?;
    with_secret(lab, &local, Some(&tip), "bad").await?;
    local.own().args(["tag", "-a", "-m", "noted", "noted", "bad"]).ours().await?;
    // A tag may lead to a file right away, and to no commit.
    let file = format!("KEY={}\n", secret(lab));
    let file = local.own().args(["hash-object", "-w", "--stdin"]).input(file).our_text().await?;
    local.own().args(["tag", "file", &file]).ours().await?;
    local.own().args(["tag", "-a", "-m", "noted", "noted-file", &file]).ours().await?;
    let noted = [
        "bad:refs/tags/light",
        "noted:refs/tags/noted",
        "bad:refs/heads/new",
        "+bad:refs/heads/known",
        "bad:refs/other/x",
        "file:refs/tags/file",
        "noted-file:refs/tags/noted-file",
    ];
    for refspec in noted {
        local.push(&[refspec]).await?.expect_refused(&format!("a push of {refspec} with a secret"))?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    with_secret(lab, &local, None, "root").await?;
    local.push(&["root:refs/heads/root"]).await?.expect_refused("another root, whose first commit has a secret")?;
    local
        .push(&["main:refs/heads/fine", "bad:refs/heads/new"])
        .await?
        .expect_refused("a push of two, of which one has it")?;
    // never fails alone: git sets no ref of a push that its hook refuses
    host.expect_refs("demo", &before, "a push that was refused").await
}

/// A branch whose first commit has a secret that the second one removes.
async fn with_secret(lab: &Lab, local: &Local<'_>, parent: Option<&String>, branch: &str) -> CheckResult {
    let mut history = History::new(lab);
    let first = match parent {
        Some(parent) => history.from(parent, branch),
        None => history.on(branch),
    };
    let first = first.file("config.env", format!("KEY={}\n", secret(lab)));
    history.add(first);
    let second = history.on(branch).without("config.env").file("a.txt", lines(lab, 1));
    history.add(second);
    local.write(&history).await?;
    Ok(())
}

/// A merge brings all that its parents have, and what was changed while it was made (git-rev-list(1); git-diff-tree(1): of a
/// merge it shows nothing unless told to).
#[check(title = "a secret behind a merge, or in it", task = 3, points = 2, needs = ["secret_removed"],
        hints = ["How many parents does a merge have? Which of them do you follow?",
                 "A merge can hold a file that none of its parents has. Does what you look with show it?"])]
async fn secret_in_merge(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let before = host.refs("demo").await?;
    for inside in [false, true] {
        let mut history = History::new(lab);
        let on_main = history.from(&tip, "main").file("main.txt", lines(lab, 1));
        history.add(on_main);
        let side = history.from(&tip, "side");
        let side = if inside { side } else { side.file("config.env", format!("KEY={}\n", secret(lab))) };
        let side = history.add(side.file("side.txt", lines(lab, 1)));
        let removed = history.from(side, "side").without("config.env");
        let removed = history.add(removed.file("side.txt", lines(lab, 2)));
        let merge = history.on("main").merges(removed).file("side.txt", lines(lab, 1));
        let merge = if inside { merge.file("config.env", format!("KEY={}\n", secret(lab))) } else { merge };
        history.add(merge);
        let last = history.on("main").without("config.env").file("last.txt", lines(lab, 1));
        history.add(last);
        local.write(&history).await?;
        let what =
            if inside { "a secret that a merge itself has added" } else { "a secret on a branch that was merged" };
        local.push(&["main"]).await?.expect_refused(what)?;
        // never fails alone: git sets no ref of a push that its hook refuses
        host.expect_refs("demo", &before, "a push that was refused").await?;
    }
    let mut history = History::new(lab);
    let on_main = history.from(&tip, "main").file("main.txt", lines(lab, 1));
    history.add(on_main);
    let side = history.from(&tip, "side").file("side.txt", lines(lab, 1));
    let side = history.add(side);
    let merge = history.on("main").merges(side).file("side.txt", lines(lab, 1));
    history.add(merge);
    local.write(&history).await?;
    local.push(&["main"]).await?.expect_taken("a merge without a secret")
}

/// Whoever comes later cannot help what is there already, and must be able to work (GitHub documentation, "About push
/// protection": what is pushed is looked at, not what is there).
#[check(title = "an old secret stops nobody", task = 3, points = 2, needs = ["secret_refused"],
        hints = ["Which commits does a new branch bring that begins at an old one?",
                 "Every later commit has the file as well. Which of them has brought it?"])]
async fn secret_known(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?;
    let mut history = History::new(lab);
    for number in 0..2 {
        let commit = history.on("main").file(&format!("config-{number}.env"), format!("KEY={}\n", secret(lab)));
        history.add(commit);
    }
    let commit = history.on("main").without("config-0.env").file("a.txt", lines(lab, 1));
    history.add(commit);
    let hashes = setup.repository("demo", &history).await?;
    let host = setup.start().await?;
    let local = host.mirror("demo").await?;
    let mut history = History::new(lab);
    let next = history.from(&hashes[2], "main").file("next.txt", lines(lab, 1));
    history.add(next);
    let old = history.from(&hashes[1], "old").file("old.txt", lines(lab, 1));
    history.add(old);
    local.write(&history).await?;
    let old = format!("{}:refs/heads/same", hashes[0]);
    local.push(&[&old]).await?.expect_taken("a new branch at an old commit that has a secret")?;
    // never fails alone: who looks at old commits again refuses the branch above
    local.push(&["old"]).await?.expect_taken("a new branch on top of a commit that has a secret")?;
    // never fails alone: who looks at old commits again refuses the branch above
    local.push(&["old:refs/tags/nightly"]).await?.expect_taken("a tag of it")?;
    // never fails alone: who looks at old commits again refuses the branch above
    local.push(&["main"]).await?.expect_taken("a commit on top of one that has a secret")
}

/// Objects that nobody's ref leads to are on the disk all the same, in every backup of it (git-receive-pack(1), "QUARANTINE
/// ENVIRONMENT").
#[check(title = "a refused push leaves no object", task = 3, points = 2, needs = ["secret_refused"],
        hints = ["Where are the objects of a push while you look at them?",
                 "Git keeps them apart until `pre-receive` has said yes. Who else can see them there?"])]
async fn secret_leaves_nothing(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let known = host.objects("demo").await?;
    // Few objects are unpacked, many are kept as a pack.
    for files in [1, 150] {
        let found = secret(lab);
        let mut history = History::new(lab);
        let mut commit = history.from(&tip, "main").file("config.env", format!("KEY={found}\n"));
        for number in 0..files {
            commit = commit.file(&format!("files/{number}.txt"), lines(lab, 1));
        }
        history.add(commit);
        local.write(&history).await?;
        // never fails alone: `secret_refused` asks the same
        local.push(&["main"]).await?.expect_refused("a push with a secret")?;
        lab.eventually("what a refused push has brought is gone", SOON, || async {
            let snapshot = host.snapshot("demo")?;
            snapshot.expect_nowhere(&found, "after a push that was refused").await?;
            expect_equal("objects in the repository", &snapshot.objects().await?.len(), &known.len())
        })
        .await?;
    }
    Ok(())
}
