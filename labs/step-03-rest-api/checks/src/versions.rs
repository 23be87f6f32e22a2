//! Task 5: entity tags, and requests that depend on them.

use lab_kit::prelude::*;

use crate::support::{
    Made, Problem, delete, event, make, make_event, make_order, merge, merged, moment, order, overlap, read, rfc3339,
    tag_of, texts,
};

/// A tag that no server gives out.
const UNKNOWN: &str = "\"lab-never-given-out\"";

/// The current version need not be sent again to a client that has it (RFC 9110 §13.1.2, §15.4.5).
#[check(title = "a version that the client has is not sent again", task = 5, points = 3, needs = ["order_seats"],
        hints = ["A client sends back the `ETag` that it got, in `If-None-Match`.",
                 "The header may hold several tags, weak ones, or `*`.",
                 "Compare without `W/`; if one matches, answer 304 with the ETag and without a body."])]
async fn not_modified(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    for made in [&event, &order] {
        let fresh = expect_tagged(read(&app, &made.path).await?)?;
        let tag = tag_of(&fresh)?;
        for known in
            [tag.clone(), format!("W/{tag}"), format!("{UNKNOWN}, {tag}"), format!("{tag},{UNKNOWN}"), "*".into()]
        {
            let answer = app.get(&made.path).header("If-None-Match", &known).await?.expect_status(304);
            let answer = answer.because("the client has this version")?;
            // never fails alone: libraries of HTTP send no body after a 304
            let answer = answer.expect_empty_body()?;
            answer.expect_header("etag", &tag)?;
        }
        let answer = app.get(&made.path).header("If-None-Match", UNKNOWN).await?.expect_status(200);
        answer.because("the client has another version")?.expect_json(fresh.json()?)?;
    }
    Ok(())
}

/// A tag that stays the same while the representation changes passes off old data as new (RFC 9110 §8.8.1, §8.8.3).
#[check(title = "the tag changes with everything that is visible", task = 5, points = 2, needs = ["order_seats"],
        hints = ["What in an event's JSON changes without a PATCH?",
                 "What is your tag made from? Use all the members that are shown, or a counter that every UPDATE increments.",
                 "An order changes the event's `seats_sold`: then it changes the event's version, too.",
                 "Increment a version in every UPDATE, or compute the tag from the representation itself."])]
async fn tag_follows_every_change(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let placed = make_order(lab, &app, &event).await?;
    let patches = [
        (&event, json!({ "title": lab.word() })),
        (&event, json!({ "description": lab.word() })),
        (&event, json!({ "description": null })),
        (&event, json!({ "starts_at": rfc3339(moment(lab)) })),
        (&event, json!({ "seats": lab.number(91, 120) })),
        (&event, json!({ "price_cents": lab.number(9_001, 20_000) })),
        (&placed, json!({ "email": lab.email() })),
        (&placed, json!({ "note": lab.word() })),
        (&placed, json!({ "note": null })),
    ];
    for (made, patch) in patches {
        let first = tag_of(&app.get(&made.path).await?)?;
        let patched = expect_tagged(merged(&app, &made.path, &patch).await?)?;
        let second = tag_of(&patched)?;
        expect_changed(&app, made, &first, &format!("the PATCH {patch}")).await?;
        app.get(&made.path)
            .await?
            .expect_header("etag", &second)
            .because("GET and the PATCH before it show the same")?;
    }
    let another = make_event(lab, &app).await?;
    let tag = another.tag()?;
    app.get(&another.path).await?.expect_header("etag", &tag).because("GET and the POST before it show the same")?;
    let order = make_order(lab, &app, &another).await?;
    expect_changed(&app, &another, &tag, "a new order, which changes seats_sold,").await?;
    app.get(&order.path)
        .await?
        .expect_header("etag", &order.tag()?)
        .because("GET and the POST before it show the same order")?;
    let tag = tag_of(&app.get(&another.path).await?)?;
    delete(&app, &order).await?;
    expect_changed(&app, &another, &tag, "the deletion of an order, which changes seats_sold,").await
}

/// A client that changes what it has not seen overwrites somebody else's work (RFC 9110 §13.1.1, §15.5.13).
#[check(title = "a client with an old version cannot change anything", task = 5, points = 3, needs = ["order_seats"],
        hints = ["`If-Match` names the version that the client has seen. Is it still the current one?",
                 "Compare strongly: a tag with `W/` in front matches nothing. `*` matches any version.",
                 "If no tag matches, send 412, for DELETE as for PATCH, and write nothing."])]
