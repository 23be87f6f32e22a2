//! Which path is what, and which methods it has.

use crate::handlers::FileName;
use crate::head::Head;
use crate::method::Method;
use crate::percent;
use crate::response::Response;
use crate::status::Status;
use crate::target::Target;

/// Something that requests can be about.
#[derive(Debug)]
pub enum Resource {
    /// `/`
    Root,
    /// `/echo/{text}`, decoded.
    EchoText(String),
    /// `/echo`
    EchoBody,
    /// `/user-agent`
    UserAgent,
    /// `/files/{name}`
    File(FileName),
    /// `*`
    Server,
}

/// Why a request has no resource to deal with.
#[derive(Debug)]
pub enum Refusal {
    /// Nothing is there.
    NotFound,
    /// The path holds a broken escape.
    BadEscape,
    /// No file of the folder can have this name.
    BadName,
    /// The resource has other methods: these.
    MethodNotAllowed(&'static str),
}

impl Refusal {
    /// What the client is told.
    pub fn response(&self) -> Response {
        match self {
            Self::NotFound => Response::text(Status::NOT_FOUND, "there is nothing here"),
            Self::BadEscape => Response::text(Status::BAD_REQUEST, "the path is not well encoded"),
            Self::BadName => Response::text(Status::BAD_REQUEST, "this is no name of a file"),
            Self::MethodNotAllowed(allowed) => {
                let response = Response::text(Status::METHOD_NOT_ALLOWED, "the resource does not have this method");
                response.header("Allow", *allowed)
            }
        }
    }
}

/// The resource a request is for, if it has one and with that method.
pub fn find(head: &Head) -> Result<Resource, Refusal> {
    let resource = match &head.target {
        Target::Server => Resource::Server,
        Target::Path(path) => at(path)?,
    };
    if resource.has(head.method) { Ok(resource) } else { Err(Refusal::MethodNotAllowed(resource.allow())) }
}

fn at(path: &str) -> Result<Resource, Refusal> {
    match path {
        "/" => return Ok(Resource::Root),
        "/echo" => return Ok(Resource::EchoBody),
        "/user-agent" => return Ok(Resource::UserAgent),
        _ => {}
    }
    if let Some(text) = path.strip_prefix("/echo/") {
        return Ok(Resource::EchoText(decoded(text)?));
    }
    if let Some(name) = path.strip_prefix("/files/") {
        // Decoded first, judged then: %2F is a slash like any other.
        return FileName::new(decoded(name)?).map(Resource::File).ok_or(Refusal::BadName);
    }
    Err(Refusal::NotFound)
}

fn decoded(text: &str) -> Result<String, Refusal> {
    percent::decode(text).ok_or(Refusal::BadEscape)
}

impl Resource {
    /// The value of `Allow`: every method it has.
    pub fn allow(&self) -> &'static str {
        match self {
            Self::Root | Self::EchoText(_) | Self::UserAgent => "GET, HEAD, OPTIONS",
            Self::EchoBody => "POST, OPTIONS",
            Self::File(_) => "GET, HEAD, PUT, DELETE, OPTIONS",
            Self::Server => "OPTIONS",
        }
    }

    fn has(&self, method: Method) -> bool {
        match self {
            _ if method == Method::Options => true,
            Self::Root | Self::EchoText(_) | Self::UserAgent => matches!(method, Method::Get | Method::Head),
            Self::EchoBody => method == Method::Post,
            Self::File(_) => matches!(method, Method::Get | Method::Head | Method::Put | Method::Delete),
            Self::Server => false,
        }
    }
}
