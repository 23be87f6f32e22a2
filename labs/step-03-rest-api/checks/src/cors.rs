//! Task 7: which web pages may call the API.

use lab_kit::prelude::*;

use crate::support::{event, make_event, padded, read};

const VARIABLE: &str = "CORS_ALLOWED_ORIGIN";

/// Before a browser sends a request that a form could not make, it asks; the server says which pages may (Fetch
/// standard, §3.2.2 and §3.2.3).
#[check(title = "preflights from the allowed origin are answered", task = 7, points = 2, needs = ["create_event"],
        hints = ["What does a browser ask before it sends a PATCH from another site's page?",
                 "An OPTIONS request with `Origin` and `Access-Control-Request-Method`. The response needs three headers.",
                 "Use tower-http's `CorsLayer` with the one origin, the methods GET, POST, PATCH and DELETE, and the headers \
                  Content-Type, If-Match and Idempotency-Key."])]
async fn cors_preflight(lab: &Lab) -> CheckResult {
    let origin = origin(lab);
    let app = lab.server().env(VARIABLE, &origin).start().await?;
    let made = make_event(lab, &app).await?;
    let cases: [(&str, &str, &[&str]); 4] = [
        ("/events", "POST", &["content-type"]),
        (&made.path, "PATCH", &["content-type", "if-match"]),
        (&made.path, "DELETE", &["if-match"]),
        ("/orders", "POST", &["content-type", "idempotency-key"]),
    ];
    for (path, method, headers) in cases {
        let answer = preflight(&app, path, &origin, method, &headers.join(",")).await?;
        let answer = answer.expect_where("a status from 200 to 299", |answer| (200..300).contains(&answer.status()));
        let answer = answer.because("a browser continues only after a successful response")?;
        let answer = answer.expect_header("access-control-allow-origin", &origin)?;
        expect_listed(&answer, "access-control-allow-headers", headers)?;
        // POST needs no permission: a form can make it, too.
        if method != "POST" {
            expect_listed(&answer, "access-control-allow-methods", &[method])?;
        }
    }
    Ok(())
}

/// A server that echoes the origin of each request lets every page in (OWASP ASVS 5.0, 3.4.2).
#[check(title = "other origins are not allowed", task = 7, points = 2, needs = ["create_event"],
        hints = ["What do you compare the `Origin` of a request with?",
                 "Neither its beginning nor its end is enough: `https://shop.example.evil.test` belongs to somebody else.",
                 "Compare all of it with the one configured origin. If none is configured, send nothing."])]
async fn cors_foreign_origin(lab: &Lab) -> CheckResult {
    let word = lab.word();
    let host = format!("{word}.example");
    let allowed = format!("https://{host}");
    let foreign = [
        format!("https://{}.example", lab.word()),
        format!("http://{host}"),
        format!("https://{host}:8443"),
        format!("https://{host}.evil.test"),
        format!("https://evil-{host}"),
        format!("https://evil.{host}"),
        format!("https://{word}.exampl"),
        "null".to_owned(),
    ];
    let app = lab.server().env(VARIABLE, &allowed).start().await?;
    app.get("/events").header("Origin", &allowed).await?.expect_header("access-control-allow-origin", &allowed)?;
    for origin in &foreign {
        expect_foreign(&app, origin).await?;
    }
    drop(app);
    let app = lab.server().env_remove(VARIABLE).start().await?;
    for origin in [&allowed, &foreign[0]] {
        expect_foreign(&app, origin).await.because("CORS_ALLOWED_ORIGIN is not set, so no origin is allowed")?;
    }
    Ok(())
}

/// A page that may call the API must be able to read the responses, including refusals and versions (Fetch standard,
/// §3.2.3 and §3.2.5).
#[check(title = "every response carries the CORS headers", task = 7, points = 1, needs = ["create_event"],
        hints = ["Which responses do not come from your handlers?",
                 "Make the layer the outermost one, around fallbacks and rejections, and let it expose `ETag` and `Location`."])]
