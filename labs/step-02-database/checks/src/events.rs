//! Task 2: making and reading events.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{BAD_INPUT, Id, Seed, event_json, expect_moment, literal, moment};

/// 201 says that the resource was created, and the response shows it with its new id (RFC 9110 §15.3.2).
#[check(title = "POST /events creates a row", task = 2, points = 2, needs = ["events_table"],
        hints = ["What does `select * from events` show after a POST?",
                 "`INSERT … RETURNING` writes a row and reads it back in one statement."])]
async fn create_event(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let seed = Seed::random(lab);
    let answer = make(&app, &seed.json()).await?;
    let answer = expect_moment(answer.expect_json(event_json(&seed, seed.seats))?, "/starts_at", seed.starts_at)?;
    let id = Id::of(&answer, "/id")?;
    let sql = "select id::text, title::text, extract(epoch from starts_at)::bigint, seats::bigint, seats_sold::bigint,
                      price_cents::bigint from events";
    let rows: Vec<(String, String, i64, i64, i64, i64)> = lab.postgres().await?.rows(sql).await?;
    let row = (id.to_string(), seed.title, seed.starts_at.timestamp(), seed.seats, 0, seed.price_cents);
    expect_equal("the rows in `events`", &rows, &vec![row])
}

/// What was created can be read under its id, and an id that does not exist is 404 (RFC 9110 §15.5.5).
#[check(title = "GET /events/{id} returns the event", task = 2, points = 1, needs = ["create_event"],
        hints = ["What does sqlx return when a query finds no row?", "`fetch_optional` returns `None`; answer that with 404."])]
async fn read_event(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut seeds = vec![Seed::random(lab), Seed::random(lab)];
    let mut id = None;
    for seed in &seeds {
        id = Some(Id::of(&make(&app, &seed.json()).await?, "/id")?);
    }
    let (Some(id), Some(seed)) = (id, seeds.pop()) else { return Ok(()) };
    let mut expected = event_json(&seed, seed.seats);
    expected["id"] = id.json();
    let answer = read(&app, &format!("/events/{id}")).await?.expect_json(expected)?;
    expect_moment(answer, "/starts_at", seed.starts_at)?;
    app.get(format!("/events/{}", id.unknown(lab))).await?.expect_status(404)?;
    Ok(())
}

/// Memory ends with its process; anything a client was told is done must outlive it (PostgreSQL manual, 30.1
/// Reliability; The Twelve-Factor App, VI).
#[check(title = "an event outlives the server", task = 2, points = 2, needs = ["read_event"],
        hints = ["Where is an event while the server is not running?", "In the database, and nowhere else."])]
async fn durable(lab: &Lab) -> CheckResult {
    let mut app = lab.start().await?;
    let mut made = Vec::new();
    for _ in 0..3 {
        let seed = Seed::random(lab);
        let id = Id::of(&make(&app, &seed.json()).await?, "/id")?;
        made.push((id, seed));
    }
    app.restart().await?;
    for (id, seed) in made {
        app.get(format!("/events/{id}"))
            .await?
            .expect_status(200)
            .because("the server was stopped and started again after it had said 201")?
            .expect_json(event_json(&seed, seed.seats))?;
    }
    Ok(())
}

/// Another instance of the server, or a person at `psql`, changes rows too: a copy in memory would show old data (The
/// Twelve-Factor App, VI).
#[check(title = "changes that others make in the database are seen at once", task = 2, points = 2, needs = ["read_event"],
        hints = ["Does every GET ask the database?", "Keep nothing between requests; caches come in a later lab."])]
async fn fresh_reads(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let seed = Seed::random(lab);
    let id = seed.insert(lab).await?;
    let path = format!("/events/{id}");
    read(&app, &path).await?.expect_json(event_json(&seed, seed.seats))?;
    let changed = seed.clone().title(format!("Moved {}", lab.word())).price_cents(seed.price_cents + 11);
    let sql = format!(
        "update events set title = {}, price_cents = {} where id = {}",
        literal(&changed.title),
        changed.price_cents,
        id.sql()
    );
    lab.postgres().await?.execute(&sql).await?;
    read(&app, &path)
        .await?
        .expect_json(event_json(&changed, seed.seats))
        .because("the row was changed with SQL after it had been read once")?;
    Ok(())
}

/// A time with an offset is one moment; without the offset it is another (RFC 3339 §4.1; PostgreSQL manual, 8.5.1.3
/// Time Stamps).
#[check(title = "a time stays the same moment, whatever its offset", task = 2, points = 1, needs = ["read_event"],
        hints = ["What does your column store for `21:30:00+02:00`?",
                 "`timestamptz` keeps the moment, `timestamp` keeps the digits."])]
