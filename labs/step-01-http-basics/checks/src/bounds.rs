//! Task 9: requests that are too long, too large or too slow.

use lab_kit::prelude::*;
use tokio::time::Instant;

use crate::support::{CLOSE, get, random_bytes, request};

/// Far beyond every limit of the README, and little enough to be sent in a moment.
const FLOOD: usize = 1024 * 1024;
/// What a body may have.
const FAIR: usize = 1024 * 1024;
/// Four times what a body may have.
const LARGE: usize = 4 * 1024 * 1024;
/// The time a head may take in these checks, in milliseconds.
const HEADER_TIMEOUT: &str = "500";
/// A little less than the five seconds that the README promises to idle connections and bodies.
const PROMISED: Duration = Duration::from_millis(4_500);
/// Far more than the header time-out, because a busy machine may be slow to notice.
const SLOW: Duration = Duration::from_secs(8);

/// The server answers as ever.
async fn expect_alive(lab: &Lab, app: &App) -> CheckResult {
    let word = lab.word();
    let answer = app.get(format!("/echo/{word}")).await.because("the server must keep serving everybody else")?;
    answer.expect_status(200)?.expect_body(&word)?;
    Ok(())
}

/// A line without an end would fill up memory (RFC 9112 §3, RFC 9110 §15.5.15).
#[check(title = "414 for a request line without an end", task = 9, points = 1, needs = ["echo_text"],
        hints = ["How much do you read before you look for the end of the line?",
                 "Stop at a limit, send 414, then close. The client may still be sending."])]
async fn long_request_line(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // With method and version some 3,900 bytes: the README takes 4,000.
    let text = lab.word().repeat(300)[..3_870].to_owned();
    app.get(format!("/echo/{text}")).await?.expect_status(200)?.expect_body(&text)?;
    let mut connection = app.connect().await?;
    connection.send(format!("GET /echo/{}", "a".repeat(FLOOD))).await?;
    connection.response().await?.expect_status(414)?;
    expect_alive(lab, &app).await
}

/// Fields without an end would fill up memory, too (RFC 6585 §5).
#[check(title = "431 for header fields without an end", task = 9, points = 1, needs = ["echo_text"],
        hints = ["The request line has a limit. What about the lines after it?",
                 "Count the bytes of all fields together, including one that never ends, and send 431."])]
async fn long_headers(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    // With Host 49 fields of some 3,900 bytes: the README takes 50 of 4,000.
    let fields = format!("X-Note: {}\r\n", "a".repeat(70)).repeat(48);
    let mut modest = app.connect().await?;
    modest.send(request(&format!("GET /echo/{word}"), &fields, "")).await?;
    modest.response().await?.expect_status(200)?.expect_body(&word)?;
    let one = format!("X-Note: {}", "a".repeat(FLOOD));
    let many = "X-Note: something of thirty-two b\r\n".repeat(FLOOD / 32);
    for fields in [one, many] {
        let mut connection = app.connect().await?;
        connection.send(format!("GET / HTTP/1.1\r\nHost: lab\r\n{fields}")).await?;
        connection.response().await?.expect_status(431)?;
    }
    expect_alive(lab, &app).await
}

/// A body is not accepted just because it was sent (RFC 9110 §15.5.14).
#[check(title = "413 for a body that is too large", task = 9, points = 1, needs = ["large_body"],
        hints = ["Content-Length says in advance how large the body will be.",
                 "Refuse it before you allocate memory for it: announcing 1 TiB costs the client nothing.",
                 "After 413, close or skip the body: it is never the next request.",
                 "If you close while there are unread bytes, the system may discard your response. Close the sending side first and keep reading for a moment."])]
async fn body_too_large(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for length in [LARGE as u64, 1 << 40] {
        let head = request("POST /echo", &format!("Content-Length: {length}\r\n"), "");
        refused(lab, &app, head, |body| body).await?;
    }
    expect_alive(lab, &app).await
}

/// Chunks announce no total, so they have to be counted as they arrive (RFC 9112 §7.1, RFC 9110 §15.5.14).
#[check(title = "413 for chunks without an end", task = 9, points = 1, needs = ["chunked_body", "large_body"],
        hints = ["Does the limit apply to chunked bodies, too?", "Add what you have to what the next chunk announces, and compare that with the limit.",
                 "1 MiB of chunks is a body like any other, and 4 MiB of them are never the next request."])]
async fn chunked_too_large(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let head = || request("POST /echo", "Transfer-Encoding: chunked\r\n", "");
    let fair: String = random_bytes(lab, FAIR).into_iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let mut connection = app.connect().await?;
    connection.send(head() + &chunks(&fair) + "0\r\n\r\n").await?;
    connection.response().await?.expect_status(200).because("a body of 1 MiB is not too large")?.expect_body(&fair)?;
    refused(lab, &app, head(), |body| chunks(&body)).await?;
    expect_alive(lab, &app).await
}

