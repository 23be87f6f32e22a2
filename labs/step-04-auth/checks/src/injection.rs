//! Task 7: SQL in every parameter.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::rights::{event_titled, make_event};
use crate::support::{BAD_INPUT, Browser, Newcomer, Page, Person, REDIRECT, no_crash, refresh};

/// SQL for every place in a statement: between quotation marks, after a number, in ORDER BY. Whatever runs changes,
/// finds, breaks or delays something.
const SQL: [&str; 16] = [
    "'",
    "''",
    "\\'",
    "\"",
    "' OR '1'='1",
    "' OR 1=1 -- ",
    "') OR ('1'='1",
    "1 OR 1=1",
    "1; DROP TABLE users; --",
    "'; DROP TABLE users; --",
    "'; UPDATE users SET role = 'admin'; --",
    "' UNION SELECT null,null,null,null,null,null,null -- ",
    "'||pg_sleep(30)||'",
    "(SELECT pg_sleep(30))",
    "$1 %s ? :id",
    "100%_",
];

/// What might be an id, and is none: nothing, less than nothing, and more than 32 and 64 bits hold.
const ODD_IDS: [&str; 6] =
    ["0", "-1", "2147483648", "9223372036854775807", "9223372036854775808", "00000000-0000-0000-0000-000000000000"];

/// Requests are sent this many at a time.
const AT_ONCE: usize = 16;

/// Values are bound, never pasted into a statement (OWASP SQL Injection Prevention Cheat Sheet, "Prepared Statements").
#[check(title = "SQL in a parameter of the API stays text", task = 7, points = 2, needs = ["box_office", "login"],
        hints = ["Which of your statements are assembled from parts of a request?",
                 "Bind values with $1. ORDER BY takes no bound value: choose among fixed statements.",
                 "Postgres does not accept a NUL character in text: check for it before the database does."])]
async fn injection_api(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (organizer, ada) = (Person::organizer(lab, &app).await?, Person::customer(lab, &app).await?);
    let token = &organizer.session.access;
    // What is kept comes back as it was sent, and is found by it.
    // The word behind keeps a server that trims titles from changing them.
    let marked: Vec<String> = SQL.iter().map(|sql| format!("{} {sql} {}", lab.word(), lab.word())).collect();
    let mut kept = String::new();
    for title in &marked {
        let event = make_event(&app, &organizer, &event_titled(lab, title)).await?;
        // never fails alone: `box_office` reads an event the same way
        let read = app.get(format!("/events/{event}")).await?.expect_status(200)?;
        read.expect_json(json!({"title": title}))?;
        let found = app.get("/events").query("q", title).await?.expect_status(200)?;
        found.expect_json(json!({"items": [{"id": event.json(), "title": title}]}))?;
        // The same text in a change.
        let changed = app.put(format!("/events/{event}")).bearer(token).json(&event_titled(lab, title));
        changed.await?.expect_status(200)?.expect_json(json!({"title": title}))?;
        kept = event.to_string();
    }
    for sql in SQL.into_iter().filter(|sql| sql.len() > 3) {
        // never fails alone: the searches above ask the same
        let found: Vec<Value> = app.get("/events").query("q", sql).await?.expect_status(200)?.at("/items")?;
        let wanted = marked.iter().filter(|title| title.to_lowercase().contains(&sql.to_lowercase())).count();
        expect_equal(&format!("events whose title contains {sql:?}"), &found.len(), &wanted)?;
    }

    let decoys = decoys(lab);
    make_decoys(lab, &app, &organizer, &decoys).await?;
    for (title, _) in &decoys {
        // `q` is in another case, as it may be.
        let q = title.to_uppercase();
        // never fails alone: the searches above ask the same
        let found: Vec<Value> = app.get("/events").query("q", q).await?.expect_status(200)?.at("/items")?;
        let found: Vec<&str> = found.iter().filter_map(|event| event["title"].as_str()).collect();
        expect_equal(&format!("the titles that contain {title:?}"), &found, &vec![title.as_str()])?;
    }

    let mut requests = Vec::new();
    for sql in SQL.into_iter().chain(["\0", "1\0"]).chain(ODD_IDS) {
        let id = percent_encoded(sql);
        requests.push(app.get(format!("/events/{id}")));
        requests.push(app.get(format!("/events/{id}/orders")).bearer(token));
        requests.push(app.get(format!("/orders/{id}")).bearer(&ada.session.access));
        requests.push(app.delete(format!("/orders/{id}")).bearer(&ada.session.access));
        requests.push(app.put(format!("/events/{id}")).bearer(token).json(&event_titled(lab, "Aria")));
        requests.push(app.delete(format!("/events/{id}")).bearer(token));
        requests.push(app.post(format!("/events/{id}/orders")).bearer(&ada.session.access).json(&json!({"seats": 1})));
    }
    expect_all(lab, requests, "an id that does not exist", &[400, 404, 422]).await?;
    let requests = SQL.into_iter().chain(ODD_IDS).map(|sql| {
        let path = format!("/users/{}", percent_encoded(sql));
        app.patch(path).bearer(token).json(&json!({"role": "admin"}))
    });
    // An organizer may not, whoever it is about.
    expect_all(lab, requests.collect(), "an id that does not exist", &[400, 403, 404, 422]).await?;
    let mut requests = Vec::new();
    for sql in SQL {
        let with = |member: &str| {
            let mut body = event_titled(lab, "Aria");
            body[member] = json!(sql);
            body
        };
        for member in ["starts_at", "seats", "price_cents"] {
            requests.push(app.post("/events").bearer(token).json(&with(member)));
        }
    }
    // never fails alone: `box_office` asks the same of other text
    expect_all(lab, requests, "no time and no number", &BAD_INPUT).await?;
    let requests = SQL.into_iter().chain([
        "title; DROP TABLE users",
        "(CASE WHEN true THEN title END)",
        "title\0",
        "password_hash",
    ]);
    let requests = requests.map(|sort| app.get("/events").query("sort", sort)).collect();
    expect_all(lab, requests, "a sort that does not exist", &BAD_INPUT).await?;
    let mut requests: Vec<_> = SQL.iter().map(|sql| refresh(&app, sql)).collect();
    requests.extend(SQL.iter().map(|sql| app.get("/me").bearer(sql)));
    // A token of such characters may be called malformed, too (RFC 6750 §3.1).
    expect_all(lab, requests, "a token that was never issued", &[401, 400, 422]).await?;
    let nul = [
        app.get("/events").query("q", "a\0b"),
        app.post("/events").bearer(token).json(&event_titled(lab, "a\0b")),
        app.put(format!("/events/{kept}")).bearer(token).json(&event_titled(lab, "a\0b")),
        app.post("/register")
            .json(&json!({"email": format!("{}\0@example.com", lab.word()), "name": "a\0b", "password": "0123456789"})),
        app.post("/login").json(&json!({"email": "a\0b", "password": "0123456789"})),
        refresh(&app, "a\0b"),
    ];
    for request in nul {
        no_crash(request.await?)?.expect_where("a refusal, or nothing found", |answer| {
            answer.status() >= 400 || answer.at::<Vec<Value>>("/items").is_ok_and(|items| items.is_empty())
        })?;
    }
    log_ins_with_sql(lab, &app, &ada).await?;
    expect_untouched(lab, &app, &ada, "customer", marked.len() + 2 * decoys.len()).await
}

