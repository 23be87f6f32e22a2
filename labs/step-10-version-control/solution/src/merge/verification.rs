//! The test that a merge has to pass.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::time::{Instant, timeout_at};

use crate::process::{Ending, Group, Task};

/// How much of the output is kept: its end, where the reason usually stands.
const KEPT: usize = 16 * 1024;
/// What a test may know of our environment. It is made of files that anybody may have pushed: passwords are not for it.
const KNOWN: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];
/// How long output may still come once the test has ended.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// How a test ended.
#[derive(Debug)]
pub enum Verdict {
    /// With exit code 0.
    Green,
    /// Otherwise, or not in time.
    Red {
        /// The end of what it wrote.
        output: String,
    },
}

/// Runs `test` in `checkout` for at most `limit`. Whatever it has started ends with it.
///
/// # Errors
/// It cannot be started.
pub async fn verify(test: &str, checkout: PathBuf, limit: Duration) -> io::Result<Verdict> {
    let deadline = Instant::now() + limit;
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new("sh");
    command.arg("-c").arg(test).current_dir(&checkout);
    command.env_clear().envs(KNOWN.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    // The command holds the pipe's other end. It has to be gone before the output can end, so it goes with this call.
    let group = Group::spawn(command, Ending::Killed)?;
    let reader = pipe::Receiver::from_owned_fd(reader.into())?;
    let mut output = Task::spawn(last_of(reader));
    let status = timeout_at(deadline, group.wait()).await;
    let text = match tokio::time::timeout(LAST_OUTPUT, output.result()).await {
        Ok(Some(text)) => text,
        _ => String::new(),
    };
    let Ok(status) = status else {
        return Ok(Verdict::Red { output: format!("{text}\nstopped after {} ms\n", limit.as_millis()) });
    };
    Ok(if status?.success() { Verdict::Green } else { Verdict::Red { output: text } })
}

/// Reads to the end and keeps the last of it.
async fn last_of(mut reader: pipe::Receiver) -> String {
    let mut kept = Vec::new();
    let mut piece = vec![0; KEPT];
    while let Ok(count @ 1..) = reader.read(&mut piece).await {
        kept.extend(&piece[..count]);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(test: &str, limit: u64) -> (Option<String>, Duration) {
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let verdict = verify(test, folder.path().to_owned(), Duration::from_millis(limit)).await.unwrap();
        let output = match verdict {
            Verdict::Green => None,
            Verdict::Red { output } => Some(output),
        };
        (output, began.elapsed())
    }

    #[tokio::test]
    async fn the_exit_code_decides_and_both_streams_are_kept() {
        assert_eq!(run("echo fine", 10_000).await.0, None);
        assert_eq!(run("echo out; echo err >&2; exit 3", 10_000).await.0.as_deref(), Some("out\nerr\n"));
    }

    #[tokio::test]
    async fn the_last_of_much_output_is_kept() {
        let output = run("seq 100000; exit 1", 10_000).await.0.unwrap();
        assert!(output.ends_with("\n99999\n100000\n") && output.len() == KEPT, "{}", output.len());
    }

    #[tokio::test]
    async fn what_does_not_end_is_ended_with_all_its_children() {
        let (output, took) = run("echo begun; sleep 60 & sleep 60", 300).await;
        assert!(output.unwrap().starts_with("begun\n"));
        assert!(took < Duration::from_secs(20), "{took:?}");
    }

    #[tokio::test]
    async fn what_a_test_leaves_behind_ends_with_it() {
        let (output, took) = run("sleep 60 &", 30_000).await;
        assert_eq!(output, None);
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}
