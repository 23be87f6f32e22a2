//! Task 8: those who try passwords until one fits.

use std::net::Ipv4Addr;

use lab_kit::prelude::*;

use crate::support::{BAD_INPUT, Browser, HASHING, Newcomer, Person};

/// What `LOGIN_WINDOW_SECONDS` is, where a check sets no other.
const WINDOW: u32 = 900;

/// Expects 429 with a Retry-After: seconds, or a date (RFC 6585 §4; RFC 9110 §10.2.3).
fn expect_blocked(response: Response) -> CheckResult {
    expect_blocked_for(response, WINDOW)
}

/// The same with a time that is no longer than the block can last: whoever comes back then is to be let in.
fn expect_blocked_for(response: Response, window: u32) -> CheckResult {
    // Whole seconds are rounded up.
    let waits = |value: &str| match value.trim().parse::<u32>() {
        Ok(seconds) => seconds <= window + 1,
        Err(_) => is_date(value.trim()),
    };
    let what = format!("is a number of seconds of at most {window}, or a date");
    response.expect_status(429)?.expect_header_where("retry-after", &what, waits)?;
    Ok(())
}

/// Whether it is a date as headers have it, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
fn is_date(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let [weekday, day, month, year, time, "GMT"] = words[..] else { return false };
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let clock: Vec<&str> = time.split(':').collect();
    let named = weekday.len() == 4 && weekday.ends_with(',') && month.len() == 3;
    named && digits(day, 2) && digits(year, 4) && clock.len() == 3 && clock.iter().all(|part| digits(part, 2))
}

/// A password of eight letters is safe only as long as nobody can try them all (OWASP ASVS 5.0, 6.3.1).
#[check(title = "guessing at one account is blocked", task = 8, points = 2, needs = ["login", "web_login"],
        hints = ["How many passwords may somebody try?",
                 "Count failures for each address in lower case, whether it exists or not, and check the count before the password.",
                 "The page's log-in is a second door to the same room: let both use one function."])]
async fn account_limit(lab: &Lab) -> CheckResult {
    let app = lab.server().env("LOGIN_FAILURES_PER_ACCOUNT", "2").start().await?;
    let (ada, bob) = (Person::customer(lab, &app).await?, Person::customer(lab, &app).await?);
    for _ in 0..3 {
        ada.log_in(&app).await.because("a log-in that succeeds is no failure, however many there are")?;
    }
    let without_password = || app.post("/login").json(&json!({"email": bob.email}));
    for _ in 0..3 {
        // Where it is 401 it counts, and is not tried again.
        if !BAD_INPUT.contains(&without_password().await?.status()) {
            break;
        }
        bob.log_in(&app).await.because("what is bad input is no failed log-in")?;
    }
    for _ in 0..2 {
        // never fails alone: `login` asks the same of a wrong password
        ada.try_password(&app, &ada.wrong_password()).await?.expect_status(401)?;
        bob.log_in(&app).await.because("another account's failures are not his")?;
    }
    expect_blocked(ada.try_password(&app, &ada.wrong_password()).await?)
        .because("another account's success clears nothing of this one's")?;
    expect_blocked(ada.try_password(&app, &ada.password).await?)
        .because("the right password, too, is one guess too many")?;
    let shouted = json!({"email": ada.email.to_uppercase(), "password": ada.password});
    expect_blocked(app.post("/login").json(&shouted).await?).because("it is the same address in another case")?;
    let padded = json!({"email": format!(" {} ", ada.email), "password": ada.password});
    let answer = app.post("/login").json(&padded).await?.expect_status_in(&[400, 401, 422, 429]);
    answer.because("if your server ignores spaces around an address, it is the same address")?;
    let page = Browser::new(&app).try_log_in(&ada.email, &ada.password).await?;
    expect_blocked(page).because("/web/login and /login count together")?;

    let nobody = lab.email();
    let guess = || app.post("/login").json(&json!({"email": nobody, "password": ada.password}));
    guess().await?.expect_status(401).because("nobody has tried to log in with this address before")?;
    Browser::new(&app).try_log_in(&nobody, &ada.password).await?.expect_status(401)?;
    expect_blocked(guess().await?)
        .because("unknown addresses are counted as well, or 429 would reveal who has an account")
}

