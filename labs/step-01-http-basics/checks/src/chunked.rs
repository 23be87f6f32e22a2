//! Task 6: bodies in chunks, and the tricks that are played with them.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::support::{CLOSE, get, random_bytes, request};

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

/// The head of a chunked POST /echo and the body that follows it.
fn post(fields: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = request("POST /echo", fields, "").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A client that does not know the length beforehand sends its body in chunks (RFC 9112 §7.1).
#[check(title = "a chunked body is put together", task = 6, points = 2, needs = ["echo_body"],
        hints = ["A chunk is its size in hexadecimal digits, CRLF, that many bytes, CRLF.",
                 "Count the bytes of a chunk. Its data may contain line breaks of its own.",
                 "The body ends with a chunk of size 0 and an empty line; what follows is the next request."])]
async fn chunked_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut body = b"\r\n0\r\n\r\n".to_vec();
    body.extend(random_bytes(lab, 2_000));
    let mut chunks = Vec::new();
    let mut rest = body.as_slice();
    while !rest.is_empty() {
        let size = lab.random(|random| random.random_range(1..=300)).min(rest.len());
        chunks.extend(format!("{size:x}\r\n").into_bytes());
        chunks.extend(&rest[..size]);
        chunks.extend(b"\r\n");
        rest = &rest[size..];
    }
    chunks.extend(b"0\r\n\r\n");

    let word = lab.word();
    let mut connection = app.connect().await?;
    connection.send([post(CHUNKED, &chunks), get(&format!("/echo/{word}")).into_bytes()].concat()).await?;
    connection.response().await?.expect_status(200)?.expect_body(&body)?;
    connection.response().await?.expect_status(200)?.expect_body(&word)
}

/// Sizes may be written in either case and with leading zeros, extensions are ignored, and fields may follow the last
/// chunk (RFC 9112 §7.1.1, §7.1.2).
#[check(title = "chunk extensions, trailers and hexadecimal sizes are understood", task = 6, points = 2, needs = ["chunked_body", "expect_continue"],
        hints = ["What may a chunk's first line contain besides its size?",
                 "The size ends at the first `;`. `1A` and `1a` are the same number.",
                 "After the chunk of size 0 come any number of fields, then the empty line.",
                 "A client that says `Expect: 100-continue` waits before it sends chunks, too."])]
async fn chunked_details(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (a, b, c) = (lab.word().repeat(2), lab.word().repeat(2), lab.word());
    let (a, b) = (&a[..26], &b[..27]);
    let chunks = format!(
        "1A\r\n{a}\r\n1b;name=value\r\n{b}\r\n000{:x};x=\"a;b\";y\r\n{c}\r\n000\r\nX-Sum: {c}\r\nx-more: 1\r\n\r\n",
        c.len()
    );
    let word = lab.word();
    let mut connection = app.connect().await?;
    connection.send_in_pieces(9, post("Transfer-Encoding: Chunked\r\n", chunks.as_bytes())).await?;
    connection.response().await?.expect_status(200)?.expect_body(format!("{a}{b}{c}"))?;
    connection.send(post(&format!("{CHUNKED}Expect: 100-continue\r\n"), b"")).await?;
    connection.interim().await?.expect_status(100)?;
    connection.send(chunks).await?;
    connection.response().await?.expect_status(200)?.expect_body(format!("{a}{b}{c}"))?;
    app.get(format!("/echo/{word}")).over(&mut connection).await?.expect_status(200)?.expect_body(&word)
}

/// If the chunks do not add up, nobody knows where the body ends: 400, and the connection is closed (RFC 9112 §7.1,
/// §6.3).
#[check(title = "broken chunks get 400", task = 6, points = 2, needs = ["chunked_body"],
        hints = ["What does your number parser accept besides hexadecimal digits?",
                 "After that many bytes there must be a CRLF: check that it is there.",
                 "A size may be too large for your integer. And after such an error, close."])]
