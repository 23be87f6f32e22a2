//! Task 6: the session of a browser.

use lab_kit::guess::differing_bits;
use lab_kit::prelude::*;

use crate::sessions::set_disabled;
use crate::support::{
    Browser, DONE, HASHING, Newcomer, Page, Person, REDIRECT, SetCookie, expect_redirect, no_crash, shuffled,
};

/// So many log-ins are compared; each costs a hash.
const LOG_INS: usize = 8;
/// How many bits of their cookies have to differ. Eight values that are random as a whole have about three in each of
/// 20 places; numbers that count, and times, differ in a few places.
const LEAST_BITS: f64 = 32.0;

/// A cookie stands for a log-in, for as long as that lasts (RFC 6265 §8.6).
#[check(title = "users can log in with a browser", task = 6, points = 1, needs = ["register"],
        hints = ["What does the browser send with its next request?",
                 "Generate a random id, store it with the account, and set it as the cookie __Host-session.",
                 "If you don't know the session, redirect to /web/login."])]
async fn web_login(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let mut browser = Browser::new(&app);
    expect_nobody(&app, browser.get("/web/account").await?)?;
    let answer = browser.try_log_in(&ada.email, &ada.wrong_password()).await?.expect_status(401)?;
    let wrong = Page::of(answer)?.text().replace(&ada.email, "");
    browser.expect_not(&ada, "the password was wrong").await?;
    let nobody = lab.email();
    let answer = browser.try_log_in(&nobody, &ada.wrong_password()).await?.expect_status(401)?;
    let unknown = Page::of(answer)?.text().replace(&nobody, "");
    expect_equal("the text of the page for an unknown address, beside that for a wrong password", &unknown, &wrong)?;

    let answer = browser.log_in(&ada).await?;
    expect_redirect(&app, answer)?;
    browser.expect_account_of(&ada).await?;
    let (name, value) = browser.session()?;
    let made_up = shuffled(lab, &value);
    expect_nobody(&app, Browser::with_session(&app, (&name, &made_up)).get("/web/account").await?)?;

    // The same accounts as at /login, with the same passwords.
    let mut browser = Browser::new(&app);
    browser.try_log_in(&ada.email.to_uppercase(), &ada.password).await?.expect_status_in(&REDIRECT)?;
    browser.expect_account_of(&ada).await?;
    let long = Newcomer::with_password(lab, format!("{}{}", lab.word(), "x".repeat(57))).register(&app).await?;
    for wrong in [format!("{}x", long.password), format!("{0}\0{0}", long.password), String::new()] {
        let mut browser = Browser::new(&app);
        let answer = browser.try_log_in(&long.email, &wrong).await?.expect_status_in(&[401, 400, 422]);
        answer.because("this is not the password of the account")?;
        // never fails alone: a session for a wrong password has failed above
        browser.expect_not(&long, "the password was wrong").await?;
    }
    expect_no_way_out(&app, &ada).await
}

fn expect_nobody(app: &App, response: Response) -> CheckResult {
    let response = response.expect_status_in(&[302, 303, 401]).because("nobody is logged in with this browser")?;
    if response.status() != 401 {
        expect_redirect(app, response)?;
    }
    Ok(())
}

