//! Networks that servers are shut in, and the sockets by which the grader reaches into them.
//!
//! A socket belongs to the network in which it was made, whoever uses it later (network_namespaces(7)). So each network
//! has one thread that lives in it: the thread makes sockets for the grader, and starts the programs that are to have no
//! other network. No process of ours stands inside, and none is needed that forwards bytes.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::platform;

/// Where sockets are made and programs are started: this machine's network, or one with a loopback interface of its own
/// and nothing else. A network of its own ends when nobody holds it any more, and with it what was started in it.
#[derive(Debug, Clone, Default)]
pub struct Network(Option<Arc<Own>>);

#[derive(Debug)]
struct Own {
    jobs: Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Network {
    /// This machine's own network.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self(None)
    }

    /// A network that reaches nothing and is reached by nobody, but by sockets that are made in it.
    ///
    /// # Errors
    /// The system allows none: see [`prepare`] for who may have one.
    pub fn alone() -> io::Result<Self> {
        let (jobs, waiting) = channel::<Job>();
        let (tell, entered) = channel();
        thread::Builder::new().name("network".into()).spawn(move || {
            let result = platform::enter_network();
            let is_inside = result.is_ok();
            let _ = tell.send(result);
            if is_inside {
                waiting.into_iter().for_each(|job| job());
            }
        })?;
        entered.recv().map_err(gone)??;
        Ok(Self(Some(Arc::new(Own { jobs }))))
    }

    /// Whether it is one of its own.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.0.is_some()
    }

    /// Does `job` in this network. A process that it starts may ask to be ended with the thread that started it: that is
    /// when the network ends.
    ///
    /// # Errors
    /// An earlier job has panicked.
    pub fn within<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let Some(own) = &self.0 else { return Ok(job()) };
        let (tell, done) = channel();
        let job = move || {
            let _ = tell.send(job());
        };
        own.jobs.send(Box::new(job)).map_err(gone)?;
        done.recv().map_err(gone)
    }

    /// A TCP socket over IPv4 in this network, which is not bound and waits for nothing.
    ///
    /// # Errors
    /// The process has too many files open.
    pub fn socket(&self) -> io::Result<OwnedFd> {
        self.within(platform::socket)?
    }
}

/// Lets this process, which must not have started a thread yet, make networks of their own. Root may anyway; anybody else
/// is given the rights over such networks, and none beside.
///
/// # Errors
/// The system allows no user namespace, or there is more than one thread.
pub fn prepare() -> io::Result<()> {
    if rustix::process::geteuid().is_root() { Ok(()) } else { platform::enter_user_namespace() }
}

fn gone<E>(_: E) -> io::Error {
    io::Error::other("the thread of a network has ended")
}