/// One guess at each of a thousand accounts is a thousand guesses (OWASP Credential Stuffing Prevention Cheat Sheet).
#[check(title = "guessing from one network address is blocked", task = 8, points = 2, needs = ["login", "web_login"],
        hints = ["What if somebody tries one password on every account?",
                 "Count failures for each client address, too: ConnectInfo<SocketAddr> has it.",
                 "A success clears nothing but its own attempt, or guessers would log in between guesses."])]
async fn address_limit(lab: &Lab) -> CheckResult {
    let app = lab.server().env("LOGIN_FAILURES_PER_ADDRESS", "3").start().await?;
    let own = Person::customer(lab, &app).await?;
    for round in 0..3 {
        let guess = Newcomer::new(lab);
        if round == 2 {
            own.log_in(&app).await.because("the password is right, and the address is still below its limit")?;
        }
        if round % 2 == 0 {
            let body = json!({"email": guess.email, "password": guess.password});
            app.post("/login").json(&body).await?.expect_status(401)?;
        } else {
            // never fails alone: `web_login` asks the same, and a limit that comes too early stops the log-in of the next round
            Browser::new(&app).try_log_in(&guess.email, &guess.password).await?.expect_status(401)?;
        }
    }
    expect_blocked(own.try_password(&app, &own.password).await?)
        .because("3 log-ins from this address have failed, and a success in between does not clear them")?;
    expect_blocked(Browser::new(&app).try_log_in(&own.email, &own.password).await?)
        .because("/web/login and /login count together")?;
    drop(app);
    expect_defaults(lab).await
}

/// The two counts answer two questions: how often was this account tried, wherever from; and how often did this client
/// fail, whatever it tried (OWASP Credential Stuffing Prevention Cheat Sheet; OWASP ASVS 5.0, 6.3.1).
#[check(title = "accounts and network addresses are counted separately", task = 8, points = 2, needs = ["account_limit", "address_limit"],
        hints = ["An attacker has many addresses. What does the count of one account forget when they take the next one?",
                 "Key one count with the e-mail address alone and the other with the network address alone, never with both.",
                 "One client that is blocked must block nobody else."])]
async fn two_counts(lab: &Lab) -> CheckResult {
    let (second, third) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3));
    let limits = lab.server().env("LOGIN_FAILURES_PER_ACCOUNT", "2").env("LOGIN_FAILURES_PER_ADDRESS", "4");
    let app = limits.start().await?;
    let (ada, bob) = (Person::customer(lab, &app).await?, Person::customer(lab, &app).await?);
    if !app.has_address(second)? {
        return Err(Failure::not_applicable("this machine has only one address of its own, 127.0.0.1"));
    }
    let guess = || ada.try_password(&app, &ada.wrong_password());
    // never fails alone: `account_limit` asks the same of a first failure
    guess().from_address(second).await?.expect_status(401)?;
    // never fails alone: `account_limit` asks the same of a second failure
    guess().from_address(third).await?.expect_status(401).because("it is the second failure, and 2 are allowed")?;
    for _ in 0..3 {
        expect_blocked(ada.try_password(&app, &ada.password).await?)
            .because("LOGIN_FAILURES_PER_ACCOUNT is 2, and this account had two failures, each from another address")?;
    }
    for _ in 0..4 {
        let guess = Newcomer::new(lab);
        let body = json!({"email": guess.email, "password": guess.password});
        let answer = app.post("/login").json(&body).await?.expect_status(401);
        answer.because("4 failures are allowed from this address, and what got 429 was none")?;
    }
    for _ in 0..3 {
        // never fails alone: `address_limit` asks the same of this address
        expect_blocked(bob.try_password(&app, &bob.wrong_password()).await?)
            .because("LOGIN_FAILURES_PER_ADDRESS is 4, and four log-ins from this address failed")?;
    }
    let elsewhere = bob.try_password(&app, &bob.password).from_address(second).await?.expect_status(200);
    elsewhere.because("only one log-in from 127.0.0.2 has failed, and none for this account: what got 429 was none")?;
    Ok(())
}

