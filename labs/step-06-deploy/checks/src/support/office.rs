//! The box office as a client who knows the token.

use lab_kit::prelude::*;

/// A token of the check's own, and the requests that need it.
#[derive(Debug, Clone)]
pub struct Office {
    /// What `API_TOKEN` is.
    pub token: String,
}

impl Office {
    /// With a token that nobody could have foreseen.
    pub fn new(lab: &Lab) -> Self {
        Self { token: format!("t{}{}", lab.word(), lab.word()).replace('-', "") }
    }

    /// A server that knows the token.
    pub fn server<'a>(&self, lab: &'a Lab) -> lab_kit::ServerBuilder<'a> {
        lab.server().env("API_TOKEN", &self.token)
    }

    /// Makes an event with many seats, and gives its path.
    pub async fn event(&self, lab: &Lab, app: &App) -> CheckResult<String> {
        let body = json!({"title": format!("Concert {}", lab.word()), "seats": 1_000});
        let made = app.post("/events").bearer(&self.token).json(&body).await?.expect_status(201)?;
        Ok(format!("/events/{}", made.at::<i64>("/id")?))
    }

    /// An order of one seat.
    pub fn order(&self, app: &App, event: &str, buyer: &str) -> Request {
        app.post(format!("{event}/orders")).bearer(&self.token).json(&json!({"buyer": buyer, "seats": 1}))
    }

    /// A handler that panics.
    pub fn drill(&self, app: &App) -> Request {
        app.post("/drill/panic").bearer(&self.token)
    }
}
