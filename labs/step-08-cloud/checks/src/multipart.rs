//! Task 3: files in parts.

use lab_kit::prelude::*;

use crate::support::{Document, Signed, Site, Upload};

/// More than the five MiB that are the default, and the least that a store takes.
const PART: usize = 5_500_000;
/// Three parts, of which the last is shorter.
const SIZE: usize = 2 * PART + 70_000;

/// The bytes of a part, counted from 0.
fn part_of(document: &Document, index: usize) -> &[u8] {
    let from = index * PART;
    &document.bytes[from..document.bytes.len().min(from + PART)]
}

/// What the server knows of the parts now: whether each is done, and a request for each that is not.
async fn parts_of(site: &Site<'_>, app: &App, upload: &Upload) -> CheckResult<Vec<Option<Signed>>> {
    let answer = site.expect_state(app, upload, "pending").await?;
    let parts: Vec<Value> = answer.at("/parts")?;
    let numbers: Vec<_> = parts.iter().map(|part| part.get("number").and_then(Value::as_u64)).collect();
    let expected: Vec<_> = (1..=upload.puts.len() as u64).map(Some).collect();
    expect_equal("the numbers of the upload's parts", &numbers, &expected)?;
    let store = site.store().await?;
    let read = |part: &Value| match part.get("done").and_then(Value::as_bool) {
        Some(true) => Ok(None),
        Some(false) => Signed::of(&answer, part, store).map(Some),
        None => Err(answer.failure("a part does not say whether it is done").actual(part.to_string())),
    };
    parts.iter().map(read).collect()
}

/// An hour of uploading is lost at 99 percent, or it is not (Amazon S3 User Guide, Uploading and copying objects using
/// multipart upload).
#[check(title = "an upload in parts goes on where it was, though the server was killed", task = 3, points = 5, needs = ["upload"],
        hints = ["Which parts are there? The store knows: ListParts.",
                 "The id of the multipart upload belongs into the database before the client gets the first URL.",
                 "Each part has a URL of its own, with its length."])]
async fn resume(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("PART_SIZE", PART).env("MULTIPART_ABOVE", SIZE - 1);
    let mut app = site.web().start().await?;
    let whole = site.post(&app, "/uploads").json(&Document::pdf(lab, SIZE - 1).description()).await?;
    // never fails alone: `upload` asks the same
    let whole = whole.expect_status(201)?;
    let why = "it is no larger than MULTIPART_ABOVE, and comes in one piece";
    expect_that(whole.json()?.get("parts").is_none_or(Value::is_null), "the answer has `parts`").because(why)?;
    let document = Document::pdf(lab, SIZE);
    let answer = site.post(&app, "/uploads").json(&document.description()).await?.expect_status(201)?;
    let upload = site.upload(&answer).await?;
    expect_equal("how many parts the upload has", &upload.puts.len(), &3)?;
    let parts: Vec<Value> = answer.at("/parts")?;
    let sizes: Vec<_> = parts.iter().map(|part| part.get("size").and_then(Value::as_u64)).collect();
    let expected = [PART, PART, SIZE - 2 * PART].map(|size| Some(size as u64));
    expect_equal("the sizes of the upload's parts", &sizes, &expected.to_vec())?;
    let short = &part_of(&document, 0)[..PART - 1];
    let refused = upload.puts[0].send(site.store().await?, short).await?;
    refused.expect_status_in(&[400, 403]).because("the part is a byte shorter than was announced")?;
    site.put(&upload.puts[1], part_of(&document, 1)).await?;
    app.kill().await?;
    let app = site.web().start().await?;
    let parts = parts_of(&site, &app, &upload).await?;
    let done: Vec<bool> = parts.iter().map(Option::is_none).collect();
    expect_equal("which parts are done", &done, &vec![false, true, false])?;
    site.complete(&app, &upload).await?.expect_status(409).because("two of three parts are missing")?;
    for (index, part) in parts_of(&site, &app, &upload).await?.iter().enumerate() {
        if let Some(signed) = part {
            site.put(signed, part_of(&document, index)).await?;
        }
    }
    let file = site.completed(&app, &upload).await?;
    // never fails alone: `upload` asks the same of a file in one piece
    expect_equal("the file when it is completed again", &site.completed(&app, &upload).await?, &file)?;
    site.expect_file(&app, &file, &document).await?;
    site.expect_objects(1).await
}

/// Parts that nobody completes are in no list of objects, and on every bill (Amazon S3 User Guide, Aborting a multipart
/// upload).
#[check(title = "a cancelled upload leaves nothing, no parts either", task = 3, points = 3, needs = ["upload"],
        hints = ["Parts are no objects: AbortMultipartUpload.",
                 "What if it is cancelled twice, by two tabs?"])]
async fn cancelled(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("PART_SIZE", PART);
    let (app, store) = (site.web().start().await?, site.store().await?);
    let (large, small) = (Document::pdf(lab, SIZE), Document::png(lab, 700));
    let parts = site.begin(&app, &large).await?;
    site.put(&parts.puts[2], part_of(&large, 2)).await?;
    let single = site.send(&app, &small).await?;
    let file = site.send(&app, &small).await?;
    site.completed(&app, &file).await?;
    let cancel = |upload: &Upload| app.delete(upload.path()).bearer(&site.ana);
    for upload in [&parts, &single] {
        cancel(upload).await?.expect_status(204)?;
        site.get(&app, upload.path()).await?.expect_status(404).because("it was cancelled")?;
        site.complete(&app, upload).await?.expect_status_in(&[404, 409, 410]).because("it was cancelled")?;
        cancel(upload).await?.expect_status_in(&[204, 404])?;
    }
    site.expect_objects(1).await.because("one upload was completed, and two were cancelled")?;
    let late = parts.puts[0].send(store, part_of(&large, 0)).await?;
    // never fails alone: an upload that still takes parts is in the list that was counted before
    late.expect_status_in(&[403, 404]).because("the upload was cancelled, and its parts have no place any more")?;
    cancel(&file).await?.expect_status(409).because("it is complete")?;
    site.expect_objects(1).await
}
