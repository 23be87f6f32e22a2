//! Task 7: files in a folder, read, written, removed, and not sent twice.

use lab_kit::prelude::*;

use crate::support::{Site, make_folder, random_bytes, read_file, request};

/// A resource can be a file, and a file is bytes (RFC 9110 §9.3.1).
#[check(title = "GET /files/{name} returns a file's content", task = 7, points = 1, needs = ["root"],
        hints = ["The folder is named by the variable FILES_DIR.", "Read bytes, not text. A file may also be empty."])]
async fn file_read(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    for size in [70_000, 0] {
        let (name, content) = (format!("{}.bin", lab.word()), random_bytes(lab, size));
        site.write(&name, &content)?;
        site.app.get(format!("/files/{name}")).await?.expect_status(200)?.expect_body(&content)?;
        let mut connection = site.app.connect().await?;
        let head = site.app.head(format!("/files/{name}")).over(&mut connection).await?.expect_status(200)?;
        if head.header("content-length").is_some() {
            head.expect_header("content-length", &size.to_string())?;
        }
        connection.expect_nothing_more().await.because("the response to HEAD ends with its head")?;
    }
    Ok(())
}

/// Whatever does not exist is not found, and a folder is not a file (RFC 9110 §15.5.5).
#[check(title = "a file that does not exist gets 404", task = 7, points = 1, needs = ["file_read"],
        hints = ["Which error do you get when you open a missing file?",
                 "Opening a folder may succeed and reading from it then fail: check first whether it is a file.",
                 "Folders are not written to or removed either, and such a request is the client's mistake, not the server's."])]
async fn file_missing(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    for method in ["GET", "HEAD", "DELETE"] {
        site.app.request(method, format!("/files/{}.txt", lab.word())).await?.expect_status(404)?;
    }
    let (folder, content) = (lab.word(), lab.word());
    make_folder(&site.files.join(&folder))?;
    site.write(&format!("{folder}/inside"), content.as_bytes())?;
    let path = format!("/files/{folder}");
    site.app.get(&path).await?.expect_status_in(&[403, 404])?;
    let refusals: Vec<u16> = (400..500).collect();
    for request in [site.app.put(&path).raw_body(lab.word()), site.app.delete(&path)] {
        let answer = request.await?;
        if !refusals.contains(&answer.status()) {
            answer.expect_status_in(&[403, 404]).because("it is the name of a folder")?;
        }
        site.expect_file(&format!("{folder}/inside"), content.as_bytes())?;
    }
    Ok(())
}

/// PUT creates the resource it names from the bytes it carries (RFC 9110 §9.3.4).
#[check(title = "PUT /files/{name} creates a file", task = 7, points = 1, needs = ["root"],
        hints = ["The body becomes the file. If the file did not exist before, the response is 201.",
                 "Respond once the file has been written, not before."])]
async fn file_created(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let name = format!("{}.bin", lab.word());
    let content = [format!("{}\r\n\r\n", lab.word()).as_bytes(), &random_bytes(lab, 200_000)].concat();
    site.app.put(format!("/files/{name}")).raw_body(&content).await?.expect_status(201)?;
    site.expect_file(&name, &content)?;
    site.app.get(format!("/files/{name}")).await?.expect_status(200)?.expect_body(&content)
}

/// PUT to an existing resource replaces all of it, and does not claim to have created it (RFC 9110 §9.3.4).
#[check(title = "PUT replaces a file", task = 7, points = 1, needs = ["file_created"],
        hints = ["How does a client learn whether the file existed before?",
                 "The new content may be shorter than the old: nothing of the old may be left after it.",
                 "201 is for a file that is new. Otherwise 204, or 200."])]
async fn file_replaced(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, content) = (lab.word(), random_bytes(lab, 100));
    site.write(&name, &random_bytes(lab, 4_000))?;
    site.app.put(format!("/files/{name}")).raw_body(&content).await?.expect_status_in(&[200, 204])?;
    site.expect_file(&name, &content)?;
    site.app.put(format!("/files/{name}")).raw_body("").await?.expect_status_in(&[200, 204])?;
    site.expect_file(&name, b"")
}

/// How a body was transferred makes no difference to the file (RFC 9112 §7.1).
#[check(title = "PUT accepts a chunked body", task = 7, points = 1, needs = ["file_created", "chunked_body"],
        hints = ["Where is the body read: in the route, or in code that all routes share?"])]
async fn file_upload_chunked(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, content) = (lab.word(), format!("{}\r\n{}", lab.word(), lab.word()));
    let (first, second) = content.split_at(7);
    let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
    let mut connection = site.app.connect().await?;
    connection.send(request(&format!("PUT /files/{name}"), "Transfer-Encoding: chunked\r\n", &chunks)).await?;
    connection.response().await?.expect_status(201)?;
    site.expect_file(&name, content.as_bytes())
}

/// After a DELETE the resource is gone (RFC 9110 §9.3.5).
#[check(title = "DELETE removes a file", task = 7, points = 1, needs = ["file_read"],
        hints = ["The usual response is 204. 200 and 202 are accepted, too.", "Afterwards the file is gone from the folder, and GET returns 404."])]
async fn file_deleted(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, other) = (lab.word(), lab.word());
    site.write(&name, b"short-lived")?;
    site.write(&other, b"here to stay")?;
    site.app.delete(format!("/files/{name}")).await?.expect_status_in(&[200, 202, 204])?;
    // 202 promises that it will be done, not that it is.
    lab.eventually("GET after DELETE", Duration::from_secs(5), || async {
        site.app.get(format!("/files/{name}")).await?.expect_status_in(&[404, 410])
    })
    .await?;
    expect_that(read_file(&site.files.join(&name))?.is_none(), "the file is still in the folder after DELETE")?;
    site.expect_file(&other, b"here to stay")
}

