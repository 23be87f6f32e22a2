//! The box office: reads the configuration, serves until it is told to end, and leaves in good order.

use std::process::ExitCode;

use step_06_deploy::{Application, Configuration, shutdown, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the server stopped");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let configuration = Configuration::from_env()?;
    let stop = shutdown::requested()?;
    let application = Application::build(configuration).await?;
    Ok(application.run(stop).await?)
}
