//! Isolation by containers, where the kernel lets us make no namespaces and an engine does.
//!
//! The program `lab-inside` stands for what runs in a container, as bubblewrap stands for it elsewhere: it has the engine
//! make the container, is the first program in it too, and hands its own streams over to that one. So what a submission's
//! program reads and writes are the pipes themselves; when the one outside is killed, the one inside sees it and the
//! container ends; and the engine removes it. Nothing has to be pulled: the image is empty, and what is to be seen of this
//! machine is mounted into it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use lab_process::{Signal, lead_session};
use serde::{Deserialize, Serialize};

use crate::confinement::{Confinement, Limits, View};
use crate::group::{Bounds, Membership};
use crate::view::{System, TEMPORARY, TEMPORARY_BYTES};

/// The command of `lab-inside` by which it enters a container.
pub const ENTER: &str = "enter";
/// The command by which it removes containers whose owners are gone, at an engine.
pub const SWEEP: &str = "sweep";
/// The option that names the handle on which it tells that its program has ended, as bwrap(1) does.
pub const STATUS_OPTION: &str = "--json-status-fd";
/// What a container may use that runs no program.
const OF_A_HOLDER: Limits = Limits { processes: Some(16), temporary_bytes: Some(1 << 20), ..Limits::NO_CORE };

/// What it takes to run programs in containers. It travels to the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Containers {
    /// The program `lab-inside`.
    pub program: PathBuf,
    /// Where the engine listens, as `DOCKER_HOST` would say.
    pub engine: String,
    /// A folder for what is told of each container.
    pub places: PathBuf,
    /// The user id of the programs, if that is another than ours.
    pub user: Option<u32>,
    /// Whether a program in a container can join a control group of ours.
    pub joins: bool,
    /// Whether we see what is in the engine's volumes, where it says that they are.
    #[serde(default)]
    pub rooms: bool,
    /// What each container may take where it joins none.
    pub bounds: Option<Bounds>,
    pub group: Option<Membership>,
}

/// What `lab-inside` is told of a container that it enters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Where the engine listens.
    pub engine: String,
    /// Where it may put what stands for this container, by its own process id: see [`Told`].
    pub places: PathBuf,
    /// The user and the group of its programs.
    pub user: (u32, u32),
    /// The folder that the program is started in.
    pub folder: PathBuf,
    /// Links at the root, and where they lead.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// What is seen, and cannot be written.
    pub readable: Vec<PathBuf>,
    /// What can be written.
    pub writable: Vec<PathBuf>,
    /// Volumes of the engine's, by name, and where they can be written.
    pub volumes: Vec<Volume>,
    /// What `/tmp` and shared memory hold each, in bytes.
    pub temporary_bytes: u64,
    /// How many processes and threads there may be: in the container, and of its user where that one has no others.
    pub processes: Option<u64>,
    /// What the container may take, where it is in no group of ours.
    pub bounds: Option<Bounds>,
    /// The lists of processes of the groups that its programs are to be in.
    pub groups: Vec<PathBuf>,
    /// The container whose network it has. Without one it has a network of its own, with nothing in it.
    pub network: Option<String>,
    /// What it is there for, if it runs no program. What it holds is told on its standard output, a line of JSON: [`Held`].
    pub holds: Option<Holds>,
}

/// What a container is there for that runs no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holds {
    /// Its network: it makes sockets for whoever holds its standard input.
    Network,
    /// A volume of its own, in memory.
    Room {
        /// What it holds at most.
        bytes: u64,
        /// How many files.
        files: u64,
    },
}

/// What is told of a container that holds something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its id.
    pub container: String,
    /// The volume that it has.
    pub volume: Option<Volume>,
}

/// A volume of an engine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// How the engine calls it.
    pub name: String,
    /// Where it is on the engine's machine.
    pub place: PathBuf,
}

/// The processes in a container as they are called outside of it, which `lab-inside` tells for as long as they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The first, which leads the session of all: it is ours, and the others end with it.
    pub first: u32,
    /// The program.
    pub program: u32,
}

impl Told {
    /// The file in `places` in which `leader`, which has entered a container, tells it.
    #[must_use]
    pub fn file(places: &Path, leader: u32) -> PathBuf {
        places.join(leader.to_string())
    }

