//! Children with children of their own, all of which end with the request that wanted them.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a child that is told to end may tidy up.
const GRACE: Duration = Duration::from_secs(2);

/// How the children of a group are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// They are told, and have a moment. Git removes the objects of an unfinished push then.
    Told,
    /// At once.
    Killed,
}

/// A child and whatever it starts, in a process group of their own. When this is dropped, nothing of it goes on.
#[derive(Debug)]
pub struct Group {
    child: Option<Child>,
    id: Option<Pid>,
    ending: Ending,
}

impl Group {
    /// Starts `command`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(mut command: Command, ending: Ending) -> io::Result<Self> {
        command.process_group(0);
        let child = tokio::process::Command::from(command).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child: Some(child), id, ending })
    }

    /// The child, whose streams may be taken.
    pub fn child(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    /// Waits until the child has ended, and ends what it has left behind.
    ///
    /// # Errors
    /// The system does not tell.
    pub async fn wait(mut self) -> io::Result<ExitStatus> {
        let Some(child) = self.child.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let status = child.wait().await?;
        self.child = None;
        self.signal(Signal::KILL);
        Ok(status)
    }

    fn signal(&self, signal: Signal) {
        // Whoever has ended already needs no signal.
        if let Some(id) = self.id {
            let _ = kill_process_group(id, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        self.signal(if self.ending == Ending::Told { Signal::TERM } else { Signal::KILL });
        let Some(id) = self.id else { return };
        // Without a runtime the whole program ends, and there is nobody to wait.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if timeout(GRACE, child.wait()).await.is_err() {
                    let _ = kill_process_group(id, Signal::KILL);
                    let _ = child.wait().await;
                }
            });
        }
    }
}

/// A task that ends when nobody wants its result any more.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<T>);

impl<T: Send + 'static> Task<T> {
    /// Starts it.
    pub fn spawn(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Its result; nothing if it panicked.
    pub async fn result(&mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
