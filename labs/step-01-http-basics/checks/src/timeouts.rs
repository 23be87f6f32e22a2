//! Task 9: clients that take their time, by right or by wrong.

use futures::future::try_join_all;
use lab_kit::prelude::*;
use tokio::time::{Instant, sleep_until};

use crate::bounds::expect_alive;
use crate::chunked::CHUNKED;
use crate::support::{get, make_folder, request};

/// The time a head may take in these checks, in milliseconds.
const HEADER_TIMEOUT: &str = "500";
/// Far more than the header time-out, because a busy machine may be slow to notice.
const SLOW: Duration = Duration::from_secs(8);
/// The time that the README promises to idle connections and bodies.
const FIVE: Duration = Duration::from_secs(5);
/// A little less than that.
const PROMISED: Duration = Duration::from_millis(4_500);

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
    // never fails alone: `root` asks the same
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
        // never fails alone: `echo_text` asks the same; one that was closed fails before
        answer.expect_status(200)?.expect_body(&word)?;
        upload.send(&body).await?;
        let answer =
            upload.response().await.because("the head was complete in time, and the body may take 5 seconds")?;
        // never fails alone: `echo_body` asks the same of the body
        answer.expect_status(200)?.expect_body(&body)?;
    }
    Ok(())
}

/// A byte now and then keeps a connection busy forever, unless the whole head has one deadline (RFC 9110 §15.5.9).
#[check(title = "a head that trickles in is abandoned", task = 9, points = 1, needs = ["header_timeout"],
        hints = ["Does your time limit start over with every byte?", "Put the deadline around the reading of the whole head, not around one read."])]
async fn slow_header(lab: &Lab) -> CheckResult {
    let app = lab.server().env("HEADER_TIMEOUT_MS", HEADER_TIMEOUT).start().await?;
    trickle(&app, "GET / HTTP/1.1\r\nHost: lab\r\nX-Slow: ", "a").await
}

/// The time runs from a head's first byte, whichever head it is and wherever it stops (RFC 9110 §15.5.9).
#[check(title = "the time-out applies to every head, from its first byte", task = 9, points = 1, needs = ["header_timeout", "pipelined_requests"],
        hints = ["When does your clock start: with the connection, the first byte, or the end of the request line?",
                 "Start it when the first byte of a request arrives, and stop it at the empty line. Start it again for the next request.",
                 "The beginning of the next request may have arrived together with the last one."])]
async fn header_time_begins(lab: &Lab) -> CheckResult {
    let app = lab.server().env("HEADER_TIMEOUT_MS", HEADER_TIMEOUT).start().await?;
    let word = lab.word();
    let (whole, body) = (get(&format!("/echo/{word}")), request("POST /echo", "Content-Length: 3\r\n", "abc"));
    // What is answered before, and where the last head breaks off.
    let halts = [
        (0, "G".to_owned()),
        (0, "GET / HTTP/1.1\r".to_owned()),
        (0, request("PUT /files/x", "Content-Length: 3", "").trim_end().to_owned()),
        (1, format!("{whole}G")),
        (1, format!("{whole}{}", &whole[..whole.len() - 2])),
        (2, format!("{whole}{body}POST /echo HTT")),
    ];
    let halted = halts.map(async |(answers, bytes)| {
        let mut connection = app.connect().await?;
        connection.send(bytes).await?;
        for _ in 0..answers {
            // never fails alone: `pipelined_requests` asks the same
            connection.response().await?.expect_status(200)?;
        }
        expect_given_up(&mut connection, SLOW).await
    });
    // The second head comes on its own, after the first was answered.
    let later = async {
        let mut connection = app.connect().await?;
        // never fails alone: `root` asks the same
        app.get("/").over(&mut connection).await?.expect_status(200)?;
        connection.send("GET / HTTP/1.1\r\nHost: lab\r\n").await?;
        expect_given_up(&mut connection, SLOW).await
    };
    let long_line = trickle(&app, "GET /echo/", "a");
    let many_lines = trickle(&app, "GET / HTTP/1.1\r\nHost: lab\r\n", "X-Slow: a\r\n");
    tokio::try_join!(try_join_all(halted), later, long_line, many_lines)?;
    // never fails alone: `header_timeout` asks the same
    expect_alive(lab, &app).await
}

