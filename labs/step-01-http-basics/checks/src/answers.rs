//! Answers: paths, status codes, bodies of the right length (task 1), and heads of every kind (task 7).

use chrono::{NaiveDateTime, TimeDelta, Utc};
use lab_kit::prelude::*;

use crate::support::{Site, expect_well_formed, get, request};

/// A client asks a server for its root before anything else (RFC 9110 §9.3.1).
#[check(title = "GET / returns 200", task = 1, points = 1,
        hints = ["What tells a client where the head of your response ends, and where its body?",
                 "Answer `GET /` with a status line, header fields, an empty line and any body."])]
async fn root(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // never fails alone: it is what a server has to answer before a check begins
    app.get("/").await?.expect_status(200)
}

/// Clients find the end of a line by its CRLF and the status by its spaces, and few of them guess (RFC 9112 §2.1, §4).
#[check(title = "the lines of a response's head are well formed", task = 1, points = 1, needs = ["root"],
        hints = ["Which two bytes end a line of a head?",
                 "A carriage return and a line feed, `\\r\\n`, after every line and once more after the last.",
                 "The status line has one space before the code and one after it, even if no phrase follows."])]
async fn answer_lines(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    for path in ["/".to_owned(), format!("/{word}"), format!("/echo/{word}"), "/user-agent".to_owned()] {
        let answer = app.get(path).await?;
        expect_well_formed(&answer)?;
        expect_present(&answer)?;
    }
    expect_well_formed(&app.request(&word.to_ascii_uppercase(), "/").await?)
}

/// Fails if there is a `Date`, and it is not the present as HTTP writes it (RFC 9110 §5.6.7, §6.6.1). Caches compute with
/// it.
fn expect_present(answer: &Response) -> CheckResult {
    const FORM: &str = "%a, %d %b %Y %H:%M:%S GMT";
    let Some(date) = answer.header("date") else { return Ok(()) };
    let now = Utc::now();
    let said = NaiveDateTime::parse_from_str(date, FORM).ok().filter(|said| said.format(FORM).to_string() == date);
    if said.is_some_and(|said| (now.naive_utc() - said).abs() <= TimeDelta::minutes(1)) {
        return Ok(());
    }
    Err(answer.failure("`Date` is not the present").expected(now.format(FORM).to_string()).actual(date))
}

/// Whatever does not exist is not found (RFC 9110 §15.5.5).
#[check(title = "an unknown path gets 404", task = 1, points = 1, needs = ["root"],
        hints = ["What does the server answer when no route matches?",
                 "A path must match as a whole: `/echoes/abc` is not `/echo/abc`."])]
async fn unknown_path(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    for path in
        [format!("/{word}"), format!("/{word}/{word}"), format!("/echoes/{word}"), format!("/user-agent-{word}")]
    {
        app.get(path).await?.expect_status(404)?;
    }
    Ok(())
}

/// A path can carry data, and a media type says what kind of bytes a response holds (RFC 9110 §8.3).
#[check(title = "GET /echo/{text} returns the text", task = 1, points = 1, needs = ["root"],
        hints = ["The text is the part of the path after `/echo/`.",
                 "The response has `Content-Type: text/plain`, and its body is the text alone: no line break, no quotes."])]
async fn echo_text(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for text in [lab.word(), lab.word()] {
        app.get(format!("/echo/{text}"))
            .await?
            .expect_status(200)?
            .expect_media_type("text/plain")
            .hint("Which field says what kind of bytes your response holds?")?
            .expect_body(&text)?;
    }
    Ok(())
}

/// Characters that a path cannot contain are percent-encoded. Decoding them once gives them back (RFC 3986 §2.1, §2.4).
#[check(title = "escapes in a path are decoded", task = 1, points = 1, needs = ["echo_text"],
        hints = ["Which bytes of the path stand for themselves, and which for another?",
                 "A `+` is a `+`; it means a space only in forms. And never decode anything twice."])]
async fn echo_decoded(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let twenty = "`%20` is one byte, written as two hexadecimal digits in either case.";
    let reserved =
        "What is the difference between a `/` or `?` of the path itself and one that was written as an escape?";
    let plus = "What does your decoder do with a `+`, and who told it to?";
    let once = "Which three bytes does `%2520` stand for, and how often does your server decode them?";
    let cases = [
        ("%20x", " x", twenty),
        ("%7e%7E", "~~", twenty),
        ("%2Fa%2fb", "/a/b", reserved),
        ("+1", "+1", plus),
        ("%2520", "%20", once),
        ("%3Fa%23b", "?a#b", reserved),
    ];
    for (encoded, decoded, hint) in cases {
        let word = lab.word();
        let answer = app.get(format!("/echo/{word}{encoded}")).await?;
        answer.expect_status(200).hint(hint)?.expect_body(format!("{word}{decoded}")).hint(hint)?;
    }
    Ok(())
}

