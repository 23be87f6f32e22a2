//! Bodies that nobody wants: whatever becomes of them, they are never requests (tasks 5 and 7).

use futures::future::try_join_all;
use lab_kit::prelude::*;

use crate::support::{CLOSE, Site, get, make_folder, one_chunk, request};

/// What a client may be told whose body nobody wants.
const REFUSALS: [u16; 8] = [200, 400, 404, 405, 411, 413, 417, 501];
/// The time in which a server that answers before the body has come does so.
const EARLY: Duration = Duration::from_millis(50);

/// A body that nobody wants is still in the stream: skip it or close, but never take it for a request (RFC 9112 §9.3).
#[check(title = "an unwanted body is not mistaken for a request", task = 5, points = 2, needs = ["unknown_path", "echo_text"],
        hints = ["A POST to a path that you do not have gets 404. What happens to its body?",
                 "Read the body before the next request, whatever the response was. Or close the connection after the response."])]
async fn unwanted_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let counted = [
        format!("POST /{word}"),
        "DELETE /".to_owned(),
        format!("GET /echo/{word}"),
        format!("{} /", lab.word().to_ascii_uppercase()),
    ];
    for line in counted {
        // Not every server reads every body, and to refuse one is no crime.
        let first = Carrier::new(lab, &line, Coding::Counted).send(&app).await?;
        first.expect_status_in(&REFUSALS)?;
    }
    let first = Carrier::new(lab, &format!("POST /{word}"), Coding::Chunked).send(&app).await?;
    first.expect_status_in(&REFUSALS)?;
    Ok(())
}

/// Every early response is another place where the body can be forgotten (RFC 9112 §9.3, §11.2).
#[check(title = "an unwanted body is no request on any path or with any method", task = 5, points = 1, needs = ["unwanted_body"],
        hints = ["Which of your responses are sent before the body has been read?",
                 "400 for a broken escape, 405, 501, 417: whatever the response, the body arrives.",
                 "Read the body, or decide to close, in one place that every request goes through."])]
async fn unwanted_anywhere(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (word, unknown) = (lab.word(), lab.word().to_ascii_uppercase());
    let text = format!("/echo/{word}");
    let paths = ["/", &text, "/user-agent", &format!("/{word}"), "/echo", "/echo/%zz"];
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", &unknown];
    let lines = paths.iter().flat_map(|path| methods.iter().map(move |method| format!("{method} {path}")));
    let mut carriers: Vec<_> = lines
        .flat_map(|line| [Coding::Counted, Coding::Chunked].map(|coding| Carrier::new(lab, &line, coding)))
        .collect();
    // What is wrong with the rest of a head is found early, too.
    for fields in ["Host: other\r\n", "no field at all\r\n", "Expect: 100-continue\r\n", "Expect: a-miracle\r\n"] {
        for line in ["POST /echo", &format!("POST /{word}")] {
            carriers.push(Carrier::new(lab, line, Coding::Counted).fields(fields));
        }
    }
    try_join_all(carriers.iter().map(|carrier| carrier.send(&app))).await?;
    Ok(())
}

/// Refused names, folders, conditions that fail: the more responses a resource has, the more often a body is left over
/// (RFC 9112 §9.3, §11.2).
#[check(title = "an unwanted body is no request with any file either", task = 7, points = 1, needs = ["file_created", "echo_text"],
        hints = ["A PUT to a name that you refuse still has a body.",
                 "Read the body before you look at the name, or close the connection after the response."])]
