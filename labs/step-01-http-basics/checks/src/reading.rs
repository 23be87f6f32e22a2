//! Task 2: reading a request. Pieces, heaps, and the grammar of its head.

use lab_kit::prelude::*;

use crate::support::{get, keeps_connections, request};

/// TCP carries a stream of bytes: a request is complete when its bytes say so, however many reads they take (RFC 9112 §2.2).
#[check(title = "a request may arrive in pieces", task = 2, points = 3, needs = ["echo_text"],
        hints = ["What does one call of `read` promise you?",
                 "Keep what has arrived, and read more until the empty line is there.",
                 "The empty line itself may arrive in pieces: look for it in all you have, not in what came last."])]
async fn split_request(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let request = get(&format!("/echo/{word}"));
    let (first, second) = request.split_at(request.len() - 12);
    let mut connection = app.connect().await?;
    connection.send_in_pieces(1, first).await?;
    // Long enough to show a server that takes a pause for the end.
    connection.expect_silence(Duration::from_millis(150)).await.because("the request is not complete yet")?;
    connection.send_in_pieces(1, second).await?;
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await?.expect_status(200)?.expect_body(&word)
}

/// A field's name is case-insensitive, and the white space around its value is not part of it (RFC 9110 §5.1, §5.5).
#[check(title = "field names in any case and white space around values are understood", task = 2, points = 1, needs = ["user_agent"],
        hints = ["Compare field names case-insensitively.",
                 "Trim spaces and tabs from both ends of a value. There may also be none after the colon."])]
async fn header_names(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for (name, before, after) in [("uSER-aGENT", " ", ""), ("USER-AGENT", "", ""), ("user-agent", " \t ", " \t ")] {
        let word = format!("{} x", lab.word());
        let head = format!("GET /user-agent HTTP/1.1\r\nhOST: lab\r\n{name}:{before}{word}{after}\r\n\r\n");
        let mut connection = app.connect().await?;
        connection.send(head).await?;
        connection.response().await?.expect_status(200)?.expect_body(&word)?;
    }
    Ok(())
}

/// Some clients send an extra empty line after a body, and a server should ignore it (RFC 9112 §2.2).
#[check(title = "an empty line before a request is ignored", task = 2, points = 1, needs = ["echo_text"],
        hints = ["What does your server do with an empty request line?", "Keep reading until a line is not empty."])]
async fn leading_empty_line(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let kept = keeps_connections(&app).await?;
    let echoed = app.post("/echo").body(&word, "text/plain").await?;
    let mut connection = app.connect().await?;
    connection.send(format!("\r\n{}", get(&format!("/echo/{word}")))).await?;
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await?.expect_status(200)?.expect_body(&word)?;
    let why = "an empty line came between the two requests";
    if !kept {
        return Ok(());
    }
    connection.send(format!("\r\n{}", get(&format!("/echo/{word}")))).await?;
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await.because(why)?.expect_status(200).because(why)?.expect_body(&word)?;
    // As those clients send it: behind a body. Whether there are bodies is the business of task 5.
    if echoed.status() != 200 || echoed.body() != word.as_bytes() {
        return Ok(());
    }
    let length = format!("Content-Length: {}\r\n", word.len());
    connection.send(format!("{}\r\n", request("POST /echo", &length, &word))).await?;
    // never fails alone: `echo_body` asks the same of the body
    connection.response().await?.expect_status(200)?.expect_body(&word)?;
    connection.send(get(&format!("/echo/{word}"))).await?;
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await.because(why)?.expect_status(200).because(why)?.expect_body(&word)?;
    Ok(())
}

/// Clients of proxies send the whole URI, and every server has to understand it (RFC 9112 §3.2.2).
#[check(title = "the target may be a whole URI", task = 2, points = 1, needs = ["echo_text"],
        hints = ["`GET http://host/path HTTP/1.1` asks for `/path`.",
                 "Remove everything before the first `/` after `http://`. A URI may also end with its host."])]
async fn absolute_form(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    for (scheme, authority) in [("http", "lab.test"), ("http", "lab.test:8080"), ("HTTP", "lab.test")] {
        let head = format!("GET {scheme}://{authority}/echo/{word}?x=1 HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        let mut connection = app.connect().await?;
        connection.send(head).await?;
        connection.response().await?.expect_status(200)?.expect_body(&word)?;
    }
    Ok(())
}

/// A message that breaks the grammar is answered, not guessed at (RFC 9112 §3, §5).
#[check(title = "a malformed head gets 400", task = 2, points = 1, needs = ["root"],
        hints = ["Of all that can be wrong with a head, what does your server look for?",
                 "Split strictly: three words in the request line, and in a field line a name, a colon and a value."])]
async fn malformed_request(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let words = "How many words does a request line have?";
    let field = "A field line has a name, a colon and a value. What does your server do with a line that lacks one of the first two?";
    let heads = [
        (format!("{word}\r\nHost: lab\r\n\r\n"), words),
        (format!("GET / HTTP/1.1 {word}\r\nHost: lab\r\n\r\n"), words),
        (request("GET /", &format!("{word}\r\n"), ""), field),
        (request("GET /", &format!(": {word}\r\n"), ""), field),
    ];
    for (head, hint) in heads {
        let mut connection = app.connect().await?;
        connection.send(head).await?;
        connection.response().await.hint(hint)?.expect_status(400).hint(hint)?;
    }
    Ok(())
}

/// One address can serve many hosts, so an HTTP/1.1 request has to say which one it means (RFC 9112 §3.2).
#[check(title = "a request without Host gets 400", task = 2, points = 1, needs = ["root"],
        hints = ["Which field must every HTTP/1.1 request have?", "Look for Host once all fields have been read."])]
