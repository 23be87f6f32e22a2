//! Task 9: many clients at once, and clients that go away.

use lab_kit::prelude::*;

use crate::chunked::CHUNKED;
use crate::support::{Site, get, request};

/// How long a server is given to notice that a client hung up. One that does not is let be.
pub const NOTICE: Duration = Duration::from_millis(500);
/// How large a file is whose answer fills whatever the system keeps for a client that does not read, in bytes.
const MORE_THAN_BUFFERS: u64 = 48 * 1024 * 1024;
/// How long an answer may take while others are slow. It needs no time for that: this is for a busy machine.
const PROMPT: Duration = Duration::from_secs(5);
/// How often clients vanish without a word.
const ROUNDS: usize = 10;

/// A client that says nothing must not keep the others waiting (RFC 9112 §9.5).
#[check(title = "idle connections do not block others", task = 9, points = 2, needs = ["echo_text"],
        hints = ["Who is served while you wait for the first client's request?", "Give every connection a task of its own: `tokio::spawn`."])]
async fn concurrent_connections(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut connections = Vec::new();
    for _ in 0..25 {
        for _ in 0..4 {
            connections.push(app.connect().await?);
        }
        // An answer shows that the server has taken all connections before it: its queue need not hold a hundred.
        let word = lab.word();
        let others = format!("while {} other connections are open and idle", connections.len());
        let answer = app.get(format!("/echo/{word}")).within(Duration::from_secs(5)).await.because(&others)?;
        // never fails alone: `echo_text` asks the same of the text
        answer.expect_status(200)?.expect_body(&word)?;
    }
    for connection in connections.iter_mut().rev() {
        let word = lab.word();
        connection.within(Duration::from_secs(5)).send(get(&format!("/echo/{word}"))).await?;
        // never fails alone: `body_time` asks the same of a connection that was idle
        connection.response().await?.expect_status(200)?.expect_body(&word)?;
    }
    Ok(())
}

/// A client that reads or sends slowly costs nobody else time (RFC 9112 §9.5).
#[check(title = "slow clients do not hold up others", task = 9, points = 1, needs = ["concurrent_connections", "file_read", "file_created"],
        hints = ["What do you hold while you wait for a client: a lock, or a thread that others need?",
                 "Never hold a lock while you read from a client or write to one.",
                 "If a client does not read its response, your write waits: let it wait alone."])]
async fn slow_clients(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (large, name, word) = (lab.word(), lab.word(), lab.word());
    site.write(&large, b"")?;
    site.stretch(&large, MORE_THAN_BUFFERS)?;
    let unfinished = format!("Content-Length: 1000\r\n\r\n{word}");
    let mut slow = Vec::new();
    for bytes in [
        "GET / HTTP/1.1\r\nHost: lab\r\n".to_owned(),
        format!("POST /echo HTTP/1.1\r\nHost: lab\r\n{unfinished}"),
        format!("POST /echo HTTP/1.1\r\nHost: lab\r\n{CHUNKED}\r\n9\r\nabc"),
        format!("PUT /files/{name} HTTP/1.1\r\nHost: lab\r\n{unfinished}"),
        format!("POST /{word} HTTP/1.1\r\nHost: lab\r\n{unfinished}"),
        // Two that do not read what they asked for.
        get(&format!("/files/{large}")),
        get(&format!("/files/{large}")),
    ] {
        let mut connection = site.app.connect().await?;
        connection.send(bytes).await?;
        slow.push(connection);
    }
    // The slow ones have to be where they wait before others come: a few requests' time.
    for _ in 0..ROUNDS {
        let others = "other clients read or send slowly";
        let path = format!("/files/{name}");
        site.app.get(format!("/echo/{word}")).within(PROMPT).await.because(others)?.expect_body(&word)?;
        site.app.post("/echo").raw_body(&word).within(PROMPT).await.because(others)?.expect_body(&word)?;
        site.app.put(&path).raw_body(&word).within(PROMPT).await.because(others)?.expect_status_in(&[200, 201, 204])?;
        site.app.get(&path).within(PROMPT).await.because(others)?.expect_body(&word)?;
        site.app.head(format!("/files/{large}")).within(PROMPT).await.because(others)?.expect_status(200)?;
    }
    drop(slow);
    Ok(())
}

/// Connections break all the time, and that is no reason to stop serving (RFC 9112 §9.5).
#[check(title = "clients that disconnect do no harm", task = 9, points = 1, needs = ["echo_text"],
        hints = ["What happens to an error on one connection?", "An error ends its own connection, never the loop that accepts new ones."])]
async fn hangups(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let whole = get(&format!("/echo/{word}"));
    let unfinished = request("POST /echo", "Content-Length: 1000\r\n", &word);
    let garbage = "\0\u{1}\u{2}\r\n\r\n\0".to_owned();
    let sent = [String::new(), whole[..9].to_owned(), whole.clone(), whole.repeat(50), unfinished, garbage];
    // Some say that they hang up, and wait until the server has noticed: whatever an error does, it does before the
    // next request. How the server closes is up to it.
    for bytes in &sent {
        let mut connection = app.connect().await?;
        connection.send(bytes).await?;
        let _ = connection.finish_writing().await;
        let _ = connection.read_until_closed(NOTICE).await;
    }
    // Others are gone at once, and leave their answers unread. When the server meets that error, nobody can see: it has
    // a few requests' time.
    for _ in 0..ROUNDS {
        for bytes in &sent {
            let mut connection = app.connect().await?;
            connection.send(bytes).await?;
            drop(connection);
        }
        // never fails alone: `echo_text` asks the same of the text
        app.get(format!("/echo/{word}")).await?.expect_status(200)?.expect_body(&word)?;
    }
    Ok(())
}
