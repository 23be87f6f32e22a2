//! Registering, and how a password is kept (tasks 1 and 2).

use lab_kit::http::any_id;
use lab_kit::id::Id;
use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{
    BAD_INPUT, HASHING, Newcomer, Person, expect_no_password, expect_tokens, no_crash, role_in_table,
};

/// An account starts with an address, a name and a password, and the password is never returned (OWASP API3:2023).
#[check(title = "users can register", task = 1, points = 2,
        hints = ["The response is an account and tokens, not the table's row.",
                 "Give the account its own type, without the hash, and send 201 with it as `user`."])]
async fn register(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Newcomer::new(lab);
    let response = app.post("/register").json(&ada.body()).await?.expect_status(201)?;
    let response = response
        .expect_json(json!({"user": {"id": any_id(), "name": ada.name, "role": "customer"}}))?
        .expect_json_where("/user/email", "the address that was sent", |email| {
            email.as_str().is_some_and(|email| email.eq_ignore_ascii_case(&ada.email))
        })?;
    expect_no_password(expect_tokens(response)?, &ada.password)?;

    // The ends of each range. Characters are counted where the README says so, and bytes where it says that.
    let at_least = Newcomer { name: "é".into(), password: format!("é{}", letters(lab, 7)), ..Newcomer::new(lab) };
    let at_most = Newcomer { name: "é".repeat(100), email: address_of(lab, 200), ..Newcomer::new(lab) };
    for newcomer in [at_least, at_most] {
        let answer = app.post("/register").json(&newcomer.body()).await?.expect_status(201);
        answer.because("each member has a length that the README allows")?;
    }
    Ok(())
}

/// An address of `length` characters that mail servers would take, too: no part of it is longer than RFC 5321 §4.5.3.1
/// and RFC 1035 §2.3.4 have it.
fn address_of(lab: &Lab, length: usize) -> String {
    let begin = format!("{}@{}.{}.", letters(lab, 40), letters(lab, 60), letters(lab, 40));
    let end = ".example.com";
    format!("{begin}{}{end}", letters(lab, length - begin.len() - end.len()))
}

/// So many random letters.
fn letters(lab: &Lab, count: usize) -> String {
    (0..count).map(|_| char::from(b'a' + u8::try_from(lab.number(0, 25)).unwrap_or_default())).collect()
}

/// One address is one account, and an invalid account is refused (OWASP ASVS 5.0, 6.2.1).
#[check(title = "an address already in use and bad input are refused", task = 1, points = 1, needs = ["register"],
        hints = ["Ada@example.com and ada@example.com are one person.",
                 "A unique index on lower(email) decides, even between two who register at once; its violation is 409. \
                  Check the other members before you hash."])]
async fn register_refusals(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let count = "select count(*) from users";
    let before: i64 = lab.postgres().await?.scalar(count).await?;

    let again = Newcomer { email: ada.email.to_uppercase(), ..Newcomer::new(lab) };
    app.post("/register").json(&again.body()).await?.expect_status(409)?;
    let new = || Newcomer::new(lab);
    let without = |member: &str| {
        let mut body = new().body();
        body.as_object_mut().map(|members| members.remove(member));
        body
    };
    let bad = [
        Newcomer { email: lab.word(), ..new() }.body(),
        Newcomer { email: address_of(lab, 201), ..new() }.body(),
        Newcomer { password: "seven77".into(), ..new() }.body(),
        // Seven characters in 14 bytes.
        Newcomer { password: "é".repeat(7), ..new() }.body(),
        Newcomer { name: String::new(), ..new() }.body(),
        Newcomer { name: "x".repeat(101), ..new() }.body(),
        without("email"),
        without("name"),
        without("password"),
        json!({"email": new().email, "name": 17, "password": new().password}),
        json!({"email": new().email, "name": new().name, "password": 1_234_567_890}),
        json!({"email": new().email, "name": null, "password": new().password}),
        json!([]),
    ];
    for body in bad {
        app.post("/register").json(&body).await?.expect_status_in(&BAD_INPUT)?;
    }
    let cut_off = app.post("/register").body(r#"{"email": "ada@example.com", "#, "application/json");
    cut_off.await?.expect_status_in(&BAD_INPUT).because("this is no JSON")?;
    let after: i64 = lab.postgres().await?.scalar(count).await?;
    expect_equal("rows of `users` after nothing but refusals", &after, &before)?;

    let (one, shouted) = (new(), |one: &Newcomer| Newcomer { email: one.email.to_uppercase(), ..one.clone() }.body());
    let requests = (0..6).map(|number| if number % 2 == 0 { one.body() } else { shouted(&one) });
    let answers = lab.burst(requests.map(|body| app.post("/register").json(&body).within(HASHING))).await?;
    let mut made = 0;
    for answer in answers {
        made += usize::from(answer.expect_status_in(&[201, 409])?.status() == 201);
    }
    expect_equal("accounts that six simultaneous registrations of one address made", &made, &1)?;
    let after: i64 = lab.postgres().await?.scalar(count).await?;
    // never fails alone: a refusal that leaves a row has failed above
    expect_equal("rows of `users` after these", &after, &(before + 1))
}

/// What users say about themselves gives them no rights (OWASP API3:2023).
#[check(title = "users cannot choose their own role", task = 1, points = 1, needs = ["register"],
        hints = ["Which members of the body do you read?",
                 "Deserialize into a type that has no role, and let the column's default decide."])]
