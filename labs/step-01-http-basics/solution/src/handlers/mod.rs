//! What each resource answers.

mod echo;
mod files;

pub use files::FileName;

use crate::config::Config;
use crate::head::Head;
use crate::method::Method;
use crate::response::Response;
use crate::routes::Resource;
use crate::status::Status;

/// Answers a request whose method the resource has.
pub async fn handle(resource: Resource, head: &Head, body: Vec<u8>, config: &Config) -> Response {
    if head.method == Method::Options {
        return Response::empty(Status::NO_CONTENT).header("Allow", resource.allow());
    }
    match resource {
        Resource::Root => Response::text(Status::OK, "Hello. Try /echo/hello.\n"),
        Resource::EchoText(text) => echo::text(text, head),
        Resource::EchoBody => echo::body(body, head),
        Resource::UserAgent => echo::user_agent(head),
        Resource::File(name) => files::handle(&name, head, &body, config).await,
        Resource::Server => Response::empty(Status::NO_CONTENT),
    }
}
