//! Expectations on status, fields and body.

use super::response::Response;
use super::text::{self, excerpt, size};
use lab_check::transcript::show_bytes;
use lab_check::{CheckResult, Failure};
use lab_protocol::Difference;

/// How a field that is not there is shown.
const NO_FIELD: &str = "(no such field)";
/// What data compressed with gzip begins with (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How many bytes around the first that differs are shown.
const AROUND: usize = 24;

impl Response {
    /// Fails unless the status is `expected`.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/nowhere").await?.expect_status(404)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with both.
    pub fn expect_status(self, expected: u16) -> CheckResult<Self> {
        self.expect_status_in(&[expected])
    }

    /// Fails unless the status is one of `allowed`, for behaviour that a standard leaves free.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.post("/events").json(&serde_json::json!({"price": -1})).await?.expect_status_in(&[400, 422])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the status that came.
    pub fn expect_status_in(self, allowed: &[u16]) -> CheckResult<Self> {
        if allowed.contains(&self.status()) {
            return Ok(self);
        }
        let expected = allowed.iter().map(|code| text::status(*code)).collect::<Vec<_>>().join(" or ");
        let actual = text::status(self.status());
        let later = self.try_later().unwrap_or_default();
        Err(self.differs(format!("expected status {expected}, got {actual}{later}"), "status", expected, actual))
    }

    /// Fails unless the field `name` has the value `expected`, white space around it aside.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/echo/abc").await?.expect_header("content-length", "3")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the value that came, if any.
    pub fn expect_header(self, name: &str, expected: &str) -> CheckResult<Self> {
        match self.combined(name) {
            Some(value) if value == expected.trim() => Ok(self),
            Some(value) => {
                let message = format!("expected the field {name} to be `{expected}`, got `{value}`");
                Err(self.differs(message, format!("header {name}"), expected.to_owned(), value))
            }
            None => Err(self.no_field(name, expected.to_owned())),
        }
    }

    /// Fails unless the value of the field `name` does what `what` says of it: "names GET". The values of several
    /// fields are joined by commas (RFC 9110 §5.3).
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let names_get = |value: &str| value.split(',').any(|method| method.trim() == "GET");
    /// app.post("/").await?.expect_status(405)?.expect_header_where("allow", "names GET", names_get)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the value that came, if any.
    pub fn expect_header_where(self, name: &str, what: &str, holds: impl FnOnce(&str) -> bool) -> CheckResult<Self> {
        let expected = format!("a value that {what}");
        match self.combined(name) {
            Some(value) if holds(&value) => Ok(self),
            Some(value) => {
                let message = format!("expected a field {name} that {what}, got `{value}`");
                Err(self.differs(message, format!("header {name}"), expected, value))
            }
            None => Err(self.no_field(name, expected)),
        }
    }

    /// Fails unless `Content-Type` names the media type `expected`, whatever its case and parameters.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/events").await?.expect_media_type("application/json")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the value that came, if any.
    pub fn expect_media_type(self, expected: &str) -> CheckResult<Self> {
        let values = self.headers("content-type");
        match self.media_type() {
            Some(media_type) if values.len() == 1 && media_type.eq_ignore_ascii_case(expected) => Ok(self),
            Some(_) => {
                let value = values.join(", ");
                let message = format!("expected a body of type {expected}, but Content-Type says `{value}`");
                Err(self.differs(message, "header content-type", expected.to_owned(), value))
            }
            None => Err(self.no_field("content-type", expected.to_owned())),
        }
    }

    /// Fails if there is a field `name`.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/echo/abc").await?.expect_no_header("content-encoding")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the value that came.
    pub fn expect_no_header(self, name: &str) -> CheckResult<Self> {
        let Some(value) = self.combined(name) else { return Ok(self) };
        let message = format!("expected no field {name}, got `{value}`");
        Err(self.differs(message, format!("header {name}"), NO_FIELD.to_owned(), value))
    }

