//! The last lines a server wrote, from both of its streams.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::JoinHandle;

use lab_check::transcript::{Mark, Transcript};

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
pub(super) struct Log {
    lines: Arc<Mutex<VecDeque<(Stream, String)>>>,
    end_is_told: Arc<AtomicBool>,
}

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
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|(from, _)| wanted(*from)).map(|(_, line)| line.clone()).collect()
    }

    /// Reads both streams to their end in the background: a server must never block because nobody reads its log.
    pub fn follow(
        &self,
        output: impl AsyncRead + Unpin + Send + 'static,
        error: impl AsyncRead + Unpin + Send + 'static,
        transcript: Transcript,
        port: u16,
    ) -> JoinHandle<()> {
        let log = self.clone();
        let streams = (Lines::new(Stream::Output, output), Lines::new(Stream::Error, error));
        tokio::spawn(async move {
            log.read(streams, &transcript, port).await;
            // Nobody has the other end any more.
            log.tell_end(&transcript, port);
        })
    }

    /// Records that the server on `port` has ended, unless that was recorded before.
    pub fn tell_end(&self, transcript: &Transcript, port: u16) {
        if !self.end_is_told.swap(true, Ordering::Relaxed) {
            transcript.mark(format!("the server on port {port} has ended"), Mark::Ended { port });
        }
    }

    /// Standard output first: whenever there is something on standard error, what was written to standard output before
    /// it can be read already. So a panic stands below what led to it.
    async fn read(
        &self,
        (mut output, mut error): (Lines<impl AsyncRead + Unpin>, Lines<impl AsyncRead + Unpin>),
        transcript: &Transcript,
        port: u16,
    ) {
        loop {
            tokio::select! {
                biased;
                count = output.read(), if !output.ended => output.split(count, |from, line| self.push(from, line, transcript, port)),
                count = error.read(), if !error.ended => error.split(count, |from, line| self.push(from, line, transcript, port)),
                else => return,
            }
        }
    }

    fn push(&self, from: Stream, line: &[u8], transcript: &Transcript, port: u16) {
        let line = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
        transcript.log_of(port, &line);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MOST_LINES {
            lines.pop_front();
        }
        lines.push_back((from, line));
    }
}

/// One stream, cut into lines.
struct Lines<S> {
    from: Stream,
    stream: S,
    chunk: Vec<u8>,
    line: Vec<u8>,
    ended: bool,
}

impl<S: AsyncRead + Unpin> Lines<S> {
    fn new(from: Stream, stream: S) -> Self {
        Self { from, stream, chunk: vec![0; 8_192], line: Vec::new(), ended: false }
    }

    /// How many bytes came; none at the end.
    async fn read(&mut self) -> usize {
        self.stream.read(&mut self.chunk).await.unwrap_or_default()
    }

    /// Hands out the lines that the last `count` bytes complete; at the end also what no line feed followed.
    fn split(&mut self, count: usize, mut push: impl FnMut(Stream, &[u8])) {
        self.ended = count == 0;
        for &byte in &self.chunk[..count] {
            if byte == b'\n' {
                push(self.from, &self.line);
                self.line.clear();
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(byte);
            }
        }
        if self.ended && !self.line.is_empty() {
            push(self.from, &self.line);
        }
    }
}
