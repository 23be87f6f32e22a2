//! Task 1: what a repository has is brought to whoever may read it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use lab_kit::prelude::*;

use crate::support::{Git, History, Host, Setup, lines, plain_file};

/// A history with `topics` branches beside two, a merge and tags, in a repository called `demo`. Tells its refs, and how many
/// commits `main` has.
async fn with_branches(lab: &Lab, topics: usize) -> CheckResult<(Host<'_>, String, usize)> {
    let setup = Setup::new(lab)?;
    setup.repository("empty", &History::new(lab)).await?;
    let mut history = History::new(lab);
    let mut last = 0;
    for number in 0..5 {
        let commit = history.on("main").file(&format!("a/{number}.txt"), lines(lab, 3));
        last = history.add(commit);
    }
    let side = history.from(last - 2, "side").file("side é.txt", lines(lab, 2));
    let side = history.add(side);
    let merge = history.on("main").merges(side).file("side é.txt", lines(lab, 1));
    history.add(merge);
    for number in 0..topics {
        let commit = history.from(last, &format!("topic/{number}")).file("topic.txt", lab.word());
        history.add(commit);
    }
    setup.repository("demo", &history).await?;
    let folder = setup.folder_of("demo");
    Git::new(lab, &folder).args(["tag", "old", "main~2"]).ours().await?;
    Git::new(lab, &folder).args(["tag", "-a", "-m", "noted", "noted", "side"]).ours().await?;
    let refs = Git::new(lab, &folder).args(["for-each-ref", "--format=%(objectname) %(refname)"]).our_text().await?;
    Ok((setup.start().await?, refs, 7))
}

/// A clone is the whole repository: every ref, and every object that these lead to (gitprotocol-http(5), "Smart Service
/// git-upload-pack").
#[check(title = "git clone brings all there is", task = 1, points = 2,
        hints = ["Which two requests does a clone make, and what does git expect as their answers' Content-Type?",
                 "`git upload-pack --stateless-rpc` speaks the protocol; you bring it the bytes.",
                 "Run it with `GIT_CURL_VERBOSE=1 GIT_TRACE_PACKET=1` and compare with what `git http-backend` answers."])]
async fn clone(lab: &Lab) -> CheckResult {
    let (host, expected, _) = with_branches(lab, 3).await?;
    let url = host.url(&host.reader, "demo");
    for version in ["2", "0"] {
        let folder = host.new_folder();
        let clone = host.git().set(&format!("protocol.version={version}")).args(["clone", "--quiet", "--mirror", &url]);
        clone.args([folder.clone()]).run().await?.expect_success("a clone")?;
        let list = Git::new(lab, &folder).args(["for-each-ref", "--format=%(objectname) %(refname)"]);
        let actual = list.our_text().await?;
        if actual != expected {
            return Err(Failure::learner("the clone has other refs").expected(expected).actual(actual));
        }
        // never fails alone: git looks at what it is sent before it sets a ref
        Git::new(lab, &folder).args(["fsck", "--full"]).run().await?.expect_success("the clone is sound")?;
    }
    let empty = host.url(&host.reader, "empty");
    let clone = host.git().args(["clone", "--quiet", &empty]).args([host.new_folder()]);
    clone.run().await?.expect_success("a clone of a repository without a commit")?;
    let folder = host.new_folder();
    // never fails alone: the same refs were cloned above
    host.git().args(["clone", "--quiet", &url]).args([folder.clone()]).run().await?.expect_success("a clone")?;
    let file = plain_file(&folder, "side é.txt");
    // never fails alone: git makes the work tree by itself, of what it was sent
    expect_that(file.is_some(), "the clone's work tree has the files of main")
}

/// Who builds a project needs its newest state and not its past (gitprotocol-pack(5), "Packfile Negotiation", `deepen`).
#[check(title = "a shallow clone, and the rest later", task = 1, points = 1, needs = ["clone"],
        hints = ["Does the whole body of the request reach git, and the whole answer the client?",
                 "A shallow fetch asks twice: what does your server do with the first, short request?"])]
