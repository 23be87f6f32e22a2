//! Task 7: pages that show what strangers wrote.

use lab_kit::prelude::*;

use crate::rights::{event_body, event_titled, make_event};
use crate::support::{BAD_INPUT, Browser, Newcomer, Page, Person, Policies, REDIRECT, no_crash};

/// Texts that break out of one context or another, if they are let. `mark` names the element or attribute that is
/// then in the page.
fn payloads(mark: &str) -> Vec<String> {
    [
        "<M>x</M>",
        "\"><M>",
        "'><M>",
        "\" M=\"1",
        "' M='1",
        "` M=1 x=`",
        "</script><M>",
        "</title></p></article><M>",
        "<!--<script><M>",
        "--><M>",
        "&lt;M&gt; &amp;amp; &quot;&#39; &copy;",
        "<script>M()</script><img src=x onerror=M()>",
        "\\\"; M(); // \\u003cM\\u003e",
        "%3CM%3E ${M} {{M}} <%= M %>",
    ]
    .map(|payload| payload.replace('M', mark))
    .into()
}

/// A name that no page uses for an element or an attribute: letters, because HTML wants that of the first character.
fn mark(lab: &Lab) -> String {
    lab.word().replace(|c: char| !c.is_ascii_alphabetic(), "x")
}

/// An event page with texts from strangers, and what they wrote.
struct Poisoned {
    page: Page,
    title: String,
    author: String,
    texts: Vec<String>,
}

impl Poisoned {
    /// Makes an event for each payload, one of them with a review for each payload, and gives their pages; and the
    /// browser of whoever wrote all that.
    async fn pages<'a>(lab: &Lab, app: &'a App, mark: &str) -> CheckResult<(Vec<Self>, Browser<'a>)> {
        let author = Newcomer { name: format!("\"><{mark}> '{mark}&lt;"), ..Newcomer::new(lab) };
        let author = author.register(app).await?.promoted(lab, app, "organizer").await?;
        let mut browser = Browser::of(app, &author).await?;
        let mut pages = Vec::new();
        for (place, title) in payloads(mark).into_iter().enumerate() {
            let event = make_event(app, &author, &event_titled(lab, &title)).await?;
            let path = format!("/web/events/{event}");
            let texts = if place == 0 { payloads(mark) } else { Vec::new() };
            for text in &texts {
                let token = browser.csrf_token(&path, "/reviews").await?;
                let answer = browser.post(format!("{path}/reviews"), &[("text", text), ("csrf_token", &token)]).await?;
                answer.expect_status_in(&REDIRECT)?;
            }
            let page = Page::of(app.get(&path).await?.expect_status(200)?)?;
            pages.push(Self { page, title, author: author.name.clone(), texts });
        }
        Ok((pages, browser))
    }
}

/// Fails if something that somebody wrote became part of the page.
fn expect_inert(page: &Page, mark: &str) -> CheckResult {
    let has_mark = |text: &str| text.contains(mark);
    let alive = page.all(|e| has_mark(&e.name) || e.attributes.iter().any(|(name, _)| has_mark(name))).next();
    match alive {
        Some(element) => Err(page
            .failure(format!("text from a stranger became part of the page, as <{}>", element.name))
            .expected("text and nothing else")),
        None => Ok(()),
    }
}

/// Fails unless `found` holds `wanted`, white space around it aside.
fn expect_text(page: &Page, place: &str, found: &[String], wanted: &str) -> CheckResult {
    if found.iter().any(|text| text.trim() == wanted) {
        return Ok(());
    }
    Err(page.failure(format!("{place} is not what was written")).expected(wanted).actual(found.join("\n")))
}

/// In the text of an element, `<` and `&` have a meaning for the browser, which a stranger's text must not have (OWASP
/// XSS Prevention Cheat Sheet, "HTML Contexts").
#[check(title = "strangers' text stays text", task = 7, points = 2, needs = ["web_login", "box_office"],
        hints = ["What does the browser do with a review that begins with <script>?",
                 "askama escapes every {{ value }}, unless a template says |safe.",
                 "Escape when you render the page, not when you store the text."])]
