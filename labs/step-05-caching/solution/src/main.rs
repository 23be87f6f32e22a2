//! The box office: reads the configuration, starts the application, serves until it is stopped.

use std::process::ExitCode;

use step_05_caching::{Application, Configuration};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
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
    let application = Application::build(&configuration).await?;
    Ok(application.run().await?)
}