/// Headers are what the client wrote; only the connection knows where it comes from (OWASP API2:2023; RFC 7239 §8.1).
#[check(title = "a made-up address does not reset the count", task = 8, points = 2, needs = ["account_limit", "address_limit"],
        hints = ["Who wrote the X-Forwarded-For header?",
                 "With no proxy of yours in front, nobody you can trust. Use the address of the connection."])]
async fn spoofed_address(lab: &Lab) -> CheckResult {
    let limits = lab.server().env("LOGIN_FAILURES_PER_ACCOUNT", "2").env("LOGIN_FAILURES_PER_ADDRESS", "3");
    let app = limits.start().await?;
    let ada = Person::customer(lab, &app).await?;
    for _ in 0..2 {
        // never fails alone: `account_limit` asks the same without the headers
        spoofed(lab, ada.try_password(&app, &ada.wrong_password())).await?.expect_status(401)?;
    }
    let again = spoofed(lab, ada.try_password(&app, &ada.password)).await?;
    expect_blocked(again).because("it is the third try at this account, whatever the headers say")?;
    let guess = || app.post("/login").json(&json!({"email": lab.email(), "password": ada.password}));
    // never fails alone: `address_limit` asks the same of a third failure
    spoofed(lab, guess()).await?.expect_status(401)?;
    expect_blocked(spoofed(lab, guess()).await?)
        .because("3 log-ins from this address have failed, whatever the headers say")
}

/// The request with another address in every header that some server believes.
fn spoofed(lab: &Lab, request: Request) -> Request {
    let address = format!("203.0.{}.{}", lab.number(1, 254), lab.number(1, 254));
    let names = ["X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"];
    let request = names.into_iter().fold(request, |request, name| request.header(name, &address));
    request.header("Forwarded", format!("for={address}"))
}

/// Guessers do not wait for each other (OWASP Blocking Brute Force Attacks).
#[check(title = "simultaneous guesses are counted, too", task = 8, points = 1, needs = ["account_limit"],
        hints = ["When is a failure counted, and what can happen before that?",
                 "Count the attempt before you check the password, and undo that if the password was right."])]
async fn guesses_at_once(lab: &Lab) -> CheckResult {
    let app = lab.server().env("LOGIN_FAILURES_PER_ACCOUNT", "2").start().await?;
    let ada = Person::customer(lab, &app).await?;
    let guesses = (0..12).map(|number| ada.try_password(&app, &format!("{}-{number}", ada.password)));
    expect_at_most(lab, guesses, 2, "for one e-mail address").await?;
    drop(app);

    let app = lab.server().env("LOGIN_FAILURES_PER_ADDRESS", "3").start().await?;
    let guesses = (0..12).map(|_| app.post("/login").json(&json!({"email": lab.email(), "password": ada.password})));
    expect_at_most(lab, guesses, 3, "from one network address").await
}

/// Sends all the guesses at once, and expects no more than `limit` of them to be tried.
async fn expect_at_most(lab: &Lab, guesses: impl Iterator<Item = Request>, limit: usize, whose: &str) -> CheckResult {
    let mut answered = 0;
    for answer in lab.burst(guesses.map(|guess| guess.within(HASHING))).await? {
        // never fails alone: `account_limit` asks of each try that it is one of the two
        answered += usize::from(answer.expect_status_in(&[401, 429])?.status() == 401);
    }
    if answered > limit {
        return Err(Failure::learner(format!(
            "{answered} of 12 simultaneous guesses {whose} were tried, although {limit} are allowed"
        ))
        .expected(format!("401 at most {limit} times, and 429 for the others")));
    }
    Ok(())
}

