//! A JSON body: its values, and expectations on it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json::{differences, not_json, nothing_at, place, readable, show};
use super::response::Response;
use lab_check::CheckResult;
use lab_protocol::Difference;

impl Response {
    /// The body as JSON.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let events = app.get("/events").await?.json()?;
    /// lab_kit::expect_that(events["items"].is_array(), "the list has no items")
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it is not JSON, with the place and the `Content-Type` that came.
    pub fn json(&self) -> CheckResult<Value> {
        serde_json::from_slice(self.body()).map_err(|error| {
            let message = not_json(self.body(), self.header("content-type"), &error);
            self.failure(message).expected("a JSON body")
        })
    }

    /// The value at a JSON pointer (RFC 6901), as a `T`. An empty pointer means the whole body.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// let seats_left: u32 = app.get("/events/1").await?.at("/seats_left")?;
    /// lab_kit::expect_equal("the seats left", &seats_left, &50)
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the body is not JSON, has nothing there, or something that is no `T`.
    pub fn at<T: DeserializeOwned>(&self, pointer: &str) -> CheckResult<T> {
        let value = self.value_at(pointer)?;
        T::deserialize(&value).map_err(|error| {
            self.failure(format!("{} does not have the expected type: {error}", place(pointer)))
                .actual(value.to_string())
        })
    }

    fn value_at(&self, pointer: &str) -> CheckResult<Value> {
        let body = self.json()?;
        body.pointer(pointer)
            .cloned()
            .ok_or_else(|| self.failure(nothing_at(&body, pointer)).expected(format!("a value at {}", place(pointer))))
    }

    /// Fails unless the body is JSON that holds all of `expected`: objects may have more members, arrays are compared
    /// whole, numbers by their value (5 is 5.0). [`any_id`](super::any_id) and its like stand for values that nobody
    /// can know beforehand.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// use lab_http::{any_id, any_time};
    /// use serde_json::json;
    ///
    /// let app = lab.start().await?;
    /// let expected = json!({"id": any_id(), "title": "Hamlet", "created_at": any_time()});
    /// app.post("/events").json(&json!({"title": "Hamlet"})).await?.expect_status(201)?.expect_json(expected)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with every place that differs (at most 20).
    pub fn expect_json(self, expected: Value) -> CheckResult<Self> {
        let actual = self.json()?;
        let found = differences(&expected, &actual);
        let Some(first) = found.first() else { return Ok(self) };
        let message = match found.len() {
            1 => format!("{} in the JSON body: expected {}, got {}", first.place, first.expected, first.actual),
            count => {
                let places: Vec<_> = found.iter().take(5).map(|difference| difference.place.as_str()).collect();
                let more = if count > 5 { ", …" } else { "" };
                format!("the JSON body differs in {count} places: {}{more}", places.join(", "))
            }
        };
        let failure = self.failure(message).expected(pretty(&readable(&expected))).actual(pretty(&actual));
        Err(failure.differences(found))
    }

    /// Fails unless the value at a JSON pointer (RFC 6901) is what `what` says. An empty pointer means the whole body.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/events").await?.expect_json_where("/items", "an array", |items| items.is_array())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with what stands there.
    pub fn expect_json_where(self, pointer: &str, what: &str, holds: impl FnOnce(&Value) -> bool) -> CheckResult<Self> {
        let value =
            self.value_at(pointer).map_err(|failure| failure.expected(format!("{}: {what}", place(pointer))))?;
        if holds(&value) {
            return Ok(self);
        }
        let (place, actual) = (place(pointer), show(&value));
        let difference = Difference { place: place.to_owned(), expected: what.to_owned(), actual: actual.clone() };
        Err(self
            .failure(format!("{place} in the JSON body: expected {what}, got {actual}"))
            .expected(what)
            .actual(actual)
            .differences(vec![difference]))
    }

    /// Fails if there is anything at a JSON pointer (RFC 6901), such as a password.
    ///
    /// ```no_run
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/me").bearer("token").await?.expect_status(200)?.expect_json_without("/password")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with what stands there.
    pub fn expect_json_without(self, pointer: &str) -> CheckResult<Self> {
        let body = self.json()?;
        let Some(value) = body.pointer(pointer) else { return Ok(self) };
        let actual = show(value);
        let difference =
            Difference { place: place(pointer).to_owned(), expected: "(nothing)".into(), actual: actual.clone() };
        Err(self
            .failure(format!("{} in the JSON body: expected nothing there, got {actual}", place(pointer)))
            .expected("(nothing)")
            .actual(actual)
            .differences(vec![difference]))
    }
}

/// Over several lines, cut where it is long.
fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    lab_check::transcript::show_bytes(text.as_bytes())
}
