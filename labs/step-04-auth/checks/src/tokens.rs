//! Tokens, honest and forged (tasks 3 and 4).

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lab_kit::prelude::*;
use lab_kit::token::{Hmac, Token};

use crate::rights::event_body;
use crate::secret::secret_of;
use crate::support::{KeyServer, Newcomer, Person, Session, refresh};

/// A token stands for the account it was made for (RFC 6750 §2.1).
#[check(title = "a token says who is asking", task = 3, points = 1, needs = ["register"],
        hints = ["Where does a request carry its token?",
                 "Verify it with jsonwebtoken::decode, then read the account that `sub` names from the database."])]
async fn me(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for person in [Person::customer(lab, &app).await?, Person::customer(lab, &app).await?] {
        app.get("/me")
            .bearer(&person.session.access)
            .await?
            .expect_status(200)?
            .expect_json(json!({"id": person.id.json(), "name": person.name, "role": "customer"}))?
            .expect_json_where("/email", "the account's address", |email| {
                email.as_str().is_some_and(|email| email.eq_ignore_ascii_case(&person.email))
            })?;
    }
    Ok(())
}

/// Other programs can use a token only if it contains the agreed claims (RFC 7519 §4.1).
#[check(title = "access tokens contain the agreed claims", task = 4, points = 2, needs = ["me", "login", "refresh_rotates"],
        hints = ["Decode one and look at it: it is base64url, not encrypted.",
                 "The key is the bytes of JWT_SECRET as given. `sub` is a string, `exp` at most 900 seconds after `iat`."])]
async fn claims(lab: &Lab) -> CheckResult {
    // The bytes of the text as given, and more of them than a block of SHA-256 has.
    let secret = format!(" {}éé{} ", secret_of(lab, 40), secret_of(lab, 40));
    let app = lab.server().env("JWT_SECRET", &secret).start().await?;
    let ada = Person::customer(lab, &app).await?;
    // never fails alone: `login` asks the same of a right password
    let answer = ada.try_password(&app, &ada.password).await?.expect_status(200)?;
    let logged_in = Session::of(&answer)?;
    let token = Token::read(&logged_in.access)?;
    let lasts = |name: &str| token.claim(name).and_then(Value::as_f64).unwrap_or_default();
    // A minute's difference is for servers that are careful.
    answer.expect_json_where("/expires_in", "the seconds until the access token's `exp`", |seconds| {
        seconds.as_f64().is_some_and(|seconds| (lasts("exp") - lasts("iat") - seconds).abs() <= 60.0)
    })?;
    let refreshed = ada.session.refreshed(&app).await?;
    for (from, text) in
        [("register", &ada.session.access), ("login", &logged_in.access), ("refresh", &refreshed.access)]
    {
        expect_claims(text, &ada, &secret).because(&format!("this access token came from /{from}"))?;
    }
    Ok(())
}

fn expect_claims(text: &str, of: &Person, secret: &str) -> CheckResult {
    let token = Token::read(text)?;
    let wrong = |what: &str, expected: String, actual: Option<&Value>| {
        let actual = actual.map_or_else(|| "it is not there".to_owned(), Value::to_string);
        Err(Failure::learner(format!("the access token's {what}")).expected(expected).actual(actual).received(text))
    };
    if token.header("alg") != Some(&json!("HS256")) {
        return wrong("header `alg`", "HS256".into(), token.header("alg"));
    }
    if !token.is_signed_with(secret.as_bytes()) {
        return Err(Failure::learner("the access token is not signed with JWT_SECRET")
            .expected("the HMAC with SHA-256 of the first two parts, with the bytes of JWT_SECRET as the key")
            .received(text));
    }
    let expected = [("iss", json!("box-office")), ("sub", json!(of.id.to_string())), ("type", json!("access"))];
    for (name, value) in expected {
        if token.claim(name) != Some(&value) {
            return wrong(&format!("claim `{name}`"), value.to_string(), token.claim(name));
        }
    }
    // One recipient may stand alone or in an array (RFC 7519 §4.1.3).
    let audience = token.claim("aud");
    if audience != Some(&json!("box-office-api")) && audience != Some(&json!(["box-office-api"])) {
        return wrong("claim `aud`", "box-office-api".into(), audience);
    }
    let seconds = |name: &str| token.claim(name).and_then(Value::as_f64);
    let (Some(iat), Some(exp)) = (seconds("iat"), seconds("exp")) else {
        return wrong("claims `iat` and `exp`", "numbers".into(), Some(&token.claims()));
    };
    // Both clocks are this machine's; five minutes are for one that is being set.
    if (iat - now() as f64).abs() > 300.0 {
        return wrong("claim `iat`", format!("about {}, the current time", now()), token.claim("iat"));
    }
    if exp <= iat || exp - iat > 900.0 {
        return wrong("claim `exp`", "at most 900 seconds after `iat`".into(), Some(&token.claims()));
    }
    if seconds("nbf").is_some_and(|nbf| nbf > now() as f64) {
        return wrong("claim `nbf`", "no later than now".into(), token.claim("nbf"));
    }
    Ok(())
}

