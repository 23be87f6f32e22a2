//! Task 6: bodies in chunks, and the tricks that are played with them.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::support::{CLOSE, get, one_chunk, random_bytes, request};

/// From this size on the README wants a body refused.
const REFUSED_SIZE: usize = 4 * 1024 * 1024;

/// The field that says so.
pub const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

/// The head of a chunked POST /echo and the body that follows it.
pub fn post(fields: &str, body: &[u8]) -> Vec<u8> {
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
    // First what can be read: two chunks of text, one with a size that is no decimal number.
    let text = format!("{}{}", lab.word(), lab.word());
    let (first, second) = text.split_at(text.len() - 12);
    let chunks = format!("{:x}\r\n{first}\r\nc\r\n{second}\r\n0\r\n\r\n", first.len());
    let mut connection = app.connect().await?;
    connection.send(post(CHUNKED, chunks.as_bytes())).await?;
    connection.response().await?.expect_status(200)?.expect_body(&text)?;
    drop(connection);

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
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await?.expect_status(200)?.expect_body(&word)
}

/// Sizes may be written in either case and with leading zeros, extensions are ignored, and fields may follow the last
/// chunk (RFC 9112 §7.1.1, §7.1.2).
#[check(title = "chunk extensions, trailers and hexadecimal sizes are understood", task = 6, points = 1, needs = ["chunked_body"],
        hints = ["What may a chunk's first line contain besides its size?",
                 "The size ends at the first `;`. `1A` and `1a` are the same number.",
                 "After the chunk of size 0 come any number of fields, then the empty line."])]
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
    let last =
        "The first response was right. What comes between the last chunk and the next request, and who has read it?";
    let answer = app.get(format!("/echo/{word}")).over(&mut connection).await.hint(last)?;
    // never fails alone: `echo_text` asks the same of the text
    answer.expect_status(200).hint(last)?.expect_body(&word)
}

/// A client may also ask before it sends chunks, and write `100-continue` in any case (RFC 9110 §10.1.1).
#[check(title = "100-continue works in any case, and before chunks", task = 6, points = 1, needs = ["expect_continue", "chunked_body"],
        hints = ["Does your server's reaction depend on the word's case? Or on how the body is framed?",
                 "`100-Continue` is `100-continue`. A client that sends it waits before it sends chunks, too."])]
async fn expect_details(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let text = lab.word();
    let (counted, chunks) = (format!("Content-Length: {}\r\n", text.len()), one_chunk(&text));
    let mut connection = app.connect().await?;
    for (expectation, framing, body) in [
        ("100-Continue", counted.as_str(), text.as_str()),
        ("100-continue", CHUNKED, &chunks),
        ("100-CONTINUE", CHUNKED, &chunks),
    ] {
        connection.send(post(&format!("{framing}Expect: {expectation}\r\n"), b"")).await?;
        // never fails alone: `expect_continue` asks the same of an interim response
        connection.interim().await?.expect_status(100)?;
        connection.send(body).await?;
        connection.response().await?.expect_status(200)?.expect_body(&text)?;
    }
    Ok(())
}

/// If the chunks do not add up, nobody knows where the body ends: 400, and the connection is closed (RFC 9112 §7.1,
/// §6.3).
#[check(title = "broken chunks get 400", task = 6, points = 1, needs = ["chunked_body"],
        hints = ["What does your number parser accept besides hexadecimal digits?",
                 "After that many bytes there must be a CRLF: check that it is there.",
                 "After such an error, close."])]
async fn broken_chunk(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let no_size = ["zz\r\nabc", "\r\nabc", "+3\r\nabc", "-3\r\nabc", "0x3\r\nabc", "0_3\r\nabc", "3 3\r\nabc"];
    // 5 and not 4: whoever takes a lone line feed for a line end would find one behind the fourth byte.
    for broken in no_size.into_iter().chain(["3\r\nabcd", "5\r\nabc", "3\r\nabcXX0"]) {
        refused(lab, &app, broken, &[400]).await?;
    }
    Ok(())
}

