//! Which isolation there is on this machine: tried, not guessed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lab_process::Signal;

use crate::bubblewrap::Programs;
use crate::containers::Containers;
use crate::{Bounds, Confinement, Group, Limits, Network, Provider, Room, Sandbox, User, View};

/// What a container that is tried is shown, and what it may write.
const SHOWN: &str = "shown";
const GIVEN: &str = "given";
/// What a volume holds that is tried, in bytes.
const TRIED_ROOM: u64 = 1 << 20;

/// Which isolation is wanted of this machine's kernel. That of containers is had by [`Sandbox::of_containers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Whatever works here; nothing is no isolation.
    Auto,
    /// Bubblewrap.
    Bubblewrap,
    /// None at all.
    None,
}

/// Why there is no isolation.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// Programs are missing.
    #[error("bubblewrap isolates submissions, and `bwrap`, `setpriv` and `prlimit` are not all on PATH")]
    NotInstalled,
    /// The programs are there, and this machine does not let them isolate.
    #[error("bubblewrap cannot isolate submissions here: {said}")]
    Refused {
        /// What was said, in one line.
        said: String,
    },
    /// There is an engine, and what runs in its containers is not isolated as it should be.
    #[error("containers cannot isolate submissions here: {said}")]
    NoContainers {
        /// What was said, in one line.
        said: String,
    },
}

impl Unavailable {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::NotInstalled => vec!["Debian and Ubuntu have them in the packages bubblewrap and util-linux".into()],
            Self::Refused { .. } => vec![
                "a container engine usually forbids namespaces to what runs in it: `--security-opt seccomp=unconfined \
                 --security-opt systempaths=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN` allows them; Ubuntu 24.04 \
                 forbids them to users unless `kernel.apparmor_restrict_unprivileged_userns` is 0"
                    .into(),
            ],
            Self::NoContainers { .. } => vec![
                "the engine has to run on this machine, see its files under the same paths, and be no rootless one: \
                 submissions are built here, and what they may see is mounted into their containers"
                    .into(),
            ],
        }
    }
}

impl Choice {
    /// The sandbox that is wanted, which was tried.
    ///
    /// # Errors
    /// It does not work here.
    pub fn sandbox(self) -> Result<Sandbox, Unavailable> {
        match self {
            Self::None => Ok(Sandbox::none()),
            Self::Auto | Self::Bubblewrap => bubblewrap(),
        }
    }
}

/// Bubblewrap as it works here: as another user, where we are root and may, and in a user namespace otherwise.
fn bubblewrap() -> Result<Sandbox, Unavailable> {
    if Programs::find().is_none() {
        return Err(Unavailable::NotInstalled);
    }
    let as_other = rustix::process::geteuid().is_root().then(|| User::take().ok()).flatten();
    let of = |user| Sandbox { provider: Provider::Bubblewrap { user, group: None } };
    let ours = of(None);
    if let Some(user) = as_other {
        let sandbox = of(Some(user.id()));
        if tried(&sandbox).is_ok() {
            return Ok(sandbox);
        }
    }
    tried(&ours).map(|()| ours)
}

impl Sandbox {
    /// One of containers, which the engine at `engine` makes and which `program`, our `lab-inside`, enters. It was tried.
    /// What is told of each container lies in `places`, for as long as it runs.
    ///
    /// # Errors
    /// It does not work here.
    pub fn of_containers(program: &Path, engine: &str, places: &Path) -> Result<Self, Unavailable> {
        let refused = |error: io::Error| Unavailable::NoContainers { said: error.to_string() };
        let user = if rustix::process::geteuid().is_root() { Some(User::take().map_err(refused)?) } else { None };
        let containers = Containers {
            program: program.to_owned(),
            engine: engine.to_owned(),
            places: places.to_owned(),
            user: user.as_ref().map(User::id),
            joins: user.is_some(),
            rooms: false,
            bounds: None,
            group: None,
        };
        sweep(program, engine).map_err(refused)?;
        // Only root looks into an engine's volumes.
        let rooms = user.is_some() && Room::of_container(containers.clone(), TRIED_ROOM).is_ok();
        let containers = Containers { rooms, ..containers };
        let sandbox = Self::in_containers(containers.clone());
        let bounds = Bounds { memory_bytes: 256 << 20, processes: 100 };
        if containers.joins
            && let Ok(Some(group)) = Group::make(bounds)
            && tried_in_container(&sandbox.in_group(&group), places).is_ok()
        {
            return Ok(sandbox);
        }
        let sandbox = Self::in_containers(Containers { joins: false, ..containers });
        tried_in_container(&sandbox, places).map_err(refused).map(|()| sandbox)
    }
}

/// Removes what runs that were killed have left.
fn sweep(program: &Path, engine: &str) -> io::Result<()> {
    let mut command = Command::new(program);
    command.args([crate::SWEEP, engine]).env_clear().stdin(Stdio::null());
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// Has a program in a container copy a file of this machine into a folder that it is given, in a network that it shares.
fn tried_in_container(sandbox: &Sandbox, places: &Path) -> io::Result<()> {
    let room = sandbox.room(TRIED_ROOM)?;
    let (shown, given) = (places.join(SHOWN), room.as_ref().map_or(places, Room::place).join(GIVEN));
    let secret = format!("{}-{:?}", std::process::id(), std::time::SystemTime::now());
    fs::write(&shown, &secret)?;
    fs::create_dir_all(&given)?;
    sandbox.give(&given)?;
    let network = sandbox.network()?;
    network.socket()?;
    let confinement = Confinement {
        folder: "/".into(),
        environment: BTreeMap::new(),
        limits: Limits { processes: Some(1_000), ..Limits::NO_CORE },
        orphan_signal: Signal::KILL,
        view: View { programs: true, readable: vec![shown.clone()], writable: vec![given.clone()] },
        network: Some(network.clone()),
    };
    let mut command = sandbox.command("/bin/cp", &confinement);
    command.arg(&shown).arg(&given).stdin(Stdio::null());
    let output = network.within(move || command.output())??;
    let copied = fs::read(given.join(SHOWN)).unwrap_or_default();
    fs::remove_dir_all(&given)?;
    if output.status.success() && copied == secret.as_bytes() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(said.lines().next().unwrap_or("its programs see other files than this machine's").to_owned()))
}

/// Starts a program in `sandbox`, in a network of its own where that can be had without giving up what we are: as root, which
/// makes the networks of all servers as it is.
fn tried(sandbox: &Sandbox) -> Result<(), Unavailable> {
    let refused = |said: String| Unavailable::Refused { said };
    let network = match rustix::process::geteuid().is_root() {
        true => Network::alone().map_err(|error| refused(format!("no network of its own: {error}")))?,
        false => Network::of_this_machine(),
    };
    let output = start(sandbox, &network).map_err(|error| refused(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(refused(said.lines().next().unwrap_or("it ended at once").to_owned()))
}

fn start(sandbox: &Sandbox, network: &Network) -> io::Result<Output> {
    let program = Programs::find().ok_or(io::ErrorKind::NotFound)?;
    let confinement = Confinement {
        folder: "/".into(),
        environment: BTreeMap::new(),
        limits: Limits { processes: Some(1_000), ..Limits::NO_CORE },
        orphan_signal: Signal::KILL,
        view: View::default(),
        network: network.is_alone().then(|| network.clone()),
    };
    let mut command = sandbox.command(&program.prlimit, &confinement);
    command.arg("--version").stdin(Stdio::null());
    network.within(move || command.output())?
}