/// What a token's header says about its algorithm was written by whoever sent it (RFC 8725 §2.1 and §3.1).
#[check(title = "the algorithm is fixed, whatever the header says", task = 3, points = 3, needs = ["me"],
        hints = ["Who chooses the algorithm that your server verifies with?",
                 "Validation::new(Algorithm::HS256) accepts nothing else. Never take it from the token's header."])]
async fn algorithm_fixed(lab: &Lab) -> CheckResult {
    let forge = Forge::new(lab).await?;
    let key = forge.secret.as_bytes();
    forge
        .expect_refused(|token| {
            let mut forged = Vec::new();
            for none in ["none", "None", "NONE", "nOnE"] {
                let token = token.clone().with_header("alg", none);
                forged.push((format!("`alg` {none} and no signature"), token.unsigned()));
                forged.push((format!("`alg` {none} and a signature"), token.sign(Hmac::Sha256, key)));
                forged.push((
                    format!("`alg` {none}, with only two parts"),
                    token.unsigned().trim_end_matches('.').to_owned(),
                ));
            }
            // A refresh token may be signed with one of them by its own server; then this is no forgery.
            let others = [Hmac::Sha384, Hmac::Sha512].into_iter();
            for hash in others.filter(|hash| token.header("alg") != Some(&json!(hash.name()))) {
                let token = token.clone().with_header("alg", hash.name());
                forged.push((format!("`alg` {} and its signature", hash.name()), token.sign(hash, key)));
            }
            for other in ["RS256", "ES256"] {
                let token = token.clone().with_header("alg", other);
                forged.push((format!("`alg` {other} and an HMAC"), token.sign(Hmac::Sha256, key)));
                forged.push((format!("`alg` {other} and no signature"), token.unsigned()));
            }
            forged
        })
        .await
}

/// A key that comes with the token proves that somebody has a key (RFC 8725 §3.10).
#[check(title = "the key is fixed, whatever the header says", task = 3, points = 2, needs = ["me"],
        hints = ["Which members of the header does your server use?",
                 "None of kid, jwk, jku, x5u, x5c may lead to a key: there is one secret, and you already have it."])]
async fn key_fixed(lab: &Lab) -> CheckResult {
    let forge = Forge::new(lab).await?;
    let word = lab.word();
    let file = lab.folder()?.join("key");
    std::fs::write(&file, &word).ours("writing a forged key")?;
    let path = file.display().to_string();
    // `k` of a JWK is the key in base64url: of this word.
    let (own_key, in_base64) = (b"attacker-attacker-attacker-key-01", "YXR0YWNrZXItYXR0YWNrZXItYXR0YWNrZXIta2V5LTAx");
    let jwk = json!({"kty": "oct", "alg": "HS256", "kid": "mine", "k": in_base64});
    let set = KeyServer::start(lab, &json!({"keys": [jwk]}).to_string()).await?;
    let plain = KeyServer::start(lab, "attacker-attacker-attacker-key-01").await?;
    forge
        .expect_refused(|token| {
            let with = |name: &str, value: Value, key: &[u8]| {
                let what = format!("header {name} {value}");
                (what, token.clone().with_header(name, value).sign(Hmac::Sha256, key))
            };
            vec![
                with("jwk", jwk.clone(), own_key),
                with("jku", json!(set.url("keys.json")), own_key),
                with("jku", json!(plain.url("key")), own_key),
                with("x5u", json!(plain.url("key.pem")), own_key),
                with("x5c", json!([in_base64]), own_key),
                with("kid", json!("/dev/null"), b""),
                with("kid", json!("../../../../../../../../dev/null"), b""),
                with("kid", json!(path), word.as_bytes()),
                with("kid", json!(format!("../../../../../../../..{path}")), word.as_bytes()),
                with("kid", json!(format!("x' UNION SELECT '{word}")), word.as_bytes()),
                with("kid", json!(format!("x' UNION SELECT '{word}' -- ")), word.as_bytes()),
                with("kid", json!(word), word.as_bytes()),
                with("kid", json!(plain.url("key")), own_key),
                with("kid", json!(set.url("keys.json")), own_key),
            ]
        })
        .await?;
    expect_that(
        !set.was_asked() && !plain.was_asked(),
        "the server fetched a key from where a token's header told it to",
    )
}

