//! What a program writes: kept whole up to a bound, and told in the transcript as it comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use lab_check::transcript::Transcript;

/// The most that is kept of one stream, in bytes: more than any check asks for.
const MOST: usize = 128 << 20;
/// The most of a run's output that its transcript holds, in bytes.
const MOST_TOLD: usize = 2_048;
/// The longest line of standard error that is told as one, in bytes.
const LONGEST_LINE: usize = 4_096;
/// How many lines of standard error are told of one run.
const MOST_LINES: usize = 200;

/// What one stream has brought so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Output(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    total: usize,
}

impl Output {
    /// Everything so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// How many bytes came so far.
    pub fn total(&self) -> usize {
        self.lock().total
    }

    /// Whether more came than is kept.
    pub fn is_cut(&self) -> bool {
        let kept = self.lock();
        kept.total > kept.bytes.len()
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.lock();
        let room = MOST.saturating_sub(kept.bytes.len());
        kept.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        kept.total += bytes.len();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads standard output of the run `run` to its end.
    pub async fn follow(self, mut stream: impl AsyncRead + Unpin, transcript: Transcript, run: u64) {
        let mut chunk = vec![0; 64 << 10];
        let mut told = 0;
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            self.push(&chunk[..count]);
            let telling = count.min(MOST_TOLD - told);
            if telling > 0 {
                transcript.received(run, &chunk[..telling]);
                told += telling;
            }
        }
        let left_out = self.total() - told;
        if left_out > 0 {
            transcript.received(run, format!("… ({left_out} bytes more)").as_bytes());
        }
    }

    /// Reads standard error to its end, and tells its lines.
    pub async fn follow_lines(self, mut stream: impl AsyncRead + Unpin, transcript: Transcript) {
        let mut chunk = vec![0; 8 << 10];
        let (mut line, mut told) = (Vec::new(), 0);
        let mut tell = |line: &mut Vec<u8>| {
            if told < MOST_LINES {
                transcript.log(String::from_utf8_lossy(line).trim_end_matches('\r'));
            }
            told += 1;
            line.clear();
        };
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            self.push(&chunk[..count]);
            for &byte in &chunk[..count] {
                if byte == b'\n' {
                    tell(&mut line);
                } else if line.len() < LONGEST_LINE {
                    line.push(byte);
                }
            }
        }
        if !line.is_empty() {
            tell(&mut line);
        }
    }
}