/// A `%` without two hexadecimal digits means nothing, and a server must not guess (RFC 3986 §2.1).
#[check(title = "a broken escape gets 400", task = 1, points = 1, needs = ["echo_decoded"],
        hints = ["What does your decoder do when the two digits are missing, or are not digits?",
                 "Beware of number parsers that accept a sign: `%+1` is not an escape."])]
async fn bad_escape(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for broken in ["%", "%4", "%zz", "%4g", "%+1"] {
        app.get(format!("/echo/{}{broken}", lab.word())).await?.expect_status(400)?;
    }
    Ok(())
}

/// A length counts bytes, not characters, and the next response begins right after it (RFC 9110 §8.6).
#[check(title = "the length of a response is counted in bytes", task = 1, points = 1, needs = ["echo_decoded"],
        hints = ["How long is `é` in UTF-8?",
                 "Collect the decoded bytes first, then read them as UTF-8: `%C3%A9` is one letter.",
                 "`str::len` counts bytes, `chars().count()` does not."])]
async fn content_length_bytes(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let text = format!("{}äöü漢字😀é", lab.word());
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut connection = app.connect().await?;
    connection.send(get(&format!("/echo/{encoded}"))).await?;
    let answer =
        connection.response().await.hint("Your server keeps the connection open. Where does its response end?")?;
    answer.expect_status(200)?.expect_body(&text)?;
    connection.expect_nothing_more().await
}

/// Header fields tell the server about the client (RFC 9110 §10.1.5).
#[check(title = "GET /user-agent returns the User-Agent", task = 1, points = 1, needs = ["root"],
        hints = ["The header fields are the lines between the request line and the empty line.",
                 "A field's name ends at the first colon; its value may contain more of them."])]
async fn user_agent(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let name = format!("{}/1.0 (a: b; c)", lab.word());
    app.get("/user-agent")
        .header("User-Agent", &name)
        .await?
        .expect_status(200)?
        .expect_media_type("text/plain")?
        .expect_body(&name)
}

/// A query is passed to a resource and is not part of its path (RFC 3986 §3.4).
#[check(title = "a query does not change which resource is requested", task = 1, points = 1, needs = ["echo_text", "user_agent"],
        hints = ["Which part of `/echo/abc?x=1` is the path?", "Cut the target at the first `?` before you compare it."])]
async fn query_ignored(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (word, query) = (lab.word(), lab.word());
    app.get(format!("/?{query}")).await?.expect_status(200)?;
    app.get(format!("/echo/{word}?{query}=/echo/x?y")).await?.expect_status(200)?.expect_body(&word)?;
    // never fails alone: `user_agent` asks the same of the body
    app.get(format!("/user-agent?{query}")).header("User-Agent", &word).await?.expect_status(200)?.expect_body(&word)
}

/// Errors, changes and interim responses are often written by other code than the rest (RFC 9112 §2.1, §4).
#[check(title = "the heads of all other responses are well formed, too", task = 7, points = 1,
        needs = ["answer_lines", "expect_continue", "no_content", "not_modified"],
        hints = ["Does every response go out through the same code?",
                 "Look at `100 Continue`, 201, 204, 304 and the errors: each line ends in `\\r\\n`, and so does the empty line."])]
async fn answer_lines_everywhere(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (app, path, content) = (&site.app, format!("/files/{}", lab.word()), lab.word());
    let put = || app.put(&path).raw_body(&content);
    for request in [
        put(),
        put(),
        app.get(&path),
        app.get(&path).header("If-None-Match", "*"),
        put().header("If-None-Match", "*"),
        app.head(&path),
        app.delete(&path),
        app.delete(&path),
        app.get("/files/..%2Fx"),
        app.get("/echo"),
        app.get("/echo/%zz"),
        app.get("/").without_header("Host"),
        app.get("/").header("Host", "lab/x"),
    ] {
        expect_well_formed(&request.await?)?;
    }
    let mut connection = app.connect().await?;
    let patient = format!("Expect: 100-continue\r\nContent-Length: {}\r\n", content.len());
    connection.send(request("POST /echo", &patient, "")).await?;
    expect_well_formed(&connection.interim().await?)?;
    connection.send(&content).await?;
    expect_well_formed(&connection.response().await?)?;
    drop(connection);
    let mut connection = app.connect().await?;
    connection.send(request("POST /echo", "Content-Length: none\r\n", "")).await?;
    expect_well_formed(&connection.response().await?)
}
