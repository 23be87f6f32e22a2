//! Task 9: requests that are too long or too large.

use lab_kit::prelude::*;

use crate::chunked::CHUNKED;
use crate::clients::NOTICE;
use crate::support::{CLOSE, Site, expect_well_formed, get, random_bytes, read_file, request};

/// Far beyond every limit of the README, and little enough to be sent in a moment.
const FLOOD: usize = 1024 * 1024;
/// What a body may have.
const FAIR: usize = 1024 * 1024;
/// Four times what a body may have.
const LARGE: usize = 4 * 1024 * 1024;

/// The server answers as ever.
pub async fn expect_alive(lab: &Lab, app: &App) -> CheckResult {
    let word = lab.word();
    let answer = app.get(format!("/echo/{word}")).await.because("the server must keep serving everybody else")?;
    // never fails alone: `echo_text` asks the same of a text, and a server that serves no more says no 200
    answer.expect_status(200)?.expect_body(&word)?;
    Ok(())
}

/// A line without an end would fill up memory (RFC 9112 §3, RFC 9110 §15.5.15).
#[check(title = "414 for a request line without an end", task = 9, points = 1, needs = ["echo_text"],
        hints = ["How much do you read before you look for the end of the line?",
                 "Stop at a limit, send 414, then close. The client may still be sending."])]
async fn long_request_line(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // With method and version some 3,900 bytes: the README takes 4,000.
    let text = lab.word().repeat(300)[..3_870].to_owned();
    app.get(format!("/echo/{text}")).await?.expect_status(200)?.expect_body(&text)?;
    let mut connection = app.connect().await?;
    connection.send(format!("GET /echo/{}", "a".repeat(FLOOD))).await?;
    let answer = connection.response().await?.expect_status(414)?;
    expect_well_formed(&answer)?;
    expect_alive(lab, &app).await
}

/// Fields without an end would fill up memory, too. Before there was a 431, servers sent 400 or 413 (RFC 6585 §5, RFC 9110
/// §5.4).
#[check(title = "431 for header fields without an end", task = 9, points = 1, needs = ["echo_text"],
        hints = ["The request line has a limit. What about the lines after it?",
                 "Count the bytes of all fields together, including one that never ends, and send 431."])]
async fn long_headers(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    // With Host 49 fields of some 3,900 bytes: the README takes 50 of 4,000.
    let fields = format!("X-Note: {}\r\n", "a".repeat(70)).repeat(48);
    let mut modest = app.connect().await?;
    modest.send(request(&format!("GET /echo/{word}"), &fields, "")).await?;
    // never fails alone: `echo_text` asks the same of a text
    modest.response().await?.expect_status(200)?.expect_body(&word)?;
    let one = format!("X-Note: {}", "a".repeat(FLOOD));
    let many = "X-Note: something of thirty-two b\r\n".repeat(FLOOD / 32);
    for fields in [one, many] {
        let mut connection = app.connect().await?;
        connection.send(format!("GET / HTTP/1.1\r\nHost: lab\r\n{fields}")).await?;
        let answer = connection.response().await?.expect_status_in(&[431, 400, 413])?;
        expect_well_formed(&answer)?;
    }
    expect_alive(lab, &app).await
}

/// A body is not accepted just because it was sent (RFC 9110 §15.5.14).
#[check(title = "413 for a body that is too large", task = 9, points = 1, needs = ["large_body"],
        hints = ["Content-Length says in advance how large the body will be.",
                 "Refuse it before you allocate memory for it: announcing 1 TiB costs the client nothing.",
                 "After 413, close or skip the body: it is never the next request.",
                 "If you close while there are unread bytes, the system may discard your response. Close the sending side first and keep reading for a moment."])]
async fn body_too_large(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for length in [LARGE as u64, 1 << 40] {
        let head = request("POST /echo", &format!("Content-Length: {length}\r\n"), "");
        refused(lab, &app, head, |body| body, &[413]).await?;
    }
    expect_alive(lab, &app).await
}

/// Chunks announce no total, so they have to be counted as they arrive (RFC 9112 §7.1, RFC 9110 §15.5.14).
#[check(title = "413 for chunks without an end", task = 9, points = 1, needs = ["chunked_body", "large_body"],
        hints = ["Does the limit apply to chunked bodies, too?", "Add what you have to what the next chunk announces, and compare that with the limit.",
                 "1 MiB of chunks is a body like any other, and 4 MiB of them are never the next request."])]
async fn chunked_too_large(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let head = || request("POST /echo", "Transfer-Encoding: chunked\r\n", "");
    let fair: String = random_bytes(lab, FAIR).into_iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let mut connection = app.connect().await?;
    connection.send(head() + &chunks(&fair) + "0\r\n\r\n").await?;
    connection.response().await?.expect_status(200).because("a body of 1 MiB is not too large")?.expect_body(&fair)?;
    refused(lab, &app, head(), |body| chunks(&body), &[413]).await?;
    expect_alive(lab, &app).await
}