/// A 204 response ends with its head; a body after it would be taken for the next response (RFC 9110 §15.3.5).
#[check(title = "the response to DELETE is followed by the next one", task = 7, points = 1, needs = ["file_deleted", "echo_text"],
        hints = ["Which responses never have a body, whatever you would like to say in it?",
                 "With 204, send neither a body nor a Content-Length."])]
async fn no_content(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, word) = (lab.word(), lab.word());
    site.write(&name, b"short-lived")?;
    let mut connection = site.app.connect().await?;
    let answer = site.app.delete(format!("/files/{name}")).over(&mut connection).await?;
    let answer = answer.expect_status_in(&[200, 202, 204])?;
    if answer.status() == 204 && answer.header("content-length").is_some_and(|length| length != "0") {
        answer.expect_no_header("content-length")?;
    }
    site.app.get(format!("/echo/{word}")).over(&mut connection).await?.expect_status(200)?.expect_body(&word)
}

/// A file's name is what the path says once it is decoded (RFC 3986 §2.1).
#[check(title = "file names are decoded", task = 7, points = 1, needs = ["file_created"],
        hints = ["What is the name of the file at `/files/a%20b`?", "Decode it once, just like the text of /echo."])]
async fn file_names(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    for (encoded, decoded) in [("%20x.txt", " x.txt"), ("%e6%BC%A2", "漢"), ("%2541", "%41"), ("+1", "+1")] {
        let (word, content) = (lab.word(), lab.word());
        site.app.put(format!("/files/{word}{encoded}")).raw_body(&content).await?.expect_status(201)?;
        site.expect_file(&format!("{word}{decoded}"), content.as_bytes())?;
        site.app.get(format!("/files/{word}{encoded}")).await?.expect_status(200)?.expect_body(&content)?;
    }
    Ok(())
}

/// A file need not be sent again to a client that already has it (RFC 9110 §13.1.2, §15.4.5).
#[check(title = "If-None-Match with the file's ETag gets 304", task = 7, points = 2, needs = ["file_read"],
        hints = ["An ETag names one version of a file's content, in double quotes. The length and the time of the last change may be enough.",
                 "If-None-Match is a list of such tags, or `*`. If it includes the file's tag, send 304, with the ETag again.",
                 "A 304 response has no body."])]
async fn not_modified(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, content) = (lab.word(), random_bytes(lab, 300));
    site.write(&name, &content)?;
    let path = format!("/files/{name}");
    let answer = site.app.get(&path).await?.expect_status(200)?.expect_header_where("etag", ETAG, is_etag)?;
    let tag = opaque(answer.header("etag").unwrap_or_default()).to_owned();
    let other = lab.word();
    let mut connection = site.app.connect().await?;
    for known in [tag.clone(), format!("W/{tag}"), format!("\"{other}\", {tag}"), "*".to_owned()] {
        let answer = site.app.get(&path).header("If-None-Match", known).over(&mut connection).await?;
        answer
            .expect_status(304)?
            .expect_header_where("etag", "is the tag of the file", |found| opaque(found) == tag)?;
    }
    // The second has the file's tag in it, and is another tag all the same.
    for unknown in [format!("\"{other}\""), format!("\"{}{other}\"", tag.trim_matches('"'))] {
        let answer = site.app.get(&path).header("If-None-Match", unknown).over(&mut connection).await?;
        answer.expect_status(200)?.expect_body(&content)?;
    }
    Ok(())
}

/// Different content has a different tag: an old tag must not hide the new content (RFC 9110 §8.8.3).
#[check(title = "a new content has a new ETag", task = 7, points = 1, needs = ["not_modified", "file_replaced"],
        hints = ["What is the tag made of, and does it change with the content?"])]
async fn etag_changes(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let path = format!("/files/{}", lab.word());
    site.app.put(&path).raw_body(lab.word()).await?.expect_status(201)?;
    let mut tag = site.app.get(&path).await?.expect_status(200)?.header("etag").unwrap_or_default().to_owned();
    let longer = format!("{} {}", lab.word(), lab.word());
    let as_long = format!("{} {}", lab.word(), lab.word());
    for (content, after) in [(longer, "the new content is longer"), (as_long, "the new content is as long as the old")]
    {
        site.app.put(&path).raw_body(&content).await?.expect_status_in(&[200, 204])?;
        // A file system's clock may not tell two quick writes apart. Where it may not be set, length has to do.
        let clock_set = site.made_later(&path["/files/".len()..]);
        if after.contains("as long") && !clock_set {
            return Ok(());
        }
        let answer = site.app.get(&path).header("If-None-Match", &tag).await?.expect_status(200).because(after)?;
        let answer = answer.expect_body(&content)?;
        answer
            .clone()
            .expect_header_where("etag", "is another than before", |found| opaque(found) != opaque(&tag))
            .because(after)?;
        tag = answer.header("etag").unwrap_or_default().to_owned();
    }
    Ok(())
}

const ETAG: &str = "is text in double quotes, such as \"abc\" or W/\"abc\"";

/// Whether it is an entity tag (RFC 9110 §8.8.3).
fn is_etag(value: &str) -> bool {
    let inner = opaque(value).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.contains(['"', ' ']))
}

/// The tag without its mark of weakness, which does not count here.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
