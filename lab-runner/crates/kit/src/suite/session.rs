//! One run of a suite: services, a first start of the server, the checks, and the cleaning up.

use std::collections::BTreeMap;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use super::attempt::fault_of_ours;
use super::channel::{self, Channel, Events};
use super::pulse::{self, Surroundings, Watch};
use super::{Drivers, fail, hold, panics, schedule};
use crate::check;
use crate::keepsake::Keepsake;
use crate::lab::{Lab, Shared};
use crate::launch::Exit;
use crate::services::Services;
use lab_check::{CheckResult, Failure};
use lab_protocol::{Event, ISOLATED};

/// Cleaning up may take a little while, but a dead service must not hold the run.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// How often the runner hears that the suite is at work.
const BEAT: Duration = Duration::from_secs(2);

/// How often the server's first start is tried, if the machine was too busy for it.
const FIRST_STARTS: u32 = 2;

/// Runs `session` on a runtime of its own.
pub(super) fn with_runtime<F: Future<Output = ExitCode>>(session: impl FnOnce() -> F) -> ExitCode {
    let isolated = std::env::args().nth(2).as_deref() == Some(ISOLATED);
    if isolated && let Err(error) = lab_sandbox::prepare_networks().and_then(|()| lab_sandbox::prepare_rooms()) {
        return fail(&format!("no networks and folders for servers: {error}"));
    }
    // A server may run as the same user. Where the system does not do it, nothing else is lost.
    let _ = lab_sandbox::keep_memory_private();
    // Servers that fork and lose their parent become our children, and so we can end them.
    lab_process::children_adopted();
    allow_many_connections();
    pulse::start();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(session());
            // A check that never lets go of its thread holds nobody.
            runtime.shutdown_background();
            code
        }
        Err(error) => fail(&format!("no runtime: {error}")),
    }
}

/// A burst takes four file descriptors for each connection of the server's, and some systems allow 256 unless asked.
fn allow_many_connections() {
    const ENOUGH: u64 = 8 * 1024;
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if limit.current.is_some_and(|current| current < ENOUGH) {
        limit.current = Some(limit.maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH)));
        let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
    }
}

/// Runs the checks that the configuration names.
pub(super) async fn run(drivers: Drivers) -> ExitCode {
    match channel::open().await {
        Ok(channel) => guarded(drivers, channel, checks).await,
        Err(error) => fail(&format!("no configuration on standard input: {error}")),
    }
}

/// Starts the server with its services and keeps it until the runner hangs up.
pub(super) async fn serve(drivers: Drivers) -> ExitCode {
    match channel::open().await {
        Ok(channel) => guarded(drivers, channel, keep).await,
        Err(error) => fail(&format!("no configuration on standard input: {error}")),
    }
}

/// Runs one check, and keeps its server and services as it left them until the runner hangs up.
pub(super) async fn hold(drivers: Drivers) -> ExitCode {
    match channel::open().await {
        Ok(channel) => guarded(drivers, channel, hold::hold).await,
        Err(error) => fail(&format!("no configuration on standard input: {error}")),
    }
}

/// Opens the services, does `work` unless the runner hangs up first, and removes what was made.
async fn guarded<F: Future<Output = ()>>(
    drivers: Drivers,
    channel: Channel,
    work: impl FnOnce(Arc<Shared>, Events) -> F,
) -> ExitCode {
    let Channel { config, clock, events, replacements, mut hangup, writer } = channel;
    if config.places {
        lab_check::place::name_places();
    }
    panics::record();
    pulse::count_continuing();
    let beat = tokio::spawn(beat(events.clone()));
    match Services::connect(drivers, &config, &replacements).await {
        Ok(services) => {
            let services = Arc::new(services);
            let keepsake = Arc::new(Keepsake::of(&config.target, &config.scratch));
            let shared = Arc::new(Shared {
                keepsake,
                config,
                clock,
                events: Some(events.clone()),
                container: None,
                services: Arc::clone(&services),
            });
            tokio::select! {
                () = work(shared, events.clone()) => {}
                () = hangup.wait() => {}
            }
            let _ = timeout(CLEAN_UP, services.close()).await;
        }
        Err(failure) => events.send(Event::InfrastructureFailed { message: message_of(failure) }),
    }
    lab_process::kill_descendants();
    beat.abort();
    let _ = beat.await;
    // The channel ends when every sender is gone: only then is everything written.
    drop((events, replacements, hangup));
    let _ = timeout(CLEAN_UP, writer).await;
    ExitCode::SUCCESS
}

