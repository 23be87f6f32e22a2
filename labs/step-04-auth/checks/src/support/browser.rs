//! A simple browser: keeps cookies, names its origin, fills in forms.

use std::collections::BTreeMap;

use lab_kit::prelude::*;

use super::{Page, Person, REDIRECT};

/// The names that the README allows for the session cookie.
const SESSION_COOKIES: [&str; 2] = ["__Host-session", "session"];

/// A browser at the server's pages.
#[derive(Debug, Clone)]
pub struct Browser<'a> {
    app: &'a App,
    /// Its cookies. All of them go with every request.
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    /// A browser without cookies.
    pub fn new(app: &'a App) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    /// A browser that `person` logged in with.
    pub async fn of(app: &'a App, person: &Person) -> CheckResult<Self> {
        let mut browser = Self::new(app);
        browser.log_in(person).await?;
        Ok(browser)
    }

    /// A browser that has only this session cookie.
    pub fn with_session(app: &'a App, (name, value): (&str, &str)) -> Self {
        Self { app, cookies: BTreeMap::from([(name.to_owned(), value.to_owned())]) }
    }

    /// The origin of the server's pages.
    pub fn own_origin(&self) -> String {
        format!("http://{}", self.app.address())
    }

    /// Reads a page.
    pub async fn get(&mut self, path: impl AsRef<str>) -> CheckResult<Response> {
        self.send(self.app.get(path)).await
    }

    /// Sends a form from one of the server's own pages.
    pub async fn post(&mut self, path: impl AsRef<str>, fields: &[(&str, &str)]) -> CheckResult<Response> {
        self.post_from(&self.own_origin(), path, fields).await
    }

    /// Sends a form from a page of `origin`.
    pub async fn post_from(
        &mut self,
        origin: &str,
        path: impl AsRef<str>,
        fields: &[(&str, &str)],
    ) -> CheckResult<Response> {
        self.send(self.app.post(path).form(fields).header("Origin", origin)).await
    }

    async fn send(&mut self, mut request: Request) -> CheckResult<Response> {
        request = request.header("Accept", "text/html");
        for (name, value) in &self.cookies {
            request = request.cookie(name, value);
        }
        let response = request.await?;
        for line in response.headers("set-cookie") {
            self.keep(line);
        }
        Ok(response)
    }

    fn keep(&mut self, line: &str) {
        let cookie = SetCookie::read(line);
        if cookie.is_removal() {
            self.cookies.remove(&cookie.name);
        } else {
            self.cookies.insert(cookie.name, cookie.value);
        }
    }

    /// Tries to log in.
    pub async fn try_log_in(&mut self, email: &str, password: &str) -> CheckResult<Response> {
        self.get("/web/login").await?.expect_status(200)?;
        self.post("/web/login", &[("email", email), ("password", password)]).await
    }

    /// Logs in. Gives the answer with the cookie.
    pub async fn log_in(&mut self, person: &Person) -> CheckResult<Response> {
        let response = self.try_log_in(&person.email, &person.password).await?.expect_status_in(&REDIRECT)?;
        let set = response.headers("set-cookie").into_iter().map(SetCookie::read);
        if !set.into_iter().any(|cookie| cookie.is_session() && !cookie.is_removal()) {
            return Err(response
                .failure("the log-in set no session cookie")
                .expected("Set-Cookie with the name `__Host-session` or `session`"));
        }
        Ok(response)
    }

    /// The name and value of the session cookie.
    pub fn session(&self) -> CheckResult<(String, String)> {
        let found =
            SESSION_COOKIES.iter().find_map(|name| Some(((*name).to_owned(), self.cookies.get(*name)?.clone())));
        found.ok_or_else(|| {
            // never fails alone: whoever logs in has been seen to get one
            Failure::learner("the browser has no session cookie")
                .expected("a cookie named `__Host-session` or `session`")
        })
    }

    /// Whether the account page shows this address.
    pub async fn shows_account_of(&mut self, person: &Person) -> CheckResult<bool> {
        let response = super::no_crash(self.get("/web/account").await?)?;
        Ok(response.status() == 200 && response.text().to_lowercase().contains(&person.email.to_lowercase()))
    }

    /// Expects the account page to be `person`'s.
    pub async fn expect_account_of(&mut self, person: &Person) -> CheckResult {
        let page = Page::of(self.get("/web/account").await?.expect_status(200)?)?;
        if page.text().to_lowercase().contains(&person.email.to_lowercase()) {
            return Ok(());
        }
        Err(page.failure("the account page does not show the address of the logged-in user").expected(&person.email))
    }

    /// Expects not to be known as `person`; `why` says why not.
    pub async fn expect_not(&mut self, person: &Person, why: &str) -> CheckResult {
        let shows = self.shows_account_of(person).await?;
        expect_that(!shows, format!("`GET /web/account` shows the account of {}: {why}", person.email))
    }

    /// A fresh CSRF token for the form on `page` whose action ends with `action`.
    pub async fn csrf_token(&mut self, page: impl AsRef<str>, action: &str) -> CheckResult<String> {
        Page::of(self.get(page).await?.expect_status(200)?)?.csrf_token(action)
    }

    /// The CSRF token of the form to log out with.
    pub async fn log_out_token(&mut self) -> CheckResult<String> {
        self.csrf_token("/web/account", "/logout").await
    }
}

/// Expects a redirect, to a page of the server's own.
pub fn expect_redirect(app: &App, response: Response) -> CheckResult<Response> {
    let stays = |target: &str| stays_at(&format!("http://{}", app.address()), target);
    let response = response.expect_status_in(&REDIRECT)?;
    response.expect_header_where("location", "leads to a page of this server", stays)
}

/// Whether a browser that is at a page of `origin` stays there when it goes to `target`, which may be relative (WHATWG
/// URL, "basic URL parser": a backslash is a slash, and white space at the beginning is no part of it).
fn stays_at(origin: &str, target: &str) -> bool {
    let target = target.trim().replace('\\', "/");
    if let Some(rest) = target.strip_prefix(origin) {
        return rest.is_empty() || rest.starts_with(['/', '?', '#']);
    }
    let before_path = target.split(['/', '?', '#']).next().unwrap_or_default();
    !target.starts_with("//") && !before_path.contains(':')
}

/// One `Set-Cookie` line (RFC 6265 §4.1).
#[derive(Debug, Clone)]
pub struct SetCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its attributes, names in lower case.
    pub attributes: Vec<(String, String)>,
}

impl SetCookie {
    /// Reads a line.
    pub fn read(line: &str) -> Self {
        let mut parts = line.split(';').map(str::trim);
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_owned(), value.trim().to_owned())
        };
        let (name, value) = pair(parts.next().unwrap_or_default());
        let attributes = parts.map(pair).map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Self { name, value, attributes }
    }

    /// Whether it is the session cookie.
    pub fn is_session(&self) -> bool {
        SESSION_COOKIES.contains(&self.name.as_str())
    }

    /// The value of an attribute, empty for one that has none.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether it makes the browser forget the cookie. Servers name a time long past; no cookie that is meant to be
    /// kept expires in the last century.
    pub fn is_removal(&self) -> bool {
        let max_age = self.attribute("max-age").and_then(|seconds| seconds.parse::<i64>().ok());
        let year = self.attribute("expires").and_then(|date| {
            date.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 4)?.parse::<i32>().ok()
        });
        max_age.map_or_else(|| year.is_some_and(|year| year < 2001), |seconds| seconds <= 0)
    }
}