async fn shallow(lab: &Lab) -> CheckResult {
    let (host, _, all) = with_branches(lab, 3).await?;
    let url = host.url(&host.reader, "demo");
    let count = async |folder: &std::path::Path| {
        Git::new(lab, folder).args(["rev-list", "--count", "--first-parent", "HEAD"]).our_text().await
    };
    for version in ["0", "2"] {
        let folder = host.new_folder();
        let version = format!("protocol.version={version}");
        let clone = host.git().set(&version).args(["clone", "--quiet", "--depth", "2", &url]);
        clone.args([folder.clone()]).run().await?.expect_success("a clone with --depth 2")?;
        // never fails alone: upload-pack decides what is in a shallow clone, and git counts on nothing else
        expect_equal("commits in a clone with --depth 2", &count(&folder).await?, &"2".to_owned())?;
        let fetch = Git::new(lab, &folder).of(&host.app).set(&version).args(["fetch", "--quiet", "--unshallow"]);
        fetch.run().await?.expect_success("git fetch --unshallow")?;
        // never fails alone: upload-pack decides what is sent, and git counts on nothing else
        expect_equal("commits after git fetch --unshallow", &count(&folder).await?, &(all - 1).to_string())?;
    }
    Ok(())
}

/// Version 2 lists the refs that are asked for, and not all of thousands (gitprotocol-v2(5), "HTTP Transport").
#[check(title = "protocol version 2 for who asks for it", task = 1, points = 1, needs = ["clone"],
        hints = ["Which field of the request says which version the client speaks?",
                 "Git's own programs look for it in the variable GIT_PROTOCOL."])]
async fn protocol_v2(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let key = host.reader.authorization();
    let info = "/demo.git/info/refs?service=git-upload-pack";
    // never fails alone: `clone` asks the same: git takes no other status
    let old = host.app.get(info).header("Authorization", &key).await?.expect_status(200)?;
    // never fails alone: `clone` asks the same: git takes no other type
    let old = old.expect_header("Content-Type", "application/x-git-upload-pack-advertisement")?;
    let begins = |text: &str| text.starts_with("001e# service=git-upload-pack\n0000");
    // never fails alone: `clone` asks the same: git takes no other beginning
    old.expect_body_where("an advertisement of version 0", |body| begins(&String::from_utf8_lossy(body)))?;
    let new = host.app.get(info).header("Authorization", &key).header("Git-Protocol", "version=2").await?;
    // never fails alone: `clone` asks the same: git takes no other status and no other type
    let new = new.expect_status(200)?.expect_header("Content-Type", "application/x-git-upload-pack-advertisement")?;
    new.expect_body_where("an advertisement of version 2", |body| {
        let text = String::from_utf8_lossy(body);
        text.strip_prefix("001e# service=git-upload-pack\n0000").unwrap_or(&text).starts_with("000eversion 2\n")
    })?;
    let list = host.app.post("/demo.git/git-upload-pack").header("Authorization", &key);
    let list = list.header("Git-Protocol", "version=2").body(LS_REFS, "application/x-git-upload-pack-request").await?;
    // never fails alone: `clone` asks the same: git takes no other status and no other type
    let list = list.expect_status(200)?.expect_header("Content-Type", "application/x-git-upload-pack-result")?;
    let line = format!("{tip} refs/heads/main");
    // never fails alone: `clone` asks the same: git fetches what is listed
    list.expect_body_where("main in the list of refs", |body| String::from_utf8_lossy(body).contains(&line))?;
    Ok(())
}

/// What asks for all refs in version 2.
const LS_REFS: &str = "0014command=ls-refs\n0000";

/// Git compresses a request that grows beyond a kilobyte, such as a long list of what it has already (gitprotocol-http(5);
/// RFC 9110 §8.4).
#[check(title = "a compressed request", task = 1, points = 1, needs = ["protocol_v2"],
        hints = ["Git's programs read the plain bytes. Who is to decompress them?"])]
async fn gzipped(lab: &Lab) -> CheckResult {
    let (host, tip) = Host::simple(lab).await?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(LS_REFS.as_bytes()).ours("compressing a request")?;
    let body = encoder.finish().ours("compressing a request")?;
    let request = host.app.post("/demo.git/git-upload-pack").header("Authorization", host.reader.authorization());
    let request = request.header("Git-Protocol", "version=2").header("Content-Encoding", "gzip");
    let answer = request.body(body, "application/x-git-upload-pack-request").await?.expect_status(200)?;
    let line = format!("{tip} refs/heads/main");
    // never fails alone: upload-pack lists what it has, once it has understood the request
    answer.expect_body_where("main in the list of refs", |body| String::from_utf8_lossy(body).contains(&line))?;
    // So many branches that git compresses the list of what it wants.
    let (host, ..) = with_branches(lab, 40).await?;
    for version in ["2", "0"] {
        let clone = host.git().set(&format!("protocol.version={version}")).args(["clone", "--quiet", "--mirror"]);
        let clone = clone.args([host.url(&host.reader, "demo")]).args([host.new_folder()]).run().await?;
        // never fails alone: the request above was compressed as well
        clone.expect_success("a clone of some forty branches")?;
    }
    Ok(())
}
