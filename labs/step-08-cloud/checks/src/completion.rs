//! Task 2: what was announced, and what came.

use lab_kit::prelude::*;

use crate::support::{Document, Site};

/// The client says what it will send. The store knows what was sent, and only you know whether that is the same (CWE-345,
/// CWE-434; OWASP File Upload Cheat Sheet).
#[check(title = "who has sent something else than announced gets 422, and the object is gone", task = 2, points = 4, needs = ["upload"],
        hints = ["Does what came begin as its type demands?",
                 "Is the checksum that was announced that of what came? Read it, or have the store compute it.",
                 "First the object goes, then the answer.",
                 "The client can send once more after you have looked: what is complete lies under another key, or can be written only once."])]
async fn liars(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let app = site.web().start().await?;
    let honest = Document::png(lab, 2_000);
    let first = site.send(&app, &honest).await?;
    let file = site.completed(&app, &first).await?;
    let page = Document::html(lab).bytes;
    let with = |kind: &'static str, bytes: Vec<u8>| Document { kind, bytes, ..Document::text(lab) };
    // What came is what was announced, but for the type.
    let disguised = [
        with("image/png", page.clone()),
        with("image/jpeg", page.clone()),
        with("image/jpeg", Document::png(lab, 50).bytes),
        with("application/pdf", page.clone()),
        with("image/png", b"\x89PNG".to_vec()),
        with("text/html", Document::jpeg(lab, 64).bytes),
        with("text/plain", b"a\0b".to_vec()),
        with("text/plain", [vec![b'a'; 70_000], vec![0xff]].concat()),
        with("text/plain", b"Zo\xc3".to_vec()),
    ];
    for document in disguised {
        let upload = site.send(&app, &document).await?;
        for _ in 0..2 {
            let why = format!("what was announced as {} is something else", document.kind);
            site.complete(&app, &upload).await?.expect_status(422).because(&why)?;
            site.expect_objects(1).await.because("the upload was refused")?;
        }
        site.expect_state(&app, &upload, "failed").await?.expect_json(json!({ "file": null }))?;
    }
    // The right type and length, and other bytes, in the beginning, in the middle and at the end.
    for at in [8, 1_000, 1_999] {
        let announced = Document::png(lab, 2_000);
        let mut bytes = announced.bytes.clone();
        bytes[at] ^= 1;
        let upload = site.begin(&app, &announced).await?;
        let sent = upload.puts[0].send(site.store().await?, &bytes).await?;
        // A store that was told the checksum refuses it by itself.
        let allowed: &[u16] = if sent.status() == 200 { &[422] } else { &[409, 422] };
        let why = "the bytes that came have another checksum";
        site.complete(&app, &upload).await?.expect_status_in(allowed).because(why)?;
        site.expect_objects(1).await.because("the upload was refused")?;
    }
    // The URL is good for minutes, and what was looked at must not be another thing afterwards.
    let other = Document::png(lab, 2_000);
    first.puts[0].send(site.store().await?, &other.bytes).await?;
    let why = "its upload's URL was used once more when the upload was complete";
    site.expect_file(&app, &file, &honest).await.because(why)?;
    // Wherever the store cuts what it sends into pieces, a character may begin in one and end in the next.
    let long = with("text/plain", "☂".repeat(100_000).into_bytes());
    site.file(&app, &long).await.because("it is UTF-8, whether or not each piece of it is")?;
    Ok(())
}
