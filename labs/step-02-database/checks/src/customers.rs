//! Task 5: customers, and the one address that each of them has.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{BAD_INPUT, Id, Instances};

/// 201 says that the resource was created, and the response shows it with its new id (RFC 9110 §15.3.2).
#[check(title = "POST /customers creates a row", task = 5, points = 1, needs = ["schema"],
        hints = ["What does `select * from customers` show after a POST?", "Use `INSERT … RETURNING`, as for events.",
                 "A body that does not match the contract is refused before the database sees it."])]
async fn create_customer(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (email, balance_cents) = (lab.email(), lab.number(1, 90_000));
    let body = json!({ "email": email, "balance_cents": balance_cents });
    let answer = made(&app, &body).await?.expect_json(json!({ "balance_cents": balance_cents }))?;
    let id = Id::of(&answer, "/id")?;
    expect_address(answer, &email)?;
    let sql = "select id::text, lower(email::text), balance_cents::bigint from customers";
    let rows: Vec<(String, String, i64)> = lab.postgres().await?.rows(sql).await?;
    expect_equal("the rows in `customers`", &rows, &vec![(id.to_string(), email, balance_cents)])?;
    let poor = made(&app, &json!({ "email": lab.email() })).await?;
    poor.expect_json(json!({ "balance_cents": 0 })).because("`balance_cents` was left out")?;
    for (member, value) in [
        ("email", json!("nobody")),
        ("email", json!("@example.org")),
        ("email", json!("nobody@")),
        ("email", json!(42)),
        ("email", json!(null)),
        ("email", json!(format!("a\u{0}{}", lab.email()))),
        ("balance_cents", json!(-1)),
        ("balance_cents", json!(1.5)),
        ("balance_cents", json!("5")),
        ("balance_cents", json!(10_000_000_000_000_000_000_u64)),
    ] {
        let mut body = json!({ "email": lab.email(), "balance_cents": 1 });
        body[member] = value;
        post(&app, &body).await?.expect_status_in(&BAD_INPUT)?;
    }
    let rows: i64 = lab.postgres().await?.scalar("select count(*) from customers").await?;
    expect_equal("rows in `customers` after two that were created and others that were refused", &rows, &2)
}

/// The request is well-formed but the state of the data forbids it: that is a conflict (RFC 9110 §15.5.10).
#[check(title = "an address already in use is 409", task = 5, points = 2, needs = ["create_customer"],
        hints = ["Which status does your server give when the unique index refuses a row?",
                 "`error.as_database_error()` and its `is_unique_violation()` distinguish this refusal from all others."])]
async fn duplicate_email(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let email = lab.email();
    made(&app, &json!({ "email": email, "balance_cents": 5 })).await?;
    for again in [email.clone(), email.to_ascii_uppercase(), capitalised(&email)] {
        post(&app, &json!({ "email": again })).await?.expect_status(409)?;
    }
    expect_equal("customers with this address", &having(lab, &email).await?, &1)?;
    post(&app, &json!({ "email": lab.email() })).await?.expect_status(201).because("another address is not in use")?;
    Ok(())
}

/// Between checking that an address is free and inserting it, another request can take it. Only a unique index decides
/// for everybody at once (PostgreSQL manual, 11.6 Unique Indexes; 13.2.1 Read Committed).
#[check(title = "of many simultaneous requests for one address, one gets it", task = 5, points = 3, limit = 90, needs = ["duplicate_email"],
        hints = ["Two requests find the address free at the same moment. What do they do next?",
                 "Don't check first. Insert, and let the unique index's refusal be the answer."])]
async fn email_race(lab: &Lab) -> CheckResult {
    let servers = Instances::start(lab).await?;
    let email = lab.email();
    servers.warm_up(lab, |app| app.post("/customers").json(&json!({ "email": lab.email() }))).await?;
    servers.overlap(lab).await?;
    let spellings = [email.clone(), email.to_ascii_uppercase(), capitalised(&email)];
    let wanted: Vec<_> = spellings.iter().cycle().take(20).collect();
    let answers = servers.race(lab, &wanted, |app, email| app.post("/customers").json(&json!({ "email": email })));
    let mut made = 0;
    for answer in answers.await? {
        made += usize::from(answer.expect_status_in(&[201, 409])?.status() == 201);
    }
    expect_equal("customers with this address", &having(lab, &email).await?, &1)?;
    expect_equal("requests answered 201", &made, &1)
}

/// Makes a customer of this body.
pub async fn made(app: &App, body: &Value) -> CheckResult<Response> {
    post(app, body).await?.expect_status(201)
}

async fn post(app: &App, body: &Value) -> CheckResult<Response> {
    app.post("/customers").json(body).await
}

fn expect_address(answer: Response, email: &str) -> CheckResult<Response> {
    answer
        .expect_json_where("/email", email, |value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(email)))
}

fn capitalised(email: &str) -> String {
    format!("{}{}", email[..1].to_ascii_uppercase(), &email[1..])
}

async fn having(lab: &Lab, email: &str) -> CheckResult<i64> {
    let sql = "select count(*) from customers where lower(email::text) = $1";
    lab.postgres().await?.sql(sql).bind(email.to_owned()).scalar().await
}
