//! What the builds and servers of submissions run in. The runner chooses one [`Sandbox`], builds in it, and sends it to the
//! suite, which starts the servers in it: an isolation provider that is added here holds both.
//!
//! Also without one, a program of a submission sees only the environment it is given, has no terminal to type into or
//! to read from, keeps to limits, and ends with the thread that started it.

mod beginning;
mod bubblewrap;
mod choice;
mod confinement;
mod containers;
mod group;
mod network;
mod owner;
mod ownership;
mod platform;
mod room;
mod user;
mod view;

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Command;

use containers::Containers;
use lab_process::{Account, Signal, lead_session, signal_group, signal_process};
use serde::{Deserialize, Serialize};

pub use beginning::Beginning;
pub use choice::{Choice, Unavailable};
pub use confinement::{Confinement, Limits, View};
pub use containers::{ENTER, Entry, Held, Holds, STATUS_OPTION, SWEEP, Told, Volume};
pub use group::{Bounds, Group, Shortage};
pub use network::{Network, prepare as prepare_networks};
pub use owner::ContainerOwner;
pub use platform::{CallFilters, receive_handles, send_handles};
pub use room::{Room, prepare as prepare_rooms};
pub use user::User;

/// What keeps a submission's programs from the rest of the machine. It travels from the runner to the suite as JSON; a suite
/// that does not know the provider refuses to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    provider: Provider,
}

/// Where the isolation comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Provider {
    /// Nowhere: the programs run as we do.
    #[default]
    None,
    /// Nowhere, too; but we are root, and the programs are this user, who opens what root opens.
    Unprivileged { user: u32 },
    /// From bubblewrap, as this user id, or as ours in a user namespace.
    Bubblewrap {
        user: Option<u32>,
        /// What bounds all of the programs together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<group::Membership>,
    },
    /// From a container engine.
    Containers(Containers),
}

