//! Task 1: what somebody brings is there for everybody.

use lab_kit::prelude::*;
use lab_kit::rand::Rng as _;

use crate::support::{History, Host, Setup, lines};

/// A push brings objects and moves refs, and whoever comes later finds them (gitprotocol-http(5), "Smart Service
/// git-receive-pack").
#[check(title = "git push brings branches", task = 1, points = 2, needs = ["clone"],
        hints = ["Bare repositories refuse pushes over HTTP where nobody has said otherwise: whose setting is that?",
                 "`git receive-pack --stateless-rpc` does the work. What it writes is the answer, to the last byte."])]
async fn push(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?;
    setup.repository("empty", &History::new(lab)).await?;
    let (host, tip) = Host::with_demo(lab, setup).await?;
    let local = host.mirror("demo").await?;
    let mut history = History::new(lab);
    let next = history.from(&tip, "main").file("next.txt", lines(lab, 2));
    history.add(next);
    let topic = history.from(&tip, "topic/one").file("topic.txt", lines(lab, 2));
    history.add(topic);
    let hashes = local.write(&history).await?;
    local.push(&["main", "topic/one"]).await?.expect_taken("a fast-forward of main, and a new branch")?;
    let refs = host.refs("demo").await?;
    let at = |name: &str| refs.get(name).cloned();
    // never fails alone: receive-pack tells of a ref as taken once it has moved it
    expect_equal("main after the push", &at("refs/heads/main"), &hashes.first().cloned())?;
    // never fails alone: receive-pack tells of a ref as taken once it has moved it
    expect_equal("topic/one after the push", &at("refs/heads/topic/one"), &hashes.get(1).cloned())?;
    let again = host.mirror("demo").await?;
    let shown = again.own().args(["show", "topic/one:topic.txt"]).run().await?;
    // never fails alone: a ref whose commit is not there cannot be fetched
    shown.expect_success("the pushed file is in another clone")?;
    // never fails alone: receive-pack takes no pack that is not whole
    host.expect_sound("demo").await?;
    let url = host.url(&host.writer, "empty");
    let first = local.git().args(["push", "--quiet", &url, "main"]).run().await?;
    first.expect_success("the first push to an empty repository")?;
    // never fails alone: receive-pack tells of a ref as taken once it has moved it
    expect_equal("main of a repository that was empty", &host.main_of("empty").await?, &hashes[0])
}

/// A pack has no length before it is made: what does not fit into git's buffer is sent in chunks (RFC 9112 §7.1; `http.postBuffer`
/// in git-config(1)).
#[check(title = "a large push, sent in chunks", task = 1, points = 2, needs = ["push"],
        hints = ["How long is a body that has no Content-Length?",
                 "Which limit for bodies does your framework set where you have set none?"])]
async fn push_large(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let local = host.mirror("demo").await?;
    let mut bytes = vec![0; 6 << 20];
    lab.random(|random| random.fill_bytes(&mut bytes));
    let mut history = History::new(lab);
    let commit = history.from(&tip, "large").file("large.bin", bytes);
    history.add(commit);
    let hashes = local.write(&history).await?;
    local.push(&["large"]).await?.expect_taken("a pack of 6 MB")?;
    let refs = host.refs("demo").await?;
    // never fails alone: receive-pack tells of a ref as taken once it has moved it
    expect_equal("the branch after the push", &refs.get("refs/heads/large"), &hashes.first())?;
    let url = host.url(&host.reader, "demo");
    let fetch = host.local().await?;
    let fetched = fetch.git().args(["fetch", "--quiet", &url, "large"]).run().await?;
    // never fails alone: upload-pack sends what receive-pack has taken
    fetched.expect_success("somebody else fetches 6 MB")?;
    Ok(())
}