/// Without its signature, a token proves nothing (RFC 7515 §5.2).
#[check(title = "the signature is checked", task = 3, points = 2, needs = ["me"],
        hints = ["Is there a path through your code on which the third part is never checked?",
                 "jsonwebtoken::decode verifies; insecure_decode does not."])]
async fn signature_checked(lab: &Lab) -> CheckResult {
    let forge = Forge::new(lab).await?;
    let other = Newcomer::new(lab).register(&forge.app).await?;
    let foreign = Token::read(&other.session.access)?.signature();
    let noise: Vec<u8> = (0..32).map(|_| u8::try_from(lab.number(0, 255)).unwrap_or_default()).collect();
    let secret = forge.secret.as_bytes();
    forge
        .expect_refused(|token| {
            let (right, id) = (token.signature(), other.id.to_string());
            let (mut last, mut longer) = (right.clone(), right.clone());
            last.last_mut().into_iter().for_each(|byte| *byte ^= 0xff);
            longer.push(0);
            let mut forged = vec![
                ("an empty signature".to_owned(), token.unsigned()),
                ("no signature".to_owned(), token.unsigned().trim_end_matches('.').to_owned()),
                ("a random signature".to_owned(), token.with_signature(&noise)),
                ("half of the right signature".to_owned(), token.with_signature(&right[..right.len() / 2])),
                (
                    "all of the right signature but its last byte".to_owned(),
                    token.with_signature(&right[..right.len() - 1]),
                ),
                ("the right signature with another last byte".to_owned(), token.with_signature(&last)),
                ("the right signature and one more byte".to_owned(), token.with_signature(&longer)),
                (
                    "another header under the old signature".to_owned(),
                    token.clone().with_header("typ", "lab").with_signature(&right),
                ),
                ("the signature of another token".to_owned(), token.with_signature(&foreign)),
                (
                    "another `sub` under the old signature".to_owned(),
                    token.clone().with_claim("sub", id).with_signature(&right),
                ),
                (
                    "a later `exp` under the old signature".to_owned(),
                    token.clone().with_claim("exp", now() + 86_400).with_signature(&right),
                ),
            ];
            let backwards: Vec<u8> = secret.iter().rev().copied().collect();
            let guesses =
                ["", "secret", "JWT_SECRET", "changeme", "box-office", "your-256-bit-secret", "development-secret"];
            for key in guesses.iter().map(|guess| guess.as_bytes()).chain([&secret[1..], &backwards[..]]) {
                let what = format!("the signature of the key `{}`", String::from_utf8_lossy(key));
                forged.push((what, token.sign(Hmac::Sha256, key)));
            }
            forged
        })
        .await?;
    for text in ["token", "a.b.c", "..", "null", "eyJhbGciOiJIUzI1NiJ9.e30."] {
        forge.refuse("text that is not a token", text).await?;
    }
    Ok(())
}

/// A token is valid for a limited time, and one from an attacker is not (RFC 7519 §4.1.4 and §4.1.5).
#[check(title = "tokens are valid from nbf until exp", task = 3, points = 3, needs = ["me"],
        hints = ["Which of the two does your library check by default?",
                 "In jsonwebtoken, validate_nbf is off by default, and required_spec_claims lists the claims that must be present."])]
