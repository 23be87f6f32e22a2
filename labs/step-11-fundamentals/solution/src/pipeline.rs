//! A reader, workers and whoever takes what they make, each in a thread of its own.
//!
//! ```text
//!              ┌─▶ worker 1 ─┐
//! reader ──────┤             ├─▶ Pipeline::next
//!              └─▶ worker 2 ─┘
//! ```
//! Blocks of lines are dealt out in turn and their results are taken in turn, which keeps the order without a number or a
//! lock. Every channel has a bound: whoever is ahead waits, and memory does not grow with the input.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::error::Error;
use crate::input::Input;
use crate::lines::Splitter;

/// How much is read at once, in bytes: what a pipe holds.
const PIECE: usize = 64 << 10;
/// How many blocks, and how many results, may wait for each worker.
const WAITING: usize = 8;

/// How the input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All of it was read.
    Complete,
    /// SIGINT came before its end.
    Interrupted,
}

/// What becomes of the input's blocks, in their order.
#[derive(Debug)]
pub struct Pipeline<T> {
    results: Vec<Receiver<T>>,
    /// Whose turn it is.
    next: usize,
    reader: JoinHandle<Result<Ending, Error>>,
    workers: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static> Pipeline<T> {
    /// Has `jobs` workers do `work` on blocks of whole lines of `input`.
    pub fn start(input: Input, jobs: usize, work: impl Fn(&[u8]) -> T + Clone + Send + 'static) -> Self {
        let (mut blocks, mut results, mut workers) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..jobs {
            let (block_sender, block_receiver) = sync_channel::<Vec<u8>>(WAITING);
            let (result_sender, result_receiver) = sync_channel(WAITING);
            let work = work.clone();
            // A worker ends when there are no more blocks, or when nobody takes its results.
            workers.push(thread::spawn(move || {
                let _ = block_receiver.iter().try_for_each(|block| result_sender.send(work(&block)));
            }));
            blocks.push(block_sender);
            results.push(result_receiver);
        }
        let reader = thread::spawn(move || read(input, &blocks));
        Self { results, next: 0, reader, workers }
    }

    /// How the input ended, once there is nothing more to take.
    ///
    /// # Errors
    /// It could not be read to its end.
    ///
    /// # Panics
    /// A thread has panicked: what it would have made is missing.
    pub fn finish(self) -> Result<Ending, Error> {
        for worker in self.workers {
            worker.join().expect("a worker ends well");
        }
        self.reader.join().expect("the reader ends well")
    }
}

impl<T> Iterator for Pipeline<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        // If the one whose turn it is has nothing more, no block was dealt out after its last.
        let result = self.results[self.next].recv().ok()?;
        self.next = (self.next + 1) % self.results.len();
        Some(result)
    }
}

/// Reads `input`, and deals out its lines to `workers`. A last line without an end counts, unless it was interrupted.
fn read(mut input: Input, workers: &[SyncSender<Vec<u8>>]) -> Result<Ending, Error> {
    let mut turns = workers.iter().cycle();
    let mut deal = |block: Option<Vec<u8>>| match block {
        Some(block) => turns.next().is_some_and(|worker| worker.send(block).is_ok()),
        None => true,
    };
    let mut splitter = Splitter::default();
    let mut buffer = vec![0; PIECE];
    while let Some(count) = input.read(&mut buffer)? {
        if count == 0 {
            deal(splitter.finish());
            return Ok(Ending::Complete);
        }
        // Nobody takes results any more, and whoever stopped knows why.
        if !deal(splitter.push(&buffer[..count])) {
            return Ok(Ending::Complete);
        }
    }
    Ok(Ending::Interrupted)
}
