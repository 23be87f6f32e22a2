//! HEAD wherever GET is, and nothing behind its answers (tasks 4, 7 and 8).

use futures::future::try_join_all;
use lab_kit::prelude::*;

use crate::support::{Site, expect_refusal, get, make_folder, random_bytes};

/// HEAD asks for everything but the body; if the body is sent, its bytes are taken for the next response (RFC 9110
/// §9.3.2, §8.6).
#[check(title = "HEAD is GET without the body", task = 4, points = 2, needs = ["echo_text", "user_agent"],
        hints = ["Does HEAD work wherever GET does?",
                 "Build the response to GET, and leave out the body when you send it.",
                 "Content-Length may be left out, too; if it is there, it has the value that GET would return."])]
async fn head(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let mut connection = app.connect().await?;
    // Each on the same connection: a body would be taken for the beginning of the next answer.
    app.head(format!("/{word}")).over(&mut connection).await?.expect_status(404)?;
    app.head("/").over(&mut connection).await?.expect_status(200)?;
    let agent = app.head("/user-agent").header("User-Agent", &word).over(&mut connection).await?.expect_status(200)?;
    let echo = app.head(format!("/echo/{word}")).over(&mut connection).await?.expect_status(200)?;
    for answer in [agent, echo] {
        if answer.header("content-length").is_some() {
            answer.expect_header("content-length", &word.len().to_string())?;
        }
    }
    // never fails alone: `echo_text` asks the same of a text; a body behind a head fails before
    app.get(format!("/echo/{word}")).over(&mut connection).await?.expect_status(200)?.expect_body(&word)
}

/// Whatever the status, a response to HEAD ends with its head (RFC 9110 §9.3.2, RFC 9112 §6.3).
#[check(title = "no response to HEAD has a body", task = 4, points = 1, needs = ["head"],
        hints = ["Which of your responses are built in a different place from the others? Those for errors?",
                 "Leave out the body where all responses are sent, not where some of them are built."])]
async fn head_anywhere(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // Which status each has, other checks ask.
    let targets = [format!("/{}", lab.word()), "/echo".to_owned(), "/echo/%zz".to_owned()];
    try_join_all(targets.iter().map(async |target| expect_head_only(&app, target, "").await)).await?;
    Ok(())
}

/// A client can ask about a file without receiving it (RFC 9110 §9.3.2).
#[check(title = "HEAD of a file is GET without the content", task = 7, points = 1, needs = ["file_read"],
        hints = ["Does HEAD work wherever GET does?", "If the file is missing, or the client already has it, the response has no body either."])]
async fn file_head(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    for size in [70_000, 0] {
        let name = format!("{}.bin", lab.word());
        site.write(&name, &random_bytes(lab, size))?;
        let mut connection = site.app.connect().await?;
        let head = site.app.head(format!("/files/{name}")).over(&mut connection).await?.expect_status(200)?;
        if head.header("content-length").is_some() {
            head.expect_header("content-length", &size.to_string())?;
        }
        connection.expect_nothing_more().await.because("the response to HEAD ends with its head")?;
    }
    let (name, folder) = (lab.word(), lab.word());
    site.write(&name, b"well known")?;
    make_folder(&site.files.join(&folder))?;
    let (present, absent, folder) =
        (format!("/files/{name}"), format!("/files/{}", lab.word()), format!("/files/{folder}"));
    let (_, missing, folder, nameless) = tokio::try_join!(
        async { expect_head_only(&site.app, &present, "If-None-Match: *\r\n").await },
        async { expect_head_only(&site.app, &absent, "").await },
        async { expect_head_only(&site.app, &folder, "").await },
        async { expect_head_only(&site.app, "/files/..%2Fx", "").await },
    )?;
    missing.expect_status(404)?;
    expect_refusal(folder, &[403, 404])?;
    expect_refusal(nameless, &[400, 403, 404])
}

/// The length in a response to HEAD is the one that GET would return for the same fields (RFC 9110 §8.6, §9.3.2).
#[check(title = "HEAD and GET agree on a compressed response", task = 8, points = 1, needs = ["gzip", "head"],
        hints = ["Does HEAD take the same path as GET, up to the body?",
                 "The length is that of the compressed bytes. You may also leave it out of the response to HEAD."])]
async fn gzip_head(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let path = format!("/echo/{}", lab.word().repeat(100));
    // never fails alone: `gzip` asks the same
    let get = app.get(&path).header("Accept-Encoding", "gzip").await?.expect_status(200)?;
    let mut connection = app.connect().await?;
    let head = app.head(&path).header("Accept-Encoding", "gzip").over(&mut connection).await?.expect_status(200)?;
    if head.header("content-length").is_some() {
        let length = get.body().len().to_string();
        head.expect_header("content-length", &length).because("GET returns that many bytes for the same fields")?;
    }
    connection.expect_nothing_more().await.because("the response to HEAD ends with its head")
}

/// Asks for the head of `target` with `fields`, and expects nothing behind it: neither at once, nor before the answer to
/// the next request.
async fn expect_head_only(app: &App, target: &str, fields: &str) -> CheckResult<Response> {
    let mut connection = app.connect().await?;
    connection.send(format!("HEAD {target} HTTP/1.1\r\nHost: lab\r\n{fields}\r\n")).await?;
    let head = connection.response_to("HEAD").await?;
    connection.expect_nothing_more().await.because("the response to HEAD ends with its head, whatever its status")?;
    // After some answers a server may close.
    // never fails alone: whether it is open is the question, and both answers are right
    if connection.expect_open().await.is_ok() {
        connection.send(get("/")).await?;
        // never fails alone: `root` asks the same; a body behind the head fails before
        connection.response().await?.expect_status(200)?;
    }
    Ok(head)
}
