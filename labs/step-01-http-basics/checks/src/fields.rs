//! Names of fields in any spelling, and values as the bytes they came as (tasks 5, 6 and 9).

use lab_kit::prelude::*;

use crate::chunked::{CHUNKED, post};
use crate::support::{CLOSE, Site, get, one_chunk, random_bytes, raw_request, request};

/// What other languages and other character sets take for white space: vertical tab, form feed, and next line and no-break
/// space, each alone and in UTF-8.
const NO_WHITE_SPACE: [&[u8]; 6] = [b"\x0b", b"\x0c", b"\x85", b"\xa0", b"\xc2\x85", b"\xc2\xa0"];
/// What Unicode takes for the digit 3, in UTF-8: full-width, Arabic-Indic and superscript; and the last in Latin-1.
const NO_DIGITS: [&[u8]; 4] = ["\u{ff13}".as_bytes(), "\u{663}".as_bytes(), "\u{b3}".as_bytes(), b"\xb3"];

/// A value is bytes, and not only those of ASCII; only the resource knows what they mean (RFC 9110 §5.5).
#[check(title = "field values come back byte for byte", task = 5, points = 1, needs = ["user_agent", "echo_body"],
        hints = ["Which characters can a field's value contain? In which character set?",
                 "They are bytes: keep them as `Vec<u8>`, and do not decode what you only pass on.",
                 "Content-Type has parameters, such as a `boundary`: they come back as they were, too."])]
async fn field_bytes(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let values = [
        [word.as_bytes(), b" \xe9\xff \x85 x"].concat(),
        format!("{word} \u{e9}\u{20ac}\u{1f600} x").into_bytes(),
        format!("{word}\t \t\"a, b\"; (c\\d)=#").into_bytes(),
    ];
    for value in values {
        let fields = [b"User-Agent: ".as_slice(), &value, b"\r\n"].concat();
        let mut connection = app.connect().await?;
        connection.send(raw_request("GET /user-agent", &fields, b"")).await?;
        connection.response().await?.expect_status(200)?.expect_body(&value)?;
    }
    let media_type = format!("multipart/x-{word}; Boundary=\"A b; c\"; q=1");
    // never fails alone: `echo_body` asks the same of the status and the body
    let answer = app.post("/echo").body(&word, &media_type).await?.expect_status(200)?.expect_body(&word)?;
    answer.expect_header("content-type", &media_type)?;
    Ok(())
}

/// White space is a space or a tab, and digits are those of ASCII: a server that accepts more reads a different request
/// than its neighbours (RFC 9110 §5.6.3, RFC 9112 §7.1, RFC 5234 appendix B.1).
#[check(title = "white space and digits are those of ASCII", task = 6, points = 1,
        needs = ["user_agent", "chunked_body"],
        hints = ["What does your language trim? And what does it consider a digit?",
                 "`trim` strips form feeds and no-break spaces, and `char::is_numeric` knows digits of many scripts.",
                 "Work on bytes: a space is 0x20, a tab 0x09, and the digits are 0x30 to 0x39."])]
async fn ascii_only(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let around = |word: &[u8], other: &[u8]| [[other, word].concat(), [word, other].concat()];
    for other in NO_WHITE_SPACE {
        for coding in around(b"chunked", other) {
            let fields = [b"Transfer-Encoding: ".as_slice(), &coding, b"\r\n"].concat();
            refused(&app, &raw_request("POST /echo", &fields, b"0\r\n\r\n"), &[400, 501]).await?;
        }
        let value = [other, b"lab", other].concat();
        let fields = [b"User-Agent: ".as_slice(), &value, b"\r\n"].concat();
        let mut connection = app.connect().await?;
        connection.send(raw_request("GET /user-agent", &fields, b"")).await?;
        let answer = connection.response().await?.expect_status_in(&[200, 400])?;
        if answer.status() == 200 {
            answer.expect_body(&value).because("only spaces and tabs around a value are no part of it")?;
        }
        drop(connection);
        let fields = [b"Connection: ".as_slice(), other, b"close\r\n"].concat();
        let mut connection = app.connect().await?;
        connection.send(raw_request("GET /", &fields, b"")).await?;
        if connection.response().await?.expect_status_in(&[200, 400])?.status() == 200 {
            let next = app.get("/").over(&mut connection).await;
            // never fails alone: `root` asks the same; one that closes fails before
            next.because("`close` is the whole word, and not a part of another")?.expect_status(200)?;
        }
    }
    for other in NO_WHITE_SPACE.into_iter().chain(NO_DIGITS) {
        for number in around(b"3", other) {
            let length = [b"Content-Length: ".as_slice(), &number, b"\r\n"].concat();
            refused(&app, &raw_request("POST /echo", &length, b"abc"), &[400]).await?;
            let chunks = [&number, b"\r\nabc\r\n0\r\n\r\n".as_slice()].concat();
            refused(&app, &post(CHUNKED, &chunks), &[400]).await?;
        }
    }
    Ok(())
}

