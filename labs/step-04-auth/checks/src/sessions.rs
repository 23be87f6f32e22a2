//! Task 4: sessions, how they go on and how they end.

use lab_kit::prelude::*;

use crate::log_in::{expect_the_same, expect_uncached};
use crate::support::{DONE, Person, Session, expect_no_password, expect_tokens, refresh};

/// Access tokens are short-lived; a refresh token is exchanged for the next pair (RFC 6749 §6; RFC 9700 §4.14.2).
#[check(title = "a refresh token can be exchanged for new tokens", task = 4, points = 2, needs = ["me"],
        hints = ["What does a client do when its access token has expired?",
                 "Verify the refresh token, mark it as used, create the next one, and respond as /login does."])]
async fn refresh_rotates(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let mut session = ada.session.clone();
    for _ in 0..5 {
        let response = refresh(&app, &session.refresh).await?.expect_status(200)?;
        let user = json!({"id": ada.id.json(), "name": ada.name, "role": "customer"});
        let response = expect_tokens(response.expect_json(json!({"user": user}))?)?;
        let next = Session::of(&response)?;
        expect_uncached(expect_no_password(response, &ada.password)?)?
            .expect_where("a refresh token other than the one that was sent", |_| next.refresh != session.refresh)?;
        let me = app.get("/me").bearer(&next.access).await?.expect_status(200)?;
        // never fails alone: `me` asks the same
        me.expect_json(json!({"id": ada.id.json()}))?;
        session = next;
    }
    for body in [json!({}), json!({"refresh_token": null}), json!({"refresh_token": 17}), json!([])] {
        let answer = app.post("/refresh").json(&body).await?.expect_status_in(&[400, 401, 422]);
        answer.because("this is no refresh token")?;
    }
    Ok(())
}

/// A refresh token that is used twice was stolen, and nobody knows which of the two users is the thief (RFC 9700
/// §4.14.2).
#[check(title = "reusing a refresh token ends its session", task = 4, points = 3, needs = ["refresh_rotates", "login"],
        hints = ["What if the thief is the first to use it?",
                 "Remember used tokens along with the session they belong to.",
                 "When a used one arrives, end that session: its newest tokens stop working, too."])]
async fn refresh_reuse(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let other = ada.log_in(&app).await?;
    let (first, second) = (&ada.session, ada.session.refreshed(&app).await?);
    let third = second.refreshed(&app).await?;
    let again = refresh(&app, &first.refresh).await?.expect_status(401);
    again.because("this refresh token was used before")?;
    third.expect_dead(&app).await.because("a refresh token was reused, so the whole session has ended")?;
    for access in [&first.access, &second.access] {
        let old = app.get("/me").bearer(access).await?.expect_status(401);
        old.because("this access token belongs to the session that has ended")?;
    }
    let next = other.expect_alive(&app).await;
    let next = next.because("it is another session of the same account, and nothing happened to it")?;
    // The last token that was used is no better than those before it.
    refresh(&app, &other.refresh).await?.expect_status(401).because("this refresh token was used before")?;
    next.expect_dead(&app).await.because("a refresh token was reused, so the whole session has ended")
}

/// Two requests with one token are a theft even when they arrive at the same moment (RFC 9700 §4.14.2).
#[check(title = "of many simultaneous uses of one refresh token, only one succeeds", task = 4, points = 2, needs = ["refresh_rotates"],
        hints = ["What can happen between checking the token and marking it as used?",
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
            let won = Session::of(&answer).ok().filter(|_| answer.status() == 200);
            answer.expect_status_in(&[200, 401])?;
            if let Some(won) = won {
                won.expect_dead(&app).await.because("the token was used twice, so the whole session has ended")?;
            }
        }
    }
    Ok(())
}

/// Logging out ends what the tokens open, not only what the client remembers (OWASP ASVS 5.0, 7.4.1).
#[check(title = "logging out ends the session", task = 4, points = 2, needs = ["refresh_rotates", "login"],
        hints = ["The token is still signed and has not expired. What says that it is no longer valid?",
                 "Put the session's id into the token, and check on each request whether the session is still alive."])]
async fn log_out(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let other = ada.log_in(&app).await?;
    let newest = ada.session.refreshed(&app).await?;
    app.post("/logout").bearer(&newest.access).await?.expect_status_in(&DONE)?;
    newest.expect_dead(&app).await.because("the session was ended by /logout")?;
    let first = app.get("/me").bearer(&ada.session.access).await?.expect_status(401);
    first.because("the first access token belongs to the session that was ended")?;
    let newest = other.expect_alive(&app).await.because("it is another session of the same account, and continues")?;
    // Whichever token of a session is shown: it is the session that ends.
    app.post("/logout").bearer(&other.access).await?.expect_status_in(&DONE)?;
    newest.expect_dead(&app).await.because("the session was ended by /logout, with an older token of its own")?;
    let again = app.post("/logout").bearer(&newest.access).await?.expect_status(401);
    again.because("the session that this token belongs to has ended").map(drop)
}

/// A locked-out user is out at once, whatever tokens they hold (OWASP ASVS 5.0, 7.4.2).
#[check(title = "a disabled account is locked out at once", task = 4, points = 2, needs = ["refresh_rotates", "login"],
        hints = ["What ways in are there? The password, the access token, the refresh token.",
                 "Check `disabled` wherever an account is read to let somebody in, and respond as for a wrong password."])]
async fn disabled_account(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (admin, ada) = (Person::admin(lab, &app).await?, Person::customer(lab, &app).await?);
    set_disabled(&app, &admin, &ada, true).await?;
    ada.session.expect_dead(&app).await.because("the account was disabled")?;
    // never fails alone: `login` asks the same of a wrong password
    let wrong = ada.try_password(&app, &ada.wrong_password()).await?.expect_status(401)?;
    let right = ada.try_password(&app, &ada.password).await?.expect_status(401)?;
    expect_the_same(right, &wrong).because("a disabled account must not look different from a wrong password")?;

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
