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
#[check(title = "a body may arrive in pieces", task = 5, points = 2, needs = ["echo_body"],
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
        app.get(format!("/echo/{word}")).over(&mut connection).await?.expect_body(&word)?;
    }
    Ok(())
}

/// A body that nobody wants is still in the stream: skip it or close, but never take it for a request (RFC 9112 §9.3).
#[check(title = "an unwanted body is not mistaken for a request", task = 5, points = 3, needs = ["unknown_path", "echo_text"],
        hints = ["A POST to a path that you do not have gets 404. What happens to its body?",
                 "Read the body before the next request, whatever the response was. Or close the connection after the response."])]
async fn unwanted_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (smuggled, word) = (lab.word(), lab.word());
    let body = get(&format!("/echo/{smuggled}"));
    let counted = format!("Content-Length: {}\r\n", body.len());
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let unwanted = [
        (format!("POST /{word}"), counted.as_str(), &body),
        ("DELETE /".to_owned(), &counted, &body),
        (format!("GET /echo/{word}"), &counted, &body),
        (format!("POST /{word}"), "Transfer-Encoding: chunked\r\n", &chunks),
        (format!("{} /", lab.word().to_ascii_uppercase()), &counted, &body),
    ];
    for (line, fields, body) in unwanted {
        let last = request(&format!("GET /echo/{word}"), "Connection: close\r\n", "");
        let mut connection = app.connect().await?;
        connection.send(request(&line, fields, "")).await?;
        // A server that answers before the body has come must remember that it will.
        let _ = connection.expect_silence(Duration::from_millis(50)).await;
        connection.send(format!("{body}{last}")).await?;
        // Not every server reads every body, and to refuse one is no crime.
        connection.response().await?.expect_status_in(&[200, 400, 404, 405, 411, 413, 501])?;
        let rest = connection.read_until_closed(CLOSE).await?;
        let rest = String::from_utf8_lossy(&rest);
        if rest.contains(&smuggled) {
            return Err(connection.failure("the body of the first request was answered as if it were a request"));
        }
        // Closing in place of reading on is right; an answer must be the one to the second request.
        let answered = rest.starts_with("HTTP/1.1 200") && rest.contains(&word);
        if !rest.is_empty() && !answered {
            return Err(connection
                .failure("the request after an unwanted body got a wrong response")
                .expected(format!("the connection closed, or the response `{word}`"))
                .actual(rest.into_owned()));
        }
    }
    Ok(())
}

/// If a length is not a number, nobody knows where the request ends: 400, and the connection is closed (RFC 9112 §6.3).
#[check(title = "a bad Content-Length gets 400", task = 5, points = 2, needs = ["echo_body"],
        hints = ["What does your number parser accept besides digits? A sign? A space? Nothing at all?",
                 "Check that there is at least one digit and nothing but digits, and that the number fits.",
                 "After such an error, close the connection: the bytes that follow could be anything."])]
async fn bad_content_length(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for length in ["+5", "-1", "0x5", "5x", "0_5", "5 5", "five", ""] {
        refused(lab, &app, &format!("Content-Length: {length}\r\n"), &[400]).await?;
    }
    // It is a number, and larger than any body we take: 413 is as right as 400.
    refused(lab, &app, "Content-Length: 18446744073709551621\r\n", &[400, 413]).await
}

/// Two lengths mean two possible ends, and a proxy may have believed the other one (RFC 9112 §6.3).
#[check(title = "two Content-Lengths that differ get 400", task = 5, points = 1, needs = ["echo_body"],
        hints = ["Which one do you believe, when there are two?", "Neither. The two may also be in one field: `5, 6`."])]
async fn content_lengths_differ(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for lengths in ["Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5, 6\r\n"] {
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
#[check(title = "Expect: 100-continue is answered before the body arrives", task = 5, points = 3, needs = ["echo_body"],
        hints = ["Both sides wait: you for the body, the client for a word from you.",
                 "Once you have read the head, and before you read the body, send `HTTP/1.1 100 Continue` and an empty line.",
                 "The final response follows once the body has arrived."])]
async fn expect_continue(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let body = lab.word();
    let mut connection = app.connect().await?;
    for expectation in ["100-continue", "100-Continue"] {
        let fields = format!("Expect: {expectation}\r\nContent-Length: {}\r\n", body.len());
        connection.send(request("POST /echo", &fields, "")).await?;
        connection.interim().await?.expect_status(100)?;
        connection.send(&body).await?;
        connection.response().await?.expect_status(200)?.expect_body(&body)?;
    }
    // A client need not wait. Whether a 100 still comes is the server's affair.
    let fields = format!("Expect: 100-continue\r\nContent-Length: {}\r\n", body.len());
    connection.send(request("POST /echo", &fields, &body)).await?;
    connection.response().await?.expect_status(200)?.expect_body(&body)
}