/// Sends a request that cannot be understood, and another behind it.
async fn refused(app: &App, bad: &[u8], statuses: &[u16]) -> CheckResult {
    let mut connection = app.connect().await?;
    connection.send([bad, get("/").as_bytes()].concat()).await?;
    connection.response().await?.expect_status_in(statuses)?;
    connection.expect_closed(CLOSE).await.because("nobody knows where such a request ends")
}

/// Some clients write all names in lower case, and some in upper case (RFC 9110 §5.1).
#[check(title = "every field name is case-insensitive", task = 9, points = 1,
        needs = ["header_names", "gzip", "connection_close", "expect_continue", "chunked_body", "not_modified"],
        hints = ["Do you look up all fields in the same way?",
                 "Store names in lower case when you read them, and look them up in lower case."])]
async fn header_names_everywhere(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (text, file) = (lab.word(), lab.word());
    site.write(&file, &random_bytes(lab, 10))?;
    for spell in [str::to_ascii_uppercase, str::to_ascii_lowercase, mixed] {
        let media_type = format!("application/x-{}", lab.word());
        let counted = format!("{}: {}\r\n", spell("Content-Length"), text.len());
        let typed = format!("{counted}{}: {media_type}\r\n", spell("Content-Type"));
        let chunked = format!("{}: chunked\r\n", spell("Transfer-Encoding"));
        let patient = format!("{counted}{}: 100-continue\r\n", spell("Expect"));
        let mut connection = site.app.connect().await?;
        connection.send(request("POST /echo", &typed, &text)).await?;
        connection.response().await?.expect_status(200)?.expect_media_type(&media_type)?.expect_body(&text)?;
        connection.send(request("POST /echo", &chunked, &one_chunk(&text))).await?;
        connection.response().await?.expect_status(200)?.expect_body(&text)?;
        connection.send(request("POST /echo", &patient, "")).await?;
        // never fails alone: `expect_continue` asks the same of an interim response
        connection.interim().await?.expect_status(100)?;
        connection.send(&text).await?;
        // never fails alone: `expect_continue` asks the same of the final response
        connection.response().await?.expect_status(200)?.expect_body(&text)?;

        let gzip = format!("{}: gzip\r\n", spell("Accept-Encoding"));
        connection.send(request(&format!("GET /echo/{}", text.repeat(100)), &gzip, "")).await?;
        connection.response().await?.expect_status(200)?.expect_header("content-encoding", "gzip")?;
        let known = format!("{}: *\r\n", spell("If-None-Match"));
        connection.send(request(&format!("GET /files/{file}"), &known, "")).await?;
        connection.response().await?.expect_status(304)?;
        connection.send(request("GET /", &format!("{}: close\r\n", spell("Connection")), "")).await?;
        connection.response().await?.expect_status(200)?;
        connection.expect_closed(CLOSE).await?;
    }
    Ok(())
}

/// The name with its letters small and capital in turn.
fn mixed(name: &str) -> String {
    let turned = name.chars().enumerate().map(|(index, c)| match index % 2 {
        0 => c.to_ascii_lowercase(),
        _ => c.to_ascii_uppercase(),
    });
    turned.collect()
}
