//! Notices a script that does not end, and ends it: while one runs, Redis serves nobody.
//!
//! After its `busy-reply-threshold` Redis answers everybody with BUSY, and its administrator may kill the script, unless it
//! has written: then nothing but the end of Redis itself helps (Redis documentation, "Redis programmability", "Script
//! kill"). A Redis that was started for grading is ended, and another takes its place; all that was in it is gone, and who
//! used it is asked again. One that somebody else runs is left alone, and counts as failed.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::instance::Instance;
use lab_check::service::Access;
use lab_check::{CheckResult, Failure};

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a command of the grader's is tried again while a script runs. Redis's usual threshold is 5 s.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a script that cannot be killed may go on: as long as Redis by itself lets one run before it calls it slow.
const LONGEST_SCRIPT: Duration = Duration::from_secs(5);
/// The same on a Redis that is not to be ended.
const LONGEST_ELSEWHERE: Duration = Duration::from_secs(10);
/// How long Redis may take to end.
const ENDING: Duration = Duration::from_secs(2);
/// How long it may take until an end that somebody else has met is noticed here.
const NOTICE: Duration = Duration::from_secs(2);

/// What is told of a Redis that had to be ended.
const ENDED: &str = "a script that had written did not end, so Redis was ended and started again";
/// What is told of one that should have been.
const STUCK: &str = "a script that has written does not end, and only the end of Redis would end it (SHUTDOWN NOSAVE): \
                     `cargo lab` ends no Redis that it has not started";
/// What is told of one that has ended by itself.
const BROKE: &str = "Redis has ended by itself and was started again";

/// Looks after the Redis of one run while it lives.
#[derive(Debug)]
pub(super) struct Watch {
    phase: watch::Receiver<Phase>,
    seen: Arc<Mutex<Seen>>,
    replaceable: bool,
    task: AbortHandle,
}

/// What a run has of Redis.
#[derive(Debug, Clone)]
enum Phase {
    Serving(Arc<Instance>),
    /// It has ended, and another is on its way.
    Ended,
    /// There is none any more. Why, if more is known than that it does not answer.
    Lost(Option<String>),
}

/// When what was seen last.
#[derive(Debug, Default)]
struct Seen {
    busy: Option<Instant>,
    /// A script that could not be killed took Redis with it.
    ended: Option<Instant>,
    /// Redis ended by itself.
    broke: Option<Instant>,
}

impl Watch {
    /// Begins to look after `instance`, which `access` leads to.
    pub fn start(access: Access, instance: Arc<Instance>) -> Self {
        let (sender, phase) = watch::channel(Phase::Serving(Arc::clone(&instance)));
        let seen = Arc::default();
        let replaceable = access.replacement.is_some();
        let keeper = Keeper { access, phase: sender, seen: Arc::clone(&seen), instance, unkillable: None };
        Self { phase, seen, replaceable, task: tokio::spawn(keeper.look()).abort_handle() }
    }

    /// The Redis that serves; waits while another is on its way.
    pub async fn instance(&self) -> CheckResult<Arc<Instance>> {
        let mut phase = self.phase.clone();
        let now = phase.wait_for(|phase| !matches!(phase, Phase::Ended)).await;
        match now.as_deref() {
            Ok(Phase::Serving(instance)) => Ok(Arc::clone(instance)),
            Ok(Phase::Lost(Some(why))) => Err(Failure::Ours(why.clone())),
            _ => Err(Failure::Ours("Redis no longer responds".into())),
        }
    }

    /// Whether another takes, or may soon take, the place of `instance`, which has just failed.
    pub async fn moves_on(&self, instance: &Arc<Instance>) -> bool {
        let mut phase = self.phase.clone();
        let other = phase.wait_for(|phase| !matches!(phase, Phase::Serving(now) if Arc::ptr_eq(now, instance)));
        let noticed = timeout(if self.replaceable { NOTICE } else { Duration::ZERO }, other).await;
        matches!(noticed.as_ref().map(Result::as_deref), Ok(Ok(Phase::Serving(_) | Phase::Ended)))
    }

    /// Ends when there is no Redis any more, and nothing is to be waited for.
    pub async fn given_up(&self) {
        let mut phase = self.phase.clone();
        // The sender goes with the task that looks, and with that all that could still change.
        let _ = phase.wait_for(|phase| matches!(phase, Phase::Lost(_))).await;
    }

    /// Why there is no Redis any more, if more is known than that it does not answer.
    pub fn lost(&self) -> Option<String> {
        match &*self.phase.borrow() {
            Phase::Lost(why) => why.clone(),
            _ => None,
        }
    }

