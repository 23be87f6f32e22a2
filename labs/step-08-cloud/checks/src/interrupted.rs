//! Task 3: what the database says, and what the store has.

use lab_kit::prelude::*;
use tokio::time::{Instant, sleep};

use crate::support::{Document, SOON, Site, Upload};

/// How late the store's answers are while something is completed.
const LATE: Duration = Duration::from_millis(150);

/// Sends a request to complete the upload, and kills the server when it has asked the store this many times.
async fn killed_while_completing(site: &Site<'_>, app: &mut App, upload: &Upload, asked: usize) -> CheckResult {
    let store = site.store().await?;
    store.server_proxy().delay(LATE);
    let completing = tokio::spawn(site.complete(app, upload).into_future());
    let (mut count, mut seen) = (0, store.traffic().server_sent);
    let deadline = Instant::now() + SOON;
    while count < asked && !completing.is_finished() && Instant::now() < deadline {
        let now = store.traffic().server_sent;
        if now > seen {
            (count, seen) = (count + 1, now);
            // What is sent in the next moment belongs to the same question.
            sleep(LATE / 3).await;
            seen = seen.max(store.traffic().server_sent);
        }
        sleep(Duration::from_millis(3)).await;
    }
    app.kill().await?;
    completing.abort();
    store.server_proxy().restore();
    Ok(())
}

/// Two stores, and no transaction over both: between any two steps the power may fail (Designing Data-Intensive
/// Applications, chapter 9, Atomic Commit; Amazon S3 User Guide, data consistency model).
#[check(title = "killed while it completes an upload, the server says afterwards what is true", task = 3, points = 4, needs = ["liars"],
        hints = ["In which order: look, then the row, or the row, then look?",
                 "Whatever was begun can be done again: completing, and deleting.",
                 "Nothing that is in a process's memory counts."])]
async fn interrupted(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("UPLOAD_EXPIRES_MS", 60_000);
    let mut app = site.web().start().await?;
    for asked in 1..=3 {
        let honest = Document::png(lab, 3_000);
        let upload = site.send(&app, &honest).await?;
        killed_while_completing(&site, &mut app, &upload, asked).await?;
        app = site.web().start().await?;
        let file =
            site.completed(&app, &upload).await.because("the server was killed while it completed this upload")?;
        site.expect_file(&app, &file, &honest).await?;
        let liar = Document { kind: "image/png", ..Document::html(lab) };
        let upload = site.send(&app, &liar).await?;
        killed_while_completing(&site, &mut app, &upload, asked).await?;
        app = site.web().start().await?;
        site.get(&app, upload.path()).await?.expect_status(200)?.expect_json_where(
            "/state",
            "is `pending` or `failed`, for what came is not what was announced",
            |state| state == "pending" || state == "failed",
        )?;
        site.complete(&app, &upload)
            .await?
            .expect_status(422)
            .because("the server was killed while it refused this")?;
        site.expect_state(&app, &upload, "failed").await?;
        site.expect_objects(asked).await.because("each file has an object, and nothing else has")?;
    }
    Ok(())
}
