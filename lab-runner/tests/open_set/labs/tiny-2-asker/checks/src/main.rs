//! The suite of the asker, with a driver of its own.

mod driver;

use lab_check::service::tenant_of;
use lab_kit::prelude::*;

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&driver::Driver])
}

/// Who asks gets an answer (Knigge §4).
#[check(title = "GET /PING is answered with PONG", task = 1, points = 50, hints = ["Ask the service."])]
async fn asks(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    app.get("/PING").await?.expect_status(200)?.expect_body("PONG")?;
    let toy = tenant_of::<driver::Toy>(lab, "toy").await?;
    expect_that(toy.log.all().len() >= 2, "readiness and the check both ask")?;
    toy.log.all().expect(0, "a ping is no question")
}

/// Not everybody sings (Knigge §5).
#[check(title = "GET /SING is answered with a song", task = 1, points = 50, hints = ["Nobody can sing here."])]
async fn sings(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    app.get("/SING").await?.expect_status(200)?.expect_body("LA")
}