async fn cors_on_every_answer(lab: &Lab) -> CheckResult {
    let origin = origin(lab);
    let app = lab.server().env(VARIABLE, &origin).start().await?;
    let made = make_event(lab, &app).await?;
    let spare = make_event(lab, &app).await?;
    let change = json!({ "title": lab.word() }).to_string();
    let patch = || app.patch(&made.path).body(&change, "application/merge-patch+json");
    let requests = [
        (app.post("/events").json(&event(lab)), 201),
        (app.get("/events"), 200),
        (patch().header("If-Match", "*"), 200),
        (app.get(&made.path).header("If-None-Match", "*"), 304),
        (app.delete(&spare.path).header("If-Match", "*"), 204),
        (app.get(format!("/{}", lab.word())), 404),
        (app.post("/events").json(&json!({})), 422),
        (app.post("/events").body("{", "application/json"), 400),
        (app.put("/events").json(&json!({})), 405),
        (app.get("/events").header("Accept", "text/html"), 406),
        (patch().header("If-Match", "\"lab-never-given-out\""), 412),
        (app.post("/events").body(padded(&event(lab), 1024 * 1024), "application/json"), 413),
        (app.post("/events").body("{}", "text/plain"), 415),
        (patch(), 428),
    ];
    for (request, status) in requests {
        let answer = request.header("Origin", &origin).await?.expect_status(status)?;
        let answer = answer.expect_header("access-control-allow-origin", &origin)?;
        expect_listed(&answer, "access-control-expose-headers", &["etag", "location"])?;
    }
    let plain = read(&app, "/events").await?;
    if plain.header("access-control-allow-origin").is_none() {
        for answer in [plain, app.get("/events").header("Origin", &origin).await?] {
            expect_listed(&answer, "vary", &["origin"])
                .because("the response depends on who asks, and a cache in between must know that")?;
        }
    }
    Ok(())
}

fn origin(lab: &Lab) -> String {
    format!("https://{}.example", lab.word())
}

fn preflight(app: &App, path: &str, origin: &str, method: &str, headers: &str) -> Request {
    let request = app.options(path).header("Origin", origin).header("Access-Control-Request-Method", method);
    request.header("Access-Control-Request-Headers", headers)
}

async fn expect_foreign(app: &App, origin: &str) -> CheckResult {
    let preflight = preflight(app, "/events", origin, "PATCH", "content-type,if-match").await?;
    let request = app.get("/events").header("Origin", origin).await?;
    for answer in [preflight, request] {
        for value in answer.headers("access-control-allow-origin") {
            if value == origin || value == "*" {
                let failure = answer
                    .failure(format!("the origin {origin} is allowed, but it is not the one in CORS_ALLOWED_ORIGIN"));
                return Err(failure
                    .expected("no `Access-Control-Allow-Origin`, or one with the allowed origin")
                    .actual(format!("Access-Control-Allow-Origin: {value}")));
            }
        }
    }
    Ok(())
}

/// Fails unless the comma-separated header names all of `wanted`, or `*`.
fn expect_listed(answer: &Response, header: &str, wanted: &[&str]) -> CheckResult {
    let values = answer.headers(header).join(",");
    let listed: Vec<&str> = values.split(',').map(str::trim).collect();
    // Names of fields may be written in any case, methods may not: `patch` does not allow PATCH (Fetch §3.2.3, §2.2.1).
    let is_same = |one: &str, other: &str| match header {
        "access-control-allow-methods" => one == other,
        _ => one.eq_ignore_ascii_case(other),
    };
    let missing: Vec<_> = wanted
        .iter()
        .filter(|name| !listed.iter().any(|value| *value == "*" || is_same(value, name)))
        .copied()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let failure = answer.failure(format!("the header `{header}` does not name {}", missing.join(", ")));
    Err(failure.expected(format!("{header}: {}", wanted.join(", "))).actual(format!("{header}: {values}")))
}
