//! Task 5: answers that depend on who asks.

use lab_kit::prelude::*;

use crate::support::{Customer, Event, expect_items, warm};

/// What one customer sees must never be shown to another (RFC 9111 §4.1; OWASP ASVS 5.0, V14.3).
#[check(title = "everybody sees their own prices", task = 5, points = 3, needs = ["session", "list_hit", "write_clears_lists"],
        hints = ["After a customer's GET, who is the cached copy meant for?",
                 "Cache the event as it is for everybody, and apply the customer's discount after reading it.",
                 "If you cache responses for individual customers, make the customer part of the key, and let a write clear all of them."])]
async fn own_prices(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let mut visitors: Vec<(Option<String>, i64)> = vec![(None, 0)];
    for percent in [lab.number(5, 40), lab.number(50, 90), 100, 0] {
        visitors.push((Some(Customer::insert(lab, percent).await?.session(&app).await?), percent));
    }
    // A session that nobody began is none.
    visitors.push((Some(format!("{}{}", lab.word(), lab.word())), 0));
    for order in [[0, 1, 2, 3, 4, 5], [1, 0, 3, 2, 5, 4], [5, 4, 3, 2, 1, 0]] {
        let event = Event::random(lab);
        event.insert(lab).await?;
        for round in [&app, &other] {
            for visitor in order {
                expect_prices(round, &event, &visitors[visitor]).await?;
            }
        }
        let changed = event.changed(lab);
        let mut put = changed.put(&other);
        if let Some(session) = &visitors[order[1]].0 {
            put = put.cookie("session", session);
        }
        let why = "the response to a PUT has the price that was sent, whoever sent it";
        // never fails alone: `events` asks the same of a PUT
        let answer = put.await?.expect_status(200)?;
        changed.expect_in(answer).because(why)?;
        for visitor in order {
            expect_prices(&app, &changed, &visitors[visitor])
                .await
                .because("the price was changed before this GET was sent")?;
        }
    }
    Ok(())
}

/// A cache on the way knows only what you tell it (RFC 9111 §5.2.2, RFC 9110 §12.5.5).
#[check(title = "caches on the way are told what they may store", task = 5, points = 2, needs = ["session"],
        hints = ["Which Cache-Control and Vary does `curl -i` show, with and without a cookie?",
                 "`private` or `no-store` for logged-in visitors, `public, max-age=…` for everybody else.",
                 "The response depends on the cookie whether there is one or not, so both kinds need `Vary: Cookie`."])]
async fn cache_headers(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = Event::random(lab);
    event.put(&app).await?.expect_status(201)?;
    // Who pays the full price is logged in as well.
    let customers = [Customer::insert(lab, 20).await?, Customer::insert(lab, 0).await?];
    for path in [event.path(), event.list(), format!("/events?ids={}", event.id)] {
        // Without a copy and with one.
        app.get(&path).await?;
        for answer in [app.get(&path).await?, warm_or_not(lab, &app, &path).await?] {
            // never fails alone: `events`, `lists` and `many` ask the same
            let answer = answer.expect_status(200)?;
            let answer = expect_vary(answer)?;
            answer.expect_header_where(
                "Cache-Control",
                "lets shared caches store it for 1 to 60 seconds",
                |value| {
                    let directives = directives(value);
                    let age = directives.iter().filter_map(|(name, value)| {
                        matches!(name.as_str(), "max-age" | "s-maxage").then(|| value.parse::<u32>().ok()).flatten()
                    });
                    let ages: Vec<_> = age.collect();
                    !ages.is_empty()
                        && ages.iter().all(|age| *age <= 60)
                        && ages.iter().any(|age| *age >= 1)
                        && !has(&directives, &["private", "no-store", "no-cache"])
                },
            )?;
        }
        for customer in &customers {
            let session = customer.session(&app).await?;
            // never fails alone: `own_prices` asks the same
            let answer = app.get(&path).cookie("session", &session).await?.expect_status(200)?;
            expect_vary(answer)?
                .expect_header_where("Cache-Control", "keeps it out of shared caches", |value| {
                    let directives = directives(value);
                    has(&directives, &["private", "no-store"]) && !has(&directives, &["public", "s-maxage"])
                })
                .because("this visitor is logged in, with a discount of 20 percent or with none")?;
        }
    }
    Ok(())
}

async fn expect_prices(app: &App, event: &Event, (session, percent): &(Option<String>, i64)) -> CheckResult {
    let mine = |path: &str| match session {
        Some(session) => app.get(path).cookie("session", session),
        None => app.get(path),
    };
    let priced = event.at_discount(*percent);
    let why = format!("this visitor has a discount of {percent} percent");
    priced.expect_read(mine(&event.path())).await.because(&why)?;
    expect_items(mine(&event.list()).await?, &[&priced]).because(&why)?;
    expect_items(mine(&format!("/events?ids={}", event.id)).await?, &[&priced]).because(&why)?;
    Ok(())
}

/// A read that a copy answers, where the server keeps copies at all.
async fn warm_or_not(lab: &Lab, app: &App, path: &str) -> CheckResult<Response> {
    match warm(lab, app.get(path)).await {
        Err(failure) if failure.is_learners() => app.get(path).await,
        warmed => warmed,
    }
}

fn expect_vary(answer: Response) -> CheckResult<Response> {
    answer.expect_header_where("Vary", "names Cookie", |value| {
        value.split(',').any(|name| name.trim().eq_ignore_ascii_case("cookie"))
    })
}

fn directives(value: &str) -> Vec<(String, String)> {
    let split = |directive: &str| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned())
    };
    value.split(',').map(split).collect()
}

fn has(directives: &[(String, String)], names: &[&str]) -> bool {
    directives.iter().any(|(name, _)| names.contains(&name.as_str()))
}