/// Titles with characters that mean something in a pattern, and with white space, each with one that only a pattern, or
/// whoever cuts white space off, would find by it.
fn decoys(lab: &Lab) -> [(String, String); 6] {
    let word = lab.word();
    [("5%5", "5xx5"), ("a_b", "axb"), ("c\\d", "cd"), ("e.f", "exf"), ("g*h", "ggh"), ("i  j", "i j")]
        .map(|(text, decoy)| (format!("{word} {text}"), format!("{word} {decoy}")))
}

async fn make_decoys(lab: &Lab, app: &App, organizer: &Person, decoys: &[(String, String)]) -> CheckResult {
    for title in decoys.iter().flat_map(|(title, decoy)| [title, decoy]) {
        make_event(app, organizer, &event_titled(lab, title)).await?;
    }
    Ok(())
}

/// A few are enough: each costs a comparison with a hash.
async fn log_ins_with_sql(lab: &Lab, app: &App, ada: &Person) -> CheckResult {
    let emails = [format!("{}' -- ", ada.email), format!("' OR email = '{}", ada.email)];
    for email in emails {
        let answer = app.post("/login").json(&json!({"email": email, "password": "' OR '1'='1"})).await?;
        no_crash(answer)?.expect_status_in(&[401, 400, 422])?;
    }
    let eve =
        Newcomer { name: "'; DROP TABLE users; --".into(), email: format!("o'{}", lab.email()), ..Newcomer::new(lab) };
    let answer = app.post("/register").json(&eve.body()).await?.expect_status_in(&[201, 400, 422])?;
    if answer.status() == 201 {
        answer.expect_json(json!({"user": {"name": eve.name}}))?;
        let credentials = json!({"email": eve.email, "password": eve.password});
        // never fails alone: `login` asks the same of a right password
        app.post("/login").json(&credentials).await?.expect_status(200)?;
    }
    Ok(())
}

async fn expect_all(lab: &Lab, requests: Vec<Request>, what: &str, statuses: &[u16]) -> CheckResult {
    for some in requests.chunks(AT_ONCE) {
        for answer in lab.burst(some.to_vec()).await? {
            answer.expect_status_in(statuses).because(&format!("it is {what}"))?;
        }
    }
    Ok(())
}