    /// What it has told.
    #[must_use]
    pub fn by(places: &Path, leader: u32) -> Option<Self> {
        let text = fs::read_to_string(Self::file(places, leader)).ok()?;
        let (first, program) = text.trim().split_once(' ')?;
        Some(Self { first: first.parse().ok()?, program: program.parse().ok()? })
    }

    /// Tells it.
    ///
    /// # Errors
    /// The folder is gone, or the disk is full.
    pub fn tell(self, places: &Path, leader: u32) -> io::Result<()> {
        let (file, new) = (Self::file(places, leader), places.join(format!("{leader}.new")));
        fs::write(&new, format!("{} {}", self.first, self.program))?;
        fs::rename(new, file)
    }
}

impl Containers {
    /// A command that runs `program` in a container of its own. None if what it is told cannot be put into words.
    pub(crate) fn command(
        &self,
        program: &OsStr,
        confinement: &Confinement,
        options: Vec<OsString>,
    ) -> Option<Command> {
        let network = confinement.network.as_ref().and_then(|network| network.container().map(str::to_owned));
        let entry = self.entry(confinement, network, None);
        let mut command = self.enter(&entry, options)?;
        command.arg("--").arg(program);
        command.envs(&confinement.environment).env("HOME", TEMPORARY).env("TMPDIR", TEMPORARY);
        Some(command)
    }

    fn enter(&self, entry: &Entry, options: Vec<OsString>) -> Option<Command> {
        let mut command = Command::new(&self.program);
        command.arg(ENTER).args(options).arg(serde_json::to_string(entry).ok()?);
        command.env_clear().current_dir("/");
        Some(command)
    }

    fn entry(&self, confinement: &Confinement, network: Option<String>, holds: Option<Holds>) -> Entry {
        let View { programs, readable, writable } = &confinement.view;
        let (volumes, writable) = crate::room::volumes_of(writable);
        let System { links, paths } = System::of(*programs);
        // What of this is not there is not seen, as with bubblewrap.
        let readable = paths.iter().chain(readable).filter(|path| path.exists()).cloned().collect();
        let limits = confinement.limits;
        Entry {
            engine: self.engine.clone(),
            places: self.places.clone(),
            user: self.user.map_or_else(crate::platform::own_user, |user| (user, user)),
            folder: confinement.folder.clone(),
            links,
            readable,
            writable,
            volumes,
            temporary_bytes: limits.temporary_bytes.unwrap_or(TEMPORARY_BYTES),
            processes: limits.processes,
            bounds: self.bounds,
            groups: self.group.as_ref().map(Membership::lists).unwrap_or_default(),
            network,
            holds,
        }
    }

    /// Starts a container that is there for what it `holds`. To be called on the thread with which it is to end.
    pub(crate) fn hold(&self, holds: Holds) -> io::Result<Holder> {
        let (ours, theirs) = UnixStream::pair()?;
        let confinement = Confinement {
            folder: "/".into(),
            environment: std::collections::BTreeMap::new(),
            limits: OF_A_HOLDER,
            orphan_signal: Signal::KILL,
            view: View::default(),
            network: None,
        };
        let entry = Entry { groups: Vec::new(), ..self.entry(&confinement, None, Some(holds)) };
        let mut command = self.enter(&entry, Vec::new()).ok_or(io::ErrorKind::InvalidInput)?;
        lead_session(&mut command, confinement.orphan_signal, confinement.limits.resources(), Vec::new());
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // It keeps the other end open until it goes.
        drop(command);
        let mut told = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut told)?;
        }
        let Ok(held) = serde_json::from_str(&told) else {
            let mut said = String::new();
            if let Some(mut errors) = child.stderr.take() {
                errors.read_to_string(&mut said)?;
            }
            let _ = child.wait();
            return Err(io::Error::other(said.trim().to_owned()));
        };
        let inside = Told::by(&self.places, child.id());
        let network = inside.and_then(|told| crate::platform::network_of(told.first).ok());
        Ok(Holder { child, held, sockets: ours, network })
    }
}

/// A container that is there for what it holds.
#[derive(Debug)]
pub(crate) struct Holder {
    /// What stands for it. It ends with the thread that started it.
    pub child: Child,
    /// What it holds.
    pub held: Held,
    /// Where sockets of its network are asked for.
    pub sockets: UnixStream,
    /// The network itself, where we may look at it.
    pub network: Option<OwnedFd>,
}
