//! Registering, and how a password is kept (tasks 1 and 2).

use lab_kit::http::any_id;
use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{BAD_INPUT, Newcomer, Person, no_crash, role_in_table};

/// An account starts with an address, a name and a password, and the password is never returned (OWASP API3:2023).
#[check(title = "users can register", task = 1, points = 2,
        hints = ["The response is an account and tokens, not the table's row.",
                 "Give the account its own type, without the hash, and send 201 with it as `user`."])]
async fn register(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Newcomer::new(lab);
    let response = app.post("/register").json(&ada.body()).await?.expect_status(201)?;
    response
        .expect_json(json!({"user": {"id": any_id(), "name": ada.name, "role": "customer"}}))?
        .expect_json_where("/user/email", "the address that was sent", |email| {
            email.as_str().is_some_and(|email| email.eq_ignore_ascii_case(&ada.email))
        })?
        .expect_body_where("a body without the password or its hash", |body| {
            let body = String::from_utf8_lossy(body);
            !body.contains(&ada.password) && !["$2a$", "$2b$", "$2y$"].iter().any(|prefix| body.contains(prefix))
        })
}

/// One address is one account, and an invalid account is refused (OWASP ASVS 5.0, 6.2.1).
#[check(title = "an address already in use and bad input are refused", task = 1, points = 1, needs = ["register"],
        hints = ["Ada@example.com and ada@example.com are one person.",
                 "A unique index on lower(email) decides; its violation is 409. Check the other members before you hash."])]
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
        Newcomer { password: "seven77".into(), ..new() }.body(),
        Newcomer { name: String::new(), ..new() }.body(),
        without("email"),
        without("name"),
        without("password"),
        json!([]),
    ];
    for body in bad {
        app.post("/register").json(&body).await?.expect_status_in(&BAD_INPUT)?;
    }
    let after: i64 = lab.postgres().await?.scalar(count).await?;
    expect_equal("rows of `users` after nothing but refusals", &after, &before)
}

/// What users say about themselves gives them no rights (OWASP API3:2023).
#[check(title = "users cannot choose their own role", task = 1, points = 1, needs = ["register"],
        hints = ["Which members of the body do you read?",
                 "Deserialize into a type that has no role, and let the column's default decide."])]
async fn no_chosen_role(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mallory = Newcomer::new(lab);
    let mut body = mallory.body();
    for (member, value) in [("role", json!("admin")), ("is_admin", json!(true)), ("id", json!(1))] {
        body[member] = value;
    }
    let response = app.post("/register").json(&body).await?.expect_status_in(&[201, 400, 422])?;
    if response.status() == 201 {
        response.expect_json(json!({"user": {"role": "customer"}}))?;
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
    // As text, and as bytes that were kept in a bytea column.
    let statement = "select count(*) from users u where strpos(u::text, $1) > 0 or strpos(u::text, $2) > 0";
    let hex: String = ada.password.bytes().map(|byte| format!("{byte:02x}")).collect();
    let clear: i64 = lab.postgres().await?.sql(statement).bind(&ada.password).bind(&hex).scalar().await?;
    expect_equal("rows of `users` that contain the password as it was typed", &clear, &0)
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
    Ok(())
}

/// bcrypt reads 72 bytes; a server that ignores that lets in everybody who knows the beginning (OWASP ASVS 5.0, 6.2.8).
#[check(title = "long passwords are never silently truncated", task = 2, points = 2, needs = ["login"],
        hints = ["How much of a password does bcrypt read?",
                 "Bytes count, not characters: é is two of them.",
                 "Refuse more than 71 bytes at registration; at log-in such a password is simply wrong."])]
async fn long_passwords(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let letters = |count: usize| -> String {
        (0..count).map(|_| char::from(b'a' + u8::try_from(lab.number(0, 25)).unwrap_or_default())).collect()
    };
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
    bcrypt_hash(lab, &ada.email).await.because("without BCRYPT_COST the cost is 10 or more, too")?;
    drop(app);

    let mut app = lab.server().env("BCRYPT_COST", "4").without_waiting().start().await?;
    if app.ready(Duration::from_secs(10)).await.is_ok() {
        let eve = Person::customer(lab, &app).await?;
        bcrypt_hash(lab, &eve.email).await.because("BCRYPT_COST=4 must not lower the cost below 10")?;
        return Ok(());
    }
    crate::secret::expect_refusal_to_start(lab, &mut app, "BCRYPT_COST").await
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
    let statement = "select password_hash::text from users where lower(email::text) = lower($1)";
    let text: String = lab.postgres().await?.sql(statement).bind(email).scalar().await?;
    let wrong = |what: &str| {
        Failure::learner(format!("users.password_hash: {what}"))
            .expected("$2a$, $2b$ or $2y$, a cost of 10 or more, $, 22 characters of salt and 31 of hash")
            .actual(&text)
    };
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let (cost, tail) = rest.and_then(|rest| rest.split_once('$')).ok_or_else(|| wrong("this is not a bcrypt hash"))?;
    let cost: u32 = cost.parse().map_err(|_| wrong("its cost is not a number"))?;
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '/';
    if tail.len() != 53 || !tail.chars().all(letters) {
        return Err(wrong("this is not a bcrypt hash"));
    }
    if cost < 10 {
        return Err(wrong(&format!("a cost of {cost} is too low")));
    }
    Ok(BcryptHash { salt: tail[..22].to_owned(), text: text.clone() })
}
