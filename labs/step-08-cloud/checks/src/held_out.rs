//! Held out: what the other checks ask, at other moments.

use lab_kit::prelude::*;
use lab_nats::LabNats as _;

use crate::support::{Document, Job, Order, SOON, Site};

/// Without the broker nothing is promised, or what is promised is kept (README, task 4).
#[check(title = "while the broker is away, a job is refused, or done later", task = 4, points = 3, needs = ["survives"], held_out,
        hints = ["What does your server answer when the stream has not acknowledged the message?"])]
async fn broker_away(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("SWEEP_AFTER_MS", 1_000).env("SWEEP_EVERY_MS", 100);
    let (app, nats) = (site.web().start().await?, lab.nats().await?);
    let orders = Order::place_all(&site, &app, 3).await?;
    nats.proxy().cut();
    let mut accepted = Vec::new();
    for order in &orders {
        let answer = order.ask(&site, &app).within(SOON).await?.expect_status_in(&[202, 503])?;
        if answer.status() == 202 {
            accepted.push((order, answer.at::<String>("/job")?));
        }
    }
    nats.proxy().restore();
    let _worker = site.worker().start().await?;
    for (order, job) in &accepted {
        let file = Job::done(&site, &app, job).await.because("it was accepted with 202 while the broker was away")?;
        // never fails alone: `ticket` asks the same
        order.expect_ticket(&site, &app, &file).await?;
    }
    for order in &orders {
        let what = "a ticket that was asked for again is printed once the broker is back";
        let job = lab.eventually(what, SOON, || order.ticket(&site, &app)).await;
        // Who is done may say so with 200.
        let job = match job {
            Ok(job) => job,
            Err(_) => order.ask(&site, &app).await?.expect_status(200)?.at("/job")?,
        };
        Job::done(&site, &app, &job).await?;
    }
    // never fails alone: `once` asks the same of a job whose message comes twice
    site.expect_one_object(orders.len()).await
}

/// A request that was begun in time may end when all is over (README, task 3).
#[check(title = "a file that arrives after its upload was swept is swept, too", task = 3, points = 3, needs = ["sweep"], held_out,
        hints = ["What does the sweeper do with an object that no row waits for?"])]
async fn late_put(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("SWEEP_EVERY_MS", 100).env("SWEEP_AFTER_MS", 500);
    let brief = site.twin().env("UPLOAD_EXPIRES_MS", 1_000);
    let (app, store) = (brief.web().start().await?, site.store().await?);
    let document = Document::png(lab, 4_000);
    let upload = site.begin(&app, &document).await?;
    let key = upload.puts[0].key(store);
    let _worker = site.worker().start().await?;
    lab.eventually("the upload is over", SOON, || async {
        // never fails alone: `sweep` asks the same
        site.expect_state(&app, &upload, "expired").await?;
        Ok(())
    })
    .await?;
    store.put(&key, &document.bytes).await?;
    lab.eventually("the late object is gone", SOON, || async {
        site.expect_objects(0).await?;
        Ok(())
    })
    .await?;
    // never fails alone: `sweep` asks the same
    site.complete(&app, &upload).await?.expect_status_in(&[409, 410, 422])
}

/// A name is text, and a field of a header has its own idea of what text is (RFC 6266, section 4.3; RFC 8187).
#[check(title = "any name comes back as it was, and breaks no header", task = 2, points = 3, needs = ["downloads"], held_out,
        hints = ["Quotes and backslashes are escaped, or not there; all else is in `filename*`."])]
async fn odd_names(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let (app, word) = (site.web().start().await?, lab.word());
    let names = [
        (format!("a\"; filename=evil.exe; x=\"{word}.html"), format!("{word}.html")),
        (format!("../../{word}.html"), format!("{word}.html")),
        (format!("Größe ☂ {word}.html"), format!("{word}.html")),
        (format!("100% {word} & more=1?.html"), word.clone()),
    ];
    for (name, part) in names {
        let document = Document::html(lab).named(&name);
        let file = site.file(&app, &document).await?;
        // never fails alone: `downloads` asks the same
        let shown = site.download(&app, &file).await?.expect_body(&document.bytes)?;
        let disposition = shown.header("content-disposition").unwrap_or_default().to_owned();
        let attached = disposition.to_lowercase().starts_with("attachment");
        // Outside of a quoted string there is nothing of the user's.
        let evil = unquoted(&disposition).contains("filename=evil.exe");
        let walks = disposition.contains("../") || disposition.to_lowercase().contains("..%2f");
        if !attached || evil || walks || !disposition.contains(&part) {
            let failure = shown.failure(format!("the name `{name}` is shown as something else"));
            return Err(failure.expected("attachment, and the last segment of the name").actual(disposition));
        }
    }
    Ok(())
}

/// A field's value without what stands in quotes.
fn unquoted(value: &str) -> String {
    let (mut text, mut quoted, mut escaped) = (String::new(), false, false);
    for character in value.chars() {
        match (quoted, escaped, character) {
            (true, false, '\\') => escaped = true,
            (_, false, '"') => quoted = !quoted,
            (false, ..) => text.push(character),
            _ => escaped = false,
        }
    }
    text
}
