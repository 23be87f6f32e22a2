//! Files in one folder, by name.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::fs::{self, File};
use tokio::sync::Mutex;

use crate::conditional;
use crate::config::Config;
use crate::head::Head;
use crate::method::Method;
use crate::response::Response;
use crate::status::Status;

/// Held from the look at a file to its change, so that two requests with preconditions cannot both find them met.
static CHANGES: Mutex<()> = Mutex::const_new(());

/// A name that stays in its folder, whatever it is joined to.
#[derive(Debug)]
pub struct FileName(String);

impl FileName {
    /// Takes a decoded name unless it leads anywhere else.
    pub fn new(name: String) -> Option<Self> {
        let leads_away = name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']);
        (!leads_away).then_some(Self(name))
    }

    fn within(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }
}

/// Reads, replaces or removes a file.
pub async fn handle(name: &FileName, head: &Head, body: &[u8], config: &Config) -> Response {
    let Some(folder) = &config.files else {
        return Response::text(Status::NOT_FOUND, "no folder was named at the start");
    };
    let path = name.within(folder);
    let result = match head.method {
        Method::Put => put(folder, &path, head, body).await,
        Method::Delete => delete(&path, head).await,
        _ => get(&path, head).await,
    };
    result.unwrap_or_else(|error| failure(&error))
}

async fn get(path: &Path, head: &Head) -> io::Result<Response> {
    // Asked before it is opened: to open a pipe would wait for somebody to write to it.
    if !fs::metadata(path).await?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::open(path).await?;
    let metadata = file.metadata().await?;
    let tag = conditional::tag_of(&metadata);
    if conditional::is_stale(&head.headers, Some(&tag)) {
        return Ok(precondition_failed());
    }
    if conditional::is_known(&head.headers, Some(&tag)) {
        return Ok(Response::empty(Status::NOT_MODIFIED).header("ETag", tag));
    }
    Ok(Response::file(file, metadata.len()).header("ETag", tag))
}

/// Writes beside the old content and renames, so that nobody ever reads half of the new.
async fn put(folder: &Path, path: &Path, head: &Head, body: &[u8]) -> io::Result<Response> {
    static UPLOADS: AtomicU64 = AtomicU64::new(0);
    let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!(".upload-{}-{number}", process::id()));
    let result = write_and_rename(&unfinished, path, head, body).await;
    if !matches!(&result, Ok(response) if response.is_success()) {
        // The first error is the one to tell.
        let _ = fs::remove_file(&unfinished).await;
    }
    result
}

async fn write_and_rename(unfinished: &Path, path: &Path, head: &Head, body: &[u8]) -> io::Result<Response> {
    fs::write(unfinished, body).await?;
    let _change = CHANGES.lock().await;
    let present = present(path).await?;
    if is_unwelcome(head, present.as_ref()) {
        return Ok(precondition_failed());
    }
    fs::rename(unfinished, path).await?;
    Ok(Response::empty(if present.is_some() { Status::NO_CONTENT } else { Status::CREATED }))
}

async fn delete(path: &Path, head: &Head) -> io::Result<Response> {
    let _change = CHANGES.lock().await;
    // Without the file the answer is 404, whatever was the condition (RFC 9110 §13.2.1).
    if is_unwelcome(head, Some(&fs::metadata(path).await?)) {
        return Ok(precondition_failed());
    }
    fs::remove_file(path).await?;
    Ok(Response::empty(Status::NO_CONTENT))
}

/// What the folder has under that name now.
async fn present(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path).await {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the client asked not to change a file in that state (RFC 9110 §13.2.2).
fn is_unwelcome(head: &Head, present: Option<&Metadata>) -> bool {
    let tag = present.map(conditional::tag_of);
    conditional::is_stale(&head.headers, tag.as_deref()) || conditional::is_known(&head.headers, tag.as_deref())
}

fn precondition_failed() -> Response {
    Response::text(Status::PRECONDITION_FAILED, "the file is not as the request says it must be")
}

/// What the file system's refusal means to a client, without telling it where the folder is.
fn failure(error: &io::Error) -> Response {
    let (status, reason) = match error.kind() {
        io::ErrorKind::NotFound => (Status::NOT_FOUND, "there is no such file"),
        io::ErrorKind::InvalidFilename => (Status::BAD_REQUEST, "no file can have this name"),
        io::ErrorKind::PermissionDenied => (Status::FORBIDDEN, "the file may not be touched"),
        io::ErrorKind::IsADirectory => (Status::CONFLICT, "this is a folder"),
        _ => (Status::INTERNAL_ERROR, "the file could not be used"),
    };
    Response::text(status, reason)
}