/// If a size wraps around, the next request is taken for data, or data for the next request (RFC 9112 §7.1).
#[check(title = "a chunk size beyond 64 bits is refused", task = 6, points = 1, needs = ["chunked_body"],
        hints = ["What does your arithmetic do when a number gets too large?",
                 "A size may fit, and no longer fit once you add the CRLF, or the bytes of the body so far.",
                 "`checked_add` tells you. Or compare with what is left: `size > limit - body.len()` cannot overflow."])]
async fn huge_chunk(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for size in ["10000000000000003", "100000000000000000000000000000003"] {
        refused(lab, &app, &format!("{size}\r\nabc"), &[400, 413]).await?;
    }
    // Each is a small number once the bits that do not fit are cut off, or once two are added for the CRLF. Whoever
    // waits for so many bytes is right, too; whoever answers has counted wrongly.
    for chunk in [
        "ffffffffffffffff\r\nx",
        "fffffffffffffffe\r\n",
        "fffffffffffffffd\r\n",
        "8000000000000003\r\nabc\r\n",
        "100000003\r\nabc\r\n",
    ] {
        let mut connection = app.connect().await?;
        connection.send(post(CHUNKED, format!("{chunk}0\r\n\r\n").as_bytes())).await?;
        connection.finish_writing().await?;
        let said = connection.read_until_closed(CLOSE).await?;
        if said.starts_with(b"HTTP/1.1 2") {
            return Err(connection
                .failure("a chunk larger than everything that was sent was taken for a complete one")
                .expected("400, 413, or the connection closed")
                .actual(String::from_utf8_lossy(&said).into_owned()));
        }
    }
    // Five bytes, and as many as make the sum 0 in 64 bits.
    let mut connection = app.connect().await?;
    let flood = [b"5\r\nabcde\r\nfffffffffffffffb\r\n".as_slice(), &vec![b'x'; REFUSED_SIZE]].concat();
    connection.send(post(CHUNKED, &flood)).await?;
    let bound = "4 MiB of a chunk have come, and it promises many more. How much of a body does your server keep?";
    connection.response().await.hint(bound)?.expect_status_in(&[400, 413])?;
    Ok(())
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
#[check(title = "Content-Length with Transfer-Encoding does not smuggle a request in", task = 6, points = 2, needs = ["chunked_body"],
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
    for codings in lists.into_iter().chain(fields).chain([coding.clone(), "identity".to_owned()]) {
        let mut connection = app.connect().await?;
        connection.send(post(&format!("Transfer-Encoding: {codings}\r\n"), b"0\r\n\r\n")).await?;
        connection.response().await?.expect_status_in(&[400, 501])?;
    }
    Ok(())
}

/// A server that ignores an unknown coding and believes the length reads a different request than one that knows it
/// (RFC 9112 §6.1, §6.3).
#[check(title = "an unknown transfer coding beside a length is refused", task = 6, points = 1, needs = ["length_and_chunked"],
        hints = ["What do you do with Content-Length when there is a Transfer-Encoding of any kind?",
                 "Look for Transfer-Encoding first. If it is there, ignore the length, and refuse any coding that is not exactly `chunked`.",
                 "Then close: nobody knows where the body ends."])]
async fn coding_beside_length(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let coding = lab.word();
    let lists = ["identity".to_owned(), coding.clone(), format!("{coding}, chunked"), format!("chunked, {coding}")];
    let words =
        [format!("x{coding}chunked"), format!("chunked{coding}"), "chunke".to_owned(), "\"chunked\"".to_owned()];
    let fields = [("chunked", &*coding), (&*coding, "chunked")];
    let fields = fields.map(|(first, second)| format!("{first}\r\nTransfer-Encoding: {second}"));
    for codings in lists.into_iter().chain(words).chain(fields) {
        let codings = format!("Transfer-Encoding: {codings}\r\n");
        for fields in [format!("Content-Length: 5\r\n{codings}"), format!("{codings}Content-Length: 5\r\n")] {
            let next = get(&format!("/echo/{}", lab.word()));
            let mut connection = app.connect().await?;
            connection.send(post(&fields, format!("0\r\n\r\n{next}").as_bytes())).await?;
            connection.response().await?.expect_status_in(&[400, 501])?;
            connection
                .expect_closed(CLOSE)
                .await
                .because("what follows a request with a length and a coding must never be answered")?;
        }
    }
    Ok(())
}
