//! Which request gets which answer.

use crate::config::Config;
use crate::request::Request;
use crate::response::Response;

/// Answers a request.
pub async fn answer(request: &Request, _config: &Config) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => Response::text(200, "Hello.\n"),
        // TODO(step-01.1): GET /echo/{text}, GET /user-agent, and 404 for everything else.
        // TODO(step-01.3): 405 for a method that the path does not support, 501 for an unknown one.
        // TODO(step-01.5): POST /echo.
        // TODO(step-01.7): GET, PUT and DELETE /files/{name}, in the folder `config.files`.
        // TODO(step-01.8): gzip for /echo/{text}, for clients that accept it.
        (method, path) => {
            Response::text(501, format!("{method} {path} is not written yet: see the tasks in README.md\n"))
        }
    }
}
