//! Task 1: whose bytes flow where.

use lab_kit::prelude::*;

use crate::support::{Document, Site};

/// How large the file is.
const SIZE: usize = 3_000_000;
/// What requests and answers without a file come to at most.
const SMALL: u64 = 300_000;

/// A server that passes files on needs memory, connections and bandwidth for every one of them; the store has all three
/// (Amazon S3 User Guide, Sharing objects with presigned URLs).
#[check(title = "files pass the server by, up and down", task = 1, points = 3, needs = ["upload"],
        hints = ["`GET /files/ID` answers with a place, and not with a file.",
                 "Does completion copy what it has read?",
                 "The server may read an upload once, to check it."])]
async fn bypass(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let (app, store) = (site.web().start().await?, site.store().await?);
    let document = Document::pdf(lab, SIZE);
    let size = SIZE as u64;
    let before = store.traffic();
    let file = site.file(&app, &document).await?;
    let uploaded = store.traffic();
    let sent = uploaded.server_sent - before.server_sent;
    expect_that(sent < SMALL, format!("for an upload of {size} bytes the server sent {sent} bytes to the store"))?;
    let read = uploaded.server_received - before.server_received;
    let once = size + size / 4;
    expect_that(read < once, format!("to check an upload of {size} bytes the server read {read} bytes from the store"))
        .hint("Once is enough, and with a checksum that the store has computed none at all.")?;
    for _ in 0..2 {
        site.expect_file(&app, &file, &document).await?;
    }
    let downloaded = store.traffic();
    let read = downloaded.server_received - uploaded.server_received;
    expect_that(read < SMALL, format!("for two downloads of {size} bytes the server read {read} bytes from the store"))
}