async fn times_enforced(lab: &Lab) -> CheckResult {
    let forge = Forge::new(lab).await?;
    forge
        .expect_claims_enforced(|token| {
            let past = token.clone().with_claim("iat", now() - 1_200).with_claim("nbf", now() - 1_200);
            let later = token.clone().with_claim("nbf", now() + 600).with_claim("exp", now() + 1_200);
            vec![
                // It draws near while others are asked about: so it comes first, and is not as near as it might be.
                ("nbf", "an `nbf` in 90 seconds", later.clone().with_claim("nbf", now() + 90)),
                ("nbf", "an `nbf` in 10 minutes", later),
                ("exp", "an `exp` of 10 minutes ago", past.clone().with_claim("exp", now() - 600)),
                // 60 s of leeway are allowed. Both clocks are this machine's, and time only makes it older.
                ("exp", "an `exp` of 65 seconds ago", past.clone().with_claim("exp", now() - 65)),
                ("exp", "an `exp` of 0", past.with_claim("exp", 0)),
                ("exp", "no `exp`", token.clone().without_claim("exp")),
                ("exp", "an `exp` that is null", token.clone().with_claim("exp", Value::Null)),
                ("exp", "an `exp` that is text", token.clone().with_claim("exp", "tomorrow")),
                ("exp", "an `exp` of digits, as text", token.clone().with_claim("exp", (now() + 600).to_string())),
            ]
        })
        .await
}

/// What must be understood and is not, must be refused: an extension in `crit` may say that the token holds only under
/// some condition. And an id has one spelling; who takes others for the same sees two where there is one, and the other
/// way round (RFC 7515 §4.1.11; RFC 7519 §4.1.2; RFC 8725 §3.8).
#[check(title = "a token with an unknown crit, or another spelling of its sub, is refused", task = 3, points = 1, needs = ["me"],
        hints = ["Which extensions does your server understand? Then which values of the header `crit` can it accept?",
                 "The crate `jsonwebtoken` passes over `crit`: look at the header yourself, before or after `decode`.",
                 "`\"+1\".parse::<i64>()` is 1. Compare what you parsed, written out again, with what stood there."])]
async fn strict_tokens(lab: &Lab) -> CheckResult {
    let forge = Forge::new(lab).await?;
    let key = forge.secret.as_bytes();
    forge
        .expect_refused(|token| {
            let critical = |names: Value| {
                let what = format!("header `crit` {names}");
                let token = token.clone().with_header("crit", names).with_header("lab-hours", "09-17");
                (what, token.sign(Hmac::Sha256, key))
            };
            let mut forged = vec![critical(json!(["lab-hours"])), critical(json!(["b64", "lab-hours"]))];
            if let Some(sub) = token.claim("sub").and_then(Value::as_str) {
                for other in
                    [format!("+{sub}"), format!(" {sub}"), format!("{sub} "), format!("0{sub}"), format!("{sub}.0")]
                {
                    forged.push((
                        format!("the `sub` {other:?}"),
                        token.clone().with_claim("sub", other).sign(Hmac::Sha256, key),
                    ));
                }
            }
            forged
        })
        .await
}

/// A token issued for somebody else, or by somebody else, is not for you (RFC 8725 §3.8 and §3.9).
#[check(title = "only tokens from this server and for this server are valid", task = 3, points = 2, needs = ["me"],
        hints = ["The same secret may also sign tokens for other programs.",
                 "Use set_issuer and set_audience; both claims must also be present: set_required_spec_claims."])]
async fn issuer_and_audience(lab: &Lab) -> CheckResult {
    let forge = Forge::new(lab).await?;
    forge
        .expect_claims_enforced(|token| {
            vec![
                // Others that begin or end so, or differ only in case, are others.
                ("iss", "the `iss` box-office.example", token.clone().with_claim("iss", "box-office.example")),
                ("iss", "the `iss` the-box-office", token.clone().with_claim("iss", "the-box-office")),
                ("iss", "the `iss` Box-Office", token.clone().with_claim("iss", "Box-Office")),
                ("iss", "the `iss` box", token.clone().with_claim("iss", "box")),
                ("iss", "no `iss`", token.clone().without_claim("iss")),
                ("aud", "the `aud` box-office-web", token.clone().with_claim("aud", "box-office-web")),
                ("aud", "the `aud` box-office-api-2", token.clone().with_claim("aud", "box-office-api-2")),
                ("aud", "the `aud` my-box-office-api", token.clone().with_claim("aud", "my-box-office-api")),
                ("aud", "the `aud` Box-Office-API", token.clone().with_claim("aud", "Box-Office-API")),
                ("aud", "the `aud` box-office", token.clone().with_claim("aud", "box-office")),
                ("aud", "an empty array as `aud`", token.clone().with_claim("aud", json!([]))),
                ("aud", "others in `aud`", token.clone().with_claim("aud", json!(["newsletter", "box-office-web"]))),
                ("aud", "no `aud`", token.clone().without_claim("aud")),
            ]
        })
        .await
}

