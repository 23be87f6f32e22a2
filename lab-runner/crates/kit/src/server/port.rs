//! Free ports for servers, outside the range from which the system takes ports for outgoing connections.
//!
//! Runs side by side must never be given the same port: the one whose server binds too late would find the other's
//! server ready, and grade that. So each run holds blocks of ports. A block is held by its mark, a UDP port on which
//! nothing is ever sent: only one process can bind it, and the system lets go of it however that process ends.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

use lab_check::{CheckResult, Failure};

/// Below Linux's and macOS's ephemeral ranges: a burst of connections cannot take a port between our look and
/// the server's bind.
const FIRST: u16 = 20_000;
/// How many ports a block has.
const BLOCK: u16 = 100;
/// How many blocks there are: up to port 31,999.
const BLOCKS: u16 = 120;
/// The UDP port that marks the first block; the others' follow.
const FIRST_MARK: u16 = 19_800;
/// A run that has so many blocks gives the ports of servers that have ended once more.
const MOST_BLOCKS: usize = 10;

/// Held by whoever looks at a port and by whoever starts a program.
static STARTING: Mutex<()> = Mutex::new(());

static PORTS: Mutex<Ports> = Mutex::new(Ports { blocks: Vec::new(), given: 0 });

/// A port that was free a moment ago, and that no other run and no other check of this run is given.
pub(crate) fn free() -> CheckResult<u16> {
    let mut ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    ports.free().ok_or_else(|| Failure::Ours("no free port between 20000 and 32000".into()))
}

/// Whether somebody could listen on `port` now.
pub(super) fn is_free(port: u16) -> bool {
    let _nobody_starts = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Starts a program by `start` while nobody looks at a port. Until the child has become its program it holds copies of
/// all our sockets: on a busy machine the socket that tried a port would live on in it for longer than in us, and the
/// server that was given the port could not have it.
pub(crate) fn apart_from_looks<T>(start: impl FnOnce() -> T) -> T {
    let _nobody_looks = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    start()
}

/// The ports of one run.
struct Ports {
    blocks: Vec<Block>,
    /// How many of the blocks' ports were given since they were begun from the start.
    given: usize,
}

struct Block {
    first: u16,
    _mark: UdpSocket,
}

impl Ports {
    fn free(&mut self) -> Option<u16> {
        let all = MOST_BLOCKS * usize::from(BLOCK);
        (0..2 * all).map_while(|_| self.next()).find(|port| is_free(*port))
    }

    fn next(&mut self) -> Option<u16> {
        let size = usize::from(BLOCK);
        if self.given == self.blocks.len() * size {
            let more = (self.blocks.len() < MOST_BLOCKS).then(|| (0..BLOCKS).find_map(Block::take)).flatten();
            match more {
                Some(block) => self.blocks.push(block),
                None => self.given = 0,
            }
        }
        let block = self.blocks.get(self.given / size)?;
        let port = block.first + (self.given % size) as u16;
        self.given += 1;
        Some(port)
    }
}

impl Block {
    /// The block with this number, unless somebody has it.
    fn take(number: u16) -> Option<Self> {
        let mark = UdpSocket::bind((Ipv4Addr::LOCALHOST, FIRST_MARK + number)).ok()?;
        Some(Self { first: FIRST + number * BLOCK, _mark: mark })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn two_runs_are_never_given_the_same_port() {
        let run = || Ports { blocks: Vec::new(), given: 0 };
        let (mut one, mut other) = (run(), run());
        let mut take = |_| [one.next().unwrap(), other.next().unwrap()];
        let given: BTreeSet<u16> = (0..250).flat_map(&mut take).collect();
        assert_eq!(given.len(), 500);
        assert!(given.iter().all(|port| (FIRST..FIRST + BLOCKS * BLOCK).contains(port)));
    }

    #[test]
    fn a_port_that_was_looked_at_stays_free_however_many_programs_are_started() {
        let port = Ports { blocks: Vec::new(), given: 0 }.free().unwrap();
        let starts = std::thread::spawn(|| {
            for _ in 0..300 {
                let mut program = std::process::Command::new("true");
                lab_process::die_with_parent(&mut program, lab_process::Signal::KILL);
                let mut child = apart_from_looks(|| program.spawn()).unwrap();
                child.wait().unwrap();
            }
        });
        while !starts.is_finished() {
            assert!(is_free(port));
        }
        starts.join().unwrap();
    }

    #[test]
    fn a_run_with_all_its_blocks_begins_again() {
        let mut run = Ports { blocks: Vec::new(), given: 0 };
        let ports: Vec<u16> = (0..MOST_BLOCKS * usize::from(BLOCK)).map(|_| run.next().unwrap()).collect();
        assert_eq!(run.next(), ports.first().copied());
    }
}