/// Tells again and again that the suite is at work: a runner that hears nothing knows that it hangs.
async fn beat(events: Events) {
    loop {
        events.send(Event::Alive);
        tokio::time::sleep(BEAT).await;
    }
}

async fn checks(shared: Arc<Shared>, events: Events) {
    let plan = match check::planned(&shared.config.checks) {
        Ok(plan) => plan,
        Err(error) => return events.send(Event::InfrastructureFailed { message: error.to_string() }),
    };
    let took = match shared.config.readiness {
        Some(_) => first_start(&shared).await,
        // A program says only by what it does with a check's input whether it can do anything.
        None => Ok(Duration::ZERO),
    };
    let took = match took {
        Ok(took) => took,
        Err(event) => return events.send(event),
    };
    let ids = plan.iter().map(|check| check.id.to_owned()).collect();
    events.send(Event::SuiteStarted { services: shared.services.versions(), checks: ids });
    let jobs = jobs(shared.config.jobs, took, Duration::from_millis(shared.config.start_limit_ms));
    schedule::run(&shared, plan, jobs, &events).await;
    // Only who cleans up knows what was left behind. What cannot be removed now the next run tries.
    let _ = timeout(CLEAN_UP, shared.services.close()).await;
    shared.services.notes().into_iter().for_each(|text| events.send(Event::Note { text }));
    events.send(Event::SuiteFinished);
}

async fn keep(shared: Arc<Shared>, events: Events) {
    let lab = Lab::new(Arc::clone(&shared), "serve");
    match lab.start().await {
        Ok(mut app) => {
            events.send(Event::Serving { urls: urls(&lab, &app.address().to_string()).await });
            let (follower, mut lines) = unbounded_channel();
            lab.transcript().follow_log(follower);
            let log = async {
                while let Some(line) = lines.recv().await {
                    events.send(Event::ServerLog { line });
                }
            };
            tokio::select! {
                exit = app.ended() => events.send(Event::ServerEnded { exit: describe_end(exit) }),
                () = log => {}
            }
        }
        Err(failure) => events.send(start_event(failure, &lab)),
    }
    lab.release().await;
}

pub(super) fn describe_end(exit: CheckResult<Exit>) -> String {
    exit.map_or_else(message_of, |exit| exit.to_string())
}

async fn urls(lab: &Lab, address: &str) -> BTreeMap<String, String> {
    let mut urls = BTreeMap::from([("server".to_owned(), format!("http://{address}"))]);
    for (name, tenant) in lab.tenants().await.unwrap_or_default() {
        urls.insert(name.to_owned(), tenant.url().to_owned());
    }
    urls
}

/// How many checks run at once: at most `wanted`, and so many that all of them could start their server at the same time,
/// each as slowly as the first one in `took` by itself, in a quarter of the `limit`.
fn jobs(wanted: usize, took: Duration, limit: Duration) -> usize {
    let slow = took.max(Duration::from_millis(1)).as_millis();
    let fitting = usize::try_from(limit.as_millis() / 4 / slow).unwrap_or(usize::MAX);
    wanted.min(fitting).max(1)
}

/// A server that does not start at all would fail every check in the same way: better said once. Tells how long it took.
async fn first_start(shared: &Arc<Shared>) -> Result<Duration, Event> {
    let mut tries = FIRST_STARTS;
    let mut crowd = None;
    loop {
        tries -= 1;
        let (began, watch, losses) = (Instant::now(), Watch::begin(), shared.keepsake.losses());
        let lab = Arc::new(Lab::new(Arc::clone(shared), "first start"));
        let started = lab.start().await.map(|_| began.elapsed());
        let surroundings = watch.end().await;
        let started = match started {
            Ok(took) => Ok(took),
            Err(failure) => Err(match fault_of_ours(shared, &lab).await {
                Some(message) => (false, Event::InfrastructureFailed { message }),
                None => (is_by_time(&failure), start_event(failure, &lab)),
            }),
        };
        let short = lab.shortage().is_some();
        // Its database is dropped while the first checks run.
        tokio::spawn(async move { lab.release().await });
        let (by_time, event) = match started {
            Ok(took) => return Ok(took),
            Err(failed) => failed,
        };
        let failed = FailedStart { by_time, short, removed: shared.keepsake.losses() > losses, surroundings };
        match failed.next(tries, crowd.take()) {
            Next::Again => {}
            Next::WhenCalm => crowd = shared.services.until_calm().await,
            Next::Tell => return Err(event),
            Next::Blame(message) => return Err(Event::InfrastructureFailed { message }),
        }
    }
}

