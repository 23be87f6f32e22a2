//! Which isolation there is on this machine: tried, not guessed.

use std::collections::BTreeMap;
use std::io;
use std::process::{Output, Stdio};

use lab_process::Signal;

use crate::bubblewrap::Programs;
use crate::{Confinement, Limits, Network, Provider, Sandbox, User, View};

/// Which isolation is wanted.
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
        network: network.is_alone(),
    };
    let mut command = sandbox.command(&program.prlimit, &confinement);
    command.arg("--version").stdin(Stdio::null());
    network.within(move || command.output())?
}