/// A client on a slow line is not an attacker: it has time for its next request and for its body (RFC 9112 §9.5).
#[check(title = "idle connections and slow bodies have five seconds", task = 9, points = 1,
        needs = ["persistent", "echo_body", "chunked_body", "file_created"],
        hints = ["How long does your server wait for the rest of a body? And for the next request?",
                 "HEADER_TIMEOUT_MS is for heads only. A body, or a pause between two requests, may take 5 seconds or more.",
                 "Make sure that one time-out does not cut short what another allows."])]
async fn body_time(lab: &Lab) -> CheckResult {
    let folder = lab.folder()?.join("files");
    make_folder(&folder)?;
    let server = lab.server().env("FILES_DIR", &folder.display().to_string());
    let app = server.env("HEADER_TIMEOUT_MS", HEADER_TIMEOUT).start().await?;
    let patient = lab.start().await?;
    let (text, word) = (lab.word(), lab.word());
    let (half, rest) = text.split_at(text.len() / 2);
    let counted = format!("Content-Length: {}\r\n", text.len());
    let chunk = format!("{:x}\r\n", text.len());
    let late_request = get(&format!("/echo/{text}"));
    let posted = |fields: &str, body: &str| request("POST /echo", fields, body);
    // What is sent at once, what after the pause, and the status of the answer.
    let pauses = [
        (String::new(), late_request.clone(), 200),
        (posted(&counted, ""), text.clone(), 200),
        (posted(&counted, half), rest.to_owned(), 200),
        (posted(CHUNKED, &format!("{chunk}{half}")), format!("{rest}\r\n0\r\n\r\n"), 200),
        (posted(CHUNKED, &format!("{chunk}{text}\r\n")), "0\r\n\r\n".to_owned(), 200),
        (request(&format!("PUT /files/{word}"), &counted, half), rest.to_owned(), 201),
    ];
    let begun = Instant::now();
    let paused = pauses.map(async |(at_once, later, status)| {
        let mut connection = app.connect().await?;
        connection.send(at_once).await?;
        answer_after(&mut connection, begun, later, status, &text).await
    });
    let head = get(&format!("/echo/{text}"));
    let (half_a_head, rest_of_it) = head.split_at(head.len() / 2);
    let unset = async {
        let mut connection = patient.connect().await?;
        connection.send(half_a_head).await?;
        let answer = answer_after(&mut connection, begun, rest_of_it.to_owned(), 200, &text).await;
        answer.because("HEADER_TIMEOUT_MS was not set, and then is 5 seconds or more")
    };
    let idle = async {
        let mut connection = app.connect().await?;
        // never fails alone: `root` asks the same
        app.get("/").over(&mut connection).await?.expect_status(200)?;
        answer_after(&mut connection, begun, late_request.clone(), 200, &text).await
    };
    tokio::try_join!(try_join_all(paused), idle, unset)?;
    Ok(())
}

/// Sends the rest when the time that the README promises is nearly over, and expects the answer with the text.
async fn answer_after(
    connection: &mut Connection,
    begun: Instant,
    rest: String,
    status: u16,
    text: &str,
) -> CheckResult {
    sleep_until(begun + PROMISED).await;
    // On a machine that is too busy to send it in time, a server may have closed by right.
    let late = begun.elapsed() >= FIVE;
    connection.send(rest).await?;
    let answer = connection.response().await;
    if late {
        return Ok(());
    }
    let why = "it was sent after 4.5 seconds; a body, and a connection between two requests, have 5";
    let answer = answer.because(why)?.expect_status(status).because(why)?;
    if status == 200 {
        // never fails alone: `echo_text`, `echo_body` and `chunked_body` ask the same of the body
        answer.expect_body(text)?;
    }
    Ok(())
}

/// Sends `again` ten times a second after `first`, and expects to be given up.
async fn trickle(app: &App, first: &str, again: &str) -> CheckResult {
    let mut connection = app.connect().await?;
    connection.send(first).await?;
    let deadline = Instant::now() + SLOW;
    while Instant::now() < deadline {
        connection.send(again).await?;
        // The pause between two pieces: much shorter than the time-out, or the trickle would be a standstill.
        // never fails alone: what it finds is where the trickle ends
        if connection.expect_silence(Duration::from_millis(100)).await.is_err() {
            // never fails alone: `header_timeout` asks the same of what is said then
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
