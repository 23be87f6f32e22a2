//! The one outside: it stands for a program in a container.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab_process::is_running;
use lab_sandbox::{ContainerOwner, Entry, Held, Holds, STATUS_OPTION, Told};

use crate::container::settings;
use crate::engine::{Container, Engine};
use crate::limits::Limit;
use crate::messages::{Reply, Start};
use crate::{fail, platform};

/// How long the one inside may take to come to the door once its container was started, on a busy machine.
const COMING: Duration = Duration::from_secs(60);
/// How long the last of a container's processes may take to be gone.
const LEAVING: Duration = Duration::from_secs(10);
/// How far apart two looks are.
const GLANCE: Duration = Duration::from_millis(1);
/// So many looks apart the engine is asked whether the container runs at all.
const GLANCES: u32 = 500;
/// What a program exits with, as others tell it, that the signal of this number has ended.
const BY_SIGNAL: i32 = 128;
/// The signal that whoever is gone without a word was ended by.
const KILLED: i32 = 9;

/// Enters a container as `arguments` say, and exits as the program in it does.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match Order::read(arguments).and_then(|order| order.carry_out()) {
        Ok(code) => code,
        Err(error) => fail(&error.to_string()),
    }
}

/// What is wanted.
struct Order {
    entry: Entry,
    /// The program and its arguments.
    argv: Vec<OsString>,
    /// The handle on which it is told that the program has ended.
    status: Option<PathBuf>,
}

impl Order {
    fn read(mut arguments: impl Iterator<Item = OsString>) -> io::Result<Self> {
        let missing = || io::Error::other("arguments are missing");
        let mut entry = arguments.next().ok_or_else(missing)?;
        let mut status = None;
        if entry == STATUS_OPTION {
            status = Some(PathBuf::from("/dev/fd").join(arguments.next().ok_or_else(missing)?));
            entry = arguments.next().ok_or_else(missing)?;
        }
        let entry = serde_json::from_slice(&entry.into_vec())?;
        Ok(Self { entry, argv: arguments.skip(1).collect(), status })
    }

    fn carry_out(self) -> io::Result<ExitCode> {
        let owner = ContainerOwner::ourselves()?;
        let engine = Engine::at(&self.entry.engine)?;
        let (place, listener) = Place::make(&self.entry.places)?;
        let settings = settings(&self.entry, owner.label(), &place.door)?;
        let mut container = engine.create(&settings, &self.entry.links)?;
        container.start()?;
        let (mut inside, first) = place.let_in(listener, &container)?;
        for group in &self.entry.groups {
            fs::write(group, first.to_string())?;
        }
        // It goes with the one inside, and that one with us.
        container.keep();
        self.send(&mut inside)?;
        let mut replies = BufReader::new(inside);
        match next(&mut replies)? {
            Some(Reply::Started(program)) => self.tell(first, program, &container, &place)?,
            Some(Reply::Failed(message)) => return Err(io::Error::other(message)),
            _ => return Err(io::Error::other("the container has ended before its program began")),
        }
        let end = next(&mut replies).ok().flatten();
        wait_for_end_of(first);
        let code = match end {
            Some(Reply::Exited(code)) => code,
            Some(Reply::Signalled(signal)) => BY_SIGNAL + signal,
            _ => BY_SIGNAL + KILLED,
        };
        if let Some(status) = &self.status {
            writeln!(fs::File::options().write(true).open(status)?, "{{\"exit-code\": {code}}}")?;
        }
        Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
    }

    /// Says what is to be started, and hands over our streams.
    fn send(&self, inside: &mut UnixStream) -> io::Result<()> {
        let start = if self.entry.holds.is_some() {
            Start::Sockets
        } else {
            let environment = std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec()));
            let mut limits = Limit::ours();
            // Whoever is the same user as ours has others beside these.
            let is_other = self.entry.user.0 != rustix::process::geteuid().as_raw();
            limits.extend(self.entry.processes.filter(|_| is_other).map(Limit::of_processes));
            Start::Program {
                argv: self.argv.iter().map(|word| word.clone().into_vec()).collect(),
                environment: environment.collect(),
                folder: self.entry.folder.clone(),
                limits,
            }
        };
        let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
        lab_sandbox::send_handles(&*inside, &[0], &[input.as_fd(), output.as_fd(), errors.as_fd()])?;
        let mut line = serde_json::to_vec(&start)?;
        line.push(b'\n');
        inside.write_all(&line)
    }

    /// The program runs: what there is to tell of it is told, and its streams are its own from here on.
    fn tell(&self, first: u32, program: u32, container: &Container<'_>, place: &Place) -> io::Result<()> {
        let program = if self.entry.holds.is_some() { Some(first) } else { platform::process_in(first, program) };
        // One that has ended already is called by the name of who has started it, which is about to end.
        Told { first, program: program.unwrap_or(first) }.tell(&self.entry.places, place.leader)?;
        if let Some(holds) = self.entry.holds {
            let volume = if holds == Holds::Network { None } else { container.volume()? };
            let mut output = io::stdout();
            writeln!(output, "{}", serde_json::to_string(&Held { container: container.id.clone(), volume })?)?;
            output.flush()?;
        }
        platform::let_go_of_streams()
    }
}

/// What stands for a container while it is entered.
struct Place {
    leader: u32,
    door: PathBuf,
    told: PathBuf,
}

impl Place {
    fn make(places: &Path) -> io::Result<(Self, UnixListener)> {
        let leader = std::process::id();
        let name = format!("{leader}.door");
        let (door, told) = (places.join(&name), Told::file(places, leader));
        // Of one that had our number and was killed.
        for left in [&door, &told] {
            let _ = fs::remove_file(left);
        }
        let listener = platform::bind(places, &name)?;
        // The one inside is another user.
        fs::set_permissions(&door, fs::Permissions::from_mode(0o666))?;
        listener.set_nonblocking(true)?;
        Ok((Self { leader, door, told }, listener))
    }

    /// Waits for the one inside `container`, and says which process it is. Nobody is let in after it.
    fn let_in(&self, listener: UnixListener, container: &Container<'_>) -> io::Result<(UnixStream, u32)> {
        let deadline = Instant::now() + COMING;
        for glance in 1.. {
            match listener.accept() {
                Ok((inside, _)) => {
                    inside.set_nonblocking(false)?;
                    let _ = fs::remove_file(&self.door);
                    let process = platform::connected_process(&inside);
                    let hidden = || io::Error::other("the engine's processes are out of sight: it runs elsewhere");
                    return Ok((inside, process.ok_or_else(hidden)?));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if glance % GLANCES == 0
                && let Some(why) = container.ended()
            {
                return Err(io::Error::other(why));
            }
            if Instant::now() > deadline {
                break;
            }
            sleep(GLANCE);
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "nothing is heard of the container's first process"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for left in [&self.door, &self.told] {
            let _ = fs::remove_file(left);
        }
    }
}

/// What the one inside says next; nothing when it is gone.
fn next(replies: &mut impl io::BufRead) -> io::Result<Option<Reply>> {
    let mut line = String::new();
    replies.read_line(&mut line)?;
    if line.is_empty() { Ok(None) } else { Ok(serde_json::from_str(&line).map(Some)?) }
}

/// The first process of a namespace is gone when all others are.
fn wait_for_end_of(first: u32) {
    let deadline = Instant::now() + LEAVING;
    while is_running(first) && Instant::now() < deadline {
        sleep(GLANCE);
    }
}