/// A text in chunks of 32 KiB, without the last chunk.
fn chunks(text: &str) -> String {
    let pieces = text.as_bytes().chunks(32 * 1024).map(String::from_utf8_lossy);
    pieces.map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect()
}

/// A limit that applies to one path only is no limit (RFC 9110 §15.5.14).
#[check(title = "the limits apply to uploads and unwanted bodies, too", task = 9, points = 1,
        needs = ["body_too_large", "file_upload_chunked"],
        hints = ["Where is the limit checked: in `POST /echo`, or wherever bodies are read?",
                 "A file may have 1 MiB like an echo, and 4 MiB are refused there, too.",
                 "An upload that is refused leaves the folder unchanged."])]
async fn upload_too_large(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, kept) = (lab.word(), lab.word());
    let fair: String = random_bytes(lab, FAIR).into_iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let put = |name: &str, fields: &str| request(&format!("PUT /files/{name}"), fields, "");
    let counted = |length: usize| format!("Content-Length: {length}\r\n");
    for (fields, body) in [(counted(FAIR), fair.clone()), (CHUNKED.to_owned(), chunks(&fair) + "0\r\n\r\n")] {
        let name = lab.word();
        let mut connection = site.app.connect().await?;
        connection.send(put(&name, &fields) + &body).await?;
        connection.response().await?.expect_status(201).because("1 MiB is no body that is too large")?;
        site.expect_file(&name, fair.as_bytes())?;
    }
    site.write(&kept, name.as_bytes())?;
    for target in [&name, &kept] {
        refused(lab, &site.app, put(target, &counted(LARGE)), |body| body, &[413]).await?;
        refused(lab, &site.app, put(target, CHUNKED), |body| chunks(&body), &[413]).await?;
    }
    expect_that(read_file(&site.files.join(&name))?.is_none(), "an upload that was refused with 413 created a file")?;
    site.expect_file(&kept, name.as_bytes()).because("an upload that was refused leaves the file unchanged")?;
    half_uploads(lab, &site).await?;
    // What nobody wants need not be read so far: the usual answer, or a refusal.
    let unwanted = |fields: &str| request(&format!("POST /{name}"), fields, "");
    refused(lab, &site.app, unwanted(&counted(LARGE)), |body| body, &[404, 400, 413]).await?;
    refused(lab, &site.app, unwanted(CHUNKED), |body| chunks(&body), &[404, 400, 413]).await?;
    // never fails alone: `body_too_large` asks the same
    expect_alive(lab, &site.app).await
}

/// Half a body is no file, and no new content of one either, whether its client went away or broke the chunks.
async fn half_uploads(lab: &Lab, site: &Site) -> CheckResult {
    let (new, kept, content, half) = (lab.word(), lab.word(), lab.word(), lab.word());
    site.write(&kept, content.as_bytes())?;
    let chunk = format!("{:x}\r\n{half}\r\n", half.len());
    let halves = [
        ("Content-Length: 1000\r\n", half.clone(), "the client closed in the middle of the body"),
        (CHUNKED, chunk.clone(), "the client closed in the middle of the chunks"),
        (CHUNKED, format!("{chunk}zz\r\n"), "the size of a chunk was no number"),
    ];
    for (fields, body, why) in halves {
        for name in [&new, &kept] {
            let mut connection = site.app.connect().await?;
            connection.send(request(&format!("PUT /files/{name}"), fields, &body)).await?;
            // From here on the server knows that nothing more comes; when it does something about it, nobody can see.
            connection.finish_writing().await?;
            let _ = connection.read_until_closed(NOTICE).await;
            let created = read_file(&site.files.join(&new))?.is_some();
            expect_that(!created, "an upload that broke off created a file").because(why)?;
            site.expect_file(&kept, content.as_bytes()).because(why)?;
        }
    }
    Ok(())
}

/// Sends a body of [`LARGE`] bytes with requests in it, and expects one of `statuses` and no answer to any of those.
async fn refused(
    lab: &Lab,
    app: &App,
    head: String,
    coded: impl Fn(String) -> String,
    statuses: &[u16],
) -> CheckResult {
    let (smuggled, last) = (lab.word(), lab.word());
    // One in every 32 KiB, where a chunk begins. Not more: an answer to each would fill the connection.
    let body = format!("{:a<1$}", get(&format!("/echo/{smuggled}")), 32 * 1024).repeat(LARGE / (32 * 1024));
    let mut connection = app.connect().await?;
    connection.send(head + &coded(body)).await?;
    let answer = connection.response().await?.expect_status_in(statuses)?;
    expect_well_formed(&answer)?;
    // Whoever reads on to the end of the body answers this one; whoever closes does not.
    let _ = connection.send(request(&format!("GET /echo/{last}"), "Connection: close\r\n", "")).await;
    let rest = connection.read_until_closed(CLOSE).await;
    if rest.is_ok_and(|rest| String::from_utf8_lossy(&rest).contains(&smuggled)) {
        return Err(connection.failure("the body that was refused was answered as if it were requests"));
    }
    Ok(())
}
