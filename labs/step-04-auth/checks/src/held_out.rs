//! Held out: many sessions of several people, which begin, go on and end in any order.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::support::{DONE, Person, Session, refresh};

/// How many people there are.
const PEOPLE: usize = 2;
/// How many sessions they have in the beginning, all together.
const SESSIONS: usize = 8;
/// How many things happen.
const DEEDS: usize = 40;

/// A session as it ought to be.
struct Standing {
    person: usize,
    /// Its tokens, the newest last.
    tokens: Vec<Session>,
    alive: bool,
}

/// Each session goes on until it is ended, however many there are, and ends alone (OWASP ASVS 5.0, 7.4.1; RFC 9700
/// §4.14.2).
#[check(title = "many sessions begin, go on and end, each for itself", task = 4, points = 3, limit = 60,
        needs = ["refresh_reuse", "log_out"], held_out,
        hints = ["What else ends when a session ends, or when another begins?"])]
async fn sessions_story(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        people.push(Person::customer(lab, &app).await?);
    }
    let mut sessions = Vec::new();
    for number in 0..SESSIONS {
        let person = number % PEOPLE;
        let tokens = vec![people[person].log_in(&app).await?];
        sessions.push(Standing { person, tokens, alive: true });
    }
    for session in &sessions {
        session.expect_as_it_is(&app, &people).await.because("nothing has ended any of the sessions")?;
    }
    for number in 0..DEEDS {
        let place = format!("it is thing {} of {DEEDS} that happen to {SESSIONS} sessions", number + 1);
        let (which, what) = lab.random(|random| (random.random_range(0..SESSIONS), random.random_range(0..12)));
        let session = &mut sessions[which];
        match what {
            0 => session.log_out(&app).await.because(&place)?,
            1 => session.reuse(&app).await.because(&place)?,
            2..8 => session.go_on(&app).await.because(&place)?,
            _ => {}
        }
        for session in &sessions {
            session.expect_as_it_is(&app, &people).await.because(&place)?;
        }
    }
    Ok(())
}

impl Standing {
    fn newest(&self) -> CheckResult<&Session> {
        self.tokens.last().ok_or_else(|| Failure::Ours("a session has no tokens".into()))
    }

    async fn log_out(&mut self, app: &App) -> CheckResult {
        let answer = app.post("/logout").bearer(&self.newest()?.access).await?;
        if self.alive {
            // never fails alone: `log_out` asks the same
            answer.expect_status_in(&DONE)?;
        } else {
            // never fails alone: `log_out` asks the same
            answer.expect_status(401)?;
        }
        self.alive = false;
        Ok(())
    }

    /// A thief comes with the first of its refresh tokens, which has been used if there is a newer one.
    async fn reuse(&mut self, app: &App) -> CheckResult {
        let [first, _, ..] = &self.tokens[..] else { return self.go_on(app).await };
        // never fails alone: `refresh_reuse` asks the same
        refresh(app, &first.refresh).await?.expect_status(401)?;
        self.alive = false;
        Ok(())
    }

    async fn go_on(&mut self, app: &App) -> CheckResult {
        let answer = refresh(app, &self.newest()?.refresh).await?;
        if self.alive {
            self.tokens.push(Session::of(&answer.expect_status(200)?)?);
        } else {
            // never fails alone: `log_out` and `refresh_reuse` ask the same
            answer.expect_status(401)?;
        }
        Ok(())
    }

    /// Fails unless its newest token opens the account that it belongs to, or nothing where it has ended.
    async fn expect_as_it_is(&self, app: &App, people: &[Person]) -> CheckResult {
        let answer = app.get("/me").bearer(&self.newest()?.access).await?;
        if !self.alive {
            // never fails alone: `log_out` and `refresh_reuse` ask the same
            return answer.expect_status(401).because("the session has ended").map(drop);
        }
        let answer = answer.expect_status(200).because("nothing has ended the session")?;
        // never fails alone: `me` asks the same of a token
        answer.expect_json(json!({ "id": people[self.person].id.json() })).map(drop)
    }
}
