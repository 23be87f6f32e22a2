//! Task 5: bodies with a Content-Length, wanted and unwanted.

use lab_kit::prelude::*;

use crate::support::{CLOSE, get, random_bytes, request};

/// A body is bytes: any bytes, as many as Content-Length says (RFC 9112 §6.2).
#[check(title = "POST /echo returns the body, byte for byte", task = 5, points = 2, needs = ["root"],
        hints = ["The body begins after the empty line, and Content-Length says how many bytes it has.",
                 "Keep it as bytes: it need not be text, and it may contain empty lines of its own.",
                 "The response has the Content-Type of the request."])]
async fn echo_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let media_type = format!("application/x-{}", lab.word());
    // Text first: of the three, its failure is the easiest to read.
    let text = format!("{}\r\n\r\nGET / HTTP/1.1\r\n\r\n", lab.word());
    for body in [text.into_bytes(), random_bytes(lab, 300), Vec::new()] {
        app.post("/echo")
            .body(&body, &media_type)
            .await?
            .expect_status(200)?
            .expect_media_type(&media_type)?
            .expect_body(&body)?;
    }
    Ok(())
}

/// Head and body may share a packet or span many: only the byte count says where the body ends (RFC 9112 §6.3).
#[check(title = "a body may arrive in pieces", task = 5, points = 1, needs = ["echo_body"],
        hints = ["Some of the body may have arrived with the head, and the rest comes later.",
                 "Read until you have as many bytes as Content-Length says. Do not wait for more."])]
async fn split_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let post = |body: &str| request("POST /echo", &format!("Content-Length: {}\r\n", body.len()), body);
    let (first, second, last) = (lab.word().repeat(4), lab.word(), lab.word());
    let mut connection = app.connect().await?;
    connection.send_in_pieces(7, post(&first)).await?;
    connection.response().await?.expect_status(200)?.expect_body(&first)?;
    connection.send(post(&second) + &get(&format!("/echo/{last}"))).await?;
    connection.response().await?.expect_status(200)?.expect_body(&second)?;
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await?.expect_status(200)?.expect_body(&last)
}

/// A server has a limit, but not a small one (RFC 9110 §15.5.14).
#[check(title = "a body of 1 MiB is echoed whole", task = 5, points = 1, needs = ["split_body"],
        hints = ["Does any of your buffers have a fixed size?", "`write` may write only a part. `write_all` writes everything."])]
async fn large_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let body = random_bytes(lab, 1024 * 1024);
    app.post("/echo").body(&body, "application/octet-stream").await?.expect_status(200)?.expect_body(&body)
}

/// A request that states no length has no body: waiting for one would never end (RFC 9112 §6.3).
#[check(title = "a POST without a length gets an immediate response", task = 5, points = 1, needs = ["echo_body", "echo_text"],
        hints = ["How long is a body when there is neither Content-Length nor Transfer-Encoding?",
                 "It is empty. You may also refuse the request with 411."])]
async fn no_length(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let mut connection = app.connect().await?;
    connection.send(request("POST /echo", "", "")).await?;
    let answer = connection.response().await?.expect_status_in(&[200, 411])?;
    if answer.status() == 200 {
        answer.expect_empty_body()?;
        // never fails alone: `echo_text` asks the same of a text
        app.get(format!("/echo/{word}")).over(&mut connection).await?.expect_body(&word)?;
    }
    Ok(())
}

/// If a length is not a number, nobody knows where the request ends: 400, and the connection is closed (RFC 9112 §6.3).
#[check(title = "a bad Content-Length gets 400", task = 5, points = 1, needs = ["echo_body"],
        hints = ["What does your number parser accept besides digits? A sign? A space? Nothing at all?",
                 "Check that there is at least one digit and nothing but digits.",
                 "After such an error, close the connection: the bytes that follow could be anything."])]