async fn no_chosen_role(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, mallory) = (Person::customer(lab, &app).await?, Newcomer::new(lab));
    let mut body = mallory.body();
    for (member, value) in [("role", json!("admin")), ("is_admin", json!(true)), ("id", ada.id.json())] {
        body[member] = value;
    }
    let response = app.post("/register").json(&body).await?.expect_status_in(&[201, 400, 422])?;
    if response.status() == 201 {
        let response = response.expect_json(json!({"user": {"role": "customer"}}))?;
        let id = Id::of(&response, "/user/id")?;
        expect_that(id != ada.id, "whoever registers with the id of another account gets that id")?;
        let kept = role_in_table(lab, &mallory.email).await?;
        expect_equal("users.role of a user who registered as an admin", &kept.as_str(), &"customer")?;
    }
    Ok(())
}

/// A stolen table must not be a list of passwords: each is hashed slowly, with its own salt (OWASP ASVS 5.0, 11.4.2).
#[check(title = "passwords are stored as bcrypt hashes", task = 1, points = 3, needs = ["register"],
        hints = ["SHA-256 is fast, and so is anybody who tries a billion passwords.",
                 "bcrypt::non_truncating_hash takes a password and a cost, and generates a fresh salt.",
                 "Store what it returns, and nothing else, in users.password_hash."])]
async fn stored_as_bcrypt(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let eve = Newcomer::with_password(lab, &ada.password).register(&app).await?;
    let (of_ada, of_eve) = (bcrypt_hash(lab, &ada.email).await?, bcrypt_hash(lab, &eve.email).await?);
    if of_ada.salt == of_eve.salt || of_ada.text == of_eve.text {
        return Err(Failure::learner("two accounts with the same password have the same salt")
            .expected("a random salt for each hash")
            .actual(format!("{} and {}", of_ada.text, of_eve.text)));
    }
    // As text, as bytes that were kept in a bytea column, and in spellings that everybody can read.
    let statement = "select count(*) from users u, convert_to($1, 'UTF8') bytes where strpos(u::text, $1) > 0 \
                     or strpos(u::text, encode(bytes, 'hex')) > 0 or strpos(u::text, encode(bytes, 'base64')) > 0 \
                     or strpos(u::text, reverse($1)) > 0";
    let clear: i64 = lab.postgres().await?.sql(statement).bind(&ada.password).scalar().await?;
    expect_equal(
        "rows of `users` that contain the password as it was typed, or in hex, base64 or backwards",
        &clear,
        &0,
    )
}

/// The hash alone decides whether a password is right (OWASP ASVS 5.0, 6.2.8).
#[check(title = "the stored hash decides a log-in", task = 2, points = 1, needs = ["stored_as_bcrypt", "login"],
        hints = ["Where else could your server have stored the password?",
                 "Read password_hash from the table at each log-in, and pass it to bcrypt::verify."])]
async fn hash_decides(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, eve) = (Person::customer(lab, &app).await?, Person::customer(lab, &app).await?);
    let copy = "update users set password_hash = (select password_hash from users where lower(email::text) = lower($1)) \
                where lower(email::text) = lower($2)";
    lab.postgres().await?.sql(copy).bind(&ada.email).bind(&eve.email).execute().await?;
    eve.try_password(&app, &ada.password).await?.expect_status(200)?;
    eve.try_password(&app, &eve.password).await?.expect_status(401)?;
    drop(app);

    let app = lab.server().env("BCRYPT_COST", "11").start().await.because("it starts on the tables that it made")?;
    let kept = eve.try_password(&app, &ada.password).await?.expect_status(200);
    kept.because("the hash is from before the restart, and says itself which cost it has")?;
    // never fails alone: who looks at more than the hash has failed above
    eve.try_password(&app, &eve.password).await?.expect_status(401)?;
    Ok(())
}

/// bcrypt reads 72 bytes; a server that ignores that lets in everybody who knows the beginning (OWASP ASVS 5.0, 6.2.8).
#[check(title = "long passwords are never silently truncated", task = 2, points = 2, needs = ["login"],
        hints = ["How much of a password does bcrypt read?",
                 "Bytes count, not characters: é is two of them.",
                 "Refuse more than 71 bytes at registration; at log-in such a password is simply wrong."])]