    /// Fails unless the body is `expected`, byte for byte.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/echo/a%20b").await?.expect_body("a b")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the first byte that differs, counted from 0.
    pub fn expect_body(self, expected: impl AsRef<[u8]>) -> CheckResult<Self> {
        let (expected, actual) = (expected.as_ref(), self.body());
        if expected == actual {
            return Ok(self);
        }
        let at = expected.iter().zip(actual).take_while(|(a, b)| a == b).count();
        let message = if actual.starts_with(&GZIP) && !expected.starts_with(&GZIP) {
            format!(
                "the body is compressed with gzip: expected {}, which a client that has not asked for gzip can read",
                excerpt(expected)
            )
        } else if let Some(announced) = self.cut_by_its_length(&expected[at..], at) {
            format!(
                "Content-Length announces {announced}, but the body has more: {} comes behind them; a length counts bytes, and \
                 some letters take two or more",
                excerpt(&expected[at..])
            )
        } else if at == actual.len() {
            format!("the body ends too early: expected {}, got {}", size(expected), size(actual))
        } else if at == expected.len() {
            format!("the body should end after {}, but {} follows", size(expected), excerpt(&actual[at..]))
        } else {
            format!(
                "the body differs at byte {at}, counted from 0: expected {}, got {}",
                excerpt(around(expected, at)),
                excerpt(around(actual, at))
            )
        };
        let (expected_there, actual_there) = (excerpt(around(expected, at)), excerpt(around(actual, at)));
        let (expected, actual) = (shown(expected), shown(actual));
        let failure = self.differs(message, format!("body byte {at}"), expected_there, actual_there);
        Err(failure.expected(expected).actual(actual))
    }

    /// Fails unless the body is empty.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.delete("/files/notes").await?.expect_status(204)?.expect_empty_body()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the body that came.
    pub fn expect_empty_body(self) -> CheckResult<Self> {
        if self.body().is_empty() {
            return Ok(self);
        }
        let actual = shown(self.body());
        let message = format!("expected an empty body, got {}: {}", size(self.body()), excerpt(self.body()));
        Err(self.differs(message, "body byte 0", "(empty)".to_owned(), actual))
    }

    /// Fails unless the body is what `what` says: "a page with a heading".
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let gzip = |body: &[u8]| body.starts_with(&[0x1f, 0x8b]);
    /// app.get("/echo/abc").header("Accept-Encoding", "gzip").await?.expect_body_where("gzip data", gzip)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the body that came.
    pub fn expect_body_where(self, what: &str, holds: impl FnOnce(&[u8]) -> bool) -> CheckResult<Self> {
        if holds(self.body()) {
            return Ok(self);
        }
        let message = format!("the body is not {what}: {}", excerpt(self.body()));
        let actual = shown(self.body());
        Err(self.failure(message).expected(what).actual(actual))
    }

    /// Fails unless the answer as a whole is what `what` says: a noun phrase, as everywhere in these expectations.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let answer = app.head("/").await?;
    /// answer.expect_where("an answer that ends with its head", |answer| answer.extra_bytes().is_empty())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure.
    pub fn expect_where(self, what: &str, holds: impl FnOnce(&Self) -> bool) -> CheckResult<Self> {
        if holds(&self) { Ok(self) } else { Err(self.failure(format!("expected {what}")).expected(what)) }
    }

    /// What to know of an answer that asks for patience.
    fn try_later(&self) -> Option<String> {
        let after = self.combined("retry-after").filter(|_| matches!(self.status(), 429 | 503))?;
        Some(format!(" with `Retry-After: {after}`; a check asks again only where the README says so"))
    }

    /// The values of `name` as one list.
    fn combined(&self, name: &str) -> Option<String> {
        let values = self.headers(name);
        (!values.is_empty()).then(|| values.join(", "))
    }

    fn no_field(&self, name: &str, expected: String) -> Failure {
        let message = format!("the response has no field {name}");
        self.differs(message, format!("header {name}"), expected, NO_FIELD.to_owned())
    }

    /// How many bytes Content-Length announces, if `rest`, which is missing behind the `at` bytes of the body, is what came
    /// behind it.
    fn cut_by_its_length(&self, rest: &[u8], at: usize) -> Option<String> {
        let came = self.behind();
        let is_rest = !rest.is_empty() && !came.is_empty() && (came.starts_with(rest) || rest.starts_with(came));
        (at == self.body().len() && is_rest && self.header("content-length").is_some()).then(|| size(self.body()))
    }

    fn differs(&self, message: String, place: impl Into<String>, expected: String, actual: String) -> Failure {
        let difference = Difference { place: place.into(), expected: expected.clone(), actual: actual.clone() };
        self.failure(message).expected(expected).actual(actual).differences(vec![difference])
    }
}

fn around(bytes: &[u8], at: usize) -> &[u8] {
    let (start, end) = (at.saturating_sub(AROUND / 2), (at + AROUND).min(bytes.len()));
    &bytes[start.min(end)..end]
}

fn shown(bytes: &[u8]) -> String {
    if bytes.is_empty() { "(empty)".to_owned() } else { show_bytes(bytes) }
}
