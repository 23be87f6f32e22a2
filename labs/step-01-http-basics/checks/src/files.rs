//! Task 7: files in a folder, read, written, removed, and not sent twice.

use lab_kit::prelude::*;

use crate::support::{Site, expect_refusal, make_folder, random_bytes, read_file, request};

/// A resource can be a file, and a file is bytes (RFC 9110 §9.3.1).
#[check(title = "GET /files/{name} returns a file's content", task = 7, points = 1, needs = ["root"],
        hints = ["The folder is named by the variable FILES_DIR.", "Read bytes, not text. A file may also be empty."])]
async fn file_read(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    for size in [70_000, 0] {
        let (name, content) = (format!("{}.bin", lab.word()), random_bytes(lab, size));
        site.write(&name, &content)?;
        site.app.get(format!("/files/{name}")).await?.expect_status(200)?.expect_body(&content)?;
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
    for method in ["GET", "DELETE"] {
        site.app.request(method, format!("/files/{}.txt", lab.word())).await?.expect_status(404)?;
    }
    let (folder, content) = (lab.word(), lab.word());
    make_folder(&site.files.join(&folder))?;
    site.write(&format!("{folder}/inside"), content.as_bytes())?;
    let path = format!("/files/{folder}");
    for request in [site.app.get(&path), site.app.put(&path).raw_body(lab.word()), site.app.delete(&path)] {
        // To redirect to the folder's own address is usual, too.
        expect_refusal(request.await?, &[403, 404]).because("it is the name of a folder")?;
        site.expect_file(&format!("{folder}/inside"), content.as_bytes())?;
    }
    without_a_folder(lab).await
}

/// A server that was named no folder has no files: not those of the folder it happens to run in either.
async fn without_a_folder(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let path = format!("/files/{}.txt", lab.word());
    let why = "FILES_DIR is not set";
    app.get(&path).await?.expect_status(404).because(why)?;
    let answer = app.put(&path).raw_body(lab.word()).await?;
    if answer.status() != 404 {
        // Wherever it lies, it is nobody's.
        app.delete(&path).await?;
    }
    answer.expect_status(404).because(why)?;
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
    lab.eventually("a deleted file is gone", Duration::from_secs(5), || async {
        site.app.get(format!("/files/{name}")).await?.expect_status_in(&[404, 410])
    })
    .await?;
    expect_that(read_file(&site.files.join(&name))?.is_none(), "the file is still in the folder after DELETE")?;
    site.expect_file(&other, b"here to stay")
}

/// A 204 response ends with its head, whatever was done; a body after it would be taken for the next response (RFC 9110 §15.3.5).
#[check(title = "a 204 response is followed by the next one", task = 7, points = 1, needs = ["file_deleted", "file_replaced"],
        hints = ["Which responses never have a body, whatever you would like to say in it?",
                 "With 204, send neither a body nor a Content-Length."])]
async fn no_content(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, word) = (lab.word(), lab.word());
    site.write(&name, b"short-lived")?;
    let path = format!("/files/{name}");
    let mut connection = site.app.connect().await?;
    for request in [site.app.put(&path).raw_body(&word), site.app.delete(&path)] {
        // never fails alone: `file_replaced` and `file_deleted` ask the same
        let answer = request.over(&mut connection).await?.expect_status_in(&[200, 202, 204])?;
        if answer.status() == 204 && answer.header("content-length").is_some_and(|length| length != "0") {
            answer.expect_no_header("content-length")?;
        }
        let next = site.app.get(format!("/echo/{word}")).over(&mut connection).await?;
        // never fails alone: `echo_text` asks the same; what is behind a 204 fails before
        next.expect_status(200)?.expect_body(&word)?;
    }
    Ok(())
}

/// A file's name is what the path says once it is decoded (RFC 3986 §2.1).
#[check(title = "file names are decoded", task = 7, points = 1, needs = ["file_created", "file_deleted", "head"],
        hints = ["What is the name of the file at `/files/a%20b`?", "Decode it once, just like the text of /echo."])]
async fn file_names(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    for (encoded, decoded) in [("%20x.txt", " x.txt"), ("%e6%BC%A2", "漢"), ("%2541", "%41"), ("+1", "+1")] {
        let (word, content) = (lab.word(), lab.word());
        site.app.put(format!("/files/{word}{encoded}")).raw_body(&content).await?.expect_status(201)?;
        site.expect_file(&format!("{word}{decoded}"), content.as_bytes())?;
        let path = format!("/files/{word}{encoded}");
        // never fails alone: `file_created` asks the same of the content
        site.app.get(&path).await?.expect_status(200)?.expect_body(&content)?;
        site.app.head(&path).await?.expect_status(200)?;
        site.app.delete(&path).await?.expect_status_in(&[200, 202, 204])?;
        // 202 promises that it will be done, not that it is.
        lab.eventually("a deleted file is gone", Duration::from_secs(5), || async {
            let gone = read_file(&site.files.join(format!("{word}{decoded}")))?.is_none();
            expect_that(gone, format!("`{word}{decoded}` is still in the folder after DELETE {path}"))
        })
        .await?;
    }
    Ok(())
}
