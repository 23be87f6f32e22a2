//! Task 1: an upload from its beginning to its end.

use chrono::{DateTime, Utc};
use lab_kit::prelude::*;

use crate::support::{Document, Site};

/// The server says yes, the store takes the bytes, and the server looks at what came (Amazon S3 User Guide, Uploading
/// objects with presigned URLs).
#[check(title = "a file is announced, sent to the store, completed and downloaded", task = 1, points = 2, needs = ["orders"],
        hints = ["The signature covers the host: which of the two endpoints does the client send its request to?",
                 "Path style: the bucket is the first segment of the path.",
                 "`headers` is what the client has to send, as it was signed."])]
async fn upload(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let app = site.web().start().await?;
    for document in [Document::png(lab, 20_000), Document::jpeg(lab, 9), Document::text(lab)] {
        let asked = Utc::now();
        let begun = site.post(&app, "/uploads").json(&document.description()).await?.expect_status(201)?;
        let expires: String = begun.at("/expires_at")?;
        let expires =
            DateTime::parse_from_rfc3339(&expires).map_err(|_| begun.failure("`expires_at` is no RFC 3339"))?;
        let minutes = (expires.to_utc() - asked).num_seconds();
        if !(590..=630).contains(&minutes) {
            return Err(begun
                .failure("`expires_at` is wrong")
                .expected("in 600 seconds")
                .actual(format!("in {minutes}")));
        }
        let upload = site.upload(&begun).await?;
        site.expect_state(&app, &upload, "pending").await?;
        site.complete(&app, &upload).await?.expect_status(409).because("nothing was sent yet")?;
        site.expect_state(&app, &upload, "pending").await?;
        site.put(&upload.puts[0], &document.bytes).await?;
        let file = site.completed(&app, &upload).await?;
        expect_equal("the file when it is completed again", &site.completed(&app, &upload).await?, &file)?;
        site.expect_state(&app, &upload, "complete").await?.expect_json(json!({ "file": file }))?;
        site.download(&app, &file).await?.expect_body(&document.bytes)?.expect_media_type(document.kind)?;
    }
    let objects = site.expect_objects(3).await.because("three files were completed");
    objects.hint("A copy leaves its original where it was: remove it before you answer.")
}

/// What is refused at once costs nobody a byte (CWE-434; RFC 9110, section 15.5.21).
#[check(title = "an upload that cannot be right is refused before anything is sent", task = 1, points = 1, needs = ["upload"],
        hints = ["Which types are there, which sizes, and what does a name consist of?"])]
async fn upload_refused(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("MAX_UPLOAD_BYTES", 100_000);
    let app = site.web().start().await?;
    let right = Document::png(lab, 100_000).description();
    let changed = |name: &str, value: Value| {
        let mut body = right.clone();
        body[name] = value;
        body
    };
    let long = "x".repeat(201);
    let wrong = [
        ("type", json!("application/x-msdownload")),
        ("type", json!("image/svg+xml")),
        ("size", json!(0)),
        ("size", json!(-1)),
        ("size", json!("100")),
        ("size", json!(1.5)),
        ("sha256", json!("abc")),
        ("sha256", json!("a".repeat(63))),
        ("sha256", json!("x".repeat(64))),
        ("name", Value::Null),
        ("name", json!("")),
        ("name", json!("a\r\nb.png")),
        ("name", json!(long)),
    ];
    for (name, value) in wrong {
        site.post(&app, "/uploads").json(&changed(name, value)).await?.expect_status_in(&[400, 422])?;
    }
    site.post(&app, "/uploads").json(&changed("size", json!(100_001))).await?.expect_status_in(&[413, 422])?;
    // Hexadecimal digits may be large, and two hundred characters four hundred bytes.
    let large = right["sha256"].as_str().unwrap_or_default().to_uppercase();
    for right in [right.clone(), changed("sha256", json!(large)), changed("name", json!("é".repeat(200)))] {
        site.post(&app, "/uploads").json(&right).await?.expect_status(201)?;
    }
    Ok(())
}