async fn stale_write(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let spare = make_event(lab, &app).await?;
    let placed = make_order(lab, &app, &spare).await?;
    let cases: [(&Made, &str, &[&str]); 2] =
        [(&event, "title", &["title", "description"]), (&placed, "note", &["email", "note"])];
    for (made, member, columns) in cases {
        let old = tag_of(&app.get(&made.path).await?)?;
        let patched = patch(&app, made, &old, member, lab.word()).await?.expect_status(200);
        let current = tag_of(&patched.because("this is the current version")?)?;
        let row = texts(lab, made, columns).await?;
        // A tag is compared as it is, not by what it may stand for: `"01"` is not `"1"` (RFC 9110 §8.8.3).
        let inner = current.trim_matches('"');
        let alike = [format!("\"0{inner}\""), format!("\"+{inner}\""), format!("\"{inner}0\"")];
        for tag in [&old, &UNKNOWN.to_owned(), &format!("W/{current}")].into_iter().chain(&alike) {
            let why = format!("If-Match: {tag} is not the current version, {current}");
            patch(&app, made, tag, member, lab.word()).await?.expect_problem(412).because(&why)?;
            app.delete(&made.path).header("If-Match", tag).await?.expect_problem(412).because(&why)?;
        }
        expect_equal(
            &format!("the row of {} after the refused request", made.path),
            &texts(lab, made, columns).await?,
            &row,
        )?;
        let sold = read(&app, &spare.path).await?.expect_json(json!({ "seats_sold": placed.sent["seats"] }));
        sold.because("a DELETE that is refused with 412 returns no seats")?;
        let listed = format!("{UNKNOWN}, {current}");
        let again = patch(&app, made, &listed, member, lab.word()).await?.expect_status(200);
        let last = tag_of(&again.because("the current version is among these")?)?;
        let removed = app.delete(&made.path).header("If-Match", &last).await?.expect_status(204);
        removed.because("this is the current version")?;
    }
    Ok(())
}

/// A client that does not say what it has seen has forgotten to, and others would pay for that (RFC 6585 §3).
#[check(title = "a change without If-Match is refused", task = 5, points = 2, needs = ["order_seats"],
        hints = ["What do you know about the version that this client has seen?", "Send 428 before you change anything."])]
async fn precondition_required(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let spare = make_event(lab, &app).await?;
    let placed = make_order(lab, &app, &spare).await?;
    for (made, member) in [(&event, "title"), (&placed, "note")] {
        let before = read(&app, &made.path).await?.json()?;
        let body = json!({ member: lab.word() }).to_string();
        let change = app.patch(&made.path).body(body, "application/merge-patch+json");
        change.await?.expect_problem(428)?;
        app.delete(&made.path).await?.expect_problem(428)?;
        let after = read(&app, &made.path).await?.expect_json(before);
        after.because("a refused request changes nothing")?;
    }
    let sold = read(&app, &spare.path).await?.expect_json(json!({ "seats_sold": placed.sent["seats"] }));
    sold.because("a DELETE that is refused with 428 returns no seats")?;
    Ok(())
}

/// Between checking the version and writing, there is a moment in which somebody else can write (RFC 9110 §13.2).
#[check(title = "of many writers who have seen the same version, one wins", task = 5, points = 2, needs = ["stale_write"],
        hints = ["First SELECT, then compare, then UPDATE: what if two requests do that at the same time?",
                 "Check and change in one statement: `UPDATE … WHERE id = $1 AND version = $2`.",
                 "No row changed means that somebody was faster: 412."])]
async fn one_writer_wins(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    overlap(lab, &app).await?;
    for _ in 0..2 {
        let event = make_event(lab, &app).await?;
        let tag = tag_of(&app.get(&event.path).await?)?;
        let titles: Vec<String> = (0..12).map(|_| lab.word()).collect();
        let patches = titles.iter().map(|title| {
            let request =
                app.patch(&event.path).header("If-Match", &tag).header("Content-Type", "application/merge-patch+json");
            request.json(&json!({ "title": title }))
        });
        let answers = lab.burst(patches).await?;
        let winners: Vec<usize> =
            answers.iter().enumerate().filter(|(_, a)| a.status() == 200).map(|(i, _)| i).collect();
        let [winner] = winners[..] else {
            let failure = answers[0].failure(format!(
                "12 simultaneous PATCH requests with the same If-Match: {} of them succeeded",
                winners.len()
            ));
            return Err(failure.expected("1 response with 200, and 11 with 412").actual(statuses(&answers)));
        };
        for (_, answer) in answers.into_iter().enumerate().filter(|(index, _)| *index != winner) {
            answer.expect_problem(412)?;
        }
        let stays = app.get(&event.path).await?.expect_json(json!({ "title": titles[winner] }));
        stays.because("this is what the request that got 200 wrote")?;
    }
    Ok(())
}