    /// What has held everybody up after `moment`, if anything has.
    pub fn trouble_since(&self, moment: Instant) -> Option<&'static str> {
        let seen = lock(&self.seen);
        let after = |at: Option<Instant>| at.is_some_and(|at| at > moment);
        if after(seen.ended) {
            return Some(ENDED);
        }
        if after(seen.broke) {
            return Some(BROKE);
        }
        after(seen.busy).then_some("Redis was busy with a script that did not end, and was killed")
    }

    /// Whether a script took Redis with it after `moment`: that connections have failed since is nobody's fault but that of
    /// whoever ran it.
    pub fn was_ended_since(&self, moment: Instant) -> bool {
        lock(&self.seen).ended.is_some_and(|at| at > moment)
    }

    /// What whoever reads the result should know of it.
    pub fn notes(&self) -> Vec<String> {
        let seen = lock(&self.seen);
        let told = [(seen.ended, ENDED), (seen.broke, BROKE)];
        told.into_iter().filter_map(|(at, what)| at.map(|_| what.to_owned())).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task that looks.
struct Keeper {
    access: Access,
    phase: watch::Sender<Phase>,
    seen: Arc<Mutex<Seen>>,
    instance: Arc<Instance>,
    /// Since when a script has been running that cannot be killed.
    unkillable: Option<Instant>,
}

impl Keeper {
    async fn look(mut self) {
        loop {
            let mut admin = self.instance.server.admin.clone();
            let asked: RedisResult<()> = redis::cmd("PING").exec_async(&mut admin).await;
            let goes_on = match asked {
                Err(error) if is_busy(&error) => self.busy(&mut admin).await,
                Err(error) if is_gone(&error) => self.gone().await,
                served => {
                    // On a busy machine Redis may be too slow to say that the same script still runs.
                    if served.is_ok() {
                        self.unkillable = None;
                    }
                    sleep(PAUSE).await;
                    true
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// A script keeps everybody waiting. Tells whether there is a Redis to go on with.
    async fn busy(&mut self, admin: &mut MultiplexedConnection) -> bool {
        lock(&self.seen).busy = Some(Instant::now());
        if kill(admin).await {
            self.unkillable = None;
        } else {
            let longest = if self.access.replacement.is_some() { LONGEST_SCRIPT } else { LONGEST_ELSEWHERE };
            if self.unkillable.get_or_insert_with(Instant::now).elapsed() > longest {
                return self.end(admin).await;
            }
        }
        // What it left undone is answered at once, and the next look is to see whether it is over.
        continue_soon().await;
        true
    }

    /// Ends Redis, with the script that cannot be killed.
    async fn end(&mut self, admin: &mut MultiplexedConnection) -> bool {
        if self.access.replacement.is_none() {
            return self.lose(Some(STUCK.to_owned()));
        }
        self.note_end(true);
        self.phase.send_replace(Phase::Ended);
        // Its answer is the end of the connection. What does not end so, the runner ends.
        let shutdown = redis::cmd("SHUTDOWN").arg("NOSAVE").exec_async(admin).await;
        drop(shutdown);
        let deadline = Instant::now() + ENDING;
        while Instant::now() < deadline && !ping(admin).await.is_err_and(|error| is_gone(&error)) {
            continue_soon().await;
        }
        self.replace(ENDED).await
    }

    /// Redis has ended by itself, or by somebody else who shares it.
    async fn gone(&mut self) -> bool {
        if self.access.replacement.is_none() {
            return self.lose(None);
        }
        // Who shares it has met the same script, and was quicker.
        let by_script = self.unkillable.is_some();
        self.note_end(by_script);
        self.phase.send_replace(Phase::Ended);
        self.replace(if by_script { ENDED } else { BROKE }).await
    }

    async fn replace(&mut self, why: &str) -> bool {
        self.unkillable = None;
        let Some(replacement) = self.access.replacement.clone() else { return self.lose(None) };
        let next = async { Instance::connect(&replacement.get(why).await?, &self.access.run).await };
        match next.await {
            Ok(next) => {
                self.instance = Arc::new(next);
                self.phase.send_replace(Phase::Serving(Arc::clone(&self.instance)));
                true
            }
            Err(Failure::Ours(message)) => self.lose(Some(format!("{why}; there is no other: {message}"))),
            Err(_) => self.lose(None),
        }
    }

    fn note_end(&self, by_script: bool) {
        let mut seen = lock(&self.seen);
        *(if by_script { &mut seen.ended } else { &mut seen.broke }) = Some(Instant::now());
    }

    fn lose(&self, why: Option<String>) -> bool {
        self.phase.send_replace(Phase::Lost(why));
        false
    }
}

/// Kills whatever script or function runs, if it can be killed.
async fn kill(admin: &mut MultiplexedConnection) -> bool {
    let mut killable = true;
    // One of the two is refused: it is a script or a function that runs.
    for kind in ["SCRIPT", "FUNCTION"] {
        let asked: RedisResult<()> = redis::cmd(kind).arg("KILL").exec_async(admin).await;
        killable &= !asked.is_err_and(|error| error.code() == Some("UNKILLABLE"));
    }
    killable
}

async fn ping(admin: &mut MultiplexedConnection) -> RedisResult<()> {
    redis::cmd("PING").exec_async(admin).await
}

async fn continue_soon() {
    sleep(PAUSE / 10).await;
}

/// Whether Redis refuses because a script runs.
pub(super) fn is_busy(error: &RedisError) -> bool {
    error.code() == Some("BUSY")
}

/// Whether the connection has ended. One that is only silent has not.
fn is_gone(error: &RedisError) -> bool {
    (error.is_io_error() || error.is_connection_dropped()) && !error.is_timeout()
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work`, again and again while a script keeps Redis from it.
pub(super) async fn patiently<T, F: Future<Output = RedisResult<T>>>(work: impl Fn() -> F) -> RedisResult<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match work().await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => continue_soon().await,
            done => return done,
        }
    }
}
