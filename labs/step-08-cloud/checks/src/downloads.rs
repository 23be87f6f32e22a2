//! Task 2: what a browser does with what somebody has uploaded.

use lab_kit::prelude::*;

use crate::support::{Document, Site};

/// A page that a browser shows runs its scripts as whoever it came from (CWE-79; RFC 6266; RFC 9110, section 14.2).
#[check(title = "what could run is downloaded and not shown, and parts can be asked for", task = 2, points = 4, needs = ["upload"],
        hints = ["The store answers with what the URL says: `response-content-disposition`.",
                 "A list of what is safe is short: images. All else is an attachment.",
                 "For `Range` you have to do nothing, unless the bytes pass through you."])]
async fn downloads(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let (app, store) = (site.web().start().await?, site.store().await?);
    for document in [Document::html(lab), Document::text(lab), Document::pdf(lab, 3_000), Document::png(lab, 3_000)] {
        let file = site.file(&app, &document).await?;
        let redirect = site.get(&app, format!("/files/{file}")).await?.expect_status(307)?;
        redirect
            .expect_header_where(
                "cache-control",
                "keeps the URL out of shared caches: `no-store` or `private`",
                |value| value.contains("no-store") || value.contains("private"),
            )
            .because("the URL is as good as the file")?;
        let shown = site.download(&app, &file).await?.expect_body(&document.bytes)?;
        let disposition = shown.header("content-disposition").unwrap_or_default().to_owned();
        if document.kind != "image/png" {
            let is_attachment = disposition.to_lowercase().starts_with("attachment");
            if !is_attachment || !disposition.contains(&document.name) {
                let failure = shown.failure(format!("a browser would show a file of type {}", document.kind));
                let expected = format!("Content-Disposition: attachment; filename=\"{}\"", document.name);
                return Err(failure.expected(expected).actual(disposition));
            }
        }
        let (first, last) = (10, document.bytes.len() - 5);
        let range = format!("bytes={first}-{last}");
        let redirect = site.get(&app, format!("/files/{file}")).header("Range", &range).await?;
        redirect.expect_status(307).because("the store answers, and not you, whatever part of the file is wanted")?;
        let signed = site.redirected(&app, &file).await?;
        // never fails alone: the store answers, and no signature is for a range
        let part = signed.request(store).header("Range", &range).await?.expect_status(206)?;
        // never fails alone: the store answers, and no signature is for a range
        part.expect_body(&document.bytes[first..=last])?;
    }
    Ok(())
}