async fn unwanted_upload(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (file, folder, doomed, word) = (lab.word(), lab.word(), lab.word(), lab.word());
    make_folder(&site.files.join(&folder))?;
    for name in [&file, &doomed] {
        site.write(name, b"here")?;
    }
    let unknown = lab.word().to_ascii_uppercase();
    let mut lines = vec![format!("DELETE /files/{doomed}")];
    for method in ["GET", "HEAD", "POST", "PATCH", &unknown] {
        lines.push(format!("{method} /files/{file}"));
    }
    for method in ["GET", "HEAD", "DELETE"] {
        lines.push(format!("{method} /files/{word}"));
    }
    let bad_names = ["", "..", "%2e%2e", "..%2Fx", "%zz", &format!("{word}%2Fx"), &format!("{word}%00"), &folder];
    for name in bad_names {
        lines.extend(["GET", "PUT", "DELETE"].map(|method| format!("{method} /files/{name}")));
    }
    let mut carriers: Vec<_> = lines
        .iter()
        .flat_map(|line| [Coding::Counted, Coding::Chunked].map(|coding| Carrier::new(lab, line, coding)))
        .collect();
    for line in ["GET", "HEAD", "PUT"].map(|method| format!("{method} /files/{file}")) {
        carriers.push(Carrier::new(lab, &line, Coding::Counted).fields("If-None-Match: *\r\n"));
    }
    try_join_all(carriers.iter().map(|carrier| carrier.send(&site.app))).await?;
    Ok(())
}

/// How the length of a body is told.
#[derive(Clone, Copy)]
enum Coding {
    Counted,
    Chunked,
}

/// A request with a body that is a request itself.
struct Carrier {
    line: String,
    fields: String,
    body: String,
    coding: Coding,
    smuggled: String,
    next: String,
}

impl Carrier {
    fn new(lab: &Lab, line: &str, coding: Coding) -> Self {
        let (smuggled, next) = (lab.word(), lab.word());
        let inner = get(&format!("/echo/{smuggled}"));
        let (fields, body) = match coding {
            Coding::Counted => (format!("Content-Length: {}\r\n", inner.len()), inner),
            Coding::Chunked => ("Transfer-Encoding: chunked\r\n".to_owned(), one_chunk(&inner)),
        };
        Self { line: line.to_owned(), fields, body, coding, smuggled, next }
    }

    fn fields(mut self, more: &str) -> Self {
        self.fields.push_str(more);
        self
    }

    /// Sends it, the body a moment after the head, and one more request behind it. Gives the first answer; fails the
    /// learner if anything but the last request is answered after it.
    async fn send(&self, app: &App) -> CheckResult<Response> {
        let method = self.line.split(' ').next().unwrap_or_default();
        let last = request(&format!("GET /echo/{}", self.next), "Connection: close\r\n", "");
        let mut connection = app.connect().await?;
        connection.send(request(&self.line, &self.fields, "")).await?;
        // A server that answers before the body has come must remember that it will.
        // never fails alone: it is a pause, and whatever comes in it is right
        let _ = connection.expect_silence(EARLY).await;
        connection.send(format!("{}{last}", self.body)).await?;
        let first = connection.response_to(method).await?;
        let rest = connection.read_until_closed(CLOSE).await?;
        let rest = String::from_utf8_lossy(&rest);
        if rest.contains(&self.smuggled) {
            return Err(
                self.hinted(connection.failure("the body of the first request was answered as if it were a request"))
            );
        }
        // Closing in place of reading on is right; an answer must be the one to the last request.
        // (A body behind an answer that may have none is the affair of other checks.)
        let bodiless = method == "HEAD" || matches!(first.status(), 204 | 304);
        let begins = if bodiless { rest.find("HTTP/1.").unwrap_or_default() } else { 0 };
        let answered = rest[begins..].starts_with("HTTP/1.1 200") && rest.contains(&self.next);
        if !rest.is_empty() && !answered {
            return Err(self.hinted(
                connection
                    .failure("the request after an unwanted body got a wrong response")
                    .expected(format!("the connection closed, or the response `{}`", self.next))
                    .actual(rest.into_owned()),
            ));
        }
        Ok(first)
    }

    /// Chunks are task 6, and this may be asked before.
    fn hinted(&self, failure: Failure) -> Failure {
        match self.coding {
            Coding::Counted => failure,
            Coding::Chunked => failure.hint(
                "This body comes in chunks, which are task 6. What can a server do with a body whose end it does not know how to find?",
            ),
        }
    }
}