async fn xss_element(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mark = mark(lab);
    let (pages, mut author) = Poisoned::pages(lab, &app, &mark).await?;
    for poisoned in pages {
        let Poisoned { page, title, author, texts } = &poisoned;
        expect_inert(page, &mark)?;
        let texts_of = |class: &str| -> Vec<String> {
            let reviews = page.all(|e| e.has_class("review"));
            reviews.flat_map(|review| page.inside(review, |e| e.has_class(class))).map(|e| e.text.clone()).collect()
        };
        let headings: Vec<String> = page.all(|e| e.name == "h1").map(|e| e.text.clone()).collect();
        expect_text(page, "the text of the h1", &headings, title)?;
        for text in texts {
            expect_text(page, "the text of a .review-text in a .review", &texts_of("review-text"), text)?;
        }
        if !texts.is_empty() {
            expect_text(page, "the text of a .review-author in a .review", &texts_of("review-author"), author)?;
        }
    }
    let list = Page::of(app.get("/web/events").await?.expect_status(200)?)?;
    expect_inert(&list, &mark)?;
    let links: Vec<String> = list.all(|e| e.name == "a").map(|e| e.text.clone()).collect();
    for title in payloads(&mark) {
        expect_text(&list, "the text of a link on /web/events", &links, &title)?;
    }

    // Whoever is logged in may be greeted by name on every page, and an error may repeat what was asked for.
    for path in ["/web/account", "/web/events", "/web/login"] {
        expect_inert(&Page::of(author.get(path).await?.expect_status(200)?)?, &mark)?;
    }
    let asked = format!("/web/events/%22%3E%3C{mark}%3E");
    for answer in [author.get(&asked).await?, author.get(format!("{asked}?q=%3C{mark}%3E")).await?] {
        if no_crash(answer.clone())?.media_type().as_deref() == Some("text/html") {
            expect_inert(&Page::of(answer)?, &mark)?;
        }
    }
    let odd = Newcomer { email: format!("<{mark}>@example.com"), ..Newcomer::new(lab) };
    if let Some(odd) = odd.register_or_be_refused(&app).await? {
        // never fails alone: the status is that of every account page, as `web_login` asks
        expect_inert(&Page::of(Browser::of(&app, &odd).await?.get("/web/account").await?.expect_status(200)?)?, &mark)?;
    }
    expect_reviews(lab, &app).await
}

/// Expects a review to be taken at every length that is allowed, as often as somebody likes, and under the name of
/// whoever wrote it.
async fn expect_reviews(lab: &Lab, app: &App) -> CheckResult {
    let (organizer, ada) = (Person::organizer(lab, app).await?, Person::customer(lab, app).await?);
    let event = make_event(app, &organizer, &event_body(lab)).await?;
    let path = format!("/web/events/{event}");
    let mut written = Vec::new();
    for person in [&organizer, &ada] {
        let mut browser = Browser::of(app, person).await?;
        // Once more: a review like one that there is, is a review. Characters count, not bytes.
        for text in ["x".to_owned(), "x".to_owned(), "é".repeat(2_000), String::new(), "x".repeat(2_001)] {
            let token = browser.csrf_token(&path, "/reviews").await?;
            let answer = browser.post(format!("{path}/reviews"), &[("text", &text), ("csrf_token", &token)]).await?;
            if (1..=2_000).contains(&text.chars().count()) {
                answer.expect_status_in(&REDIRECT).because("a review has 1 to 2000 characters")?;
                written.push((person.name.clone(), text));
            } else {
                answer.expect_status_in(&BAD_INPUT).because("a review has 1 to 2000 characters")?;
            }
        }
    }
    // never fails alone: the pages of other events were read the same way
    let page = Page::of(app.get(&path).await?.expect_status(200)?)?;
    let text_of = |review: &crate::support::Element, class: &str| {
        page.inside(review, |e| e.has_class(class)).next().map(|e| e.text.trim().to_owned()).unwrap_or_default()
    };
    let reviews = page.all(|e| e.has_class("review"));
    let mut shown: Vec<(String, String)> =
        reviews.map(|review| (text_of(review, "review-author"), text_of(review, "review-text"))).collect();
    shown.sort_unstable();
    written.sort_unstable();
    expect_equal("who wrote the reviews on the page, and what", &shown, &written)?;
    // never fails alone: `xss_element` reads the list before
    let list = Page::of(app.get("/web/events").await?.expect_status(200)?)?;
    let target = |e: &crate::support::Element| {
        e.attribute("href").unwrap_or_default().split(['?', '#']).next().map(str::to_owned)
    };
    let leads = list.all(|e| e.name == "a").filter_map(target).any(|target| target.ends_with(&path));
    expect_that(leads, format!("no link on /web/events leads to {path}"))
}

