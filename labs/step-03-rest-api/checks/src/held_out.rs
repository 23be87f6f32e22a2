//! Held out: changes of an event in every mixture, and many keys at a time.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::idempotency::{expect_equal_answer, key, placed, post};
use crate::support::{Problem as _, event, make_event, moment, order, read, rfc3339, tag_of};

/// How many changes one event sees.
const CHANGES: usize = 30;
/// How many keys are in use.
const KEYS: usize = 12;

/// A change says what it changes, in whatever company: the rest stays, and a client with an older version is told
/// (RFC 7396 §2, RFC 9110 §13.1.1).
#[check(title = "an event is what all its changes made of it", task = 5, points = 3,
        needs = ["absent_is_not_null", "null_is_null", "not_modified", "stale_write"], held_out,
        hints = ["Does a member's change depend on which others are changed with it?"])]
async fn changes_in_every_mixture(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    // In which zone a moment is shown is the server's affair.
    let mut expected = made.answer.json()?;
    expected.as_object_mut().map(|members| members.remove("starts_at"));
    let (mut tag, mut old) = (made.tag()?, None::<String>);
    for number in 0..CHANGES {
        let place = format!("it is change {} of {CHANGES} to one event", number + 1);
        let patch = some_members(lab);
        if let Some(old) = &old {
            change(&app, &made.path, old, &patch).await?.expect_problem(412).because(&place)?;
        }
        let answer = change(&app, &made.path, &tag, &patch).await?.expect_status(200).because(&place)?;
        for (name, value) in patch.as_object().into_iter().flatten() {
            if name != "starts_at" {
                expected[name] = value.clone();
            }
        }
        let answer = answer.expect_json(expected.clone()).because(&place)?;
        read(&app, &made.path).await?.expect_json(expected.clone()).because(&place)?;
        old = Some(std::mem::replace(&mut tag, tag_of(&answer)?));
        app.get(&made.path).header("If-None-Match", &tag).await?.expect_status(304).because(&place)?;
    }
    Ok(())
}

/// A change of what had the version `tag`.
fn change(app: &App, path: &str, tag: &str, patch: &Value) -> Request {
    app.patch(path).header("If-Match", tag).header("Content-Type", "application/merge-patch+json").json(patch)
}

/// One to five members of an event with new values.
fn some_members(lab: &Lab) -> Value {
    let mut all = event(lab);
    if lab.random(|random| random.random::<bool>()) {
        all["description"] = Value::Null;
    }
    all["starts_at"] = json!(rfc3339(moment(lab)));
    let mut names = ["title", "description", "starts_at", "seats", "price_cents"];
    let count = lab.random(|random| {
        for last in (1..names.len()).rev() {
            names.swap(last, random.random_range(0..=last));
        }
        random.random_range(1..=names.len())
    });
    names[..count].iter().map(|name| ((*name).to_owned(), all[*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// A key belongs to one request, and there are as many as there are clients that may have to ask again
/// (draft-ietf-httpapi-idempotency-key-header §2.6).
#[check(title = "many keys are kept apart, and none pushes another out", task = 6, points = 3,
        needs = ["retry_same_answer", "key_with_another_body"], held_out,
        hints = ["How many keys does your server remember, and for whom?"])]
async fn many_keys(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let events = [make_event(lab, &app).await?, make_event(lab, &app).await?];
    let mut first = Vec::new();
    for number in 0..KEYS {
        // Keys that begin alike, and differ in case, are different keys.
        let key = if number == 1 { capitals(&first) } else { key(lab) };
        let mut body = order(lab, &events[number % 2]);
        body["seats"] = json!(1 + number % 3);
        let answer = placed(&app, &key, &body).await?;
        first.push((key, body, answer));
    }
    for number in 0..2 * KEYS {
        let which = lab.random(|random| random.random_range(0..KEYS));
        let (key, body, answer) = &first[which];
        let place = format!("of {KEYS} keys that were used, it is number {}", which + 1);
        if number % 5 == 4 {
            let mut other = body.clone();
            other["email"] = json!(lab.email());
            post(&app, key, &other).await?.expect_problem(422).because(&place)?;
        }
        expect_equal_answer(answer, post(&app, key, body).await?).because(&place)?;
    }
    for (which, made) in events.iter().enumerate() {
        let seats: i64 = first
            .iter()
            .filter_map(|(_, body, _)| body["event_id"].eq(&made.id.json()).then(|| body["seats"].as_i64()).flatten())
            .sum();
        let sold = json!({ "seats_sold": seats });
        read(&app, &made.path)
            .await?
            .expect_json(sold)
            .because(&format!("each key has ordered once; event {which}"))?;
    }
    Ok(())
}

/// The first key, with its small letters as capitals.
fn capitals(used: &[(String, Value, Response)]) -> String {
    used.first().map(|(key, ..)| key.to_ascii_uppercase()).unwrap_or_default()
}