/// Nothing that was sent has run: nobody is an administrator, everybody and everything is still there.
async fn expect_untouched(lab: &Lab, app: &App, ada: &Person, role: &str, events: usize) -> CheckResult {
    let admins: i64 = lab.postgres().await?.scalar("select count(*) from users where role::text = 'admin'").await?;
    expect_equal("administrators", &admins, &0)?;
    let me = app.get("/me").bearer(&ada.session.access).await?.expect_status(200)?;
    // never fails alone: a role that SQL has changed is that of an administrator more
    me.expect_json(json!({"role": role}))?;
    // never fails alone: `box_office` lists events the same way
    let items: Vec<Value> = app.get("/events").await?.expect_status(200)?.at("/items")?;
    expect_equal("events that still exist", &items.len(), &events)
}

/// The pages ask the same database (OWASP ASVS 5.0, 1.2.4).
#[check(title = "SQL in a parameter of the pages stays text", task = 7, points = 1, needs = ["web_login", "box_office"],
        hints = ["Cookies and form fields are parameters, too.", "Bind every one of them."])]
async fn injection_web(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::organizer(lab, &app).await?;
    let title = lab.word();
    let event = make_event(&app, &ada, &event_titled(lab, &title)).await?;
    let path = format!("/web/events/{event}");
    let mut browser = Browser::of(&app, &ada).await?;
    let (cookie, _) = browser.session()?;

    let ids = SQL.into_iter().chain(["\0"]).chain(ODD_IDS);
    let requests = ids.map(|sql| app.get(format!("/web/events/{}", percent_encoded(sql)))).collect();
    expect_all(lab, requests, "an id that does not exist", &[400, 404, 422]).await?;
    let requests: Vec<_> = SQL
        .into_iter()
        // A cookie's value has no quotation marks, spaces, commas, semicolons or backslashes (RFC 6265 §4.1.1).
        .filter(|sql| !sql.contains(['"', ';', ',', '\\']))
        .map(|sql| app.get("/web/account").cookie(&cookie, sql.replace(' ', "/**/")))
        .collect();
    // A cookie with a stray `%` may be called malformed, too.
    expect_all(lab, requests, "a session that there is not", &[302, 303, 401, 400]).await?;
    for sql in SQL {
        let page = Page::of(app.get("/web/events").query("q", sql).await?.expect_status(200)?)?;
        let shown = page.all(|e| e.name == "a" && e.text.contains(&title)).next().is_some();
        expect_that(!shown, format!("searching for {sql:?} finds an event whose title does not contain it"))?;
    }
    let decoys = decoys(lab);
    make_decoys(lab, &app, &ada, &decoys).await?;
    for (title, decoy) in &decoys {
        // never fails alone: the searches above ask the same
        let page = Page::of(app.get("/web/events").query("q", title.to_uppercase()).await?.expect_status(200)?)?;
        let shows = |text: &str| page.all(|e| e.name == "a" && e.text.contains(text)).next().is_some();
        expect_that(shows(title), format!("searching for {title:?} does not find the event of that title"))?;
        expect_that(!shows(decoy), format!("searching for {title:?} finds {decoy:?}, which does not contain it"))?;
    }
    no_crash(app.get("/web/events?q=a%00b").await?)?;
    let mut visitor = Browser::new(&app);
    let answer = visitor.try_log_in(&format!("{}' -- ", ada.email), "' OR '1'='1").await?;
    answer.expect_status_in(&[401, 400, 422])?;
    // never fails alone: `web_login` asks the same of a wrong password
    visitor.expect_not(&ada, "this log-in was SQL").await?;
    for sql in ["'; DROP TABLE users; --", "' OR '1'='1", "'||pg_sleep(30)||'", "'), (1, 1, 'x') --"] {
        let text = format!("{} {sql}", lab.word());
        let token = browser.csrf_token(&path, "/reviews").await?;
        let answer = browser.post(format!("{path}/reviews"), &[("text", &text), ("csrf_token", &token)]).await?;
        answer.expect_status_in(&REDIRECT)?;
        let page = Page::of(app.get(&path).await?.expect_status(200)?)?;
        let kept = page.all(|e| e.has_class("review-text") && e.text.trim() == text).next().is_some();
        expect_that(kept, format!("the review {text:?} is not on the page as it was written"))?;
    }
    let token = browser.csrf_token(&path, "/reviews").await?;
    no_crash(browser.post(format!("{path}/reviews"), &[("text", "a\0b"), ("csrf_token", &token)]).await?)?;
    let forged = browser.post(format!("{path}/reviews"), &[("text", "x"), ("csrf_token", "' OR '1'='1")]).await?;
    forged.expect_status(403).because("this token is SQL")?;
    for id in [event.unknown(lab).to_string(), percent_encoded("1 OR 1=1"), percent_encoded("'")] {
        let reviews = format!("/web/events/{id}/reviews");
        let answer = browser.post(reviews, &[("text", "x"), ("csrf_token", &token)]).await?;
        answer.expect_status_in(&[400, 403, 404, 422]).because("there is no such event")?;
    }
    expect_untouched(lab, &app, &ada, "organizer", 1 + 2 * decoys.len()).await
}

/// Every byte as `%XX`, as it has to be in a path.
fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