/// A text in chunks of 32 KiB, without the last chunk.
fn chunks(text: &str) -> String {
    let pieces = text.as_bytes().chunks(32 * 1024).map(String::from_utf8_lossy);
    pieces.map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect()
}

/// Sends a body of [`LARGE`] bytes with requests in it, and expects 413 and no answer to any of those.
async fn refused(lab: &Lab, app: &App, head: String, coded: impl Fn(String) -> String) -> CheckResult {
    let (smuggled, last) = (lab.word(), lab.word());
    // One in every 32 KiB, where a chunk begins. Not more: an answer to each would fill the connection.
    let body = format!("{:a<1$}", get(&format!("/echo/{smuggled}")), 32 * 1024).repeat(LARGE / (32 * 1024));
    let mut connection = app.connect().await?;
    connection.send(head + &coded(body)).await?;
    connection.response().await?.expect_status(413)?;
    // Whoever reads on to the end of the body answers this one; whoever closes does not.
    let _ = connection.send(request(&format!("GET /echo/{last}"), "Connection: close\r\n", "")).await;
    let rest = connection.read_until_closed(CLOSE).await;
    if rest.is_ok_and(|rest| String::from_utf8_lossy(&rest).contains(&smuggled)) {
        return Err(connection.failure("the body that was refused with 413 was answered as if it were requests"));
    }
    Ok(())
}

/// A client that never finishes its head holds a connection that others need (RFC 9110 §15.5.9).
#[check(title = "a head that never ends is abandoned", task = 9, points = 1, needs = ["persistent", "echo_body"],
        hints = ["How long does your server wait for the rest of a request?",
                 "HEADER_TIMEOUT_MS says how long, in milliseconds. `tokio::time::timeout` ends a wait.",
                 "Then close the connection; you may send 408 first.",
                 "The time runs from the head's first byte to its last: it does not apply to idle connections and bodies."])]
async fn header_timeout(lab: &Lab) -> CheckResult {
    let app = lab.server().env("HEADER_TIMEOUT_MS", HEADER_TIMEOUT).start().await?;
    // Two clients that are in time: one between two requests, and one whose head is complete and whose body is not.
    let (word, body) = (lab.word(), lab.word());
    let (mut idle, mut upload) = (app.connect().await?, app.connect().await?);
    let begun = Instant::now();
    app.get("/").over(&mut idle).await?.expect_status(200)?;
    upload.send(request("POST /echo", &format!("Content-Length: {}\r\n", body.len()), "")).await?;
    let mut connection = app.connect().await?;
    connection.send("GET / HTTP/1.1\r\nHost: lab\r\n").await?;
    expect_given_up(&mut connection, SLOW).await?;
    expect_alive(lab, &app).await?;
    // Where all of this took longer, on a busy machine, a server may have closed them by right.
    if begun.elapsed() < PROMISED {
        let answer = app.get(format!("/echo/{word}")).over(&mut idle).await;
        let answer = answer
            .because("a connection without a request has no head that could be late, and stays open for 5 seconds")?;
        answer.expect_status(200)?.expect_body(&word)?;
        upload.send(&body).await?;
        let answer =
            upload.response().await.because("the head was complete in time, and the body may take 5 seconds")?;
        answer.expect_status(200)?.expect_body(&body)?;
    }
    Ok(())
}

/// A byte now and then keeps a connection busy forever, unless the whole head has one deadline (RFC 9110 §15.5.9).
#[check(title = "a head that trickles in is abandoned", task = 9, points = 1, needs = ["header_timeout"],
        hints = ["Does your time limit start over with every byte?", "Put the deadline around the reading of the whole head, not around one read."])]
async fn slow_header(lab: &Lab) -> CheckResult {
    let app = lab.server().env("HEADER_TIMEOUT_MS", HEADER_TIMEOUT).start().await?;
    let mut connection = app.connect().await?;
    connection.send("GET / HTTP/1.1\r\nHost: lab\r\nX-Slow: ").await?;
    let deadline = Instant::now() + SLOW;
    while Instant::now() < deadline {
        connection.send("a").await?;
        // The pause between two bytes: much shorter than the time-out, or the trickle would be a standstill.
        if connection.expect_silence(Duration::from_millis(100)).await.is_err() {
            return expect_given_up(&mut connection, SLOW).await;
        }
    }
    Err(connection.failure(format!("a head that trickled in for {} s was not abandoned", SLOW.as_secs())))
}

/// The connection is closed, without a word or with 408.
async fn expect_given_up(connection: &mut Connection, limit: Duration) -> CheckResult {
    let last_words = connection.read_until_closed(limit).await?;
    if last_words.is_empty() || last_words.starts_with(b"HTTP/1.1 408 ") {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&last_words).into_owned();
    Err(connection.failure("the head was not complete, but got a response").expected("408, or nothing").actual(said))
}
