//! Task 9: requests that are too long, too large or too slow.

use lab_kit::prelude::*;
use tokio::time::Instant;

use crate::support::request;

/// Far beyond every limit of the README, and little enough to be sent in a moment.
const FLOOD: usize = 1024 * 1024;
/// Four times what a body may have.
const LARGE: usize = 4 * 1024 * 1024;
/// The time a head may take in these checks, in milliseconds.
const HEADER_TIMEOUT: &str = "500";
/// Far more than the header time-out, because a busy machine may be slow to notice.
const SLOW: Duration = Duration::from_secs(8);

/// The server answers as ever.
async fn expect_alive(lab: &Lab, app: &App) -> CheckResult {
    let word = lab.word();
    let answer = app.get(format!("/echo/{word}")).await.because("the server has to go on serving everybody else")?;
    answer.expect_status(200)?.expect_body(&word)?;
    Ok(())
}

/// A line without an end would fill the memory (RFC 9112 §3, RFC 9110 §15.5.15).
#[check(title = "414 for a request line without an end", task = 9, points = 1, needs = ["echo_text"],
        hints = ["How much do you read before you look for the end of the line?",
                 "Stop at a limit and answer 414, then close. The client may still be sending."])]
async fn long_request_line(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let text = lab.word().repeat(200);
    app.get(format!("/echo/{text}")).await?.expect_status(200)?.expect_body(&text)?;
    let mut connection = app.connect().await?;
    connection.send(format!("GET /echo/{}", "a".repeat(FLOOD))).await?;
    connection.response().await?.expect_status(414)?;
    expect_alive(lab, &app).await
}

/// Fields without an end would fill the memory, too (RFC 6585 §5).
#[check(title = "431 for header fields without an end", task = 9, points = 1, needs = ["echo_text"],
        hints = ["The request line has a limit. And the lines after it?",
                 "Count the bytes of all fields together, also of one that never ends, and answer 431."])]
async fn long_headers(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let mut modest = app.get(format!("/echo/{word}"));
    for _ in 0..40 {
        modest = modest.header("X-Note", &word);
    }
    modest.await?.expect_status(200)?.expect_body(&word)?;
    let one = format!("X-Note: {}", "a".repeat(FLOOD));
    let many = "X-Note: something of thirty-two b\r\n".repeat(FLOOD / 32);
    for fields in [one, many] {
        let mut connection = app.connect().await?;
        connection.send(format!("GET / HTTP/1.1\r\nHost: lab\r\n{fields}")).await?;
        connection.response().await?.expect_status(431)?;
    }
    expect_alive(lab, &app).await
}

/// A body is not kept only because it was sent (RFC 9110 §15.5.14).
#[check(title = "413 for a body that is too large", task = 9, points = 1, needs = ["large_body"],
        hints = ["Content-Length says beforehand how large the body will be.",
                 "Refuse it before you make room for it: a promise of 1 TiB costs the client nothing.",
                 "If you close while bytes wait unread, the system may throw your answer away. Close the sending side first and read on for a moment."])]
async fn body_too_large(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for length in [LARGE as u64, 1 << 40] {
        let mut connection = app.connect().await?;
        let head = request("POST /echo", &format!("Content-Length: {length}\r\n"), "");
        connection.send(head + &"a".repeat(LARGE)).await?;
        connection.response().await?.expect_status(413)?;
    }
    expect_alive(lab, &app).await
}

/// Chunks announce no total, so that they have to be counted as they come (RFC 9112 §7.1, RFC 9110 §15.5.14).
#[check(title = "413 for chunks without an end", task = 9, points = 1, needs = ["chunked_body"],
        hints = ["Does the limit hold for chunked bodies, too?", "Compare what you have and what the next chunk announces with the limit."])]
async fn chunked_too_large(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let chunk = format!("{:x}\r\n{}\r\n", 32 * 1024, "a".repeat(32 * 1024));
    let mut connection = app.connect().await?;
    let head = request("POST /echo", "Transfer-Encoding: chunked\r\n", "");
    connection.send(head + &chunk.repeat(LARGE / (32 * 1024))).await?;
    connection.response().await?.expect_status(413)?;
    expect_alive(lab, &app).await
}

/// A client that never finishes its head holds a connection that others need (RFC 9110 §15.5.9).
#[check(title = "a head that never ends is given up", task = 9, points = 1, needs = ["echo_text"],
        hints = ["How long does your server wait for the rest of a request?",
                 "HEADER_TIMEOUT_MS says how long, in milliseconds. `tokio::time::timeout` ends a wait.",
                 "Then close the connection; you may say 408 before."])]
async fn header_timeout(lab: &Lab) -> CheckResult {
    let app = lab.server().env("HEADER_TIMEOUT_MS", HEADER_TIMEOUT).start().await?;
    let mut connection = app.connect().await?;
    connection.send("GET / HTTP/1.1\r\nHost: lab\r\n").await?;
    expect_given_up(&mut connection, SLOW).await?;
    expect_alive(lab, &app).await
}

/// A byte now and then keeps a connection busy for ever, unless the whole head has one deadline (RFC 9110 §15.5.9).
#[check(title = "a head that trickles is given up", task = 9, points = 1, needs = ["header_timeout"],
        hints = ["Does your time begin anew with every byte?", "Put the deadline around the reading of the whole head, not around one read."])]
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
    Err(connection.failure(format!("a head that trickled in for {} s was not given up", SLOW.as_secs())))
}

/// The connection is closed, without a word or with 408.
async fn expect_given_up(connection: &mut Connection, limit: Duration) -> CheckResult {
    let last_words = connection.read_until_closed(limit).await?;
    if last_words.is_empty() || last_words.starts_with(b"HTTP/1.1 408 ") {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&last_words).into_owned();
    Err(connection.failure("the head was not complete, and was answered").expected("408, or nothing").actual(said))
}
