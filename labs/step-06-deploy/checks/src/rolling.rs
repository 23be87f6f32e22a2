//! Task 5: a release that nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lab_kit::Balancer;
use lab_kit::prelude::*;

use tokio::time::{sleep, timeout};

use crate::support::SOON;

/// How many clients send one request after the other.
const CLIENTS: usize = 8;
/// How long the balancer asks an instance nothing that is told to end.
const UNASKED: Duration = Duration::from_secs(1);

/// A release replaces one instance after the other. Between "send me nothing more" and the moment everybody complies,
/// requests still arrive (Kubernetes documentation, Performing a Rolling Update, and Termination of Pods).
#[check(title = "two instances are replaced under load, and no request fails", task = 5, points = 5, limit = 150,
        hints = ["The load balancer asks `/readyz` now and then. What happens to a request in between if the listener closes at once?",
                 "First make `/readyz` 503, then wait DRAIN_DELAY_MS while everything is still answered, and only then stop accepting."])]
async fn rolling_restart(lab: &Lab) -> CheckResult {
    // Of this the balancer sleeps through a part. The rest is for a busy machine, to ask `/readyz` once more.
    let start = || lab.server().env("DRAIN_DELAY_MS", "2500").start();
    let mut instances = [start().await?, start().await?];
    let balancer = Arc::new(lab.balancer("/readyz").await?);
    for instance in &instances {
        balancer.add(instance);
    }
    balancer.until_ready(2, SOON).await?;
    let load = Load::begin(&balancer);
    for instance in &mut instances {
        load.flows().await;
        let fresh = start().await?;
        balancer.add(&fresh);
        balancer.until_ready(3, SOON).await?;
        balancer.until_asked(instance, SOON).await?;
        // It knows no better until clients have come to an instance that knows that it is to go: by chance they might not.
        balancer.stop_asking(instance);
        instance.terminate()?;
        let _ = timeout(UNASKED, async {
            until_unready(instance).await;
            load.flows().await;
        })
        .await;
        balancer.ask_again(instance);
        let exit = instance.exited(SOON).await?;
        balancer.remove(instance);
        expect_equal("the exit code of the instance that was replaced", &exit.code, &Some(0))?;
        *instance = fresh;
    }
    load.flows().await;
    load.end(&balancer).await
}

/// Waits until the instance says of itself that it is not ready, or says nothing any more.
async fn until_unready(instance: &App) {
    while instance.get("/readyz").await.is_ok_and(|answer| answer.status() == 200) {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Clients that send requests until they are told to stop, or one fails.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<CheckResult>>,
}

impl Load {
    fn begin(balancer: &Arc<Balancer>) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = || {
            let (balancer, stop, answered) = (Arc::clone(balancer), Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    balancer.get("/events").await?.expect_status(200)?;
                    answered.fetch_add(1, Ordering::Relaxed);
                    // A break, so that the instances are busy and not overwhelmed.
                    sleep(Duration::from_millis(3)).await;
                }
                Ok(())
            })
        };
        let clients = (0..CLIENTS).map(|_| client()).collect();
        Self { stop, answered, clients }
    }

    /// Waits until more requests were answered than are in flight at once, or a client has ended because one was not: each
    /// has its own time limit.
    async fn flows(&self) {
        let enough = self.answered.load(Ordering::Relaxed) + 2 * CLIENTS;
        let ended = || self.clients.iter().any(tokio::task::JoinHandle::is_finished);
        while !ended() && self.answered.load(Ordering::Relaxed) < enough {
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn end(self, balancer: &Balancer) -> CheckResult {
        self.stop.store(true, Ordering::Relaxed);
        let mut outcomes = Vec::new();
        for client in self.clients {
            outcomes.push(client.await.ours("waiting for a client")?);
        }
        let failures = balancer.failures();
        let story = if failures.is_empty() {
            "one after the other, both instances were replaced by fresh ones".to_owned()
        } else {
            format!("while the instances were replaced: {}", failures.join("; "))
        };
        outcomes.into_iter().collect::<CheckResult<()>>().because(&story)
    }
}
