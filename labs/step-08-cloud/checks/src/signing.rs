//! Task 1: what a signature allows.

use lab_kit::prelude::*;

use crate::support::{Document, SOON, Signed, Site};

/// Expects that the store refuses a request that is unlike the one that was signed.
async fn expect_refused(site: &Site<'_>, signed: &Signed, bytes: &[u8], what: &str) -> CheckResult {
    let answer = signed.send(site.store().await?, bytes).await?;
    if answer.status() < 400 {
        let failure = answer.failure(format!("the signature allows more than it should: {what}"));
        return Err(failure.expected("the store refuses it with 403"));
    }
    Ok(())
}

/// Whoever has the URL is who was meant: it is all that the store asks for. So it says what, how much and how long (AWS
/// General Reference, Signature Version 4, SignedHeaders and X-Amz-Expires).
#[check(title = "a signature is for one key, one type, one length, and for minutes", task = 1, points = 4, needs = ["upload"],
        hints = ["Which fields are in X-Amz-SignedHeaders? What is not there, the client chooses.",
                 "`content-type` and `content-length` can be signed like `host`, and stand in `headers`.",
                 "X-Amz-Expires is in seconds: UPLOAD_EXPIRES_MS, and no more than 300 for a download."])]
async fn narrow(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let brief = site.twin().env("UPLOAD_EXPIRES_MS", 1_000);
    let (app, short) = (site.web().start().await?, brief.web().start().await?);
    let store = site.store().await?;
    let document = Document::png(lab, 5_000);
    let soon_over = site.begin(&short, &document).await?;
    let upload = site.begin(&app, &document).await?;
    let other = site.begin(&app, &document).await?;
    let (signed, bytes) = (&upload.puts[0], &document.bytes);
    let seconds = |signed: &Signed| signed.parameter("X-Amz-Expires").and_then(|text| text.parse::<u32>().ok());
    let key = signed.key(store);
    for key in [other.puts[0].key(store), format!("{key}x"), format!("{key}/x"), lab.word()] {
        // never fails alone: every signature is for a key, and the store at hand takes nothing without one
        expect_refused(&site, &signed.with_key(store, &key), bytes, "another key").await?;
    }
    for kind in ["text/html", "image/jpeg"] {
        expect_refused(&site, &signed.with_header("Content-Type", kind), bytes, &format!("the type {kind}")).await?;
    }
    expect_refused(&site, signed, &bytes[..4_999], "a byte less").await?;
    // never fails alone: who signs a length signs one, and a byte less was sent before
    expect_refused(&site, signed, &[bytes.as_slice(), b"x"].concat(), "a byte more").await?;
    // never fails alone: every signature is for a method, and what is not signed was found out by another key
    expect_refused(&site, &signed.with_method("GET"), b"", "reading").await?;
    // never fails alone: every signature is for a method, and what is not signed was found out by another key
    expect_refused(&site, &signed.with_method("DELETE"), b"", "deleting").await?;
    let uploading = seconds(signed);
    expect_that(
        uploading.is_some_and(|seconds| (590..=601).contains(&seconds)),
        format!("an upload's URL has X-Amz-Expires={uploading:?}, and UPLOAD_EXPIRES_MS is 600000"),
    )?;
    let file = {
        site.put(signed, bytes).await?;
        site.completed(&app, &upload).await?
    };
    let download = site.redirected(&app, &file).await?;
    let downloading = seconds(&download);
    expect_that(
        downloading.is_some_and(|seconds| seconds <= 300),
        format!("a download's URL has X-Amz-Expires={downloading:?}, and not at most 300"),
    )?;
    // never fails alone: every signature is for a key, and what is not signed has no X-Amz-Expires
    expect_refused(&site, &download.with_key(store, &other.puts[0].key(store)), b"", "downloading another key").await?;
    lab.eventually("the upload's URL is refused, for UPLOAD_EXPIRES_MS was 1000", SOON / 3, || async {
        expect_refused(&site, &soon_over.puts[0], bytes, "after its time").await
    })
    .await
}

/// Whether somebody else has this key, or the name `word` has a part in it.
fn is_strange(key: &str, word: &str, others: &[String]) -> bool {
    let odd = |part: &str| part.is_empty() || part == "..";
    key.contains(word) || key.split('/').any(odd) || others.iter().any(|other| other == key)
}

/// A key that a user can choose is a key that two users can choose, or one (CWE-22; CWE-639).
#[check(title = "keys are the server's own, whatever a file is called", task = 1, points = 3, needs = ["upload"],
        hints = ["Two people upload `invoice.pdf`. Which of them is sorry?",
                 "A random id as the key. The name is for the download, and stays in the database."])]
async fn own_keys(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let (app, store) = (site.web().start().await?, site.store().await?);
    let first = Document::png(lab, 300);
    let known = site.send(&app, &first).await?;
    let known_file = site.completed(&app, &known).await?;
    let known_key = site.redirected(&app, &known_file).await?.key(store);
    let word = lab.word();
    let names = [
        format!("../../{word}.png"),
        format!("..\\{word}.png"),
        format!("%2e%2e%2f{word}.png"),
        format!("/{}/{word}", store.bucket()),
        known_key.clone(),
        format!("../{known_key}"),
        format!("{word}?x=1#{word}"),
        format!("{word} é ☂.png"),
    ];
    let mut other = site.twin();
    std::mem::swap(&mut other.ana, &mut other.ben);
    let (mut sent, mut keys) = (vec![known.puts[0].key(store)], vec![known_key]);
    for name in &names {
        // Twice, by two people.
        for person in [&site, &other] {
            let document = Document::png(lab, 300).named(name);
            let answer = person.post(&app, "/uploads").json(&document.description()).await?.expect_status(201)?;
            let upload = site.upload(&answer).await?;
            let key = upload.puts[0].key(store);
            if is_strange(&key, &word, &sent) {
                let failure = answer.failure(format!("the file's name `{name}` has decided where it is stored"));
                return Err(failure.expected("a key that nobody else has and no user has chosen").actual(key));
            }
            site.put(&upload.puts[0], &document.bytes).await?;
            sent.push(key);
            let file = person.completed(&app, &upload).await?;
            let key = person.redirected(&app, &file).await?.key(store);
            if is_strange(&key, &word, &keys) {
                let failure = Failure::learner(format!("the name `{name}` has decided where the file lies"));
                return Err(failure.expected("a key that nobody else has and no user has chosen").actual(key));
            }
            keys.push(key);
        }
    }
    // never fails alone: who writes over a file has its key, which was compared
    site.expect_file(&app, &known_file, &first).await?;
    let mut stored: Vec<String> = store.objects().await?.into_iter().map(|object| object.key).collect();
    stored.sort();
    keys.sort();
    // never fails alone: `upload` counts the objects, and all these keys are different
    expect_equal("the keys in the bucket", &stored, &keys)
}
