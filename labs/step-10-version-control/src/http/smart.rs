//! Git's smart HTTP protocol (gitprotocol-http(5)): what there is, and then one exchange after the other, each of which
//! git answers without remembering the last one.

use std::process::Command;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::error::ApiError;
use super::named::WithEnding;
use crate::git::{self, Ended as _};
use crate::repository::Repository;

/// What git offers over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Service {
    /// Clone and fetch.
    #[serde(rename = "git-upload-pack")]
    UploadPack,
    /// Push.
    #[serde(rename = "git-receive-pack")]
    ReceivePack,
}

impl Service {
    /// Its name without `git-`.
    fn command(self) -> &'static str {
        match self {
            Self::UploadPack => "upload-pack",
            Self::ReceivePack => "receive-pack",
        }
    }
}

/// `?service=…`
#[derive(Debug, Deserialize)]
pub struct Wanted {
    service: Service,
}

/// `GET /NAME.git/info/refs?service=…`
pub async fn advertise(
    WithEnding(repository): WithEnding,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(Wanted { service }) = wanted.map_err(|_| ApiError::Invalid("the service is one of git's two"))?;
    let mut command = stateless(&repository, service);
    command.arg("--advertise-refs").arg(repository.path());
    let advertised = git::output(command).await?.success("the advertisement")?;
    let mut body = packet(&format!("# service=git-{}\n", service.command()));
    body.extend(b"0000");
    body.extend(advertised);
    Ok(typed(service, "advertisement", body))
}

/// `POST /NAME.git/git-upload-pack`
// TODO(step-10.1): start the command as `advertise` does, without `--advertise-refs`. `git::answer` gives it the body as its
// input; what it writes is the answer, a `result`. Four lines, and `git clone` works.
pub async fn upload_pack(WithEnding(repository): WithEnding, body: Bytes) -> Result<Response, ApiError> {
    let _ = (repository, body);
    Err(ApiError::NotYet("step-10.1: fetching"))
}

/// `POST /NAME.git/git-receive-pack`
// TODO(step-10.1): the same for pushes. `Bytes` has all of a body in memory, and refuses what is longer than 2 MB:
// `axum::body::Body` comes in pieces. Mind `Content-Encoding: gzip`, here and above.
// TODO(step-10.2): git asks nobody whether a push is right, unless there is a hook: githooks(5), `pre-receive`. With
// `-c core.hooksPath=DIR` it is yours, whatever lies in the repository.
pub async fn receive_pack(WithEnding(repository): WithEnding, body: Bytes) -> Result<Response, ApiError> {
    let _ = (repository, body);
    Err(ApiError::NotYet("step-10.1: pushing"))
}

/// The command of a service, without its last arguments.
// TODO(step-10.1): a client that sends `Git-Protocol: version=2` wants another conversation. Git learns of it by the
// variable GIT_PROTOCOL; the answer of `advertise` then begins with `version 2`.
// TODO(step-10.1): whoever asks for anything but /health has to be known: HTTP Basic, `Users::find`, and 401 with
// `WWW-Authenticate` for everybody else; 403 for readers who would push. A layer around all routes of `router`
// (`axum::middleware::from_fn_with_state`) cannot be forgotten in one of them.
fn stateless(repository: &Repository, service: Service) -> Command {
    let mut command = repository.git();
    command.args([service.command(), "--stateless-rpc"]);
    command
}

/// A line as git frames it: its length in four hexadecimal digits, which count themselves (gitprotocol-common(5)).
fn packet(line: &str) -> Vec<u8> {
    format!("{:04x}{line}", line.len() + 4).into_bytes()
}

fn typed(service: Service, kind: &str, body: impl Into<Body>) -> Response {
    let kind = format!("application/x-git-{}-{kind}", service.command());
    let mut response = body.into().into_response();
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0, must-revalidate"));
    response
}