async fn long_passwords(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let letters = |count: usize| letters(lab, count);
    let accented = Newcomer::with_password(lab, format!("{}x", "é".repeat(35))).register(&app).await?;
    accented.log_in(&app).await.because("it has 71 bytes")?;
    let longest = Newcomer::with_password(lab, letters(71)).register(&app).await?;
    longest.log_in(&app).await?;
    for suffix in ["x", "xyz"] {
        not_let_in(&longest, &app, &format!("{}{suffix}", longest.password)).await?;
    }
    // bcrypt repeats a short key, with a NUL in between.
    let short = Newcomer::with_password(lab, letters(12)).register(&app).await?;
    not_let_in(&short, &app, &format!("{0}\0{0}", short.password)).await?;
    let prefixes = [letters(72), format!("{}{}", letters(2), "é".repeat(35)), format!("{}\0", letters(12))];
    for prefix in prefixes {
        let (right, other) = (format!("{prefix}{}", letters(6)), format!("{prefix}{}", letters(6)));
        let ada = Newcomer::with_password(lab, &right);
        let Some(ada) = ada.register_or_be_refused(&app).await? else { continue };
        // Who takes a NUL character here may still refuse it at log-in: nothing was cut then.
        if !prefix.contains('\0') {
            ada.log_in(&app).await.because("a password that was accepted at registration must work")?;
        }
        not_let_in(&ada, &app, &other).await?;
        not_let_in(&ada, &app, &prefix).await?;
    }
    Ok(())
}

/// The work factor is what slows a thief down, so a configuration mistake must not remove it (OWASP Password Storage
/// Cheat Sheet, "Work Factors").
#[check(title = "a cost below 10 is not accepted", task = 1, points = 2, needs = ["stored_as_bcrypt"],
        hints = ["What does your server do with BCRYPT_COST=4?",
                 "Refuse to start, and name the variable: a wrong setting is best noticed at once."])]
async fn cost_floor(lab: &Lab) -> CheckResult {
    let app = lab.server().env_remove("BCRYPT_COST").start().await?;
    let ada = Person::customer(lab, &app).await?;
    hash_of_cost(lab, &ada.email, 12).await.because("without BCRYPT_COST the cost is 12, and may be higher")?;
    drop(app);
    let app = lab.server().env("BCRYPT_COST", "11").start().await?;
    let bob = Person::customer(lab, &app).await?;
    hash_of_cost(lab, &bob.email, 11).await.because("BCRYPT_COST is 11, and the cost may be higher")?;
    drop(app);

    for low in ["9", "4"] {
        let mut app = lab.server().env("BCRYPT_COST", low).without_waiting().start().await?;
        if app.ready(Duration::from_secs(10)).await.is_ok() {
            let eve = Person::customer(lab, &app).await?;
            let hash = bcrypt_hash(lab, &eve.email).await;
            hash.because(&format!("BCRYPT_COST={low} must not lower the cost below 10"))?;
        } else {
            crate::secret::expect_refusal_to_start(lab, &mut app, "BCRYPT_COST").await?;
        }
    }
    Ok(())
}

/// A password that must not open the account; whether it is called wrong or bad input is up to the server.
async fn not_let_in(person: &Person, app: &App, password: &str) -> CheckResult {
    let response = no_crash(person.try_password(app, password).await?)?;
    response.expect_status_in(&[401, 400, 422]).because("this is not the password of the account")?;
    Ok(())
}

/// The parts of a bcrypt hash that matter here.
struct BcryptHash {
    text: String,
    salt: String,
}

/// The hash of an account, if it is one of bcrypt with cost 10 or more.
async fn bcrypt_hash(lab: &Lab, email: &str) -> CheckResult<BcryptHash> {
    hash_of_cost(lab, email, 10).await
}

/// The same with this cost or more.
async fn hash_of_cost(lab: &Lab, email: &str, least: u32) -> CheckResult<BcryptHash> {
    let statement = "select password_hash::text from users where lower(email::text) = lower($1)";
    let text: String = lab.postgres().await?.sql(statement).bind(email).scalar().await?;
    let wrong = |what: &str| {
        Failure::learner(format!("users.password_hash: {what}"))
            .expected(format!("$2a$, $2b$ or $2y$, a cost of {least} or more, $, 22 characters of salt and 31 of hash"))
            .actual(&text)
    };
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let (cost, tail) = rest.and_then(|rest| rest.split_once('$')).ok_or_else(|| wrong("this is not a bcrypt hash"))?;
    let cost: u32 = cost.parse().map_err(|_| wrong("its cost is not a number"))?;
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '/';
    if tail.len() != 53 || !tail.chars().all(letters) {
        return Err(wrong("this is not a bcrypt hash"));
    }
    if cost < least {
        return Err(wrong(&format!("a cost of {cost} is too low")));
    }
    Ok(BcryptHash { salt: tail[..22].to_owned(), text: text.clone() })
}
