//! Requests that arrive in a heap, and the order of their answers (tasks 4 and 7).

use lab_kit::prelude::*;

use crate::chunked::CHUNKED;
use crate::support::{CLOSE, Site, get, one_chunk, random_bytes, request};

/// The requests of a large heap: more than any buffer of 16 KiB holds.
const MANY: usize = 150;
/// How many requests the README lets a connection have at least.
const LEAST: usize = 100;
/// How often a slow request is followed by a quick one.
const PAIRS: usize = 3;
/// How large a file is that takes longer to read than a text takes to echo, in bytes.
const SLOW: usize = 7 * 1024 * 1024;

/// A client may send its next requests without waiting, and gets the answers in the same order (RFC 9112 §9.3.2).
#[check(title = "several requests may arrive at once", task = 4, points = 2, needs = ["split_request", "persistent"],
        hints = ["One read may return more than one request.",
                 "Anything you have read beyond the end of a request is the beginning of the next.",
                 "Make the buffer belong to the connection, not to the request.",
                 "Send a response when it is ready, not when the buffer of requests is empty."])]
async fn pipelined_requests(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let words = [lab.word(), lab.word(), lab.word(), lab.word()];
    let heap: String = words.iter().map(|word| get(&format!("/echo/{word}"))).collect();
    let middle_of_the_last = heap.len() - 20;
    let mut connection = app.connect().await?;
    connection.send(&heap[..middle_of_the_last]).await?;
    for (index, word) in words[..3].iter().enumerate() {
        // A client may read these before it sends the rest: answers that wait for it would wait for ever.
        let mut answer = connection
            .response()
            .await
            .because("three requests are complete, and only the fourth has not fully arrived");
        if index == 0 {
            answer =
                answer.hint("Three requests are complete. What does your server wait for before it answers the first?");
        }
        answer?.expect_status(200)?.expect_body(word)?;
    }
    connection.send(&heap[middle_of_the_last..]).await?;
    // never fails alone: `split_request` asks the same of a request in pieces
    connection.response().await?.expect_status(200)?.expect_body(&words[3])
}

/// The client decides how many requests there are, not the size of a buffer (RFC 9112 §9.3.2).
#[check(title = "150 requests that arrive at once are all answered", task = 4, points = 1, needs = ["pipelined_requests"],
        hints = ["What happens to the bytes that do not fit into your buffer?",
                 "Read more only once you have used what you have, and discard nothing."])]
async fn pipelined_heap(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let texts: Vec<_> = (0..MANY).map(|_| lab.word().repeat(6)).collect();
    let heap: String = texts.iter().map(|text| get(&format!("/echo/{text}"))).collect();
    let mut connection = app.connect().await?;
    connection.send(heap).await?;
    for (number, text) in texts.iter().enumerate() {
        let place = format!("it is the response to request {} of {MANY} that arrived at once", number + 1);
        let answer = connection.response().await.because(&place)?;
        // never fails alone: `pipelined_requests` asks the same of the texts
        let answer = answer.expect_status(200).because(&place)?.expect_body(text).because(&place)?;
        let last = answer.header("connection").is_some_and(|options| options.to_ascii_lowercase().contains("close"));
        if last && number + 1 >= LEAST {
            return Ok(());
        }
    }
    Ok(())
}

/// After the request that asked to close, nothing more is processed on the connection (RFC 9112 §9.6).
#[check(title = "nothing is answered after Connection: close", task = 4, points = 1, needs = ["connection_close", "pipelined_requests"],
        hints = ["The buffer may hold another request when you close. What happens to it?"])]
async fn nothing_after_close(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (last, late) = (lab.word(), lab.word());
    let mut connection = app.connect().await?;
    let closing = request(&format!("GET /echo/{last}"), "Connection: close\r\n", "");
    connection.send(format!("{closing}{}", get(&format!("/echo/{late}")))).await?;
    // A client must not do this, so that a server may complain. But the late request gets no answer of its own.
    let answer = connection.response().await?.expect_status_in(&[200, 400])?;
    if answer.status() == 200 {
        answer.expect_body(&last)?;
    }
    connection.expect_closed(CLOSE).await
}

/// A response that is ready early waits for those before it, and a change takes effect in its turn
/// (RFC 9112 §9.3.2, RFC 9110 §9.2.2).
#[check(title = "a response that takes longer keeps its place", task = 7, points = 1, needs = ["file_created", "pipelined_requests", "chunked_body"],
        hints = ["Which of two requests is answered first, if the second is answered more quickly?",
                 "Read the next request once the last response has been sent.",
                 "If you work on several at once, keep their responses in order, and start no change before all earlier requests are done."])]
async fn pipelined_files(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, content) = (lab.word(), random_bytes(lab, SLOW));
    site.write(&name, &content)?;
    let words: Vec<_> = (0..PAIRS).map(|_| lab.word()).collect();
    let pair = |word: &String| get(&format!("/files/{name}")) + &get(&format!("/echo/{word}"));
    let mut connection = site.app.connect().await?;
    connection.send(words.iter().map(pair).collect::<String>()).await?;
    for word in &words {
        let file = connection.response().await.because("the file was requested first, and the text after it")?;
        file.expect_status(200)?
            .expect_body(&content)
            .because("the file was requested first, and the text after it")?;
        // never fails alone: `pipelined_requests` asks the same of the texts
        connection.response().await?.expect_status(200)?.expect_body(word)?;
    }
    drop(connection);

    // As many requests as a connection has to take, two thirds of them with bodies.
    let texts: Vec<_> = (0..LEAST).map(|_| lab.word().repeat(20)).collect();
    let heap = texts.iter().enumerate().map(|(index, text)| match index % 3 {
        0 => request("POST /echo", &format!("Content-Length: {}\r\n", text.len()), text),
        1 => request("POST /echo", CHUNKED, &one_chunk(text)),
        _ => get(&format!("/echo/{text}")),
    });
    let mut connection = site.app.connect().await?;
    connection.send(heap.collect::<String>()).await?;
    for text in &texts {
        let answer = connection.response().await.because("requests with and without bodies arrived at once")?;
        answer.expect_status(200)?.expect_body(text)?;
    }
    drop(connection);

    let mut connection = site.app.connect().await?;
    let (path, text) = (format!("/files/{}", lab.word()), lab.word().repeat(2_000));
    let put = request(&format!("PUT {path}"), &format!("Content-Length: {}\r\n", text.len()), &text);
    let changes = [put, get(&path), request(&format!("DELETE {path}"), "", ""), get(&path), get("/")].concat();
    connection.send(changes).await?;
    connection.response().await?.expect_status(201)?;
    connection
        .response()
        .await?
        .expect_status(200)
        .because("the file was created by the request before")?
        // never fails alone: `file_created` asks the same of the content
        .expect_body(&text)?;
    // never fails alone: `file_deleted` asks the same
    let removed = connection.response().await?.expect_status_in(&[200, 202, 204])?;
    let gone = connection.response().await?;
    // 202 promises that it will be done, not that it is.
    if removed.status() != 202 {
        gone.expect_status_in(&[404, 410]).because("the file was removed by the request before")?;
    }
    // never fails alone: `root` asks the same
    connection.response().await?.expect_status(200)
}