/// A token for one use must not serve another: a refresh token lives for weeks (RFC 8725 §3.11 and §3.12).
#[check(title = "refresh tokens are not access tokens", task = 4, points = 2, needs = ["me", "refresh_rotates"],
        hints = ["Both are signed with the same key. What tells them apart?",
                 "Check the claim `type` in both places: `access` for requests, `refresh` for /refresh."])]
async fn token_types(lab: &Lab) -> CheckResult {
    let forge = Forge::new(lab).await?;
    let key = forge.secret.as_bytes();
    // An attempt with a wrong token may end its session; another one of the same account, from before, tells.
    let other = forge.person.log_in(&forge.app).await?;
    let token = Token::read(&forge.session.access)?;
    let forged = [
        ("the `type` refresh", token.clone().with_claim("type", "refresh")),
        ("the `type` id", token.clone().with_claim("type", "id")),
        ("the `type` Access", token.clone().with_claim("type", "Access")),
        ("the `type` accession", token.clone().with_claim("type", "accession")),
        ("an empty `type`", token.clone().with_claim("type", "")),
        ("null as its `type`", token.clone().with_claim("type", Value::Null)),
        ("no `type`", token.without_claim("type")),
    ];
    for (what, token) in forged {
        forge.refuse(what, &token.sign(Hmac::Sha256, key)).await?;
    }
    forge.refuse("the type of a refresh token", &forge.session.refresh).await?;
    let answer = refresh(&forge.app, &forge.session.access).await?;
    answer.expect_status(401).because("an access token is not a refresh token")?;
    other.expect_alive(&forge.app).await.because("nothing has happened to this session of the account")?;
    Ok(())
}

/// 401 says how to authenticate; the scheme's name is case-insensitive (RFC 9110 §11.1 and §15.5.2; RFC 6750 §3).
#[check(title = "401 comes with a challenge", task = 3, points = 2, needs = ["me", "login"],
        hints = ["What does a 401 have to tell the client?",
                 "WWW-Authenticate: Bearer, with every 401. Add it where the status is set.",
                 "TypedHeader<Authorization<Bearer>> reads the scheme in any case."])]
async fn challenge(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let ask = || app.get("/me");
    let access = &ada.session.access;
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", ada.email, ada.password)));
    let refused = [
        ask(),
        ask().header("Authorization", "Bearer"),
        ask().header("Authorization", &basic),
        ask().header("Authorization", format!("Token {access}")),
        ask().header("Authorization", access),
        ask().bearer(format!("{access}x")),
        app.get("/users"),
        app.get("/users").header("Authorization", &basic),
        app.patch(format!("/users/{}", ada.id)).json(&json!({"role": "admin"})),
        app.get("/orders"),
        app.post("/events").json(&event_body(lab)),
        ada.try_password(&app, &ada.wrong_password()),
        app.post("/login").json(&json!({"email": lab.email(), "password": ada.password})),
    ];
    for request in refused {
        expect_challenge(request.await?.expect_status(401)?)?;
    }
    // There is no event and no order, and which of the two is told first is up to the server.
    let id = ada.id.unknown(lab);
    let (event, order) = (format!("/events/{id}"), format!("/orders/{id}"));
    let nowhere = [
        app.put(&event).json(&event_body(lab)),
        app.delete(&event),
        app.get(format!("{event}/orders")),
        app.post(format!("{event}/orders")).json(&json!({"seats": 1})),
        app.get(&order),
        app.delete(&order),
    ];
    for request in nowhere {
        let answer = request.await?.expect_status_in(&[401, 404])?;
        if answer.status() == 401 {
            expect_challenge(answer)?;
        }
    }
    let ended = app.post("/logout").await?;
    if !is_to_come(&ended) {
        expect_challenge(ended.expect_status(401)?)?;
        let bob = Person::customer(lab, &app).await?;
        app.post("/logout").bearer(&bob.session.access).await?;
        let answer = app.get("/me").bearer(&bob.session.access).await?;
        // Whether the session has ended, `log_out` asks.
        if answer.status() == 401 {
            expect_challenge(answer)?;
        }
    }
    let answer = refresh(&app, "not a token").await?;
    if !is_to_come(&answer) {
        expect_challenge(answer.expect_status(401)?)?;
    }
    for scheme in ["bearer", "BEARER"] {
        let response = ask().header("Authorization", format!("{scheme} {access}")).await?;
        response.expect_status(200).because("the name of the scheme is case-insensitive")?;
    }
    Ok(())
}

