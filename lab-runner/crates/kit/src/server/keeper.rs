//! Keeps the servers that a check lets go, so that they can be looked at as the check left them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::app::Launched;
use super::process::LaunchSpec;

/// Holds servers that their check has let go. They end with the last clone of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keeper(Arc<Mutex<Kept>>);

/// The keeper as its servers know it: they do not keep it alive.
#[derive(Debug, Clone, Default)]
pub(super) struct KeeperRef(Weak<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    standing: Vec<(SocketAddr, Box<Launched>)>,
    /// How the server was started last, and on which port.
    last: Option<(LaunchSpec, u16)>,
}

impl Keeper {
    pub(super) fn downgrade(&self) -> KeeperRef {
        KeeperRef(Arc::downgrade(&self.0))
    }

    /// The servers that still run, in the order in which they were started.
    pub(super) fn take_standing(&self) -> Vec<(SocketAddr, Box<Launched>)> {
        let mut standing = std::mem::take(&mut lock(&self.0).standing);
        standing.retain_mut(|(_, launched)| launched.is_running());
        standing.sort_by_key(|(_, launched)| launched.started());
        standing
    }

    /// How the server was started last, and on which port, if it ever was.
    pub(super) fn last(&self) -> Option<(LaunchSpec, u16)> {
        lock(&self.0).last.clone()
    }
}

impl KeeperRef {
    /// Takes a server that its check lets go, if there is a keeper and the server still runs.
    pub(super) fn keep(&self, address: SocketAddr, mut launched: Box<Launched>) {
        if let Some(kept) = self.0.upgrade()
            && launched.is_running()
        {
            lock(&kept).standing.push((address, launched));
        }
    }

    /// A server is about to be started: those that were let go before were meant to end.
    pub(super) fn starting(&self, spec: &LaunchSpec, port: u16) {
        if let Some(kept) = self.0.upgrade() {
            let ending = {
                let mut kept = lock(&kept);
                kept.last = Some((spec.clone(), port));
                std::mem::take(&mut kept.standing)
            };
            drop(ending);
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