impl Sandbox {
    /// The sandbox that isolates nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { provider: Provider::None }
    }

    /// How a report names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.provider {
            Provider::None | Provider::Unprivileged { .. } => "none",
            Provider::Bubblewrap { .. } => "bubblewrap",
            Provider::Containers(_) => "containers",
        }
    }

    /// Whether it isolates.
    #[must_use]
    pub fn isolates(&self) -> bool {
        !matches!(self.provider, Provider::None | Provider::Unprivileged { .. })
    }

    /// The same for a program that refuses to be root, as Postgres does. Where nothing isolates it and we are root, it is another
    /// user, who opens every file that root opens: wherever a submission lies, it is found. In isolation it is no root anyway.
    ///
    /// # Errors
    /// This system has no such users.
    pub fn without_root(&self) -> std::io::Result<Self> {
        match (&self.provider, Account::for_servers().number()) {
            (Provider::None, Some(_)) if !platform::ROOT_CAN_BE_GIVEN_UP => Err(std::io::ErrorKind::Unsupported.into()),
            (Provider::None, Some(user)) => Ok(Self { provider: Provider::Unprivileged { user } }),
            _ => Ok(self.clone()),
        }
    }

    /// The same for one submission, whose programs run as `user` if they can run as another one.
    #[must_use]
    pub fn of_user(&self, user: &User) -> Self {
        match &self.provider {
            Provider::Bubblewrap { user: Some(_), group } => {
                Self { provider: Provider::Bubblewrap { user: Some(user.id()), group: group.clone() } }
            }
            Provider::Containers(containers) if containers.user.is_some() => {
                Self::in_containers(Containers { user: Some(user.id()), ..containers.clone() })
            }
            _ => self.clone(),
        }
    }

    pub(crate) fn in_containers(containers: Containers) -> Self {
        Self { provider: Provider::Containers(containers) }
    }

    /// The same with all of its programs in `group`.
    #[must_use]
    pub fn in_group(&self, group: &Group) -> Self {
        let membership = group.membership().clone();
        match &self.provider {
            Provider::None | Provider::Unprivileged { .. } => self.clone(),
            Provider::Bubblewrap { user, .. } => {
                Self { provider: Provider::Bubblewrap { user: *user, group: Some(membership) } }
            }
            Provider::Containers(containers) if containers.joins => {
                Self::in_containers(Containers { group: Some(membership), ..containers.clone() })
            }
            Provider::Containers(_) => self.bounded(membership.bounds()),
        }
    }

    /// The same where no group can be made: each container has bounds of its own. Without containers, there are none then.
    #[must_use]
    pub fn bounded(&self, bounds: Bounds) -> Self {
        match &self.provider {
            Provider::Containers(containers) => {
                Self::in_containers(Containers { bounds: Some(bounds), ..containers.clone() })
            }
            _ => self.clone(),
        }
    }

    /// Whether whoever starts programs in it makes networks and rooms by itself, and has to call [`prepare_networks`] and
    /// [`prepare_rooms`]. An engine makes what it needs, and sees nothing of what others mount.
    #[must_use]
    pub fn needs_namespaces(&self) -> bool {
        matches!(self.provider, Provider::Bubblewrap { .. })
    }

    /// Whether networks and starts take so long that nobody should wait for them on a thread that has other work.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        matches!(self.provider, Provider::Containers(_))
    }

    /// Has `folder`, which is empty, hold so many `bytes` at most while what is returned lives, where a group bounds the memory
    /// that this takes. [`prepare_rooms`] has to have been called.
    ///
    /// # Errors
    /// The system says why not.
    pub fn bound_folder(&self, folder: &Path, bytes: u64) -> std::io::Result<Option<Room>> {
        let wanted = self.membership().filter(|_| self.needs_namespaces());
        wanted.map(|_| Room::make(folder, bytes)).transpose()
    }

    /// A place for folders, which holds so many `bytes` at most while it lives, where an engine makes one that we see. There,
    /// no folder can be bounded by itself.
    ///
    /// # Errors
    /// The engine says why not.
    pub fn room(&self, bytes: u64) -> std::io::Result<Option<Room>> {
        match &self.provider {
            Provider::Containers(containers) if containers.rooms => {
                Room::of_container(containers.clone(), bytes).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What its programs together have wanted more of than they may have, where a group bounds them.
    #[must_use]
    pub fn shortage(&self) -> Option<Shortage> {
        self.membership()?.shortage()
    }

    /// How many of its programs were killed for want of memory, be it their own or the machine's. None where no group tells.
    #[must_use]
    pub fn memory_kills(&self) -> Option<u64> {
        self.membership().map(group::Membership::memory_kills)
    }

    fn membership(&self) -> Option<&group::Membership> {
        match &self.provider {
            Provider::None | Provider::Unprivileged { .. } => None,
            Provider::Bubblewrap { group, .. } => group.as_ref(),
            Provider::Containers(containers) => containers.group.as_ref(),
        }
    }

    /// The user id, also outside, of the programs in it, if that is another than ours: they can write only what belongs
    /// to it.
    #[must_use]
    pub fn user(&self) -> Option<u32> {
        match self.provider {
            Provider::None => None,
            Provider::Unprivileged { user } => Some(user),
            Provider::Bubblewrap { user, .. } => user,
            Provider::Containers(Containers { user, .. }) => user,
        }
    }

    /// Gives `folder`, and what others than the user of this sandbox's programs have put into it, to that user.
    ///
    /// # Errors
    /// The system says why not.
    pub fn give(&self, folder: &Path) -> std::io::Result<()> {
        self.user().map_or(Ok(()), |user| ownership::give(folder, user))
    }

    /// A network for programs in this sandbox that are to meet: one of its own, if it isolates.
    ///
    /// # Errors
    /// The system allows none.
    pub fn network(&self) -> std::io::Result<Network> {
        match &self.provider {
            Provider::None | Provider::Unprivileged { .. } => Ok(Network::of_this_machine()),
            Provider::Bubblewrap { .. } => Network::alone(),
            Provider::Containers(containers) => Network::of_container(containers.clone()),
        }
    }

    /// A command that runs `program` in this sandbox, as the leader of a session and a process group of its own. Its
    /// arguments and streams are the caller's to add.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>, confinement: &Confinement) -> Command {
        self.with_options(program.as_ref(), confinement, Vec::new())
    }

    /// The same, with what tells whether the program was started at all: a sandbox that cannot be made is no failure of what
    /// was to run in it.
    ///
    /// # Errors
    /// The process has too many files open.
    pub fn told_command(
        &self,
        program: impl AsRef<OsStr>,
        confinement: &Confinement,
    ) -> std::io::Result<(Command, Beginning)> {
        if !self.isolates() {
            return Ok((self.command(program, confinement), Beginning::of_any_program()));
        }
        let (beginning, told) = Beginning::told()?;
        let options = vec![STATUS_OPTION.into(), told.as_raw_fd().to_string().into()];
        let mut command = self.with_options(program.as_ref(), confinement, options);
        lab_process::pass_on(&mut command, told);
        Ok((command, beginning))
    }

    fn with_options(&self, program: &OsStr, confinement: &Confinement, mut options: Vec<OsString>) -> Command {
        let (mut filters, mut groups) = (Vec::new(), Vec::new());
        let handles = self.membership().map_or_else(|| Ok(Vec::new()), group::Membership::handles);
        let made = match &self.provider {
            Provider::None => Some(plain(program, confinement)),
            Provider::Unprivileged { user } => {
                let mut command = plain(program, confinement);
                platform::give_up_root(&mut command, *user);
                Some(command)
            }
            Provider::Bubblewrap { user, .. } => {
                match (bubblewrap::Programs::find(), platform::call_filters(), handles) {
                    (Some(programs), Ok(made), Ok(handles)) => {
                        for filter in &made {
                            options.extend(["--add-seccomp-fd".into(), filter.as_raw_fd().to_string().into()]);
                        }
                        (filters, groups) = (made, handles);
                        Some(bubblewrap::command(programs, program, confinement, *user, options))
                    }
                    _ => None,
                }
            }
            // It is what runs inside that joins the groups; whether they are there is seen here.
            Provider::Containers(containers) => {
                handles.ok().and_then(|_: Vec<OwnedFd>| containers.command(program, confinement, options))
            }
        };
        // What is missing was there when the run began. Starting it fails, and nothing runs without isolation.
        let mut command = made.unwrap_or_else(|| Command::new("/nowhere/sandbox"));
        filters.into_iter().for_each(|filter| lab_process::pass_on(&mut command, filter));
        lead_session(&mut command, confinement.orphan_signal, confinement.limits.resources(), groups);
        command
    }

    /// The process of the program that was started as `leader` by [`Sandbox::command`]: what is to be sent to it, and not
    /// to what holds the sandbox. None while it does not run yet, and when it has ended.
    #[must_use]
    pub fn program_of(&self, leader: u32) -> Option<u32> {
        match &self.provider {
            Provider::None | Provider::Unprivileged { .. } => Some(leader),
            Provider::Bubblewrap { .. } => platform::program_in(leader),
            Provider::Containers(containers) => Some(Told::by(&containers.places, leader)?.program),
        }
    }

    /// The process that leads the session and the process group of all that was started as `leader`. None while nothing runs
    /// in a container yet, and when all has ended.
    #[must_use]
    pub fn session_of(&self, leader: u32) -> Option<u32> {
        match &self.provider {
            Provider::Containers(containers) => Some(Told::by(&containers.places, leader)?.first),
            _ => Some(leader),
        }
    }

    /// Kills all that was started as `leader`. What is gone is no error. What the leader exits with tells when all has ended.
    ///
    /// # Errors
    /// What the system says, such as a lack of permission.
    pub fn kill(&self, leader: u32) -> std::io::Result<()> {
        match &self.provider {
            Provider::Containers(containers) => match Told::by(&containers.places, leader) {
                // It is waited for by the one outside, which would be gone before it otherwise.
                Some(told) => signal_process(told.first, Signal::KILL),
                None => signal_group(leader, Signal::KILL),
            },
            _ => signal_group(leader, Signal::KILL),
        }
    }

    /// The signal that ended a program in this sandbox, where `code` is what the sandbox exited with: bubblewrap passes a
    /// signal on as shells do, as 128 and its number.
    #[must_use]
    pub fn signal_of(&self, code: i32) -> Option<i32> {
        (self.isolates() && (129..=192).contains(&code)).then_some(code - 128)
    }
}

/// A command that nothing isolates.
fn plain(program: &OsStr, confinement: &Confinement) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(&confinement.environment).current_dir(&confinement.folder);
    command
}

/// A TCP socket over IPv4 in the network of the calling thread, which is not bound and waits for nothing.
///
/// # Errors
/// The process has too many files open.
pub fn socket() -> std::io::Result<OwnedFd> {
    platform::socket()
}

/// Keeps the programs of submissions that run as the same user as this process from reading its memory and from taking what it
/// has open. Programs that it starts are not kept from anything.
///
/// # Errors
/// The system does not do it.
pub fn keep_memory_private() -> std::io::Result<()> {
    platform::keep_memory_private()
}