async fn broken_chunk(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let no_size = ["zz\r\nabc", "\r\nabc", "+3\r\nabc", "-3\r\nabc", "0x3\r\nabc", "0_3\r\nabc", "3 3\r\nabc"];
    // 5 and not 4: whoever takes a lone line feed for a line end would find one behind the fourth byte.
    for broken in no_size.into_iter().chain(["3\r\nabcd", "5\r\nabc", "3\r\nabcXX0"]) {
        refused(lab, &app, broken, &[400]).await?;
    }
    refused(lab, &app, "10000000000000003\r\nabc", &[400, 413]).await
}

/// Sends a chunk, the last chunk, and another request right behind it.
async fn refused(lab: &Lab, app: &App, chunk: &str, statuses: &[u16]) -> CheckResult {
    let next = get(&format!("/echo/{}", lab.word()));
    let mut connection = app.connect().await?;
    connection.send(post(CHUNKED, format!("{chunk}\r\n0\r\n\r\n{next}").as_bytes())).await?;
    connection.response().await?.expect_status_in(statuses)?;
    connection
        .expect_closed(CLOSE)
        .await
        .because("after a framing error the server cannot know where the next request begins")
}

/// Two statements about where a body ends are how a request gets smuggled past a proxy: refuse them, or believe the
/// chunks and close (RFC 9112 §6.1, §11.2).
#[check(title = "Content-Length with Transfer-Encoding does not smuggle a request in", task = 6, points = 3, needs = ["chunked_body"],
        hints = ["Which of the two do you believe? And which did the proxy before you believe?",
                 "The simplest correct answer is 400, followed by closing the connection.",
                 "If you read the chunks, ignore Content-Length, and still close the connection after the response."])]
async fn length_and_chunked(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let smuggled = get(&format!("/echo/{}", lab.word()));
    // For whoever believes the length, the body is the first line only, and a request comes next.
    let size_line = format!("{:x}\r\n", smuggled.len());
    let inside = format!("{size_line}{smuggled}\r\n0\r\n\r\n");
    expect_one_answer(&app, &[format!("Content-Length: {}\r\n", size_line.len()), CHUNKED.into()], &inside, &smuggled)
        .await?;
    // For whoever believes the chunks, the body is empty, and what follows is no longer to be trusted.
    let behind = format!("0\r\n\r\n{smuggled}");
    expect_one_answer(&app, &[CHUNKED.into(), format!("Content-Length: {}\r\n", behind.len())], &behind, "").await
}

/// Either the request is refused, or its chunks are echoed; and nothing else is said on the connection.
async fn expect_one_answer(app: &App, fields: &[String], body: &str, chunks: &str) -> CheckResult {
    let mut connection = app.connect().await?;
    connection.send(post(&fields.concat(), body.as_bytes())).await?;
    let answer = connection.response().await?.expect_status_in(&[200, 400])?;
    if answer.status() == 200 {
        answer.expect_body(chunks)?;
    }
    connection.expect_closed(CLOSE).await.because("what follows a request with two lengths must never be answered")
}

/// A coding that the server cannot undo makes the body unreadable (RFC 9112 §6.1, §6.3).
#[check(title = "an unknown transfer coding is refused", task = 6, points = 1, needs = ["chunked_body"],
        hints = ["Do you look for the word `chunked`, or do you read the list?",
                 "`chunked` alone is all you can read. Answer anything else with 501 or 400.",
                 "The list may continue in a second field of the same name."])]
async fn unknown_transfer_coding(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let coding = lab.word();
    let lists = [format!("{coding}, chunked"), format!("chunked, {coding}"), format!("{coding}chunked")];
    // Two fields of one name are one list.
    let fields = [(&*coding, "chunked"), ("chunked", &*coding)];
    let fields = fields.map(|(first, second)| format!("{first}\r\nTransfer-Encoding: {second}"));
    for codings in lists.into_iter().chain(fields) {
        let mut connection = app.connect().await?;
        connection.send(post(&format!("Transfer-Encoding: {codings}\r\n"), b"0\r\n\r\n")).await?;
        connection.response().await?.expect_status_in(&[400, 501])?;
    }
    Ok(())
}
