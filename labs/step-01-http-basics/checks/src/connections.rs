//! Task 4: how long a connection lasts, and where one answer ends and the next begins.

use lab_kit::prelude::*;

use crate::support::{CLOSE, request};

/// A new connection costs a round trip, so HTTP/1.1 keeps it open unless somebody asks otherwise (RFC 9112 §9.3).
#[check(title = "a connection serves many requests", task = 4, points = 2, needs = ["echo_text"],
        hints = ["What do you do with the connection after the first response?",
                 "Read the next request in a loop, until the client closes or asks you to.",
                 "A response needs Content-Length or chunks: otherwise only closing the connection ends it."])]
async fn persistent(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut connection = app.connect().await?;
    // With the three below, the hundred that the README promises.
    for _ in 0..97 {
        let word = lab.word();
        let answer =
            // never fails alone: `echo_text` asks the same of the text
            app.get(format!("/echo/{word}")).over(&mut connection).await?.expect_status(200)?.expect_body(&word)?;
        if answer.headers("connection").iter().any(|value| value.to_ascii_lowercase().contains("close")) {
            return Err(connection
                .failure("the response says `Connection: close` although nobody asked for it")
                .hint("Where does your server write `Connection: close`, and does it look at the request first?"));
        }
    }
    // What is not there, or cannot be done, is no reason to part.
    for request in [app.get(format!("/{}", lab.word())), app.delete("/")] {
        request.over(&mut connection).await?;
        connection.expect_open().await.hint("Which of your responses end the connection, and who asked for that?")?;
    }
    // never fails alone: `root` asks the same; one that closes fails before
    app.get("/").over(&mut connection).await?.expect_status(200)
}

/// A client that has everything it wants says so, and waits for the connection to close (RFC 9112 §9.6).
#[check(title = "Connection: close is honoured", task = 4, points = 2, needs = ["echo_text"],
        hints = ["Which field does a client use to say that this is its last request?",
                 "The value is a list of words in any case: `x, Close` asks for it, too. So does a second field `Connection`.",
                 "Compare whole words: `x-enclosed` does not ask for it."])]
async fn connection_close(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for option in ["close", "Close", "x-lab, close", "x-lab\r\nConnection: close"] {
        let word = lab.word();
        let mut connection = app.connect().await?;
        connection.send(request(&format!("GET /echo/{word}"), &format!("Connection: {option}\r\n"), "")).await?;
        // never fails alone: `echo_text` asks the same of the text
        connection.response().await?.expect_status(200)?.expect_body(&word)?;
        connection.expect_closed(CLOSE).await?;
    }
    // Whatever the request is and whatever it gets, and be it the second. What each of them is to get, and that HEAD gets no
    // body, is asked by other checks.
    let body = lab.word();
    let with_body = format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
    let close = "Connection: close\r\n";
    let unknown = format!("GET /{body}");
    for (line, fields, body) in
        [("POST /echo", &*with_body, &*body), ("HEAD /", close, ""), ("DELETE /", close, ""), (&unknown, close, "")]
    {
        let mut connection = app.connect().await?;
        // never fails alone: `root` asks the same
        app.get("/").over(&mut connection).await?.expect_status(200)?;
        connection.send(request(line, fields, body)).await?;
        let method = line.split(' ').next().unwrap_or_default();
        connection.response_to(method).await?;
        connection.read_until_closed(CLOSE).await.because("the request said `Connection: close`")?;
    }
    let mut connection = app.connect().await?;
    for option in ["keep-alive, x-enclosed", "closed", "keep-alive"] {
        let answer = app.get("/").header("Connection", option).over(&mut connection).await;
        answer
            .because("`close` is a word of the list, not part of a word")
            .hint("Which words does the value `keep-alive, x-enclosed` consist of?")?
            // never fails alone: `root` asks the same; one that closes fails before
            .expect_status(200)?;
    }
    Ok(())
}

/// HTTP/1.0 has no Host, no chunks, and no second request unless the client asks for one (RFC 9112 §9.3, §6.1).
#[check(title = "HTTP/1.0 is answered and closed", task = 4, points = 1, needs = ["echo_text"],
        hints = ["What marks the end of the response for a client that does not know HTTP/1.1?",
                 "Close after the response, do not require Host, and send no Transfer-Encoding."])]
async fn http_1_0(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let mut connection = app.connect().await?;
    connection.send(format!("GET /echo/{word} HTTP/1.0\r\n\r\n")).await?;
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await?.expect_status(200)?.expect_no_header("transfer-encoding")?.expect_body(&word)?;
    connection.expect_closed(CLOSE).await?;
    for (line, status) in [(format!("GET /{word}"), 404), (format!("DELETE /echo/{word}"), 405)] {
        let mut connection = app.connect().await?;
        connection.send(format!("{line} HTTP/1.0\r\n\r\n")).await?;
        connection.response().await?.expect_status(status)?.expect_no_header("transfer-encoding")?;
        connection.expect_closed(CLOSE).await.because("an HTTP/1.0 client waits for that")?;
    }
    Ok(())
}