async fn missing_host(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    app.get("/").without_header("Host").await?.expect_status(400)?;
    if keeps_connections(&app).await? {
        let mut connection = app.connect().await?;
        // never fails alone: `root`, which this needs, asks the same
        app.get("/").over(&mut connection).await?.expect_status(200)?;
        app.get("/").without_header("Host").over(&mut connection).await?.expect_status(400)?;
    }
    let newer = format!("GET / HTTP/1.{}\r\n\r\n", lab.number(2, 9));
    for head in ["GET http://lab.test/ HTTP/1.1\r\n\r\n", &newer] {
        let mut connection = app.connect().await?;
        connection.send(head).await?;
        connection.response().await?.expect_status(400)?;
    }
    Ok(())
}

/// Two Hosts have two meanings: a proxy may believe one and the server the other (RFC 9112 §3.2).
#[check(title = "a request with two Hosts gets 400", task = 2, points = 1, needs = ["root"],
        hints = ["What does your map of fields do with the second field of the same name?",
                 "Count the Hosts. Two equal ones are still two."])]
async fn repeated_host(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for second in ["Host: other", "host: lab"] {
        let mut connection = app.connect().await?;
        connection.send(request("GET /", &format!("{second}\r\n"), "")).await?;
        connection.response().await?.expect_status(400)?;
    }
    Ok(())
}

/// Host decides who gets a request, so it must have only one reading: a name and perhaps a port, and nothing
/// else (RFC 9112 §3.2, RFC 9110 §7.2, RFC 3986 §3.2.2).
#[check(title = "a Host that is not a host name gets 400", task = 2, points = 1, needs = ["root"],
        hints = ["Which characters may a host name contain?",
                 "Refuse a value that contains `/`, `@`, `?`, `#`, `\\\\`, a quote or white space.",
                 "A name, an IPv4 address, or an IPv6 address in brackets; then, perhaps, a colon and a port."])]
async fn host_value(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    for host in [&*word, &word.to_ascii_uppercase(), "lab.test:8080", "127.0.0.1", "127.0.0.1:80", "[::1]:8080"] {
        app.get("/").header("Host", host).await?.expect_status(200)?;
    }
    for tail in ["/", "/x", "?x", "#x", "\\x", "\"", " x", ":80/x", ", http://x"] {
        app.get("/").header("Host", format!("{word}{tail}")).await?.expect_status(400)?;
    }
    for front in ["user@", "user:pass@", "http://", "/"] {
        app.get("/").header("Host", format!("{front}{word}")).await?.expect_status(400)?;
    }
    for inside in ["/", "@", "?", "#", "\\", "\"", " "] {
        app.get("/").header("Host", format!("[::1{inside}]")).await?.expect_status(400)?;
    }
    Ok(())
}

/// A name with a space after it is read by one server and ignored by another, which is how requests are smuggled (RFC
/// 9112 §5.1).
#[check(title = "a space before the colon gets 400", task = 2, points = 1, needs = ["user_agent"],
        hints = ["Which characters may a field's name contain?", "Do not trim a name. Refuse it."])]
async fn space_before_colon(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let requests = [
        request("GET /user-agent", &format!("User-Agent : {word}\r\n"), ""),
        request("GET /user-agent", &format!("User-Agent: {word}\r\nX-Note\t: {word}\r\n"), ""),
    ];
    for request in requests {
        let mut connection = app.connect().await?;
        connection.send(request).await?;
        connection.response().await?.expect_status(400)?;
    }
    Ok(())
}

/// A line that begins with white space used to continue the field before it: refuse it or join it, but never read it as a field (RFC 9112 §5.2).
#[check(title = "a folded field is refused or joined", task = 2, points = 1, needs = ["user_agent"],
        hints = ["What does your parser do with a line that begins with a space?",
                 "The simplest correct answer is 400. The other is to replace the line break with one space."])]
async fn folded_header(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (first, second) = (lab.word(), lab.word());
    let folded = |fields: String| request("GET /user-agent", &fields, "");

    let mut connection = app.connect().await?;
    connection.send(folded(format!("User-Agent: {first}\r\n {second}\r\n"))).await?;
    let answer = connection.response().await?.expect_status_in(&[200, 400])?;
    if answer.status() == 200 {
        let joined = |body: &[u8]| {
            let between = body.strip_prefix(first.as_bytes()).and_then(|rest| rest.strip_suffix(second.as_bytes()));
            between.is_some_and(|between| !between.is_empty() && between.iter().all(|&byte| byte == b' '))
        };
        answer.expect_body_where("both lines, joined by spaces", joined)?;
    }
    drop(connection);

    // Behind the request line there is no value to join it to: then it may be passed over.
    let first_line = format!("GET /user-agent HTTP/1.1\r\n User-Agent: {second}\r\nHost: lab\r\n\r\n");
    let no_field = |body: &[u8]| !String::from_utf8_lossy(body).contains(&second);
    let behind_a_field = [" ", "\t"].map(|s| folded(format!("X-Note: {first}\r\n{s}User-Agent: {second}\r\n")));
    for head in behind_a_field.into_iter().chain([first_line]) {
        let mut connection = app.connect().await?;
        connection.send(head).await?;
        let answer = connection.response().await?;
        // A refusal may quote the line that it refuses.
        if answer.status() == 200 {
            answer.expect_body_where("free of the folded line, which is not a field of its own", no_field)?;
        }
    }
    Ok(())
}
