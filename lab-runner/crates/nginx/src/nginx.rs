//! What a check has of nginx: the means to start one.

use std::path::PathBuf;

use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure};
use lab_kit::App;

use super::front::Front;

/// One check's way to an nginx of its own.
#[derive(Debug)]
pub struct Nginx {
    program: Option<PathBuf>,
    url: String,
    transcript: Transcript,
}

impl Nginx {
    pub(super) fn new(program: Option<PathBuf>, url: String, transcript: Transcript) -> Self {
        Self { program, url, transcript }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Starts one with TLS in front of `app`. It appends its client's address to `X-Forwarded-For`, sets
    /// `X-Forwarded-Proto`, and reaches the server from 127.0.0.1.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(nginx: &lab_nginx::Nginx, app: &App) -> CheckResult<()> {
    /// let front = nginx.in_front_of(app).await?;
    /// front.get("/client", &[], std::net::Ipv4Addr::LOCALHOST).await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Not applicable, where the program is not on this machine; ours, if it does not start.
    pub async fn in_front_of(&self, app: &App) -> CheckResult<Front> {
        let program = self.program.as_deref().ok_or_else(|| {
            Failure::not_applicable("it starts nginx with settings of its own, and the program is not on this machine")
        })?;
        Front::start(program, app.address(), app.network(), app.agent(), self.transcript.clone()).await
    }
}
