//! Task 5: entity tags, and requests that depend on them.

use lab_kit::prelude::*;

use crate::support::{Made, Problem, make_event, make_order, merge, overlap, tag_of, texts};

/// A tag that no server gives out.
const UNKNOWN: &str = "\"lab-never-given-out\"";

/// A client that has the current version need not be sent it again (RFC 9110 §13.1.2, §15.4.5).
#[check(title = "what the client has is not sent again", task = 5, points = 3, needs = ["order_seats"],
        hints = ["A client sends back the `ETag` that it got, in `If-None-Match`.",
                 "The header may hold several tags, weak ones, or `*`.",
                 "Compare without `W/`; if one matches, answer 304 with the ETag and without a body."])]
async fn not_modified(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    for made in [&event, &order] {
        let fresh = expect_tagged(app.get(&made.path).await?.expect_status(200)?)?;
        let tag = tag_of(&fresh)?;
        for known in
            [tag.clone(), format!("W/{tag}"), format!("{UNKNOWN}, {tag}"), format!("{tag},{UNKNOWN}"), "*".into()]
        {
            let answer = app.get(&made.path).header("If-None-Match", &known).await?.expect_status(304);
            answer.because("the client has this version")?.expect_empty_body()?.expect_header("etag", &tag)?;
        }
        let answer = app.get(&made.path).header("If-None-Match", UNKNOWN).await?.expect_status(200);
        answer.because("the client has another version")?.expect_json(fresh.json()?)?;
    }
    Ok(())
}

/// A tag that stays while the representation changes shows old things for new (RFC 9110 §8.8.1, §8.8.3).
#[check(title = "the tag changes with everything that is seen", task = 5, points = 2, needs = ["order_seats"],
        hints = ["What in an event's JSON changes without a PATCH?",
                 "An order changes the event's `seats_sold`: then it changes the event's version, too.",
                 "Count a version up in every UPDATE, or make the tag of the representation itself."])]
async fn tag_follows_every_change(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let placed = make_order(lab, &app, &event).await?;
    for (made, patch) in [(&event, json!({ "title": lab.word() })), (&placed, json!({ "note": lab.word() }))] {
        let first = tag_of(&app.get(&made.path).await?)?;
        let patched = expect_tagged(merge(&app, &made.path, &patch).await?.expect_status(200)?)?;
        let second = tag_of(&patched)?;
        expect_changed(&app, made, &first, "a PATCH").await?;
        app.get(&made.path).await?.expect_header("etag", &second).because("GET and the PATCH before show the same")?;
    }
    let another = make_event(lab, &app).await?;
    let tag = another.tag()?;
    app.get(&another.path).await?.expect_header("etag", &tag).because("GET and the POST before show the same")?;
    let order = make_order(lab, &app, &another).await?;
    expect_changed(&app, &another, &tag, "a new order, which changes seats_sold,").await?;
    let tag = tag_of(&app.get(&another.path).await?)?;
    app.delete(&order.path).header("If-Match", "*").await?.expect_status(204)?;
    expect_changed(&app, &another, &tag, "the deletion of an order, which changes seats_sold,").await
}

/// Who changes what it has not seen overwrites somebody else's work (RFC 9110 §13.1.1, §15.5.13).
#[check(title = "an old version cannot be changed", task = 5, points = 3, needs = ["order_seats"],
        hints = ["`If-Match` names the version that the client has seen. Is it still the one there is?",
                 "Compare strongly: a tag with `W/` before it matches nothing. `*` matches whatever is there.",
                 "A tag that does not match is 412, for DELETE as for PATCH, and nothing is written."])]
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
        let current = tag_of(&patched.because("this is the version there is")?)?;
        let row = texts(lab, made, columns).await?;
        for tag in [&old, &UNKNOWN.to_owned(), &format!("W/{current}")] {
            let why = format!("If-Match: {tag} is not the version there is, {current}");
            patch(&app, made, tag, member, lab.word()).await?.expect_problem(412).because(&why)?;
            app.delete(&made.path).header("If-Match", tag).await?.expect_problem(412).because(&why)?;
        }
        expect_equal(
            &format!("the row of {} after what was refused", made.path),
            &texts(lab, made, columns).await?,
            &row,
        )?;
        let listed = format!("{UNKNOWN}, {current}");
        let again = patch(&app, made, &listed, member, lab.word()).await?.expect_status(200);
        let last = tag_of(&again.because("the version there is, is among these")?)?;
        let removed = app.delete(&made.path).header("If-Match", &last).await?.expect_status(204);
        removed.because("this is the version there is")?;
    }
    Ok(())
}

/// A client that does not say what it has seen has forgotten to, and others would pay for it (RFC 6585 §3).
#[check(title = "a change without If-Match is refused", task = 5, points = 2, needs = ["order_seats"],
        hints = ["What do you know of the version that this client has seen?", "Answer 428 before you change anything."])]
async fn precondition_required(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let spare = make_event(lab, &app).await?;
    let placed = make_order(lab, &app, &spare).await?;
    for (made, member) in [(&event, "title"), (&placed, "note")] {
        let before = app.get(&made.path).await?.expect_status(200)?.json()?;
        let body = json!({ member: lab.word() }).to_string();
        let change = app.patch(&made.path).body(body, "application/merge-patch+json");
        change.await?.expect_problem(428)?;
        app.delete(&made.path).await?.expect_problem(428)?;
        let after = app.get(&made.path).await?.expect_status(200)?.expect_json(before);
        after.because("what was refused changes nothing")?;
    }
    Ok(())
}

/// Between looking at the version and writing there is a moment in which another writes (RFC 9110 §13.2).
#[check(title = "of many writers who have seen the same, one wins", task = 5, points = 3, needs = ["stale_write"],
        hints = ["First SELECT, then compare, then UPDATE: what if two do that together?",
                 "Ask and change in one statement: `UPDATE … WHERE id = $1 AND version = $2`.",
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
            let failure = answers[0]
                .failure(format!("12 PATCH at once with the same If-Match: {} of them were done", winners.len()));
            return Err(failure.expected("1 answer with 200, and 11 with 412").actual(statuses(&answers)));
        };
        for (_, answer) in answers.into_iter().enumerate().filter(|(index, _)| *index != winner) {
            answer.expect_problem(412)?;
        }
        let stays = app.get(&event.path).await?.expect_json(json!({ "title": titles[winner] }));
        stays.because("this is what the one wrote who was answered with 200")?;
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
