//! A private Redis or Valkey.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;
use std::time::Duration;

use lab_process::Signal;

use super::super::account::Account;
use super::super::cache::Cache;
use super::super::chain::Found;
use super::super::instance::{Instance, StopSignals, Trouble, scrub, secret};
use super::super::probe::{self, Answer};
use super::super::problem::Problem;
use super::super::slot::Slot;
use super::super::{Provider, Service};
use super::find::Program;

/// It has nothing to save, and SIGTERM waits for its next tick: up to 100 ms.
pub(super) const STOP: StopSignals = StopSignals { ask: Signal::KILL, insist: Signal::KILL };
/// Generous: a start takes 15 to 40 ms.
const START: Duration = Duration::from_secs(20);
/// A port may be taken between its choice and its use.
const TRIES: usize = 5;

pub(super) fn start(program: &Program, provider: Provider, cache: &Cache) -> Result<Found, Problem> {
    let root = cache.instances()?;
    let account = cache.account();
    let failed = |error: io::Error| Problem::io("make a folder for Redis", &error);
    let mut slot = Slot::acquire(&root, "redis", account.passage()).map_err(failed)?;
    let password = secret();
    for _ in 0..TRIES {
        slot.clear(STOP.insist).map_err(failed)?;
        account.own(slot.folder()).map_err(failed)?;
        let port = probe::free_port().map_err(|error| Problem::io("find a free port", &error))?;
        write_settings(&slot, port, &password, account).map_err(failed)?;
        let mut command = Command::new(&program.path);
        scrub(&mut command);
        command.arg("redis.conf");
        let instance = Instance::spawn(command, slot, account, STOP, |_| false).map_err(|(slot, problem)| {
            let _ = slot.remove(STOP.insist);
            problem
        })?;
        match instance.wait_until(START, || is_ready(port, &password)) {
            Ok(()) => {
                let url = format!("redis://:{password}@127.0.0.1:{port}/");
                let service = Service { url, provider, version: Some(program.name.clone()) };
                return Ok(Found { service, instance: Some(instance), lease: None });
            }
            Err(Trouble::PortTaken) => slot = instance.stop_for_retry(),
            Err(trouble) => {
                instance.stop();
                return Err(trouble.explain(&program.name));
            }
        }
    }
    let _ = slot.remove(STOP.insist);
    Err(Trouble::PortTaken.explain(&program.name))
}

/// In a file, not in arguments: those are everybody's to read.
fn write_settings(slot: &Slot, port: u16, password: &str, account: Account) -> io::Result<()> {
    let file = slot.folder().join("redis.conf");
    let settings = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndatabases 1024\nsave \"\"\nappendonly no\n\
         daemonize no\nmaxclients 10000\ntcp-backlog 511\n"
    );
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?.write_all(settings.as_bytes())?;
    account.own(&file)
}

fn is_ready(port: u16, password: &str) -> bool {
    matches!(probe::redis("127.0.0.1", port, Some(password), Duration::from_secs(5)), Ok(Answer::Expected))
}
