//! The last lines a server wrote, from both of its streams.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::JoinHandle;

use crate::transcript::Transcript;

const MOST_LINES: usize = 1_000;
const LONGEST_LINE: usize = 4_096;

/// Where a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Error,
}

/// A server's log. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<VecDeque<(Stream, String)>>>);

impl Log {
    /// The lines kept, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.kept(|_| true)
    }

    /// Those of them that came from `stream`.
    pub fn lines_of(&self, stream: Stream) -> Vec<String> {
        self.kept(|from| from == stream)
    }

    fn kept(&self, wanted: impl Fn(Stream) -> bool) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|(from, _)| wanted(*from)).map(|(_, line)| line.clone()).collect()
    }

    /// Reads `stream` to its end in the background: a server must never block because nobody reads its log.
    pub fn follow(
        &self,
        from: Stream,
        stream: impl AsyncRead + Unpin + Send + 'static,
        transcript: Transcript,
    ) -> JoinHandle<()> {
        let log = self.clone();
        tokio::spawn(async move { log.read(from, stream, &transcript).await })
    }

    async fn read(&self, from: Stream, mut stream: impl AsyncRead + Unpin, transcript: &Transcript) {
        let mut chunk = vec![0; 8_192];
        let mut line = Vec::new();
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            for &byte in &chunk[..count] {
                if byte == b'\n' {
                    self.push(from, &line, transcript);
                    line.clear();
                } else if line.len() < LONGEST_LINE {
                    line.push(byte);
                }
            }
        }
        if !line.is_empty() {
            self.push(from, &line, transcript);
        }
    }

    fn push(&self, from: Stream, line: &[u8], transcript: &Transcript) {
        let line = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
        transcript.log(&line);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MOST_LINES {
            lines.pop_front();
        }
        lines.push_back((from, line));
    }
}
