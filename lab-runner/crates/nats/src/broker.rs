//! A server, and the way to it as its administrator.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lab_check::naming;
use lab_check::{CheckResult, Failure, Ours as _};
use lab_instance::{Folder, Instance, Program, Signal, free_ports};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long it may take until a server is ready, on a busy machine.
const START: Duration = Duration::from_secs(20);
/// How long its administrator waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A port may be taken between its choice and its use.
const ATTEMPTS: usize = 5;
/// The only user.
const USER: &str = "lab";
const SETTINGS: &str = "nats.conf";
/// What the streams of one check hold at most, in files and in memory, in megabytes: many times what a lab's checks queue. A
/// submission that publishes without end is refused more, and fills nobody's disk.
const FILES: u32 = 256;
const MEMORY: u32 = 64;

/// Where a server is, and who its administrator is there.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
}

impl Address {
    /// The URL by which whoever may do everything reaches `host`.
    pub fn url(&self, host: &str) -> String {
        if self.user.is_empty() {
            return format!("nats://{host}");
        }
        format!("nats://{}:{}@{host}", self.user, self.password)
    }

    /// Connects as administrator. What is asked for with this client comes back when the server does.
    pub async fn connect(&self) -> CheckResult<async_nats::Client> {
        let mut options = async_nats::ConnectOptions::new()
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(TIMEOUT))
            // A server that was killed is there again in a moment.
            .reconnect_delay_callback(|_| Duration::from_millis(20))
            .event_callback(|_| async {});
        if !self.user.is_empty() {
            options = options.user_and_password(self.user.clone(), self.password.clone());
        }
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        options.connect(format!("nats://{host}:{}", self.port)).await.ours("connecting to NATS")
    }
}

/// A server of one check's own.
#[derive(Debug)]
pub(super) struct Broker {
    program: std::path::PathBuf,
    /// None while it is killed.
    instance: Mutex<Option<Arc<Instance>>>,
    address: Address,
    /// After the instance: it goes when that has ended.
    folder: Folder,
}

impl Broker {
    /// Starts `program` on files of its own.
    pub async fn start(program: &Path) -> CheckResult<Self> {
        let folder = Folder::new("nats").ours("making a folder for NATS")?;
        let mut tries = ATTEMPTS;
        loop {
            tries -= 1;
            let port = free_ports(1).ours("finding a port for NATS")?[0];
            let address = Address { host: "127.0.0.1".into(), port, user: USER.into(), password: naming::password() };
            write_settings(&folder, &address).ours("writing the settings of NATS")?;
            match launch(program, &folder, &address).await {
                Ok(instance) => {
                    let instance = Mutex::new(Some(Arc::new(instance)));
                    return Ok(Self { program: program.to_owned(), instance, address, folder });
                }
                Err(error) if tries > 0 && error.to_string().contains("address already in use") => {}
                Err(error) => return Err(Failure::ours("starting NATS", &error)),
            }
        }
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Kills it with no warning and waits until it is gone.
    pub async fn kill(&self) -> CheckResult {
        let instance = self.lock().take();
        match instance {
            Some(instance) => instance.kill().await.ours("killing NATS"),
            None => Ok(()),
        }
    }

    /// Starts it again where it was, on the same files.
    pub async fn start_again(&self) -> CheckResult {
        self.kill().await?;
        let instance = launch(&self.program, &self.folder, &self.address).await.ours("starting NATS again")?;
        *self.lock() = Some(Arc::new(instance));
        Ok(())
    }

    /// Sends `signal` to its process, if it runs.
    pub fn signal(&self, signal: Signal) -> CheckResult {
        self.lock().as_ref().map_or(Ok(()), |instance| instance.signal(signal)).ours("signalling NATS")
    }

    /// How it has ended by itself, if it has.
    pub fn broke(&self) -> Option<String> {
        let held = self.lock();
        let instance = held.as_ref()?;
        Some(format!("NATS has ended by itself ({}): {}", instance.ended()?, instance.last_words()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Instance>>> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_settings(folder: &Folder, address: &Address) -> io::Result<()> {
    let Address { host, port, user, password } = address;
    let text = format!(
        "listen: \"{host}:{port}\"\n\
         jetstream {{ store_dir: \"streams\", sync_interval: always, max_file: {FILES}MB, max_mem: {MEMORY}MB }}\n\
         authorization {{ user: \"{user}\", password: \"{password}\" }}\n"
    );
    folder.write(SETTINGS, &text)
}

async fn launch(program: &Path, folder: &Folder, address: &Address) -> io::Result<Instance> {
    let instance = Instance::start(Program::new(program).args(["-c", SETTINGS]), folder, "nats")?;
    let place = SocketAddr::from(([127, 0, 0, 1], address.port));
    instance.until_ready(START, || greets(place)).await?;
    Ok(instance)
}

/// Whether somebody at `place` says first what NATS says first.
async fn greets(place: SocketAddr) -> bool {
    let greeting = async {
        let mut start = [0; 6];
        TcpStream::connect(place).await?.read_exact(&mut start).await?;
        io::Result::Ok(start == *b"INFO {")
    };
    matches!(timeout(TIMEOUT, greeting).await, Ok(Ok(true)))
}
