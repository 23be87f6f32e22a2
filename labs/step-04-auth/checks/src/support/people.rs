//! The people of a check: made with random names, addresses and passwords.

use lab_kit::http::{any_number, any_string};
use lab_kit::id::Id;
use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

/// A request that hashes may take this long: with a high cost, on a machine with much else to do.
pub const HASHING: Duration = Duration::from_secs(15);

/// Somebody without an account.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: String,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account's id.
    pub id: Id,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: String,
    /// The session that they use.
    pub session: Session,
}

/// The tokens of one log-in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Newcomer {
    /// Somebody new.
    pub fn new(lab: &Lab) -> Self {
        Self { email: lab.email(), name: format!("Ada {}", lab.word()), password: format!("{}-Pass", lab.word()) }
    }

    /// The same with another password.
    pub fn with_password(lab: &Lab, password: impl Into<String>) -> Self {
        Self { password: password.into(), ..Self::new(lab) }
    }

    /// What they register with.
    pub fn body(&self) -> Value {
        json!({"email": self.email, "name": self.name, "password": self.password})
    }

    /// Makes their account.
    pub async fn register(self, app: &App) -> CheckResult<Person> {
        // never fails alone: `register` asks the same, and whatever registers somebody needs it
        let response = self.request(app).await?.expect_status(201)?;
        self.registered(&response)
    }

    /// Makes their account; none, where the server calls them bad input.
    pub async fn register_or_be_refused(self, app: &App) -> CheckResult<Option<Person>> {
        let response = self.request(app).await?.expect_status_in(&[201, 400, 422])?;
        if response.status() == 201 { self.registered(&response).map(Some) } else { Ok(None) }
    }

    fn request(&self, app: &App) -> Request {
        app.post("/register").json(&self.body()).within(HASHING)
    }

    fn registered(self, response: &Response) -> CheckResult<Person> {
        let id = Id::of(response, "/user/id")?;
        let session = Session::of(response)?;
        Ok(Person { id, email: self.email, name: self.name, password: self.password, session })
    }
}

impl Session {
    /// The tokens in an answer.
    pub fn of(response: &Response) -> CheckResult<Self> {
        Ok(Self { access: response.at("/access_token")?, refresh: response.at("/refresh_token")? })
    }

    /// The next tokens of the same session.
    pub async fn refreshed(&self, app: &App) -> CheckResult<Self> {
        // never fails alone: `refresh_rotates` asks the same, and whatever refreshes needs it
        Self::of(&refresh(app, &self.refresh).await?.expect_status(200)?)
    }

    /// Expects both tokens to work. The refresh token is used up by it.
    pub async fn expect_alive(&self, app: &App) -> CheckResult<Self> {
        app.get("/me").bearer(&self.access).await?.expect_status(200)?;
        self.refreshed(app).await
    }

    /// Expects neither token to work.
    pub async fn expect_dead(&self, app: &App) -> CheckResult {
        app.get("/me").bearer(&self.access).await?.expect_status(401)?;
        refresh(app, &self.refresh).await?.expect_status(401)?;
        Ok(())
    }
}

/// Expects the members that come with every account that is let in: two tokens, and what they are.
pub fn expect_tokens(response: Response) -> CheckResult<Response> {
    let is_bearer = |kind: &Value| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    response
        .expect_json(json!({"access_token": any_string(), "refresh_token": any_string(), "expires_in": any_number()}))?
        .expect_json_where("/token_type", "Bearer", is_bearer)
}

/// Expects neither the password nor a hash in an answer.
pub fn expect_no_password(response: Response, password: &str) -> CheckResult<Response> {
    response.expect_body_where("a body without the password or its hash", |body| {
        let body = String::from_utf8_lossy(body);
        !body.contains(password) && !["$2a$", "$2b$", "$2y$"].iter().any(|prefix| body.contains(prefix))
    })
}

/// A request for new tokens.
pub fn refresh(app: &App, token: &str) -> Request {
    app.post("/refresh").json(&json!({"refresh_token": token}))
}

impl Person {
    /// A customer.
    pub async fn customer(lab: &Lab, app: &App) -> CheckResult<Self> {
        Newcomer::new(lab).register(app).await
    }

    /// An organizer.
    pub async fn organizer(lab: &Lab, app: &App) -> CheckResult<Self> {
        Self::with_role(lab, app, "organizer").await
    }

    /// An administrator.
    pub async fn admin(lab: &Lab, app: &App) -> CheckResult<Self> {
        Self::with_role(lab, app, "admin").await
    }

    /// Somebody who registers, is given a role by SQL and refreshes their tokens.
    async fn with_role(lab: &Lab, app: &App, role: &str) -> CheckResult<Self> {
        Self::customer(lab, app).await?.promoted(lab, app, role).await
    }

    /// The same person with a role that was given by SQL, and with tokens from after that.
    pub async fn promoted(mut self, lab: &Lab, app: &App, role: &str) -> CheckResult<Self> {
        // The role stands in the text, not in a parameter: only so does it fit a text and an enum alike.
        let statement = format!("update users set role = '{role}' where lower(email::text) = lower($1)");
        let changed = lab.postgres().await?.sql(statement).bind(&self.email).execute().await?;
        expect_equal("rows of `users` with the address that was just registered", &changed, &1)?;
        self.session = self.session.refreshed(app).await?;
        Ok(self)
    }

    /// A request to log in.
    pub fn try_password(&self, app: &App, password: &str) -> Request {
        app.post("/login").json(&json!({"email": self.email, "password": password})).within(HASHING)
    }

    /// Logs in, which begins another session.
    pub async fn log_in(&self, app: &App) -> CheckResult<Session> {
        Session::of(&self.try_password(app, &self.password).await?.expect_status(200)?)
    }

    /// A password that is not theirs.
    pub fn wrong_password(&self) -> String {
        format!("not-{}", self.password)
    }
}

/// The role of an account, as it stands in the table.
pub async fn role_in_table(lab: &Lab, email: &str) -> CheckResult<String> {
    let statement = "select role::text from users where lower(email::text) = lower($1)";
    lab.postgres().await?.sql(statement).bind(email).scalar().await
}
