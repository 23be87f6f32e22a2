//! Task 2: who may see what.

use lab_kit::prelude::*;

use crate::support::{Document, Job, Order, Site};

/// Files leak where a bucket is open, and where an id is all that it takes (CWE-639; Amazon S3 User Guide, Blocking public
/// access).
#[check(title = "nobody sees what is somebody else's, neither here nor at the store", task = 2, points = 4, needs = ["upload"],
        hints = ["404 and not 403: whether there is such a file is nobody's business.",
                 "Is the owner part of every query, also of those that change something?",
                 "The bucket was private when you got it."])]
async fn private(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let (app, store) = (site.web().start().await?, site.store().await?);
    let document = Document::png(lab, 400);
    let done = site.send(&app, &document).await?;
    let file = site.completed(&app, &done).await?;
    let pending = site.send(&app, &document).await?;
    let open = "whoever knows the key gets it";
    for signed in [&pending.puts[0], &site.redirected(&app, &file).await?] {
        signed.unsigned().with_method("GET").request(store).await?.expect_status(403).because(open)?;
    }
    let list = format!("/{}?list-type=2", store.bucket());
    store.request("GET", &list).await?.expect_status(403).because("everybody can list the bucket")?;
    let bare = format!("/{}/{}", store.bucket(), lab.word());
    let written = store.request("PUT", &bare).raw_body(b"x").await?;
    // never fails alone: the store at hand lets nobody write without a signature, whatever a policy says
    written.expect_status(403).because("everybody can write to the bucket")?;
    let order = Order::place(&site, &app, "Ada").await?;
    let job = order.ticket(&site, &app).await?;
    let paths = [
        ("GET", format!("/files/{file}")),
        ("GET", done.path()),
        ("GET", pending.path()),
        ("DELETE", pending.path()),
        ("DELETE", done.path()),
        ("POST", format!("{}/complete", pending.path())),
        ("POST", format!("{}/complete", done.path())),
        ("GET", order.path()),
        ("POST", format!("{}/ticket", order.path())),
        ("GET", format!("/jobs/{job}")),
    ];
    for (method, path) in &paths {
        let foreign = app.request(method, path).bearer(&site.ben).await?;
        foreign.expect_status(404).because("it is somebody else's")?;
        app.request(method, path).await?.expect_status(401).because("there was no token")?;
    }
    for path in ["/files/none", "/uploads/none", "/jobs/none"] {
        site.get(&app, path).await?.expect_status(404)?;
    }
    for path in ["/uploads/none/complete", "/orders/none/ticket"] {
        site.post(&app, path).await?.expect_status(404).because("it is not there")?;
    }
    Job::read(&site, &app, &job).await?;
    site.completed(&app, &pending).await?;
    site.expect_file(&app, &file, &document).await
}
