//! Git's smart HTTP protocol (gitprotocol-http(5)): what there is, and then one exchange after the other, each of which
//! git answers without remembering the last one.

use std::process::Command;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::Services;
use super::body::Encoding;
use super::conversation;
use super::error::ApiError;
use super::named::WithEnding;
use crate::access::{Role, User};
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
    /// What one has to be allowed. Both of a service's URLs ask for it: whoever guards one leaves the other open.
    fn role(self) -> Role {
        match self {
            Self::UploadPack => Role::Read,
            Self::ReceivePack => Role::Write,
        }
    }

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
#[tracing::instrument(skip_all, fields(user = user.name(), repository = ?repository.name()))]
pub async fn advertise(
    State(services): State<Services>,
    WithEnding(repository): WithEnding,
    Extension(user): Extension<User>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(Wanted { service }) = wanted.map_err(|_| ApiError::Invalid("the service is one of git's two"))?;
    allow(&user, service)?;
    let protocol = Protocol::of(service, &headers);
    let mut command = stateless(&services, &repository, service, &protocol)?;
    command.arg("--advertise-refs").arg(repository.path());
    let advertised = git::output(command).await?.success("the advertisement")?;
    let mut body = Vec::new();
    if !protocol.is_second() {
        body.extend(packet(&format!("# service=git-{}\n", service.command())));
        body.extend(b"0000");
    }
    body.extend(advertised);
    Ok(typed(service, "advertisement", body))
}

/// `POST /NAME.git/git-upload-pack`
#[tracing::instrument(skip_all, fields(user = user.name(), repository = ?repository.name()))]
pub async fn upload_pack(
    State(services): State<Services>,
    WithEnding(repository): WithEnding,
    Extension(user): Extension<User>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    exchange(&services, &repository, &user, Service::UploadPack, &headers, body).await
}

/// `POST /NAME.git/git-receive-pack`
#[tracing::instrument(skip_all, fields(user = user.name(), repository = ?repository.name()))]
pub async fn receive_pack(
    State(services): State<Services>,
    WithEnding(repository): WithEnding,
    Extension(user): Extension<User>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    exchange(&services, &repository, &user, Service::ReceivePack, &headers, body).await
}

/// One request of a service's, answered by git.
async fn exchange(
    services: &Services,
    repository: &Repository,
    user: &User,
    service: Service,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    allow(user, service)?;
    // A form on somebody else's page cannot send this type, so that no browser pushes unasked.
    let wanted = format!("application/x-git-{}-request", service.command());
    if headers.get(CONTENT_TYPE).is_none_or(|value| value.as_bytes() != wanted.as_bytes()) {
        return Err(ApiError::UnsupportedForm("not the content type of this service"));
    }
    let encoding = Encoding::of(headers)?;
    let mut command = stateless(services, repository, service, &Protocol::of(service, headers))?;
    command.arg(repository.path());
    Ok(typed(service, "result", conversation::hold(command, body, encoding).await?))
}

fn allow(user: &User, service: Service) -> Result<(), ApiError> {
    if user.may(service.role()) { Ok(()) } else { Err(ApiError::Forbidden) }
}

/// The command of a service, without its last arguments. A push is held to the rules.
fn stateless(
    services: &Services,
    repository: &Repository,
    service: Service,
    protocol: &Protocol,
) -> std::io::Result<Command> {
    let mut command = repository.git();
    if service == Service::ReceivePack {
        services.rules.apply(&mut command)?;
    }
    protocol.apply(&mut command);
    command.args([service.command(), "--stateless-rpc"]);
    Ok(command)
}

/// What the client says of the protocol's version, in `Git-Protocol`.
struct Protocol(Option<String>);

impl Protocol {
    /// There is a second version of fetching only; whoever asks for one of pushing gets the first.
    fn of(service: Service, headers: &HeaderMap) -> Self {
        let value = headers.get("git-protocol").and_then(|value| value.to_str().ok());
        let plain = |text: &&str| text.len() <= 256;
        Self(value.filter(plain).filter(|_| service == Service::UploadPack).map(str::to_owned))
    }

    /// Keys and values are separated by colons, and the highest version counts (gitprotocol-v2(5)).
    fn is_second(&self) -> bool {
        self.0.as_deref().is_some_and(|value| value.split(':').any(|part| part == "version=2"))
    }

    fn apply(&self, command: &mut Command) {
        match &self.0 {
            Some(value) => command.env("GIT_PROTOCOL", value),
            None => command.env_remove("GIT_PROTOCOL"),
        };
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_packet_counts_its_own_digits() {
        assert_eq!(packet("# service=git-upload-pack\n"), b"001e# service=git-upload-pack\n");
    }

    #[test]
    fn only_fetching_has_a_second_version() {
        let headers =
            HeaderMap::from_iter([("git-protocol".parse().unwrap(), HeaderValue::from_static("a=b:version=2"))]);
        assert!(Protocol::of(Service::UploadPack, &headers).is_second());
        assert!(!Protocol::of(Service::ReceivePack, &headers).is_second());
        assert!(!Protocol::of(Service::UploadPack, &HeaderMap::new()).is_second());
    }
}