/// Whoever sets nothing is protected, too (OWASP ASVS 5.0, 6.3.1; 15.1.3).
async fn expect_defaults(lab: &Lab) -> CheckResult {
    const PER_ACCOUNT: usize = 5;
    const PER_ADDRESS: usize = 100;
    let names = ["LOGIN_FAILURES_PER_ACCOUNT", "LOGIN_FAILURES_PER_ADDRESS", "LOGIN_WINDOW_SECONDS"];
    let app = names.iter().fold(lab.server(), |server, name| server.env_remove(name)).start().await?;
    let ada = Person::customer(lab, &app).await?;
    for _ in 0..PER_ACCOUNT {
        let answer = ada.try_password(&app, &ada.wrong_password()).await?.expect_status(401);
        answer.because("without LOGIN_FAILURES_PER_ACCOUNT, 5 failures are allowed")?;
    }
    expect_blocked(ada.try_password(&app, &ada.password).await?)
        .because("without LOGIN_FAILURES_PER_ACCOUNT, 5 failures are allowed")?;
    let guess = || app.post("/login").json(&json!({"email": lab.email(), "password": ada.password})).within(HASHING);
    // A few at a time: each is a hash.
    let guesses: Vec<Request> = (PER_ACCOUNT..PER_ADDRESS).map(|_| guess()).collect();
    for some in guesses.chunks(5) {
        for answer in lab.burst(some.to_vec()).await? {
            answer.expect_status(401).because("without LOGIN_FAILURES_PER_ADDRESS, 100 failures are allowed")?;
        }
    }
    expect_blocked(guess().await?).because("without LOGIN_FAILURES_PER_ADDRESS, 100 failures are allowed")
}

/// A block that never ends locks out the very user it should protect (OWASP Authentication Cheat Sheet, "Account
/// Lockout").
#[check(title = "a block ends", task = 8, points = 1, needs = ["account_limit"],
        hints = ["When does the window start?", "With the failures. Tries that got 429 were not guesses."])]
async fn block_ends(lab: &Lab) -> CheckResult {
    for limit in ["LOGIN_FAILURES_PER_ACCOUNT", "LOGIN_FAILURES_PER_ADDRESS"] {
        block_ends_of(lab, limit).await.because(&format!("{limit} is 1 and LOGIN_WINDOW_SECONDS is 2"))?;
    }
    Ok(())
}

async fn block_ends_of(lab: &Lab, limit: &str) -> CheckResult {
    const SECONDS: u32 = 2;
    let app = lab.server().env(limit, "1").env("LOGIN_WINDOW_SECONDS", &SECONDS.to_string()).start().await?;
    let ada = Person::customer(lab, &app).await?;
    // On a slow machine the first failures may be over before the last: then it takes some more.
    let mut blocked = false;
    for _ in 0..30 {
        // never fails alone: `account_limit` asks of each try that it is one of the two
        let answer = ada.try_password(&app, &ada.wrong_password()).await?.expect_status_in(&[401, 429])?;
        blocked = answer.status() == 429;
        if blocked {
            expect_blocked_for(answer, SECONDS)?;
            break;
        }
    }
    // never fails alone: `account_limit` fails a server that blocks nobody
    expect_that(blocked, "30 failed log-ins in a row, and no 429")?;
    // The window is 2 s; six times that is for machines that are busy with something else.
    lab.eventually("the right password works again", Duration::from_secs(12), || async {
        ada.try_password(&app, &ada.password).await?.expect_status_in(&[200, 429])?.expect_status(200)
    })
    .await?;
    Ok(())
}