/// In an attribute, a quotation mark in the text must not end the value (OWASP XSS Prevention Cheat Sheet, "HTML
/// Attribute Contexts").
#[check(title = "strangers' text stays inside attributes", task = 7, points = 1, needs = ["web_login", "box_office"],
        hints = ["Which character ends the value of an attribute?",
                 "Quote every attribute, and escape \" and ' as well as < and &."])]
async fn xss_attribute(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mark = mark(lab);
    let organizer = Person::organizer(lab, &app).await?;
    for title in payloads(&mark) {
        let event = make_event(&app, &organizer, &event_titled(lab, &title)).await?;
        let page = Page::of(app.get(format!("/web/events/{event}")).await?.expect_status(200)?)?;
        expect_inert(&page, &mark)?;
        let is_title = |e: &_| is_meta(e, "og:title");
        let found: Vec<String> = page.all(is_title).filter_map(|e| e.attribute("content")).map(str::to_owned).collect();
        expect_text(&page, "the content of <meta property=\"og:title\">", &found, &title)?;
    }
    for q in payloads(&mark) {
        let page = Page::of(app.get("/web/events").query("q", &q).await?.expect_status(200)?)?;
        expect_inert(&page, &mark)?;
        let boxes = page.all(|e| e.name == "input" && e.attribute("name") == Some("q"));
        let found: Vec<String> = boxes.filter_map(|e| e.attribute("value")).map(str::to_owned).collect();
        expect_text(&page, "the value of the search box", &found, &q)?;
    }
    // Many log-in forms come back with the address that was typed.
    let typed = format!("\"><{mark}>@example.com");
    let answer = Browser::new(&app).try_log_in(&typed, &organizer.wrong_password()).await?;
    // never fails alone: the status is that of every unknown address, as `web_login` asks
    expect_inert(&Page::of(answer.expect_status_in(&[401, 400, 422])?)?, &mark)
}

fn is_meta(element: &crate::support::Element, property: &str) -> bool {
    element.name == "meta" && element.attribute("property") == Some(property)
}

/// HTML escapes have no meaning in a script, but `</script>` still ends it (OWASP XSS Prevention Cheat Sheet,
/// "JavaScript Contexts"; HTML standard §4.12.1.3).
#[check(title = "strangers' text stays inside scripts", task = 7, points = 2, needs = ["web_login", "box_office"],
        hints = ["How does the browser find the end of a script?",
                 "HTML escapes mean nothing there; JSON has its own: \\u003c is <.",
                 "askama's |json filter writes them; only after it is |safe appropriate."])]
async fn xss_script(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mark = mark(lab);
    let (pages, _) = Poisoned::pages(lab, &app, &mark).await?;
    for Poisoned { page, title, author, texts } in pages {
        expect_inert(&page, &mark)?;
        let is_data = |e: &crate::support::Element| e.name == "script" && e.attribute("id") == Some("page-data");
        let script = page.expect("<script type=\"application/json\" id=\"page-data\">", is_data)?;
        let kind = script.attribute("type").unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(page.failure("the page's data would run as a script").expected("type=\"application/json\""));
        }
        let data: Value = serde_json::from_str(script.text.trim())
            .map_err(|error| page.failure(format!("the page's data is not JSON: {error}")).actual(&script.text))?;
        expect_text(&page, "`title` in page-data", &[data["title"].as_str().unwrap_or_default().to_owned()], &title)?;
        let reviews = data["reviews"].as_array().cloned().unwrap_or_default();
        let found: Vec<String> = reviews.iter().map(|r| format!("{}: {}", r["author"], r["text"])).collect();
        expect_equal("the number of `reviews` in page-data", &reviews.len(), &texts.len())?;
        for text in texts {
            expect_text(
                &page,
                "`author` and `text` in page-data",
                &found,
                &format!("{}: {}", json!(author), json!(text)),
            )?;
        }
    }
    Ok(())
}