async fn instants(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let starts_at = moment(lab) + Duration::from_millis(lab.number(1, 999).unsigned_abs());
    let abroad = chrono::FixedOffset::east_opt(3_600 * i32::try_from(lab.number(2, 9)).unwrap_or(2));
    let Some(abroad) = abroad else { return Ok(()) };
    let mut body = Seed::random(lab).json();
    body["starts_at"] = json!(starts_at.with_timezone(&abroad).to_rfc3339());
    let answer = make(&app, &body).await?;
    let id = Id::of(&answer, "/id")?;
    expect_moment(answer, "/starts_at", starts_at)?;
    let answer = read(&app, &format!("/events/{id}")).await?;
    expect_moment(answer, "/starts_at", starts_at)?;
    let sql = format!("select round(extract(epoch from starts_at) * 1000)::bigint from events where id = {}", id.sql());
    let stored: i64 = lab.postgres().await?.scalar(&sql).await?;
    expect_equal("events.starts_at, in milliseconds since 1970", &stored, &starts_at.timestamp_millis())
}

/// Invalid data is reported to the client and never reaches a table (RFC 9110 §15.5.1 and §15.5.21).
#[check(title = "invalid bodies are refused", task = 2, points = 2, needs = ["create_event"],
        hints = ["Which of the bodies did your server accept, or answer with 500?",
                 "The README has the ranges. Postgres cannot store the character NUL; refuse it before Postgres does."])]
async fn bad_input(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let good = Seed::random(lab).json();
    let changes = [
        ("title", json!("")),
        ("title", json!("x".repeat(201))),
        ("title", json!(42)),
        ("title", json!("a\u{0}b")),
        ("starts_at", json!("tomorrow")),
        ("starts_at", json!("2031-05-01T19:30:00")),
        ("starts_at", json!("2031-02-30T19:30:00Z")),
        ("starts_at", json!(1_935_000_000)),
        ("seats", json!(0)),
        ("seats", json!(-5)),
        ("seats", json!("10")),
        ("seats", json!(1.5)),
        ("seats", json!(true)),
        ("seats", json!(100_001)),
        ("seats", json!(3_000_000_000_000_i64)),
        ("price_cents", json!(-1)),
        ("price_cents", json!(10_000_001)),
        ("price_cents", json!(null)),
    ];
    for (member, value) in changes {
        let mut body = good.clone();
        body[member] = value;
        app.post("/events").json(&body).await?.expect_status_in(&BAD_INPUT)?;
    }
    for member in ["title", "starts_at", "seats", "price_cents"] {
        let mut body = good.clone();
        body.as_object_mut().map(|members| members.remove(member));
        app.post("/events")
            .json(&body)
            .await?
            .expect_status_in(&BAD_INPUT)
            .because(&format!("`{member}` is missing"))?;
    }
    for text in ["{\"title\": ", "[]", "null", ""] {
        app.post("/events").body(text, "application/json").await?.expect_status_in(&BAD_INPUT)?;
    }
    let rows: i64 = lab.postgres().await?.scalar("select count(*) from events").await?;
    expect_equal("rows in `events` after nothing but refusals", &rows, &0)
        .hint("Which of these bodies did your server write before it refused them?")?;
    let longest = Seed::random(lab).title("é".repeat(200));
    app.post("/events")
        .json(&longest.json())
        .await?
        .expect_status(201)
        .because("a title may have 200 characters")
        .hint("How long is `é`: in characters, and in the bytes of UTF-8?")?;
    let ends = [
        ("title", json!("x")),
        ("seats", json!(1)),
        ("seats", json!(100_000)),
        ("price_cents", json!(0)),
        ("price_cents", json!(10_000_000)),
    ];
    for (member, value) in ends {
        let mut body = good.clone();
        body[member] = value.clone();
        let answer = app.post("/events").json(&body).await?.expect_status(201);
        answer.because(&format!("this `{member}` is in range"))?.expect_json(json!({ member: value }))?;
    }
    Ok(())
}

/// A value pasted into the text of a statement becomes part of its syntax; a bound value never does (OWASP, SQL
/// Injection Prevention Cheat Sheet, Defense Option 1; CWE-89).
#[check(title = "titles are stored unchanged, whatever they contain", task = 2, points = 2, needs = ["read_event"],
        hints = ["What happens to `O'Neill` in your statement?", "Use `$1` in the SQL and `.bind(…)` for its value; never `format!`."])]
async fn text_is_bound(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let titles = [
        format!("O'Neill \"live\" {word}"),
        format!("{word}'); drop table events; --"),
        format!("back\\slash \\' {word} \\"),
        format!("$1 %s ? :name {{}} {word} /* not a comment */"),
        format!("naïve café 音楽 🎷 {word}"),
    ];
    for title in titles {
        let seed = Seed::random(lab).title(&title);
        let answer = app.post("/events").json(&seed.json()).await?.expect_status(201)?;
        let id = Id::of(&answer.expect_json(json!({ "title": title }))?, "/id")?;
        read(&app, &format!("/events/{id}")).await?.expect_json(json!({ "title": title }))?;
        let sql = format!("select title::text from events where id = {}", id.sql());
        expect_equal("events.title", &lab.postgres().await?.scalar::<String>(&sql).await?, &title)?;
    }
    Ok(())
}

/// Makes an event of this body.
pub async fn make(app: &App, body: &Value) -> CheckResult<Response> {
    app.post("/events").json(body).await?.expect_status(201)
}

/// Reads what is at `path`.
pub async fn read(app: &App, path: &str) -> CheckResult<Response> {
    app.get(path).await?.expect_status(200)
}