/// Expects that no parameter that some server follows leads a visitor who logs in to another site (OWASP ASVS 5.0,
/// 3.7.2; OWASP Unvalidated Redirects and Forwards Cheat Sheet).
async fn expect_no_way_out(app: &App, ada: &Person) -> CheckResult {
    let names = ["next", "redirect", "redirect_to", "return_to", "returnTo", "returnUrl", "url", "continue"];
    for target in ["https://evil.example/", "//evil.example/", "/\\evil.example/"] {
        let mut fields = vec![("email", ada.email.as_str()), ("password", ada.password.as_str())];
        fields.extend(names.map(|name| (name, target)));
        let request = names.into_iter().fold(app.post("/web/login"), |request, name| request.query(name, target));
        let origin = format!("http://{}", app.address());
        let answer = request.form(&fields).header("Origin", origin).within(HASHING).await?;
        // A server may refuse what it does not know.
        if REDIRECT.contains(&no_crash(answer.clone())?.status()) {
            expect_redirect(app, answer)
                .because("a redirect leads to a page of the server, whatever the request says")?;
        }
    }
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
    let mut browser = Browser::new(&app);
    for _ in 0..LOG_INS {
        browser = Browser::new(&app);
        let answer = browser.log_in(&ada).await?;
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
    let ids: Vec<String> = values.iter().map(|cookie| cookie.value.clone()).collect();
    let bits = differing_bits(&ids);
    if bits < LEAST_BITS {
        let (first, last) = (&ids[0], &ids[LOG_INS - 1]);
        return Err(Failure::learner(format!(
            "the cookies of {LOG_INS} log-ins differ in so little that they can be guessed"
        ))
        .expected("values that are random for the most part")
        .actual(format!("about {bits:.0} bits that differ, as between these two:\n{first}\n{last}")));
    }
    // A cookie that is set anew is the same cookie.
    for path in ["/web/account", "/web/events", "/web/login"] {
        let answer = browser.get(path).await?;
        let lines: Vec<String> = answer.headers("set-cookie").into_iter().map(str::to_owned).collect();
        let set = lines.iter().map(|line| SetCookie::read(line));
        for cookie in set.filter(|cookie| cookie.is_session() && !cookie.is_removal()) {
            guarded(&cookie).map_err(|(what, expected)| {
                answer.failure(format!("the session cookie {what}")).expected(expected).actual(lines.join("\n"))
            })?;
        }
    }

    let cookie = &values[LOG_INS - 1];
    for path in ["/me", "/orders"] {
        for request in [app.get(path).cookie(&cookie.name, &cookie.value), app.get(path).bearer(&cookie.value)] {
            let api = no_crash(request.await?)?.expect_status_in(&[401, 400]);
            api.because("the session cookie is valid for the pages only")?;
        }
    }
    let account = || app.get("/web/account");
    let token = &ada.session.access;
    for request in [account().bearer(token), account().cookie(&cookie.name, token)] {
        let hidden = no_crash(request.await?)?.expect_where("no account page", |answer| answer.status() != 200);
        hidden.because("bearer tokens are valid for the API only")?;
    }
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

    // And one from a log-in of the victim's own.
    planted.push(Browser::of(&app, &ada).await?.session()?.1);

    for (place, value) in planted.iter().enumerate() {
        let own = place + 1 == planted.len();
        let mut victim = Browser::with_session(&app, (&name, value));
        let answer = victim.log_in(&ada).await?;
        let (_, fresh) = victim.session()?;
        if fresh == *value {
            return Err(answer
                .failure("the session id is the one that the browser sent")
                .expected("a fresh id at each log-in")
                .actual(format!("{name}={value}")));
        }
        victim.expect_account_of(&ada).await?;
        // Their own session of before may go on, or end.
        if !own {
            let mut attacker = Browser::with_session(&app, (&name, value));
            attacker.expect_not(&ada, "its cookie is the one from before the log-in").await?;
        }
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

    let mut elsewhere = Browser::of(&app, &ada).await?;
    let token = browser.log_out_token().await?;
    let answer = browser.post("/web/logout", &[("csrf_token", &token)]).await?;
    expect_redirect(&app, answer)?;
    browser.expect_not(&ada, "it was logged out").await?;
    let other = elsewhere.expect_account_of(&ada).await;
    other.because("it is another session of the same account, and nobody has logged out there")?;
    ada.session.expect_alive(&app).await.because("the tokens are of another session of the same account")?;
    app.post("/logout").bearer(&ada.session.access).await?.expect_status_in(&DONE)?;
    elsewhere.expect_account_of(&ada).await.because("what has ended is a session of the API")?;
    let mut replay = Browser::with_session(&app, (&name, &value));
    replay.expect_not(&ada, "this cookie is from a session that was logged out").await?;

    let mut browser = Browser::of(&app, &ada).await?;
    set_disabled(&app, &admin, &ada, true).await?;
    browser.expect_not(&ada, "the account was disabled").await?;
    let mut again = Browser::new(&app);
    // never fails alone: `web_login` asks the same of a wrong password
    let wrong = again.try_log_in(&ada.email, &ada.wrong_password()).await?.expect_status(401)?;
    let right = again.try_log_in(&ada.email, &ada.password).await?.expect_status(401);
    let right = right.because("the account was disabled")?;
    expect_equal(
        "the text of the page for the right password, beside that for a wrong one",
        &Page::of(right)?.text(),
        &Page::of(wrong)?.text(),
    )?;
    again.expect_not(&ada, "the account was disabled").await
}
