//! Task 3: methods and versions that a resource, or the server, does not have.

use lab_kit::prelude::*;

use crate::support::{Site, get, keeps_connections};

/// The methods that the README's table uses.
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/// A resource that exists but does not support a method says which methods it supports (RFC 9110 §15.5.6).
#[check(title = "405 with Allow for a method that a path does not support", task = 3, points = 1, needs = ["root"],
        hints = ["Look for the path first, then for the method.",
                 "A 405 response has an `Allow` field that lists the methods of that path, such as `GET, HEAD`."])]
async fn method_not_allowed(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let get_only: &[&str] = &["GET", "HEAD"];
    let echo = format!("/echo/{}", lab.word());
    for (path, offered) in [("/", get_only), (&echo, get_only), ("/user-agent", get_only), ("/echo", &["POST"])] {
        let what = format!("names {} for {path}, and no others of {}", offered.join(" and "), METHODS.join(", "));
        for method in METHODS.into_iter().filter(|method| !offered.contains(method)) {
            let answer = app.request(method, path).await?.expect_status(405)?;
            // OPTIONS and TRACE may be there for every path.
            answer.expect_header_where("allow", &what, |allow| {
                let listed: Vec<_> = allow.split(',').map(str::trim).collect();
                METHODS.iter().all(|one| listed.contains(one) == offered.contains(one))
            })?;
        }
    }
    Ok(())
}

/// A method that the server has never heard of is not implemented, whatever the path (RFC 9110 §15.6.2).
#[check(title = "501 for an unknown method", task = 3, points = 1, needs = ["method_not_allowed"],
        hints = ["405 is for methods you know. What about the others?",
                 "Keep a list of the methods of RFC 9110 §9.1. Anything else gets 501."])]
async fn unknown_method(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let method = lab.word().to_ascii_uppercase();
    let (text, name) = (format!("/echo/{}", lab.word()), format!("/files/{}", lab.word()));
    for path in ["/", &text, "/echo", "/user-agent", &name] {
        site.app.request(&method, path).await?.expect_status(501)?;
    }
    Ok(())
}

/// Methods are case-sensitive: `get` is a method that nobody has defined (RFC 9110 §9.1).
#[check(title = "`get` is not GET", task = 3, points = 1, needs = ["method_not_allowed"],
        hints = ["Compare methods exactly, letter by letter."])]
async fn method_case(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    app.request("get", "/").await?.expect_status_in(&[400, 405, 501])
}

/// Another major version is another language: 505 says so, and 400 is accepted, too (RFC 9110 §2.5, §6.2, §15.6.6).
#[check(title = "another major version is refused", task = 3, points = 1, needs = ["root"],
        hints = ["What is at the end of the request line?", "Refuse every version that does not begin with `HTTP/1.`"])]
async fn version_not_supported(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let any = format!("{}.1", lab.number(4, 9));
    for version in ["3.7", "2.0", "0.9", "11.1", "10.0", &any] {
        let mut connection = app.connect().await?;
        connection.send(format!("GET / HTTP/{version}\r\nHost: lab\r\n\r\n")).await?;
        connection.response().await?.expect_status_in(&[400, 505])?;
    }
    Ok(())
}

/// A minor version only adds things, so a newer one is answered as 1.1 (RFC 9110 §2.5).
#[check(title = "a newer minor version is answered as 1.1", task = 3, points = 1, needs = ["echo_text"],
        hints = ["A client of HTTP/1.2 understands HTTP/1.1, and its connection stays open like any other."])]
async fn newer_minor_version(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (word, minor) = (lab.word(), lab.number(2, 9));
    let kept = keeps_connections(&app).await?;
    let mut connection = app.connect().await?;
    connection.send(get(&format!("/echo/{word}")).replace("HTTP/1.1", &format!("HTTP/1.{minor}"))).await?;
    // never fails alone: `echo_text` asks the same of the text
    connection.response().await?.expect_status(200)?.expect_body(&word)?;
    if !kept {
        return Ok(());
    }
    connection.expect_open().await.because("a client of HTTP/1.2 and above knows persistent connections, too")
}
