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

/// Expects that what is wrong is refused when it is completed again. If the object went first, and the row does not say so
/// yet, nothing is there: then it is refused when it has come once more.
async fn expect_refused(site: &Site<'_>, app: &App, upload: &Upload, liar: &Document) -> CheckResult {
    let again = site.complete(app, upload).await?.expect_status_in(&[409, 422])?;
    if again.status() == 409 {
        site.expect_state(app, upload, "pending").await?;
        let store = site.store().await?;
        let key = upload.puts[0].key(store);
        if store.objects().await?.iter().any(|object| object.key == key) {
            let failure = again.failure("what came is wrong and is still there, and it is not refused");
            return Err(failure.expected("422, or 409 where nothing is there any more").actual("409"));
        }
        site.put(&upload.puts[0], &liar.bytes).await?;
        site.complete(app, upload).await?.expect_status(422)?;
    }
    site.expect_state(app, upload, "failed").await?;
    Ok(())
}

/// Two stores, and no transaction over both: between any two steps the power may fail (Designing Data-Intensive
/// Applications, chapter 9, Atomic Commit; Amazon S3 User Guide, data consistency model).
#[check(title = "killed while it completes an upload, the server says afterwards what is true", task = 3, points = 4, needs = ["liars"],
        hints = ["Two steps, and killed between them: can the next request tell from what is there which one is missing?",
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
        // never fails alone: what the store was asked before the kill, it does
        site.expect_file(&app, &file, &honest).await?;
        let liar = Document { kind: "image/png", ..Document::html(lab) };
        let upload = site.send(&app, &liar).await?;
        killed_while_completing(&site, &mut app, &upload, asked).await?;
        app = site.web().start().await?;
        // never fails alone: `liars` asks the same
        let shown = site.get(&app, upload.path()).await?.expect_status(200)?;
        shown.expect_json_where(
            "/state",
            "is `pending` or `failed`, for what came is not what was announced",
            |state| state == "pending" || state == "failed",
        )?;
        expect_refused(&site, &app, &upload, &liar).await.because("the server was killed while it refused this")?;
        let objects = site.expect_objects(asked).await.because("each file has an object, and nothing else has");
        objects.hint("Whatever is left when it is killed, the next request to complete it removes.")?;
    }
    // The row is written, and whoever wrote it never hears of it.
    let database = site.database().await?.proxy();
    for statement in ["update", "commit"] {
        let honest = Document::png(lab, 3_000);
        let upload = site.send(&app, &honest).await?;
        database.lose_answer_to(statement);
        // It may answer that something is away, or that all is well, or not at all.
        let _ = site.complete(&app, &upload).await;
        app.kill().await?;
        database.restore();
        app = site.web().start().await?;
        let why = "the server was killed while it wrote that this upload is complete";
        let file = site.completed(&app, &upload).await.because(why)?;
        site.expect_file(&app, &file, &honest).await.because(why)?;
    }
    Ok(())
}