/// `If-Match: *` says that any version will do, not that others' work may be lost. A server that reads a row, changes
/// it in memory and writes all of it back undoes whatever was written in between (RFC 5789 §2; CWE-362; PostgreSQL
/// manual, 13.2.1 Read Committed).
#[check(title = "simultaneous changes to different members are all kept", task = 5, points = 2, needs = ["stale_write"],
        hints = ["Two simultaneous PATCH requests, one for the title, one for the price, both with `If-Match: *`: what is the result?",
                 "An UPDATE of only the named columns loses nothing: `SET title = COALESCE($2, title)`.",
                 "`seats_sold` belongs to the orders. Which of your statements write it?"])]
async fn changes_side_by_side(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    overlap(lab, &app).await?;
    for _ in 0..3 {
        let mut many = event(lab);
        many["seats"] = json!(90);
        let event = make(&app, "/events", many).await?;
        let patches = [
            json!({ "title": lab.word() }),
            json!({ "description": lab.word() }),
            json!({ "price_cents": lab.number(9_001, 20_000) }),
            json!({ "seats": lab.number(91, 120) }),
        ];
        let orders: Vec<Value> = (0..6).map(|_| order(lab, &event)).collect();
        let changes = patches.iter().map(|patch| merge(&app, &event.path, patch));
        let requests: Vec<_> = changes.chain(orders.iter().map(|body| app.post("/orders").json(body))).collect();
        let answers = lab.burst(requests).await?;
        let (changed, placed) = answers.split_at(patches.len());
        let mut expected = json!({ "seats_sold": 0 });
        let mut sold = 0;
        for (answer, body) in placed.iter().zip(&orders) {
            answer.clone().expect_status(201)?;
            sold += body["seats"].as_i64().unwrap_or_default();
        }
        expected["seats_sold"] = json!(sold);
        for (answer, patch) in changed.iter().zip(&patches) {
            answer.clone().expect_status(200).because("`If-Match: *` matches any version")?;
            for (name, value) in patch.as_object().into_iter().flatten() {
                expected[name] = value.clone();
            }
        }
        let after = read(&app, &event.path).await?.expect_json(expected);
        after.because(
            "4 PATCH requests for different members and 6 orders arrived at the same moment, and all succeeded",
        )?;
    }
    Ok(())
}

/// Of many requests that delete the same order, one does; a server that checks first and deletes afterwards returns the
/// seats once for every request (RFC 9110 §9.2.2; CWE-362).
#[check(title = "an order is deleted once, however many requests arrive at once", task = 5, points = 1, needs = ["deleted_is_gone", "stale_write"],
        hints = ["Twelve simultaneous DELETE requests for one order: how many seats does the event get back?",
                 "Return the seats only if this very DELETE removed the row: check the number of rows, in one transaction."])]
async fn deleted_once(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    overlap(lab, &app).await?;
    for _ in 0..2 {
        let event = make_event(lab, &app).await?;
        // Their seats must stay sold.
        let mut kept = 0;
        for _ in 0..8 {
            kept += make_order(lab, &app, &event).await?.sent["seats"].as_i64().unwrap_or_default();
        }
        let order = make_order(lab, &app, &event).await?;
        let answers = lab.burst((0..12).map(|_| app.delete(&order.path).header("If-Match", "*"))).await?;
        for answer in &answers {
            if answer.status() != 204 {
                answer.clone().expect_problem_in(&[404, 410, 412])?;
            }
        }
        let done = answers.iter().filter(|answer| answer.status() == 204).count();
        if done != 1 {
            let failure =
                answers[0].failure(format!("12 simultaneous DELETE requests for one order: {done} of them succeeded"));
            return Err(failure.expected("1 response with 204, and 11 that say it is gone").actual(statuses(&answers)));
        }
        let after = read(&app, &event.path).await?.expect_json(json!({ "seats_sold": kept }));
        after.because("one order was deleted, and returns its seats once")?;
    }
    Ok(())
}

fn patch(app: &App, made: &Made, tag: &str, member: &str, text: String) -> Request {
    let body = json!({ member: text }).to_string();
    app.patch(&made.path).header("If-Match", tag).body(body, "application/merge-patch+json")
}

fn statuses(answers: &[Response]) -> String {
    let all: Vec<_> = answers.iter().map(|answer| answer.status().to_string()).collect();
    all.join(", ")
}

/// Fails unless the answer has a strong entity tag.
fn expect_tagged(answer: Response) -> CheckResult<Response> {
    answer.expect_header_where("etag", "is a strong entity tag: text in double quotes, without W/", |tag| {
        tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"') && !tag[1..tag.len() - 1].contains('"')
    })
}

async fn expect_changed(app: &App, made: &Made, old: &str, by: &str) -> CheckResult {
    let answer = app.get(&made.path).header("If-None-Match", old).await?.expect_status(200);
    let answer = answer.because(&format!("{by} came between, so the client's version is old"))?;
    answer.expect_header_where("etag", "is another tag than before", |tag| tag != old)?;
    Ok(())
}