async fn bad_content_length(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for length in ["+5", "-1", "0x5", "5x", "0_5", "5 5", "five", ""] {
        refused(lab, &app, &format!("Content-Length: {length}\r\n"), &[400]).await?;
    }
    Ok(())
}

/// A number that does not fit must not turn into one that does: 413 is as good as 400 (RFC 9112 §6.3, RFC 9110 §8.6).
#[check(title = "a Content-Length beyond 64 bits is refused", task = 5, points = 1, needs = ["echo_body"],
        hints = ["What does your arithmetic do when a number gets too large?",
                 "`checked_mul` and `checked_add` tell you; so does `str::parse`, once you know that there are only digits."])]
async fn huge_length(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // Each is 5, once the bits that do not fit are cut off: those above 64, 128, and all but the last ten digits.
    for length in ["18446744073709551621", "340282366920938463463374607431768211461", "100000000000000000000000000005"]
    {
        refused(lab, &app, &format!("Content-Length: {length}\r\n"), &[400, 413]).await?;
    }
    // These fit into 64 bits. Whether a server reads over so many bytes or closes, is its own affair.
    for length in ["4294967301", "9223372036854775813", "18446744073709551615"] {
        let next = get(&format!("/echo/{}", lab.word()));
        let mut connection = app.connect().await?;
        connection
            .send(request("POST /echo", &format!("Content-Length: {length}\r\n"), &format!("abcde{next}")))
            .await?;
        let bound = "This length fits into 64 bits. How long does your server wait for so many bytes, and where would it keep them?";
        connection.response().await.hint(bound)?.expect_status_in(&[400, 413])?;
        connection.expect_nothing_more().await.because("what follows is part of the body that was refused")?;
    }
    Ok(())
}

/// Two lengths mean two possible ends, and a proxy may have believed the other one (RFC 9112 §6.3).
#[check(title = "two Content-Lengths that differ get 400", task = 5, points = 1, needs = ["echo_body"],
        hints = ["Which one do you believe, when there are two?", "Neither. The two may also be in one field: `5, 6`."])]
async fn content_lengths_differ(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let third = format!("{}Content-Length: 6\r\n", "Content-Length: 5\r\n".repeat(2));
    for lengths in ["Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5, 6\r\n", &third] {
        refused(lab, &app, lengths, &[400]).await?;
    }
    Ok(())
}

/// Sends a body of five bytes with the given fields, and another request right behind it.
async fn refused(lab: &Lab, app: &App, fields: &str, statuses: &[u16]) -> CheckResult {
    let next = get(&format!("/echo/{}", lab.word()));
    let mut connection = app.connect().await?;
    connection.send(request("POST /echo", fields, &format!("abcde{next}"))).await?;
    connection.response().await?.expect_status_in(statuses)?;
    connection
        .expect_closed(CLOSE)
        .await
        .because("after a framing error the server cannot know where the next request begins")
}

/// A client with a large body may ask first whether it is welcome, and wait for the answer (RFC 9110 §10.1.1).
#[check(title = "Expect: 100-continue is answered before the body arrives", task = 5, points = 2, needs = ["echo_body"],
        hints = ["Both sides wait: you for the body, the client for a word from you.",
                 "Once you have read the head, and before you read the body, send `HTTP/1.1 100 Continue` and an empty line.",
                 "The final response follows once the body has arrived."])]
async fn expect_continue(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let body = lab.word();
    let mut connection = app.connect().await?;
    let fields = format!("Expect: 100-continue\r\nContent-Length: {}\r\n", body.len());
    connection.send(request("POST /echo", &fields, "")).await?;
    connection.interim().await?.expect_status(100)?;
    connection.send(&body).await?;
    connection.response().await?.expect_status(200)?.expect_body(&body)?;
    // A client need not wait. Whether a 100 still comes is the server's affair.
    connection.send(request("POST /echo", &fields, &body)).await?;
    connection.response().await?.expect_status(200)?.expect_body(&body)
}