/// What was meant for one account must not be kept by a cache or a browser, and be shown to the next who sits there
/// (RFC 9111 §3.5 and §5.2.2.5; OWASP ASVS 5.0, 14.3.2).
#[check(title = "answers to one account are not stored", task = 3, points = 1, needs = ["me"],
        hints = ["Who may keep the answer of `GET /me`, and for how long, if you do not say?",
                 "`Cache-Control: no-store` on every answer of the API, by one layer around its routes."])]
async fn answers_not_stored(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let no_store = |value: &str| value.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("no-store"));
    for (request, status) in [(app.get("/me").bearer(&ada.session.access), 200), (app.get("/me"), 401)] {
        let answer = request.await?.expect_status(status)?;
        answer.expect_header_where("cache-control", "has no-store", no_store)?;
    }
    Ok(())
}

/// Whether this is the starter's answer of `/refresh` or `/logout`, which are written in task 4: whether they work is
/// asked there.
fn is_to_come(answer: &Response) -> bool {
    answer.status() == 501
}

fn expect_challenge(response: Response) -> CheckResult {
    let is_bearer = |challenge: &str| {
        let scheme = challenge.trim_start().split([' ', '\t']).next().unwrap_or_default();
        scheme.eq_ignore_ascii_case("bearer")
    };
    // Several challenges may share a line; a parameter of the one before is no scheme and does no harm.
    let found = response.headers("www-authenticate").iter().any(|line| line.split(',').any(is_bearer));
    response.expect_where("a WWW-Authenticate header with a Bearer challenge", |_| found)?;
    Ok(())
}

/// A server whose secret is known, and an honest session to forge from.
struct Forge {
    app: App,
    secret: String,
    person: Person,
    session: Session,
}

impl Forge {
    async fn new(lab: &Lab) -> CheckResult<Self> {
        let secret = secret_of(lab, 40);
        let app = lab.server().env("JWT_SECRET", &secret).start().await?;
        let person = Person::customer(lab, &app).await?;
        let session = person.session.clone();
        // never fails alone: `me` asks the same
        app.get("/me").bearer(&session.access).await?.expect_status(200)?;
        Ok(Self { app, secret, person, session })
    }

    /// Expects each token that `forge` makes of the honest one to be refused; and where refresh tokens are JWTs, each
    /// that it makes of such a one.
    async fn expect_refused(&self, forge: impl Fn(&Token) -> Vec<(String, String)>) -> CheckResult {
        for (what, text) in forge(&Token::read(&self.session.access)?) {
            self.refuse(&what, &text).await?;
        }
        if let Ok(token) = Token::read(&self.session.refresh) {
            for (what, text) in forge(&token) {
                self.refuse_refresh(&what, &text).await?;
            }
        }
        Ok(())
    }

    /// Expects each honestly signed token with other claims that `change` makes to be refused. Which claims a refresh
    /// token has is up to its server: one that it lacks cannot be held against it.
    async fn expect_claims_enforced(
        &self,
        change: impl Fn(&Token) -> Vec<(&'static str, &'static str, Token)>,
    ) -> CheckResult {
        let sign = |token: Token| token.sign(Hmac::Sha256, self.secret.as_bytes());
        for (_, what, token) in change(&Token::read(&self.session.access)?) {
            self.refuse(what, &sign(token)).await?;
        }
        let Ok(honest) = Token::read(&self.session.refresh) else { return Ok(()) };
        for (claim, what, token) in change(&honest) {
            if honest.claim(claim).is_some() {
                self.refuse_refresh(what, &sign(token)).await?;
            }
        }
        Ok(())
    }

    async fn refuse_refresh(&self, what: &str, text: &str) -> CheckResult {
        let answer = refresh(&self.app, text).await?;
        if is_to_come(&answer) {
            return Ok(());
        }
        answer.expect_status(401).because(&format!("the refresh token has {what}, and is otherwise valid"))?;
        Ok(())
    }

    async fn refuse(&self, what: &str, text: &str) -> CheckResult {
        let answer = self.app.get("/me").bearer(text).await?;
        answer.expect_status(401).because(&format!("the token has {what}, and is otherwise valid"))?;
        Ok(())
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
