//! Task 1: who may read, and who may write.

use lab_kit::prelude::*;

use crate::support::{Git, History, Host, Setup};

/// What a push sends that deletes a branch: one command, and no pack (gitprotocol-pack(5), "Reference Update Request").
fn deletion(branch: &str, hash: &str) -> String {
    let command = format!("{hash} {} refs/heads/{branch}\0 report-status delete-refs", "0".repeat(40));
    format!("{:04x}{command}0000", command.len() + 4)
}

/// A host with the branches `main` and `topic`, which stand at the same commit.
async fn with_topic(lab: &Lab) -> CheckResult<(Host<'_>, String)> {
    let setup = Setup::new(lab)?;
    let mut history = History::new(lab);
    let first = history.on("main").file("a.txt", lab.word());
    let first = history.add(first);
    let second = history.from(first, "topic").file("b.txt", lab.word());
    history.add(second);
    let hashes = setup.repository("demo", &history).await?;
    Ok((setup.start().await?, hashes[1].clone()))
}

/// Git sends no password before it is asked for one: 401 is the question (RFC 9110 §11.6.1, §15.5.2).
#[check(title = "nobody without a name and a password", task = 1, points = 2, needs = ["clone"],
        hints = ["Which of your URLs never look at Authorization?",
                 "A name is only half of it: whose password is it?",
                 "Git asks its user for a password only if 401 comes with WWW-Authenticate: Basic."])]
async fn not_signed_in(lab: &Lab) -> CheckResult {
    let (host, topic) = with_topic(lab).await?;
    let before = host.refs("demo").await?;
    let (writer, reader) = (&host.writer, &host.reader);
    let mut strangers: Vec<(&str, Option<String>)> = vec![("without Authorization", None)];
    let swapped = |name: &str, password: &str| {
        let user = crate::support::User { name: name.into(), password: password.into() };
        Some(user.authorization())
    };
    strangers.push(("with a wrong password", swapped(&writer.name, &lab.word())));
    strangers.push(("with somebody else's password", swapped(&writer.name, &reader.password)));
    strangers.push(("with an empty password", swapped(&writer.name, "")));
    strangers.push(("with half of the password", swapped(&writer.name, &writer.password[..8])));
    strangers.push(("with an unknown name", swapped(&lab.word(), &writer.password)));
    strangers.push(("with an empty name", swapped("", "")));
    strangers.push(("with what is no base64", Some("Basic !!!".into())));
    strangers.push(("with another scheme", Some(format!("Bearer {}", writer.password))));
    for (how, authorization) in &strangers {
        let app = &host.app;
        let all = [
            app.get("/demo.git/info/refs?service=git-upload-pack"),
            app.get("/demo.git/info/refs?service=git-receive-pack"),
            app.get("/nowhere.git/info/refs?service=git-upload-pack"),
            app.post("/demo.git/git-upload-pack").body("0000", "application/x-git-upload-pack-request"),
            app.post("/demo.git/git-receive-pack")
                .body(deletion("topic", &topic), "application/x-git-receive-pack-request"),
            app.post("/demo/merges").json(&json!({"branch": "topic"})),
        ];
        for request in all {
            let request = match authorization {
                Some(value) => request.header("Authorization", value),
                None => request,
            };
            let answer = request.await.because(&format!("a request {how}"))?;
            let answer = answer.expect_status(401).because(&format!("a request {how}"))?;
            answer.expect_header_where("WWW-Authenticate", "Basic and a realm", |value| {
                let value = value.to_ascii_lowercase();
                value.starts_with("basic") && value.contains("realm=")
            })?;
        }
    }
    host.expect_refs("demo", &before, "requests without a right password").await
}

/// A push is two requests, and a client is free to send the second alone (gitprotocol-http(5)).
#[check(title = "readers read", task = 1, points = 2, needs = ["push"],
        hints = ["Which URLs does a push use? Is each of them guarded?",
                 "Who asks for `info/refs` with `service=git-receive-pack`, and what for?"])]
async fn readers(lab: &Lab) -> CheckResult {
    let (host, topic) = with_topic(lab).await?;
    let before = host.refs("demo").await?;
    let key = host.reader.authorization();
    let local = host.mirror("demo").await?;
    let url = host.url(&host.reader, "demo");
    let pushed = local.git().args(["push", &url, "main:refs/heads/other"]).run().await?;
    if pushed.ok {
        return Err(pushed.failure("a reader's push is taken").expected("it is refused"));
    }
    let info = host.app.get("/demo.git/info/refs?service=git-receive-pack");
    info.header("Authorization", &key).await?.expect_status(403)?;
    let body = deletion("topic", &topic);
    let push = host.app.post("/demo.git/git-receive-pack").body(body, "application/x-git-receive-pack-request");
    push.header("Authorization", &key).await?.expect_status(403)?;
    let merge = host.app.post("/demo/merges").json(&json!({"branch": "topic"}));
    merge.header("Authorization", &key).await?.expect_status(403)?;
    host.expect_refs("demo", &before, "a reader").await?;
    // That the very same request of a writer is done shows that it was one.
    let push = host.app.post("/demo.git/git-receive-pack").header("Authorization", host.writer.authorization());
    let push = push.body(deletion("topic", &topic), "application/x-git-receive-pack-request");
    // never fails alone: `push` asks the same of git's own request
    push.await?.expect_status(200)?;
    let left: Vec<String> = host.refs("demo").await?.into_keys().collect();
    // never fails alone: `topics_free` has git delete branches by the same request
    expect_equal("refs after a writer has deleted topic", &left, &vec!["refs/heads/main".to_owned()])
}

/// The name of a repository becomes the name of a folder, and there are folders that are nobody's business (CWE-22).
#[check(title = "no repository but those in the folder", task = 1, points = 2, needs = ["clone"],
        hints = ["What is the path of the folder if the name is `..`?",
                 "Say which characters a name may have, rather than which it may not."])]
async fn unknown_repository(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?;
    let outside = setup.outside();
    let init = ["init", "--quiet", "--bare", "--template="];
    Git::new(lab, &outside).args(init).args([outside.join("outside.git")]).ours().await?;
    let (host, _) = Host::with_demo(lab, setup).await?;
    let key = host.reader.authorization();
    let word = lab.word();
    for name in [&word, "DEMO", "demo.git", "-demo", "objects"] {
        for rest in ["info/refs?service=git-upload-pack", "info/refs?service=git-receive-pack"] {
            let user = if rest.ends_with("receive-pack") { &host.writer } else { &host.reader };
            let request = host.app.get(format!("/{name}.git/{rest}"));
            request.header("Authorization", user.authorization()).await?.expect_status(404)?;
        }
        let merge = host.app.post(format!("/{name}/merges")).json(&json!({"branch": "main"}));
        merge.header("Authorization", host.writer.authorization()).await?.expect_status(404)?;
    }
    for name in ["../outside", "..%2foutside", "%2e%2e/outside", "%2e%2e%2foutside", "demo.git/../../outside", "."] {
        let request = host.app.get(format!("/{name}.git/info/refs?service=git-upload-pack"));
        let answer = request.header("Authorization", &key).await?;
        answer.expect_where("anything but a repository", |answer| {
            answer.status() >= 300 && !answer.text().contains("service=git-upload-pack")
        })?;
    }
    Ok(())
}
