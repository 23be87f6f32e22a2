//! The first process in a container. It is ours: the program can neither look into it nor end it, and nobody lives in the
//! container when it is gone. It has one thread, so that the program finds nothing in its namespace but one number that takes
//! no signal.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};
use std::time::Duration;

use rustix::process::{WaitOptions, wait};

use crate::container::DOOR;
use crate::messages::{Reply, Start};
use crate::{fail, platform};

/// What it exits with when the one outside is gone, as after a signal that cannot be caught.
const LEFT: u8 = 128 + 9;
/// How long those may wait to be let go of whose parent has ended before them.
const REAPING: Duration = Duration::from_millis(200);

/// Does what it is told by the one outside.
pub(crate) fn run() -> ExitCode {
    match inside() {
        Ok(code) => code,
        Err(error) => fail(&error.to_string()),
    }
}

fn inside() -> io::Result<ExitCode> {
    platform::keep_to_oneself()?;
    let mut outside = UnixStream::connect(DOOR)?;
    // The streams come with the first byte, which is nothing else.
    let (_, streams) = lab_sandbox::receive_handles(&outside, 1)?;
    let mut told = BufReader::new(outside.try_clone()?);
    let mut line = String::new();
    told.read_line(&mut line)?;
    let start = serde_json::from_str(&line)?;
    match start {
        Start::Sockets => {
            reply(&mut outside, &Reply::Started(std::process::id()))?;
            let asker = streams.into_iter().next().ok_or(io::ErrorKind::InvalidInput)?;
            make_sockets(&UnixStream::from(asker), &outside)
        }
        Start::Program { argv, environment, folder, limits } => {
            let mut argv = argv.into_iter().map(OsString::from_vec);
            let mut command = Command::new(argv.next().unwrap_or_default());
            command.args(argv).env_clear().current_dir(folder);
            command.envs(
                environment.into_iter().map(|(name, value)| (OsString::from_vec(name), OsString::from_vec(value))),
            );
            give(&mut command, streams)?;
            platform::shut_in(&mut command, limits)?;
            let started = command.spawn();
            // Its streams end with it, and not with us.
            drop(command);
            match started {
                Err(error) => {
                    reply(&mut outside, &Reply::Failed(error.to_string()))?;
                    Ok(ExitCode::FAILURE)
                }
                Ok(program) => {
                    reply(&mut outside, &Reply::Started(program.id()))?;
                    let Some(end) = end_of(program.id(), &outside)? else { return Ok(ExitCode::from(LEFT)) };
                    reply(&mut outside, &end)?;
                    Ok(ExitCode::SUCCESS)
                }
            }
        }
    }
}

fn give(command: &mut Command, streams: Vec<OwnedFd>) -> io::Result<()> {
    let [input, output, errors] = <[OwnedFd; 3]>::try_from(streams).map_err(|_| io::ErrorKind::InvalidInput)?;
    command.stdin(input).stdout(output).stderr(errors);
    Ok(())
}

fn reply(outside: &mut UnixStream, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    outside.write_all(&line)
}

/// Whether the one outside is gone: it says nothing any more until then.
fn is_gone(outside: &UnixStream) -> bool {
    !matches!(lab_sandbox::receive_handles(outside, 1), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// How `program` ends; nothing if the one outside is gone before. Whoever loses its parent here becomes our child, and is let
/// go of when it ends.
fn end_of(program: u32, outside: &UnixStream) -> io::Result<Option<Reply>> {
    outside.set_nonblocking(true)?;
    let ended = platform::watch(program)?;
    loop {
        if let Some(reply) = reaped(program)? {
            outside.set_nonblocking(false)?;
            return Ok(Some(reply));
        }
        if is_gone(outside) {
            return Ok(None);
        }
        platform::until_either(outside.as_fd(), ended.as_fd(), REAPING)?;
    }
}

/// Lets go of those that have ended; tells how `program` has, if it is among them.
fn reaped(program: u32) -> io::Result<Option<Reply>> {
    let mut reply = None;
    while let Some((process, status)) = wait(WaitOptions::NOHANG).or_else(nobody)? {
        if process.as_raw_nonzero().get().unsigned_abs() == program {
            let code = status.exit_status().map(Reply::Exited);
            reply = code.or_else(|| status.terminating_signal().map(Reply::Signalled));
        }
    }
    Ok(reply)
}

fn nobody<T>(error: rustix::io::Errno) -> Result<Option<T>, rustix::io::Errno> {
    if error == rustix::io::Errno::CHILD { Ok(None) } else { Err(error) }
}

/// Makes a socket of this network for each byte that `asker` sends, until it or the one outside is gone.
fn make_sockets(asker: &UnixStream, outside: &UnixStream) -> io::Result<ExitCode> {
    outside.set_nonblocking(true)?;
    asker.set_nonblocking(true)?;
    while !is_gone(outside) {
        match lab_sandbox::receive_handles(asker, 1) {
            Ok((asked, _)) if asked.is_empty() => break,
            Ok(_) => {
                let made = lab_sandbox::socket();
                let handles: Vec<_> = made.iter().map(|socket| socket.as_fd()).collect();
                lab_sandbox::send_handles(asker, &[0], &handles)?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                platform::until_either(outside.as_fd(), asker.as_fd(), REAPING)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(ExitCode::SUCCESS)
}
