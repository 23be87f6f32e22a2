//! Task 6: the session of a browser.

use lab_kit::prelude::*;

use crate::sessions::set_disabled;
use crate::support::{Browser, Page, Person, REDIRECT, SetCookie, no_crash, shuffled};

/// A cookie stands for a log-in, for as long as that lasts (RFC 6265 §8.6).
#[check(title = "users can log in with a browser", task = 6, points = 1, needs = ["register"],
        hints = ["What does the browser send with its next request?",
                 "Generate a random id, store it with the account, and set it as the cookie __Host-session.",
                 "If you don't know the session, redirect to /web/login."])]
async fn web_login(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let mut browser = Browser::new(&app);
    expect_nobody(browser.get("/web/account").await?)?;
    let answer = browser.try_log_in(&ada.email, &ada.wrong_password()).await?.expect_status(401)?;
    Page::of(answer)?;
    browser.expect_not(&ada, "the password was wrong").await?;

    browser.log_in(&ada).await?;
    browser.expect_account_of(&ada).await?;
    let (name, value) = browser.session()?;
    let made_up = shuffled(lab, &value);
    expect_nobody(Browser::with_session(&app, (&name, &made_up)).get("/web/account").await?)
}

fn expect_nobody(response: Response) -> CheckResult {
    response.expect_status_in(&[302, 303, 401]).because("nobody is logged in with this browser")?;
    Ok(())
}

/// A cookie's attributes decide who can read it and when it is sent (OWASP ASVS 5.0, 3.3; RFC 6265 §4.1.2).
#[check(title = "the session cookie is protected", task = 6, points = 2, needs = ["web_login", "me"],
        hints = ["Who can read the cookie, and on whose request is it sent?",
                 "HttpOnly against scripts, Secure against eavesdroppers, SameSite against other sites, Path, and no Domain.",
                 "A hex digit is half a byte. 32 random bytes cannot be guessed."])]
async fn cookie_attributes(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let mut values = Vec::new();
    for _ in 0..2 {
        let answer = Browser::new(&app).log_in(&ada).await?;
        let lines: Vec<String> = answer.headers("set-cookie").into_iter().map(str::to_owned).collect();
        let mut cookies = lines.iter().map(|line| SetCookie::read(line));
        // Of several with one name, the browser keeps the last.
        let cookie = cookies.rfind(SetCookie::is_session);
        let cookie = cookie.ok_or_else(|| answer.failure("no session cookie was set"))?;
        guarded(&cookie).map_err(|(what, expected)| {
            answer.failure(format!("the session cookie {what}")).expected(expected).actual(lines.join("\n"))
        })?;
        values.push(cookie);
    }
    expect_that(values[0].value != values[1].value, "two log-ins got the same session id")?;

    let cookie = &values[0];
    let api = no_crash(app.get("/me").cookie(&cookie.name, &cookie.value).await?)?;
    api.expect_status(401).because("the session cookie is valid for the pages only")?;
    let page = app.get("/web/account").bearer(&ada.session.access).await?;
    let hidden = no_crash(page)?.expect_where("no account page", |answer| answer.status() != 200);
    hidden.because("bearer tokens are valid for the API only")?;
    Ok(())
}

/// What is wrong with a session cookie, and what should be.
fn guarded(cookie: &SetCookie) -> Result<(), (&'static str, &'static str)> {
    let lax_or_strict = |value: &str| value.eq_ignore_ascii_case("lax") || value.eq_ignore_ascii_case("strict");
    let demands = [
        (cookie.attribute("httponly").is_some(), "can be read by scripts", "HttpOnly"),
        (cookie.attribute("secure").is_some(), "is sent over plain HTTP", "Secure"),
        (
            cookie.attribute("samesite").is_some_and(lax_or_strict),
            "is sent with requests from other sites",
            "SameSite=Lax or Strict",
        ),
        (
            cookie.attribute("path").is_some_and(|path| path == "/" || path == "/web" || path == "/web/"),
            "does not have the path of the pages",
            "Path=/, or Path=/web",
        ),
        (
            !cookie.name.starts_with("__Host-") || cookie.attribute("path") == Some("/"),
            "has a name that browsers accept only with Path=/",
            "Path=/, or the name `session`",
        ),
        (cookie.attribute("domain").is_none_or(str::is_empty), "is sent to other hosts", "no Domain"),
        (cookie.value.len() >= 20, "has a short value", "20 characters or more"),
    ];
    demands.into_iter().find(|(holds, ..)| !holds).map_or(Ok(()), |(_, what, expected)| Err((what, expected)))
}

/// An id from before the log-in may be known to whoever put it there (OWASP ASVS 5.0, 7.2.4).
#[check(title = "each log-in starts a new session", task = 6, points = 3, needs = ["web_login"],
        hints = ["What happens to the cookie that the browser sends along with the log-in form?",
                 "Never keep it: generate a fresh id at each log-in, and end the previous session."])]
async fn fixation(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, eve) = (Person::customer(lab, &app).await?, Person::customer(lab, &app).await?);
    let (name, known) = Browser::of(&app, &eve).await?.session()?;

    // One that nobody gave, and one of the attacker's own session.
    let mut planted = vec![shuffled(lab, &known), known];
    // And one that the server gave before anybody logged in, where it does so.
    let mut visitor = Browser::new(&app);
    visitor.get("/web/login").await?;
    visitor.get("/web/events").await?;
    planted.extend(visitor.session().ok().map(|(_, value)| value));

    for value in planted {
        let mut victim = Browser::with_session(&app, (&name, &value));
        let answer = victim.log_in(&ada).await?;
        let (_, fresh) = victim.session()?;
        if fresh == value {
            return Err(answer
                .failure("the session id is the one that the browser sent")
                .expected("a fresh id at each log-in")
                .actual(format!("{name}={value}")));
        }
        victim.expect_account_of(&ada).await?;
        let mut attacker = Browser::with_session(&app, (&name, &value));
        attacker.expect_not(&ada, "its cookie is the one from before the log-in").await?;
    }
    Ok(())
}

/// A cookie that was copied earlier must be worthless after the log-out (OWASP ASVS 5.0, 7.4.1).
#[check(title = "logging out ends the browser's session", task = 6, points = 1, needs = ["web_login", "disabled_account"],
        hints = ["What if somebody sends the old cookie again?",
                 "Delete the session on your side; only then the cookie. And a GET changes nothing."])]
async fn web_log_out(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, admin) = (Person::customer(lab, &app).await?, Person::admin(lab, &app).await?);
    let mut browser = Browser::of(&app, &ada).await?;
    let (name, value) = browser.session()?;
    let mut copy = Browser::with_session(&app, (&name, &value));
    no_crash(copy.get("/web/logout").await?)?;
    browser.expect_account_of(&ada).await.because("a GET changes nothing, so it logs nobody out")?;

    let token = browser.log_out_token().await?;
    browser.post("/web/logout", &[("csrf_token", &token)]).await?.expect_status_in(&REDIRECT)?;
    browser.expect_not(&ada, "it was logged out").await?;
    let mut replay = Browser::with_session(&app, (&name, &value));
    replay.expect_not(&ada, "this cookie is from a session that was logged out").await?;

    let mut browser = Browser::of(&app, &ada).await?;
    set_disabled(&app, &admin, &ada, true).await?;
    browser.expect_not(&ada, "the account was disabled").await
}
