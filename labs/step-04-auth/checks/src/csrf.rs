//! Task 6: requests that other sites make a visitor's browser send.

use lab_kit::id::Id;
use lab_kit::prelude::*;

use crate::rights::{event_body, make_event};
use crate::support::{Browser, Page, Person, REDIRECT, expect_redirect, shuffled};

/// An event that visitors can write about, and a visitor.
struct Scene {
    app: App,
    event: Id,
    ada: Person,
}

impl Scene {
    async fn new(lab: &Lab) -> CheckResult<Self> {
        let app = lab.start().await?;
        let organizer = Person::organizer(lab, &app).await?;
        let event = make_event(&app, &organizer, &event_body(lab)).await?;
        Ok(Self { app, event, ada: organizer })
    }

    fn page(&self) -> String {
        format!("/web/events/{}", self.event)
    }

    fn reviews(&self) -> String {
        format!("/web/events/{}/reviews", self.event)
    }

    /// Whether a review with this text is on the page.
    async fn shows(&self, text: &str) -> CheckResult<bool> {
        let page = Page::of(self.app.get(self.page()).await?.expect_status(200)?)?;
        Ok(page.text().contains(text))
    }

    /// A fresh token from the form for a review.
    async fn review_token(&self, browser: &mut Browser<'_>) -> CheckResult<String> {
        browser.csrf_token(self.page(), "/reviews").await
    }

    /// Expects a request that was answered so to be refused, and the review not to be there.
    async fn expect_refused(&self, answer: Response, text: &str, why: &str) -> CheckResult {
        answer.expect_status(403).because(why)?;
        self.expect_no_review(text, why).await
    }

    /// The same for a request whose cookies were mixed. Where two cookies make up a session, such as one with the
    /// signature of the other, nobody is logged in with these.
    async fn expect_refused_or_unknown(&self, answer: Response, text: &str, why: &str) -> CheckResult {
        answer.expect_status_in(&[403, 401, 302, 303]).because(why)?;
        self.expect_no_review(text, why).await
    }

    async fn expect_no_review(&self, text: &str, why: &str) -> CheckResult {
        let shows = self.shows(text).await?;
        expect_that(!shows, format!("the review is on the page, although the form was forged: {why}"))
    }

    /// Expects an honest review to be taken.
    async fn expect_review(&self, lab: &Lab, browser: &mut Browser<'_>) -> CheckResult {
        let (text, token) = (format!("Splendid {}", lab.word()), self.review_token(browser).await?);
        let answer = browser.post(self.reviews(), &[("text", &text), ("csrf_token", &token)]).await?;
        expect_redirect(&self.app, answer)
            .because("the token is the one in the form, and the origin is the page's own")?;
        let shows = self.shows(&text).await?;
        expect_that(shows, "a review with the right token is not on the page")
    }
}

/// With each POST a browser says which page it comes from; no other site can lie about that (RFC 6454 §7; OWASP CSRF
/// Cheat Sheet, "Using Standard Headers").
#[check(title = "forms from other sites are refused", task = 6, points = 2, needs = ["web_login", "box_office"],
        hints = ["Which header names the page that sent the form?",
                 "Compare all of Origin with your own: scheme, host and port. Neither contains nor starts_with is enough.",
                 "Check the log-in form, too: otherwise others can log your visitors in to accounts of their own."])]
async fn csrf_origin(lab: &Lab) -> CheckResult {
    let scene = Scene::new(lab).await?;
    let mut browser = Browser::of(&scene.app, &scene.ada).await?;
    let address = scene.app.address();
    let other_port = if address.port() > 2_000 { address.port() - 1 } else { address.port() + 1 };
    let foreign = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("http://{}:{other_port}", address.ip()),
        format!("http://evil-{address}"),
        format!("http://{}.evil.example:{}", address.ip(), address.port()),
        format!("http://{address}.evil.example"),
        format!("http://{address}1"),
        format!("http://{address}@evil.example"),
        format!("http://evil.example/http://{address}"),
        // What the own one begins with is not it.
        format!("http://{}", address.ip()),
        format!("http://localhost:{}", address.port()),
    ];
    for origin in foreign {
        let why = format!("it was sent from {origin}, which is not {}", browser.own_origin());
        let (text, token) = (lab.word(), scene.review_token(&mut browser).await?);
        let answer = browser.post_from(&origin, scene.reviews(), &[("text", &text), ("csrf_token", &token)]).await?;
        scene.expect_refused(answer, &text, &why).await?;

        let token = browser.log_out_token().await?;
        let answer = browser.post_from(&origin, "/web/logout", &[("csrf_token", &token)]).await?;
        answer.expect_status(403).because(&why)?;
        browser.expect_account_of(&scene.ada).await.because("a form from another site logs nobody out")?;

        let mut visitor = Browser::new(&scene.app);
        visitor.get("/web/login").await?;
        let fields = [("email", scene.ada.email.as_str()), ("password", scene.ada.password.as_str())];
        visitor.post_from(&origin, "/web/login", &fields).await?.expect_status(403).because(&why)?;
        visitor.expect_not(&scene.ada, "the form was sent from another site").await?;
    }
    scene.expect_review(lab, &mut browser).await
}

