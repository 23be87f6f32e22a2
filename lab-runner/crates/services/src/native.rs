//! Private throw-away instances of programs: those found on this machine, and those that were downloaded.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::time::Duration;

use lab_files::copy_folder;

use crate::cache::Cache;
use crate::connection::{ProbeReply, free_ports, probe};
use crate::error::ProviderError;
use crate::instance::{Instance, StartError};
use crate::program::{Launch, Preparation, Prepared, Program, ServiceProgram};
use crate::progress::ProgressSender;
use crate::provider::{Endpoint, Provided, Provider};
use crate::registry::ServiceId;
use crate::search;
use crate::slot::{self, Slot, SweepReport, SweepScope};
use crate::url::Address;

/// A port may be taken between its choice and its use.
const ATTEMPTS: usize = 5;
/// A server that accepts a connection while it starts may take a moment to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts `service` from its program on this machine.
pub(crate) fn start(service: ServiceId, progress: &ProgressSender) -> Result<Provided, ProviderError> {
    let program = search::find(service)?;
    run(&program, service, Provider::Native, &Cache::locate()?, progress)
}

/// Starts a private instance of `program`.
pub(crate) fn run(
    program: &Program,
    service: ServiceId,
    provider: Provider,
    cache: &Cache,
    progress: &ProgressSender,
) -> Result<Provided, ProviderError> {
    let runner = search::of(service)?;
    let prepared = runner.prepare(&Preparation { program, cache, progress })?;
    let insist = runner.stop_signals().insist;
    let mut slot = fill(acquire(service, &prepared, cache)?, runner, &prepared, cache)?;
    let account = cache.account();
    for _ in 0..ATTEMPTS {
        let ports = free_ports(1 + runner.extra_ports()).map_err(|error| ProviderError::io("find a port", &error))?;
        let folder = slot.data();
        let launch = Launch { program, folder: &folder, ports: &ports, password: &prepared.password, account };
        let command = match runner.command(&launch) {
            Ok(command) => command,
            Err(error) => {
                let _ = slot.remove(insist);
                return Err(error);
            }
        };
        let elsewhere = runner.files_elsewhere(&ports);
        if !elsewhere.is_empty() {
            // What could not be noted would only stay behind.
            let _ = slot.note_elsewhere(&elsewhere);
        }
        let instance = Instance::spawn(command, slot, account, runner).map_err(|(slot, error)| {
            let _ = slot.remove(insist);
            error
        })?;
        let address = Address::local(launch.port());
        let password = prepared.password.expose();
        let is_ready = || {
            runner.may_be_ready(&launch)
                && matches!(probe(service, &address, Some(password), ANSWER_TIMEOUT), Ok(ProbeReply::Expected))
        };
        match instance.wait_until(runner.start_timeout(), is_ready) {
            Ok(()) => {
                let url = service.description().url.administrator_url(&address, Some(password));
                let endpoint =
                    Endpoint { url, provider, version: Some(program.name()), program: Some(program.path.clone()) };
                return Ok(Provided { endpoint, instance: Some(instance), lease: None });
            }
            Err(StartError::PortTaken) => slot = instance.stop_for_retry(),
            Err(error) => {
                instance.stop();
                return Err(error.of(&program.name()));
            }
        }
    }
    let _ = slot.remove(insist);
    Err(StartError::PortTaken.of(&program.name()))
}

fn acquire(service: ServiceId, prepared: &Prepared, cache: &Cache) -> Result<Slot, ProviderError> {
    let mut name = service.id().to_owned();
    if !prepared.variant.is_empty() {
        name = format!("{name}-{}", prepared.variant);
    }
    Slot::acquire(&cache.instances()?, &name, cache.account().passage())
        .map_err(|error| ProviderError::io(format_args!("make a folder for {service}"), &error))
}

/// Uses what the last run has left in order, or makes the data anew.
fn fill(slot: Slot, runner: &dyn ServiceProgram, prepared: &Prepared, cache: &Cache) -> Result<Slot, ProviderError> {
    if slot.take_clean() {
        return Ok(slot);
    }
    let (data, account) = (slot.data(), cache.account());
    let make = || -> io::Result<()> {
        slot.clear(runner.stop_signals().insist)?;
        match &prepared.template {
            Some(template) => copy_folder(template, &data, &mut |original, copy| {
                if copy.is_dir() {
                    fs::set_permissions(copy, fs::metadata(original)?.permissions())?;
                }
                account.own(copy)
            }),
            None => DirBuilder::new().mode(0o700).create(&data).and_then(|()| account.own(&data)),
        }
    };
    match make() {
        Ok(()) => Ok(slot),
        Err(error) => {
            let _ = slot.remove(runner.stop_signals().insist);
            Err(ProviderError::io("make the data folder of a private instance", &error))
        }
    }
}

/// Clears away what killed runs have left of `service`. What cannot be cleared now can be the next time.
pub(crate) fn sweep_stale(service: ServiceId) {
    let Ok(cache) = Cache::locate() else { return };
    let _ = sweep(service, &cache, SweepScope::Stale);
}

/// Removes the instances of `service` that `scope` names, wherever instances may have been made.
pub(crate) fn sweep(service: ServiceId, cache: &Cache, scope: SweepScope) -> Result<SweepReport, ProviderError> {
    let mut total = SweepReport::default();
    let Some(runner) = service.definition().program() else { return Ok(total) };
    for folder in cache.instance_folders() {
        // An id holds no hyphen, so that no service's prefix begins another's.
        let swept = slot::sweep(&folder, &format!("{}-", service.id()), scope, runner.stop_signals().insist)
            .map_err(|error| ProviderError::io(format_args!("clear {}", folder.display()), &error))?;
        total.folders += swept.folders;
        total.servers += swept.servers;
        total.in_use += swept.in_use;
    }
    Ok(total)
}
