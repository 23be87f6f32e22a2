//! The suite of the keeper.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use lab_redis::LabRedis as _;

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&lab_postgres::Driver, &lab_redis::Driver])
}

/// What was given to somebody to keep is there when one looks (Knigge §6).
#[check(title = "GET /keep/{word} keeps the word and counts it", task = 1, points = 60,
        hints = ["Insert it into `kept`, and count it by INCR."])]
async fn keeps(lab: &Lab) -> CheckResult {
    let app = start(lab).await?;
    for number in 1..=5_i64 {
        let answer = app.get(format!("/keep/{}", lab.word())).await?;
        answer.expect_status(200)?.expect_body(format!("{number} {number}"))?;
        let rows: i64 = lab.postgres().await?.scalar("select count(*) from kept").await?;
        expect_equal("rows in `kept`", &rows, &number)?;
    }
    Ok(())
}

/// Whoever is spoken to answers to what was said (Knigge §2).
#[check(title = "GET /echo/{word} gives the word back", task = 2, points = 20, hints = ["It follows /echo/."])]
async fn echoes(lab: &Lab) -> CheckResult {
    echo(lab).await
}

/// And does so everywhere (Knigge §2).
#[check(title = "GET /echo/{word} gives the word back, also elsewhere", task = 2, points = 20, needs = ["echoes"],
        hints = ["It follows /echo/."])]
async fn echoes_again(lab: &Lab) -> CheckResult {
    echo(lab).await
}

/// A server with a folder, which it may use or not.
async fn start(lab: &Lab) -> CheckResult<App> {
    let notes = lab.folder()?;
    lab.server().env("NOTES_DIR", &notes.display().to_string()).start().await
}

async fn echo(lab: &Lab) -> CheckResult {
    let app = start(lab).await?;
    let word = lab.word();
    app.get(format!("/echo/{word}")).await?.expect_status(200)?.expect_body(word)?;
    Ok(())
}