/// If anything ever gets through, the browser still does not run it (CSP Level 3 §6; OWASP ASVS 5.0, 3.4.3 and 3.4.4).
#[check(title = "every page comes with a content security policy", task = 7, points = 1, needs = ["web_login", "box_office"],
        hints = ["Which scripts do your pages need? Allow those, and nothing else.",
                 "Let one layer around all of /web add the headers, so that every page has them, including errors."])]
async fn content_policy(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let organizer = Person::organizer(lab, &app).await?;
    let event = make_event(&app, &organizer, &event_body(lab)).await?;
    let page = format!("/web/events/{event}");
    app.delete(&page[4..]).bearer(&organizer.session.access).await?.expect_status_in(&crate::support::DONE)?;
    expect_policy(app.get(&page).await?.expect_status(404)?)?;
    // What is no page needs none.
    let elsewhere = ["/web/nothing", "/web/events/nothing", "/web/account", "/web/events?q=%00", "/web/logout"];
    for path in elsewhere {
        expect_policy_of_page(no_crash(app.get(path).await?)?)?;
    }
    let foreign = |path: &str| app.post(path).header("Origin", "https://evil.example");
    expect_policy_of_page(no_crash(foreign("/web/login").form(&[("email", "x"), ("password", "x")]).await?)?)?;
    expect_policy_of_page(no_crash(foreign("/web/logout").await?)?)?;

    let event = make_event(&app, &organizer, &event_body(lab)).await?;
    let page = format!("/web/events/{event}");
    let mut browser = Browser::new(&app);
    // never fails alone: the status is one that every log-in with a browser asks for
    expect_policy(browser.get("/web/login").await?.expect_status(200)?)?;
    let wrong = browser.try_log_in(&organizer.email, &organizer.wrong_password()).await?;
    // never fails alone: the status is that of every wrong password, as `web_login` asks
    expect_policy(wrong.expect_status(401)?)?;
    browser.log_in(&organizer).await?;
    let forged = browser.post(format!("{page}/reviews"), &[("text", "x")]).await?;
    // Whether it is refused, `csrf_token` asks.
    if forged.status() == 403 {
        expect_policy(forged)?;
    }
    let token = browser.csrf_token(&page, "/reviews").await?;
    let empty = browser.post(format!("{page}/reviews"), &[("text", ""), ("csrf_token", &token)]).await?;
    expect_policy_of_page(empty)?;
    let mut nonces = Vec::new();
    for path in ["/web/account", "/web/events", &page, &page] {
        nonces.push(expect_policy(browser.get(path).await?.expect_status(200)?)?);
    }
    let repeated = nonces[2].iter().any(|nonce| nonces[3].contains(nonce));
    expect_that(!repeated, "two responses have the same nonce: anybody who has seen one page can use it in the next")
}

/// The same of an answer that may be no page.
fn expect_policy_of_page(response: Response) -> CheckResult {
    if response.media_type().as_deref() == Some("text/html") {
        expect_policy(response)?;
    }
    Ok(())
}

/// Expects a policy that guards the page, and gives its nonces.
fn expect_policy(response: Response) -> CheckResult<Vec<String>> {
    let policies = Policies::of(&response);
    let demands = [
        (!policies.is_empty(), "no Content-Security-Policy", "a Content-Security-Policy header"),
        (
            policies.guard_scripts(),
            "a policy that lets strangers' scripts run",
            "script-src without 'unsafe-inline', 'unsafe-eval', *, data:, http:, https: and other sites",
        ),
        (policies.forbid_objects(), "a policy that allows plugins", "object-src 'none' or default-src 'none'"),
        (
            policies.allow_at_most_self("base-uri"),
            "a policy under which <base> can be changed",
            "base-uri 'none' or 'self'",
        ),
        (
            policies.allow_at_most_self("frame-ancestors"),
            "a policy under which other sites can frame the page",
            "frame-ancestors 'none' or 'self'",
        ),
    ];
    for (holds, what, expected) in demands {
        if !holds {
            let actual = response.headers("content-security-policy").join("\n");
            return Err(response.failure(format!("the page has {what}")).expected(expected).actual(actual));
        }
    }
    response.expect_header_where("x-content-type-options", "says nosniff", |value| {
        value.trim().eq_ignore_ascii_case("nosniff")
    })?;
    Ok(policies.nonces())
}
