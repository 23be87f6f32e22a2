//! Task 9: many clients at once, and clients that go away.

use lab_kit::prelude::*;

use crate::support::{get, request};

/// How long a server is given to notice that a client hung up. One that does not is let be.
const NOTICE: Duration = Duration::from_millis(500);
/// How often clients vanish without a word.
const ROUNDS: usize = 10;

/// A client that says nothing must not keep the others waiting (RFC 9112 §9.5).
#[check(title = "idle connections do not block others", task = 9, points = 3, needs = ["echo_text"],
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
        answer.expect_status(200)?.expect_body(&word)?;
    }
    for connection in connections.iter_mut().rev() {
        let word = lab.word();
        connection.within(Duration::from_secs(5)).send(get(&format!("/echo/{word}"))).await?;
        connection.response().await?.expect_status(200)?.expect_body(&word)?;
    }
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
        app.get(format!("/echo/{word}")).await?.expect_status(200)?.expect_body(&word)?;
    }
    Ok(())
}
