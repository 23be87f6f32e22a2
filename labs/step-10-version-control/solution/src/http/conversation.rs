//! One command of git's with a client at the other end: the body goes in while the answer comes out, and neither is ever
//! held as a whole.

use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;
use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStdout;
use tokio::time::timeout;

use super::body::{self, BodyError, Encoding};
use super::error::ApiError;
use crate::process::{Ending, Group, Task};

/// The longest that one conversation may take.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// How much of an answer is passed on at once.
const PIECE: usize = 32 * 1024;

/// A command that is running. Dropped, it ends.
struct Conversation {
    stdout: ChildStdout,
    feeder: Task<Result<(), BodyError>>,
    waiter: Task<Option<ExitStatus>>,
}

/// Has `command` answer `body`. There is an answer once it has written something: until then a failure is still one that
/// a status can tell.
///
/// # Errors
/// It cannot be started, or says nothing because of what it was told.
pub async fn hold(mut command: Command, body: Body, encoding: Encoding) -> Result<Body, ApiError> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut group = Group::spawn(command, Ending::Told)?;
    let streams = group.child().and_then(|child| child.stdin.take().zip(child.stdout.take()));
    let (stdin, stdout) = streams.ok_or(io::Error::from(io::ErrorKind::BrokenPipe))?;
    let mut conversation = Conversation {
        stdout,
        feeder: Task::spawn(body::feed(body, encoding, stdin)),
        waiter: Task::spawn(async move { timeout(LONGEST, group.wait()).await.ok()?.ok() }),
    };
    let first = conversation.read().await?;
    if first.is_empty() {
        return conversation.silent().await;
    }
    let rest = stream::try_unfold(Some((first, conversation)), |state| async {
        let Some((piece, mut conversation)) = state else { return Ok(None) };
        let next = conversation.read().await?;
        if next.is_empty() {
            conversation.end().await?;
            return Ok::<_, io::Error>(Some((piece, None)));
        }
        Ok(Some((piece, Some((next, conversation)))))
    });
    Ok(Body::from_stream(rest))
}

impl Conversation {
    /// The next piece of the answer; empty at its end.
    async fn read(&mut self) -> io::Result<Bytes> {
        let mut piece = vec![0; PIECE];
        let count = self.stdout.read(&mut piece).await?;
        piece.truncate(count);
        Ok(piece.into())
    }

    /// The answer of a command that has written nothing.
    async fn silent(mut self) -> Result<Body, ApiError> {
        let status = self.waiter.result().await.flatten();
        if let Some(Err(error)) = self.feeder.result().await {
            return Err(ApiError::Body(error));
        }
        match status {
            Some(status) if status.success() => Ok(Body::empty()),
            _ => Err(ApiError::Invalid("git could make nothing of this")),
        }
    }

    /// The end of a command that has written something. If it did not end well, the connection must not either: half an
    /// answer is none.
    async fn end(mut self) -> io::Result<()> {
        match self.waiter.result().await.flatten() {
            Some(status) if status.success() => Ok(()),
            status => Err(io::Error::other(format!("git ended early: {status:?}"))),
        }
    }
}