/// Another site can send a form, but cannot read the page that contains the token (OWASP CSRF Cheat Sheet,
/// "Synchronizer Token Pattern").
#[check(title = "forms without their token are refused", task = 6, points = 2, needs = ["web_login", "box_office"],
        hints = ["What does your own page know that another site does not?",
                 "Put a random token into each form, store it with the session, and compare when the form comes back.",
                 "A missing field is an empty token, and an empty token is wrong."])]
async fn csrf_token(lab: &Lab) -> CheckResult {
    let scene = Scene::new(lab).await?;
    let mut browser = Browser::of(&scene.app, &scene.ada).await?;
    scene.expect_review(lab, &mut browser).await?;
    let token = scene.review_token(&mut browser).await?;
    let made_up = shuffled(lab, &token);
    let (half, longer) = (token.chars().take(token.chars().count() / 2).collect::<String>(), format!("{token}x"));
    let forged = [
        ("no token", None),
        ("an empty token", Some("")),
        ("a made-up token", Some(made_up.as_str())),
        ("half of the token", Some(half.as_str())),
        ("the token and one more letter", Some(longer.as_str())),
        ("the text `undefined` as its token", Some("undefined")),
    ];
    for (what, token) in forged {
        let text = lab.word();
        let mut fields = vec![("text", text.as_str())];
        fields.extend(token.map(|token| ("csrf_token", token)));
        let answer = browser.post(scene.reviews(), &fields).await?;
        scene.expect_refused(answer, &text, &format!("the form came with {what}")).await?;

        let fields: Vec<_> = token.map(|token| ("csrf_token", token)).into_iter().collect();
        let answer = browser.post("/web/logout", &fields).await?;
        answer.expect_status(403).because(&format!("the form came with {what}"))?;
        browser.expect_account_of(&scene.ada).await.because("the form was refused, so nobody is logged out")?;
    }
    let text = lab.word();
    let answer = Browser::new(&scene.app).post(scene.reviews(), &[("text", &text), ("csrf_token", &token)]).await?;
    scene.expect_refused_or_unknown(answer, &text, "the browser has no session").await?;

    let token = browser.log_out_token().await?;
    let answer = browser.post("/web/logout", &[("csrf_token", &token)]).await?;
    answer.expect_status_in(&REDIRECT).because("the token is the one in the form")?;
    browser.expect_not(&scene.ada, "it was logged out").await
}

/// The attacker has an account, too, and so has a well-formed token (OWASP CSRF Cheat Sheet, "Signed Double-Submit
/// Cookie").
#[check(title = "a token is valid in its own session only", task = 6, points = 2, needs = ["csrf_token"],
        hints = ["What do you compare the token with?",
                 "Not with another cookie: a neighbouring site may have set it. Compare it with what the session holds, on your side."])]
async fn csrf_other_session(lab: &Lab) -> CheckResult {
    let scene = Scene::new(lab).await?;
    let mut victim = Browser::of(&scene.app, &scene.ada).await?;
    let mut elsewhere = Browser::of(&scene.app, &scene.ada).await?;
    let eve = Person::customer(lab, &scene.app).await?;
    let mut attacker = Browser::of(&scene.app, &eve).await?;
    // The page gives each its token, and with it the cookies that belong to the token, where there are any.
    for browser in [&mut victim, &mut elsewhere, &mut attacker] {
        scene.review_token(browser).await?;
    }
    let (session_name, session) = victim.session()?;

    for (whose, other) in
        [("another visitor's session", &mut attacker), ("another session of the same visitor", &mut elsewhere)]
    {
        for with_cookies in [false, true] {
            let token = scene.review_token(other).await?;
            let mut forged = victim.clone();
            let mut why = format!("the token is from {whose}");
            if with_cookies {
                forged.cookies = other.cookies.clone();
                forged.cookies.insert(session_name.clone(), session.clone());
                why.push_str(", and so are all cookies except the session's");
            }
            let text = lab.word();
            let answer = forged.post(scene.reviews(), &[("text", &text), ("csrf_token", &token)]).await?;
            if with_cookies {
                scene.expect_refused_or_unknown(answer, &text, &why).await?;
            } else {
                scene.expect_refused(answer, &text, &why).await?;
            }
            let answer = forged.post("/web/logout", &[("csrf_token", &token)]).await?;
            answer.expect_status_in(if with_cookies { &[403, 401, 302, 303] } else { &[403] }).because(&why)?;
            // never fails alone: `csrf_token` asks the same of a token that was made up
            victim.expect_account_of(&scene.ada).await.because("the form was forged, so it logs nobody out")?;
        }
    }

    // A neighbour on the same domain can set cookies of any name, and then send what fits them.
    let made_up = shuffled(lab, &scene.review_token(&mut victim).await?);
    let mut forged = victim.clone();
    for name in ["csrf_token", "csrf", "_csrf", "csrftoken", "XSRF-TOKEN", "__Host-csrf", "__Host-csrf_token"] {
        forged.cookies.insert(name.to_owned(), made_up.clone());
    }
    for (name, value) in &mut forged.cookies {
        if *name != session_name {
            value.clone_from(&made_up);
        }
    }
    let text = lab.word();
    let answer = forged.post(scene.reviews(), &[("text", &text), ("csrf_token", &made_up)]).await?;
    let why = "the token was made up, and every cookie except the session's was made up to match it";
    scene.expect_refused_or_unknown(answer, &text, why).await?;
    // never fails alone: `csrf_token` asks the same of an honest form
    scene.expect_review(lab, &mut victim).await
}
