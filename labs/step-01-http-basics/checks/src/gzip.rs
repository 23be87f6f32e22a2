//! Task 8: content negotiation, on the example of gzip.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use lab_kit::prelude::*;

/// A text that is worth compressing and that nobody could have compressed beforehand.
fn long_text(lab: &Lab) -> String {
    format!("{}-{}", lab.word().repeat(100), lab.word())
}

/// Asks for a text with that Accept-Encoding and expects it compressed.
async fn expect_gzip(lab: &Lab, app: &App, accept_encoding: &str) -> CheckResult {
    let text = long_text(lab);
    let answer = app.get(format!("/echo/{text}")).header("Accept-Encoding", accept_encoding).await?;
    let decompressed = |body: &[u8]| {
        let mut found = String::new();
        MultiGzDecoder::new(body).read_to_string(&mut found).is_ok() && found == text
    };
    answer
        .expect_status(200)?
        .expect_header_where("content-encoding", "says gzip", |coding| coding.eq_ignore_ascii_case("gzip"))?
        .expect_media_type("text/plain")?
        .expect_body_where("the text, compressed with gzip", decompressed)?
        .expect_header_where("vary", "names Accept-Encoding", |fields| {
            fields.split(',').any(|field| field.trim() == "*" || field.trim().eq_ignore_ascii_case("accept-encoding"))
        })?;
    Ok(())
}

/// A client that can decompress says so, and gets fewer bytes; Vary tells caches that other clients get other bytes
/// (RFC 9110 §8.4.1.3, §12.5.5).
#[check(title = "Accept-Encoding: gzip gets a gzip response", task = 8, points = 1, needs = ["echo_text"],
        hints = ["Which field says what the client can decompress?",
                 "Compress the body, say `Content-Encoding: gzip`, and let Content-Length be that of the compressed bytes.",
                 "Add `Vary: Accept-Encoding`, so that a cache does not give the compressed response to everybody."])]
async fn gzip(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    expect_gzip(lab, &app, "gzip").await
}

/// The field is a list of codings in any case, each with a weight (RFC 9110 §12.5.3).
#[check(title = "gzip is found among other codings", task = 8, points = 1, needs = ["gzip"],
        hints = ["Split the value at the commas, and each member at the semicolons.",
                 "Codings are case-insensitive, and `*` stands for those that are not named."])]
async fn gzip_preferences(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let other = lab.word();
    for accept_encoding in [
        format!("{other}, gzip;q=0.8"),
        format!("{other};q=0.5,GZIP"),
        format!("{other}, x-{other};q=0.5, gzip;q=0.1"),
        "gzip, identity;q=0".into(),
        "*;q=0, gzip; q=1".into(),
    ] {
        expect_gzip(lab, &app, &accept_encoding).await?;
    }
    Ok(())
}

/// A client that did not ask for gzip, or ruled it out with a weight of 0, may not be able to decompress it (RFC 9110
/// §12.4.2, §12.5.3).
#[check(title = "no gzip for clients that do not accept it", task = 8, points = 1, needs = ["gzip"],
        hints = ["Is the word `gzip` in the field all you look for?", "`gzip;q=0` means anything but gzip. 0.000 is 0, too."])]
async fn gzip_refused(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let other = lab.word();
    let fields = [
        None,
        Some("identity"),
        Some(""),
        Some("gzip;q=0"),
        Some("gzip; q=0.000, identity"),
        Some("*, gzip;q=0"),
        Some("gzipped"),
    ];
    for accept_encoding in fields.into_iter().chain([Some(other.as_str())]) {
        let text = long_text(lab);
        let request = app.get(format!("/echo/{text}"));
        let request = match accept_encoding {
            Some(value) => request.header("Accept-Encoding", value),
            None => request,
        };
        let answer = request.await?.expect_status(200)?;
        if answer.header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            answer.clone().expect_no_header("content-encoding")?;
        }
        answer.expect_body(&text)?;
    }
    Ok(())
}
