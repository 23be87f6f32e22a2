//! Files in one folder, by name.

use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::fs::{self, File};

use crate::conditional;
use crate::config::Config;
use crate::head::Head;
use crate::method::Method;
use crate::response::Response;
use crate::status::Status;

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
        Method::Put => put(folder, &path, body).await,
        Method::Delete => delete(&path).await,
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
    if conditional::is_known(&head.headers, &tag) {
        return Ok(Response::empty(Status::NOT_MODIFIED).header("ETag", tag));
    }
    Ok(Response::file(file, metadata.len()).header("ETag", tag))
}

/// Writes beside the old content and renames, so that nobody ever reads half of the new.
async fn put(folder: &Path, path: &Path, body: &[u8]) -> io::Result<Response> {
    static UPLOADS: AtomicU64 = AtomicU64::new(0);
    let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!(".upload-{}-{number}", process::id()));
    let existed = fs::try_exists(path).await?;
    if let Err(error) = write_and_rename(&unfinished, path, body).await {
        // The first error is the one to tell.
        let _ = fs::remove_file(&unfinished).await;
        return Err(error);
    }
    Ok(Response::empty(if existed { Status::NO_CONTENT } else { Status::CREATED }))
}

async fn write_and_rename(unfinished: &Path, path: &Path, body: &[u8]) -> io::Result<()> {
    fs::write(unfinished, body).await?;
    fs::rename(unfinished, path).await
}

async fn delete(path: &Path) -> io::Result<Response> {
    fs::remove_file(path).await?;
    Ok(Response::empty(Status::NO_CONTENT))
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
