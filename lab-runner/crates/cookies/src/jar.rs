//! Cookies as a browser keeps them (RFC 6265 §5), as far as one server on one host needs.

use std::cmp::Reverse;

use cookie::Cookie;
use cookie::time::OffsetDateTime;

use lab_check::CheckResult;
use lab_http::{Request, Response};

/// The cookies of one visitor.
///
/// ```no_run
/// # use lab_kit::prelude::*;
/// # async fn example(app: &App) -> CheckResult<()> {
/// use lab_cookies::CookieJar;
///
/// let mut jar = CookieJar::default();
/// let answer = app.post("/login").form(&[("email", "a@b.c"), ("password", "correct horse")]).await?;
/// jar.store(&answer)?;
/// jar.on(app.get("/account")).await?.expect_status(200)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct CookieJar(Vec<Cookie<'static>>);

impl CookieJar {
    /// Takes what the answer's `Set-Cookie` fields set, and forgets what they end.
    ///
    /// # Errors
    /// The learner's failure if one of them is no cookie.
    pub fn store(&mut self, response: &Response) -> CheckResult {
        for line in response.headers("set-cookie") {
            let cookie = Cookie::parse(line.to_owned()).map_err(|error| {
                let failure = response.failure(format!("a Set-Cookie field is no cookie: {error}"));
                failure.expected("a name and a value, such as `session=…; Path=/; HttpOnly`").actual(line)
            })?;
            let mut cookie = cookie;
            if !cookie.path().is_some_and(|path| path.starts_with('/')) {
                cookie.set_path(default_path(response.target()));
            }
            self.0.retain(|kept| kept.name() != cookie.name() || kept.path() != cookie.path());
            if !is_over(&cookie) {
                self.0.push(cookie);
            }
        }
        Ok(())
    }

    /// The cookie `name`, if there is one.
    ///
    /// ```
    /// # fn example(jar: &lab_cookies::CookieJar) {
    /// let is_hidden_from_scripts = jar.get("session").is_some_and(|cookie| cookie.http_only() == Some(true));
    /// # }
    /// ```
    pub fn get(&self, name: &str) -> Option<&Cookie<'static>> {
        self.0.iter().find(|cookie| cookie.name() == name)
    }

    /// Every cookie, in the order in which they were set.
    ///
    /// ```
    /// # fn example(jar: &lab_cookies::CookieJar) {
    /// let names: Vec<_> = jar.iter().map(|cookie| cookie.name()).collect();
    /// # }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &Cookie<'static>> {
        self.0.iter()
    }

    /// `request` with the cookies whose path fits, the longest path first (RFC 6265 §5.4).
    ///
    /// ```no_run
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App, jar: &lab_cookies::CookieJar) -> CheckResult<()> {
    /// jar.on(app.get("/account")).await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on(&self, request: Request) -> Request {
        let path = path_of(request.target()).to_owned();
        let mut fitting: Vec<_> = self.iter().filter(|cookie| fits(cookie.path().unwrap_or("/"), &path)).collect();
        fitting.sort_by_key(|cookie| Reverse(cookie.path().map_or(0, str::len)));
        fitting.into_iter().fold(request, |request, cookie| request.cookie(cookie.name(), cookie.value()))
    }
}

/// `Max-Age` counts for more than `Expires` (RFC 6265 §5.3).
fn is_over(cookie: &Cookie<'_>) -> bool {
    match (cookie.max_age(), cookie.expires_datetime()) {
        (Some(age), _) => !age.is_positive(),
        (None, Some(expires)) => expires <= OffsetDateTime::now_utc(),
        (None, None) => false,
    }
}

/// RFC 6265 §5.1.4.
fn default_path(target: &str) -> String {
    let path = path_of(target);
    match path.rfind('/') {
        Some(last @ 1..) => path[..last].to_owned(),
        _ => "/".to_owned(),
    }
}

fn fits(cookie_path: &str, path: &str) -> bool {
    let rest = path.strip_prefix(cookie_path);
    rest.is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

fn path_of(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}