/// What is known of a first start that failed.
struct FailedStart {
    by_time: bool,
    /// Something was used up of a service that others use too.
    short: bool,
    /// A file of ours was removed, and put back.
    removed: bool,
    surroundings: Surroundings,
}

/// What is done about it.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// It is tried again: it may not have been the server.
    Again,
    /// The same, once what was used up is free again.
    WhenCalm,
    /// What was found is told.
    Tell,
    /// It is others' doing, as this says.
    Blame(String),
}

impl FailedStart {
    /// What to do with so many tries left, where `crowd` is what others still used up when this one began. It ran alone:
    /// only what slowed the whole machine down makes its lateness doubtful, and what ran short it has used up itself
    /// unless others had.
    fn next(&self, tries: u32, crowd: Option<String>) -> Next {
        match (tries, crowd) {
            (0, Some(crowd)) if self.short => Next::Blame(crowd),
            (0, _) => Next::Tell,
            _ if self.surroundings.paused || self.removed => Next::Again,
            _ if self.by_time && self.surroundings.is_busy() => Next::Again,
            _ if self.short => Next::WhenCalm,
            _ => Next::Tell,
        }
    }
}

fn is_by_time(failure: &Failure) -> bool {
    matches!(failure, Failure::Learner(explanation) if explanation.by_time)
}

fn start_event(failure: Failure, lab: &Lab) -> Event {
    match failure {
        Failure::Learner(explanation) => {
            let reason = match &explanation.actual {
                Some(actual) => format!("{}: {actual}", explanation.message),
                None => explanation.message.clone(),
            };
            Event::StartFailed { reason, log: lab.transcript().log_tail() }
        }
        Failure::Ours(message) | Failure::NotApplicable(message) => Event::InfrastructureFailed { message },
    }
}

pub(super) fn message_of(failure: Failure) -> String {
    match failure {
        Failure::Ours(message) | Failure::NotApplicable(message) => message,
        Failure::Learner(explanation) => explanation.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_a_server_starts_the_fewer_are_started_at_once() {
        let jobs = |took: u64| jobs(8, Duration::from_millis(took), Duration::from_secs(10));
        assert_eq!([jobs(0), jobs(100), jobs(500), jobs(1_200), jobs(9_000)], [8, 8, 5, 2, 1]);
    }

    fn failed() -> FailedStart {
        let surroundings = Surroundings { paused: false, stopped: false, used: Some(20) };
        FailedStart { by_time: false, short: false, removed: false, surroundings }
    }

    #[test]
    fn a_first_start_that_fails_is_the_servers_unless_the_machine_or_others_had_a_hand_in_it() {
        let busy = Surroundings { paused: false, stopped: false, used: Some(95) };
        assert_eq!(failed().next(1, None), Next::Tell);
        assert_eq!(FailedStart { by_time: true, ..failed() }.next(1, None), Next::Tell, "nobody else was at work");
        assert_eq!(FailedStart { surroundings: busy, ..failed() }.next(1, None), Next::Tell, "no clock was in it");
        assert_eq!(FailedStart { by_time: true, surroundings: busy, ..failed() }.next(1, None), Next::Again);
        let paused = Surroundings { paused: true, ..busy };
        assert_eq!(FailedStart { surroundings: paused, ..failed() }.next(1, None), Next::Again);
        assert_eq!(FailedStart { removed: true, ..failed() }.next(1, None), Next::Again);
        assert_eq!(FailedStart { removed: true, ..failed() }.next(0, None), Next::Tell, "it removes it every time");
    }

    #[test]
    fn a_first_start_that_runs_short_again_has_used_it_up_unless_others_had() {
        let short = || FailedStart { short: true, ..failed() };
        assert_eq!(short().next(1, None), Next::WhenCalm);
        assert_eq!(short().next(0, None), Next::Tell);
        assert_eq!(short().next(0, Some("others".into())), Next::Blame("others".into()));
        assert_eq!(failed().next(0, Some("others".into())), Next::Tell, "it did not run short");
    }
}
