//! Task 4: sessions, how they go on and how they end.

use lab_kit::prelude::*;

use crate::log_in::expect_uncached;
use crate::support::{DONE, Person, Session, refresh};

/// Access tokens are short-lived; a refresh token is exchanged for the next pair (RFC 6749 §6; RFC 9700 §4.14.2).
#[check(title = "a refresh token gives new tokens", task = 4, points = 2, needs = ["me"],
        hints = ["What does a client do when its access token is over?",
                 "Verify the refresh token, mark it as used, make the next one, and answer as /login does."])]
async fn refresh_rotates(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let mut session = ada.session.clone();
    for _ in 0..5 {
        let response = refresh(&app, &session.refresh).await?.expect_status(200)?;
        let response = response.expect_json(json!({"user": {"id": ada.id.json(), "name": ada.name}}))?;
        let next = Session::of(&response)?;
        expect_uncached(response)?
            .expect_that("another refresh token than the one that was sent", |_| next.refresh != session.refresh)?;
        app.get("/me").bearer(&next.access).await?.expect_status(200)?.expect_json(json!({"id": ada.id.json()}))?;
        session = next;
    }
    Ok(())
}

/// A refresh token that comes twice was stolen, and nobody knows which of the two is the thief (RFC 9700 §4.14.2).
#[check(title = "a refresh token that comes again ends its session", task = 4, points = 3, needs = ["refresh_rotates", "login"],
        hints = ["What if the thief is the first to use it?",
                 "Remember used tokens with the session that they belong to.",
                 "When a used one comes, end that session: its newest tokens stop working, too."])]
async fn refresh_reuse(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let other = ada.log_in(&app).await?;
    let (first, second) = (&ada.session, ada.session.refreshed(&app).await?);
    let third = second.refreshed(&app).await?;
    let again = refresh(&app, &first.refresh).await?.expect_status(401);
    again.because("this refresh token was used before")?;
    third.expect_dead(&app).await.because("a used refresh token came again, and so the whole session has ended")?;
    other.expect_alive(&app).await.because("it is another session of the same account, and nothing happened to it")?;
    Ok(())
}

/// Two who come at the same moment with one token are no less a theft (RFC 9700 §4.14.2).
#[check(title = "of many who use one refresh token at once, one is served", task = 4, points = 2, needs = ["refresh_rotates"],
        hints = ["What happens between looking and marking?",
                 "UPDATE … SET used_at = now() WHERE id = $1 AND used_at IS NULL: one of them changes a row, the others none."])]
async fn refresh_race(lab: &Lab) -> CheckResult {
    const AT_ONCE: usize = 20;
    let app = lab.start().await?;
    // A race may be won by luck: two in a row hardly ever are.
    for _ in 0..2 {
        let ada = Person::customer(lab, &app).await?;
        let answers = lab.burst((0..AT_ONCE).map(|_| refresh(&app, &ada.session.refresh))).await?;
        let served = answers.iter().filter(|answer| answer.status() == 200).count();
        if served > 1 {
            return Err(Failure::learner(format!(
                "{served} of {AT_ONCE} requests with the same refresh token got new tokens"
            ))
            .expected("at most one 200"));
        }
        for answer in answers {
            crate::support::no_crash(answer)?;
        }
    }
    Ok(())
}

/// Logging out ends what the tokens open, not only what the client remembers (OWASP ASVS 5.0, 7.4.1).
#[check(title = "logging out ends the session", task = 4, points = 2, needs = ["refresh_rotates", "login"],
        hints = ["The token is still signed and not yet over. Who says that it no longer counts?",
                 "Put the session's id into the token, and look at each request whether the session lives."])]
async fn log_out(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let other = ada.log_in(&app).await?;
    let newest = ada.session.refreshed(&app).await?;
    app.post("/logout").bearer(&newest.access).await?.expect_status_in(&DONE)?;
    newest.expect_dead(&app).await.because("the session was ended by /logout")?;
    let first = app.get("/me").bearer(&ada.session.access).await?.expect_status(401);
    first.because("the first access token belongs to the session that was ended")?;
    other.expect_alive(&app).await.because("it is another session of the same account, and goes on")?;
    Ok(())
}

/// Who is locked out is out at once, whatever they hold (OWASP ASVS 5.0, 7.4.2).
#[check(title = "a disabled account is locked out at once", task = 4, points = 2, needs = ["refresh_rotates", "login"],
        hints = ["Which ways in are there? The password, the access token, the refresh token.",
                 "Look at `disabled` wherever an account is read to let somebody in, and answer as for a wrong password."])]
async fn disabled_account(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (admin, ada) = (Person::admin(lab, &app).await?, Person::customer(lab, &app).await?);
    set_disabled(&app, &admin, &ada, true).await?;
    ada.session.expect_dead(&app).await.because("the account was disabled")?;
    let wrong = ada.try_password(&app, &ada.wrong_password()).await?.expect_status(401)?;
    let right = ada.try_password(&app, &ada.password).await?.expect_status(401)?;
    right.expect_body(wrong.body()).because("a disabled account must not look different from a wrong password")?;

    set_disabled(&app, &admin, &ada, false).await?;
    let session = ada.log_in(&app).await.because("the account was enabled again")?;
    session.expect_alive(&app).await?;
    Ok(())
}

/// Locks somebody out, or lets them in again.
pub async fn set_disabled(app: &App, admin: &Person, whom: &Person, disabled: bool) -> CheckResult {
    let request = app.patch(format!("/users/{}", whom.id)).bearer(&admin.session.access);
    request.json(&json!({"disabled": disabled})).await?.expect_status(200)?;
    Ok(())
}
