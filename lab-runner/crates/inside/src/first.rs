//! The first process in a container. It is ours: the program can neither look into it nor end it, and nobody lives in the
//! container when it is gone.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};
use std::thread;

use rustix::process::{WaitOptions, wait};

use crate::container::DOOR;
use crate::messages::{Reply, Start};
use crate::{fail, platform};

/// What it exits with when the one outside is gone, as after a signal that cannot be caught.
const LEFT: u8 = 128 + 9;

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
            end_with(told);
            reply(&mut outside, &Reply::Started(std::process::id()))?;
            let asker = streams.into_iter().next().ok_or(io::ErrorKind::InvalidInput)?;
            make_sockets(&UnixStream::from(asker))
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
                    end_with(told);
                    reply(&mut outside, &Reply::Started(program.id()))?;
                    reply(&mut outside, &end_of(program.id())?)?;
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

/// Ends this process, and all with it, when the one outside is gone.
fn end_with(mut outside: BufReader<UnixStream>) {
    thread::spawn(move || {
        let mut line = String::new();
        while outside.read_line(&mut line).is_ok_and(|read| read > 0) {
            line.clear();
        }
        std::process::exit(LEFT.into());
    });
}

/// How `program` ends. Whoever loses its parent here becomes our child, and is let go of when it ends.
fn end_of(program: u32) -> io::Result<Reply> {
    loop {
        let Some((process, status)) = wait(WaitOptions::empty())? else { continue };
        if process.as_raw_nonzero().get().unsigned_abs() != program {
            continue;
        }
        if let Some(code) = status.exit_status() {
            return Ok(Reply::Exited(code));
        }
        if let Some(signal) = status.terminating_signal() {
            return Ok(Reply::Signalled(signal));
        }
    }
}

/// Makes a socket of this network for each byte that `asker` sends, until it is gone.
fn make_sockets(asker: &UnixStream) -> io::Result<ExitCode> {
    while !lab_sandbox::receive_handles(asker, 1)?.0.is_empty() {
        let made = lab_sandbox::socket();
        let handles: Vec<_> = made.iter().map(|socket| socket.as_fd()).collect();
        lab_sandbox::send_handles(asker, &[0], &handles)?;
    }
    Ok(ExitCode::SUCCESS)
}
