//! The suite of the greeter.

use lab_kit::prelude::*;

fn main() -> std::process::ExitCode {
    lab_kit::suite::main()
}

/// A greeting comes first (Knigge §1).
#[check(title = "GET / is answered with the greeting", task = 1, points = 40,
        hints = ["Where does the greeting stand?", "Read the variable GREETING."])]
async fn greets(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    app.get("/").await?.expect_status(200)?.expect_body("hello")
}

/// Whoever is spoken to answers to what was said (Knigge §2).
#[check(title = "GET /echo/{word} gives the word back", task = 2, points = 40, needs = ["greets"],
        hints = ["The word is what follows /echo/."])]
async fn echoes(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = lab.word();
    let answer = app.get(format!("/echo/{word}")).await?;
    answer.expect_status(200).hint("Is there a route for every word, or only for one?")?.expect_body(word)
}

/// One rude guest does not end the party (Knigge §3).
#[check(title = "nonsense does no harm", task = 2, points = 20, needs = ["greets"],
        hints = ["What does your server do with what it cannot read?"])]
async fn survives(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut rude = app.connect().await?;
    rude.send(b"\x00\xff nonsense\r\n\r\n").await?;
    // Only once the server is done with the one guest does the next one tell anything.
    rude.read_until_closed(Duration::from_secs(2)).await?;
    app.get("/").await?.expect_status(200)?;
    Ok(())
}
