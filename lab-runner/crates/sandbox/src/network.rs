//! Networks that servers are shut in, and the sockets by which the grader reaches into them.
//!
//! A socket belongs to the network in which it was made, whoever uses it later (network_namespaces(7)). So each network
//! has one thread that lives in it: the thread makes sockets for the grader, and starts the programs that are to have no
//! other network. No process of ours stands inside, and none is needed that forwards bytes.
//!
//! The network of a container is the engine's. A program of ours in that container makes the sockets and hands them over
//! (unix(7), SCM_RIGHTS): that needs no rights over anybody's networks.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::containers::{Containers, Holder, Holds};
use crate::platform;

/// Where sockets are made and programs are started: this machine's network, or one with a loopback interface of its own
/// and nothing else. A network of its own ends when nobody holds it any more, and with it what was started in it.
#[derive(Debug, Clone, Default)]
pub struct Network(Option<Arc<Own>>);

#[derive(Debug)]
struct Own {
    jobs: Sender<Job>,
    container: Option<Container>,
}

/// The container whose network it is.
#[derive(Debug)]
struct Container {
    id: String,
    /// Where sockets of it are asked for.
    sockets: Mutex<UnixStream>,
    /// The network, if we may have programs enter it.
    network: Option<OwnedFd>,
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
        Ok(Self(Some(Arc::new(Own { jobs, container: None }))))
    }

    /// The network of a container that is there for nothing else.
    ///
    /// # Errors
    /// The engine says why it makes none.
    pub(crate) fn of_container(containers: Containers) -> io::Result<Self> {
        let (jobs, waiting) = channel::<Job>();
        let (tell, made) = channel();
        thread::Builder::new().name("network".into()).spawn(move || {
            let (child, held) = match containers.hold(Holds::Network) {
                Ok(Holder { child, held, sockets, network }) => {
                    (Some(child), Ok(Container { id: held.container, sockets: Mutex::new(sockets), network }))
                }
                Err(error) => (None, Err(error)),
            };
            let _ = tell.send(held);
            if let Some(mut child) = child {
                waiting.into_iter().for_each(|job| job());
                let _ = child.kill();
                let _ = child.wait();
            }
        })?;
        let container = made.recv().map_err(gone)??;
        Ok(Self(Some(Arc::new(Own { jobs, container: Some(container) }))))
    }

    /// The container whose network it is.
    pub(crate) fn container(&self) -> Option<&str> {
        Some(&self.0.as_ref()?.container.as_ref()?.id)
    }

    /// Has `command`, a program of this machine, reach what is in this network, where being started [within](Self::within) it
    /// is not enough. False if it does not: it is a container's, which only root may enter.
    ///
    /// # Errors
    /// The process has too many files open.
    pub fn admit(&self, command: &mut Command) -> io::Result<bool> {
        let Some(container) = self.0.as_ref().and_then(|own| own.container.as_ref()) else { return Ok(true) };
        let Some(network) = &container.network else { return Ok(false) };
        platform::enter_on_start(command, network.try_clone()?);
        Ok(true)
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
        match self.0.as_ref().and_then(|own| own.container.as_ref()) {
            Some(container) => container.socket(),
            None => self.within(platform::socket)?,
        }
    }
}

impl Container {
    /// A byte asks for a socket.
    fn socket(&self) -> io::Result<OwnedFd> {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.write_all(&[0])?;
        let (_, mut handles) = platform::receive_handles(&*sockets, 1)?;
        handles.pop().ok_or_else(|| io::Error::other("the network's container has too many files open"))
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
