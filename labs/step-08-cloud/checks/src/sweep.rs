//! Task 3: what nobody needs any more.

use chrono::{DateTime, TimeDelta};
use lab_kit::prelude::*;

use crate::support::{Document, SOON, Signed, Site, Upload};

const PART: usize = 5 << 20;
/// Long enough to send what is over soon, on a busy machine, too.
const EXPIRES_MS: u64 = 4_000;
/// Signatures count whole seconds.
const ROUNDED: TimeDelta = TimeDelta::seconds(3);

/// Uploads that nobody finishes are rubbish, and uploads that somebody is about to finish are not (Amazon S3 User Guide,
/// Configuring a bucket lifecycle; Designing Data-Intensive Applications, chapter 11).
#[check(title = "the sweeper removes what is over, and spares what is in flight", task = 3, points = 4, needs = ["upload"],
        hints = ["Which of three is it: complete, in time, or over? The row knows.",
                 "An object whose row is not there yet is no rubbish: how old is it?",
                 "ListMultipartUploads, too."])]
async fn sweep(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("SWEEP_EVERY_MS", 100).env("SWEEP_AFTER_MS", 700);
    let brief = site.twin().env("UPLOAD_EXPIRES_MS", EXPIRES_MS);
    let (app, short) = (site.web().start().await?, brief.web().start().await?);
    let store = site.store().await?;
    let (large, small) = (Document::pdf(lab, PART + 1_000), Document::png(lab, 900));
    // In flight, and in the store for longer than all that is over.
    let kept_parts = site.begin(&app, &large).await?;
    site.put(&kept_parts.puts[1], &large.bytes[PART..]).await?;
    let kept = site.send(&app, &small).await?;
    let file = site.file(&app, &small).await?;
    // Over soon.
    let over = site.send(&short, &small).await?;
    let over_parts = site.begin(&short, &large).await?;
    site.put(&over_parts.puts[1], &large.bytes[PART..]).await?;
    store.put("of-nobody/at-all", b"whose?").await?;
    let _worker = site.worker().start().await?;
    let kept_key = kept_parts.puts[0].key(store);
    lab.eventually("what is over is gone from the store", SOON, || async {
        let objects = store.objects().await?.len();
        expect_that(
            objects == 2,
            format!("there are {objects} objects, and not the 2 that are complete or in flight"),
        )?;
        let parts: Vec<String> = store.multipart_uploads().await?.into_iter().map(|upload| upload.key).collect();
        expect_equal("the uploads in parts", &parts, &vec![kept_key.clone()])
    })
    .await?;
    for upload in [&over, &over_parts] {
        let answer = site.get(&app, upload.path()).await?;
        answer.expect_status(200)?.expect_json(json!({ "state": "expired" }))?;
        site.complete(&app, upload).await?.expect_status_in(&[409, 410, 422]).because("its time is over")?;
    }
    site.more_sweeps(&app, 5).await?;
    site.expect_state(&app, &kept, "pending").await.because("it has ten minutes")?;
    site.completed(&app, &kept).await.because("it was in flight while the sweeper went round")?;
    expect_until_expires_at(&site, &app, &kept_parts).await?;
    site.put(&kept_parts.puts[0], &large.bytes[..PART]).await?;
    let parts = site.completed(&app, &kept_parts).await?;
    // never fails alone: `resume` asks the same, and parts in flight were counted above
    site.expect_file(&app, &parts, &large).await?;
    // never fails alone: the objects were counted above, and no file has become older than it was then
    site.expect_file(&app, &file, &small).await?;
    site.more_sweeps(&app, 3).await?;
    site.expect_objects(3).await
}

/// Expects that a part's fresh URL is good until the upload expires, which was begun more than EXPIRES_MS ago.
async fn expect_until_expires_at(site: &Site<'_>, app: &App, upload: &Upload) -> CheckResult {
    let shown = site.expect_state(app, upload, "pending").await?;
    let expires_at: String = shown.at("/expires_at")?;
    let expires_at =
        DateTime::parse_from_rfc3339(&expires_at).map_err(|_| shown.failure("`expires_at` is no RFC 3339"))?;
    let fresh = Signed::of(&shown, &shown.at("/parts/0")?, site.store().await?)?;
    if fresh.ends().is_none_or(|ends| (expires_at.to_utc() - ends).abs() > ROUNDED) {
        let failure = shown.failure("a part's fresh URL is not good for as long as the upload is");
        let ends = fresh.ends().map_or_else(|| "no time that can be read".to_owned(), |ends| ends.to_rfc3339());
        return Err(failure.expected(format!("until `expires_at`, {expires_at}")).actual(ends));
    }
    Ok(())
}
