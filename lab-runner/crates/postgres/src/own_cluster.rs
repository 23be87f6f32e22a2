//! A Postgres of one check's own: a primary and a standby that follows it, from programs of this machine, to be killed,
//! promoted and stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lab_check::naming;
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure, Ours as _};
use lab_instance::{Folder, Instance, Program, Signal, free_ports};
use lab_proxy::{Counted, Failpoints, Proxy, Upstream};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// How long a server may take to start, to follow or to be promoted, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(10);
/// Its administrator, and the role of the server under test, which owns the database of the same name.
const ADMINISTRATOR: &str = "postgres";
const ROLE: &str = "lab";
/// The name by which the primary knows its standby.
const STANDBY: &str = "standby";
/// The programs that it is made with, beside the server.
const COMPANIONS: [&str; 2] = ["initdb", "pg_basebackup"];

/// A primary and its standby, each behind a proxy. What the primary has acknowledged is on the standby's disk, too. It ends
/// when it is dropped.
///
/// ```
/// # use lab_kit::prelude::*;
/// use lab_postgres::LabCluster as _;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let cluster = lab.cluster().await?;
/// let app = lab.server().env("DATABASE_URLS", &cluster.urls().join(",")).start().await?;
/// cluster.kill_primary().await?;
/// cluster.promote().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct OwnCluster {
    servers: [Server; 2],
    /// Which of them takes writes.
    primary: AtomicUsize,
    urls: [String; 2],
    proxies: [Arc<Proxy>; 2],
    archive: PathBuf,
    programs: PathBuf,
    transcript: Transcript,
    /// After the servers: it goes when they have ended.
    _folder: Folder,
}

#[derive(Debug)]
struct Server {
    instance: Instance,
    port: u16,
    secret: String,
}

impl OwnCluster {
    /// Starts one by the programs beside `program`.
    pub(super) async fn start(program: Option<&Path>, transcript: Transcript) -> CheckResult<Self> {
        let programs = programs(program)?;
        let folder = Folder::new("cluster").ours("making a folder for a cluster")?;
        let archive = folder.beside("archive").ours("making a folder for a cluster")?;
        let secret = naming::password();
        let ports = free_ports(2).ours("finding ports for a cluster")?;
        make_primary(&programs, &folder, &secret).await.ours("making a cluster")?;
        let primary = Server::launch(&programs, &folder, "primary", ports[0], &secret, &archive).await?;
        let password = naming::password();
        primary.prepare(&password).await?;
        follow(&programs, &folder, &primary).await.ours("copying a cluster for its standby")?;
        let standby = Server::launch(&programs, &folder, STANDBY, ports[1], &secret, &archive).await?;
        primary.wait_for_standby().await?;
        let proxies = [way("the primary", primary.port, &transcript)?, way("the standby", standby.port, &transcript)?];
        let url = |proxy: &Arc<Proxy>| format!("postgres://{ROLE}:{password}@{}/{ROLE}", proxy.address());
        let urls = [url(&proxies[0]), url(&proxies[1])];
        let (servers, primary) = ([primary, standby], AtomicUsize::new(0));
        Ok(Self { servers, primary, urls, proxies, archive, programs, transcript, _folder: folder })
    }

    /// The proxies that its servers are reached by.
    pub(super) fn proxies(&self) -> &[Arc<Proxy>; 2] {
        &self.proxies
    }

    /// The URLs of both servers, the first primary's first: of a role that owns the database, and may replicate.
    pub fn urls(&self) -> [String; 2] {
        self.urls.clone()
    }

    /// The URL of the server that takes writes.
    pub fn url(&self) -> &str {
        &self.urls[self.primary.load(Ordering::SeqCst)]
    }

    /// The proxy to the server that was the primary at first, or to the other.
    pub fn proxy(&self, standby: bool) -> &Proxy {
        &self.proxies[usize::from(standby)]
    }

    /// The folder where the cluster archives its write-ahead log.
    pub fn wal_archive(&self) -> &Path {
        &self.archive
    }

    /// The folder of Postgres's programs, such as `pg_basebackup`.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Where its programs and what they read lie on this machine: for a program that runs them in isolation.
    ///
    /// # Errors
    /// Ours, if it does not say.
    pub async fn installation(&self) -> CheckResult<Vec<PathBuf>> {
        let mut connection = self.administrator().await?;
        let places: Vec<(String,)> =
            sqlx::query_as("select setting from pg_config where name in ('BINDIR', 'LIBDIR', 'PKGLIBDIR', 'SHAREDIR')")
                .fetch_all(&mut connection)
                .await
                .ours("asking a cluster where it is installed")?;
        connection.close().await.ours("asking a cluster")?;
        let places = places.into_iter().map(|(place,)| PathBuf::from(place));
        Ok(std::iter::once(self.programs.clone()).chain(places).collect())
    }

    /// Writes a setting into its files, as its administrator would, for whoever copies them. It follows it only when it is
    /// started anew, and only if nothing is set for it otherwise.
    ///
    /// # Errors
    /// Ours, if there is no such setting.
    pub async fn leave_setting(&self, name: &str, value: &str) -> CheckResult {
        let mut connection = self.administrator().await?;
        let value = value.replace('\'', "''");
        let set = sqlx::raw_sql(AssertSqlSafe(format!("alter system set {name} = '{value}'")));
        set.execute(&mut connection).await.ours("setting something of a cluster")?;
        connection.close().await.ours("asking a cluster")
    }

    /// Runs statements on the server that takes writes, as the owner of the database.
    ///
    /// # Errors
    /// Ours, if it refuses them.
    pub async fn sql(&self, sql: &str) -> CheckResult {
        let mut connection = self.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.ours("asking a cluster")?;
        connection.close().await.ours("asking a cluster")
    }

    /// The first value of what a query finds, as text.
    ///
    /// # Errors
    /// Ours, if it is refused or finds nothing.
    pub async fn text(&self, sql: &str) -> CheckResult<String> {
        let mut connection = self.connect().await?;
        let found: (String,) = sqlx::query_as(AssertSqlSafe(format!("select ({sql})::text")))
            .fetch_one(&mut connection)
            .await
            .ours("asking a cluster")?;
        Ok(found.0)
    }

    /// Kills the server that takes writes with no warning. Its connections are cut, and new ones are refused.
    ///
    /// # Errors
    /// Ours, if the system does not let us.
    pub async fn kill_primary(&self) -> CheckResult {
        let primary = self.primary.load(Ordering::SeqCst);
        self.proxies[primary].refuse();
        self.servers[primary].instance.kill().await.ours("killing the primary")?;
        self.transcript.note("Postgres: the primary was killed by the check");
        Ok(())
    }

    /// Has the standby take writes, and waits until it does.
    ///
    /// # Errors
    /// Ours, if it does not.
    pub async fn promote(&self) -> CheckResult {
        let standby = 1;
        let mut connection = self.servers[standby].administrator("postgres").await.ours("connecting to the standby")?;
        let promoted: (bool,) = sqlx::query_as("select pg_promote(true, 30)")
            .fetch_one(&mut connection)
            .await
            .ours("promoting the standby")?;
        if !promoted.0 {
            return Err(Failure::Ours("the standby was not promoted in time".into()));
        }
        self.primary.store(standby, Ordering::SeqCst);
        self.transcript.note("Postgres: the standby was promoted by the check");
        Ok(())
    }

    /// Ends both servers in order: what they have written is in the archive then.
    ///
    /// # Errors
    /// Ours, if the system does not let us.
    pub async fn stop(&self) -> CheckResult {
        for (server, proxy) in self.servers.iter().zip(&self.proxies) {
            proxy.refuse();
            server.instance.stop(Signal::INT, PATIENCE).await.ours("stopping a cluster")?;
        }
        self.transcript.note("Postgres: the cluster was stopped by the check");
        Ok(())
    }

    async fn administrator(&self) -> CheckResult<PgConnection> {
        let server = &self.servers[self.primary.load(Ordering::SeqCst)];
        server.administrator(ROLE).await.ours("connecting to a cluster")
    }

    async fn connect(&self) -> CheckResult<PgConnection> {
        let mut connection = self.administrator().await?;
        let as_owner = sqlx::raw_sql(AssertSqlSafe(format!("set role {ROLE}"))).execute(&mut connection).await;
        as_owner.ours("asking a cluster")?;
        Ok(connection)
    }
}

impl Server {
    /// Starts a server on the data in `name`.
    async fn launch(
        programs: &Path,
        folder: &Folder,
        name: &str,
        port: u16,
        secret: &str,
        archive: &Path,
    ) -> CheckResult<Self> {
        let archive = archive.display();
        // Whoever restores from it is somebody else.
        let copy = format!("archive_command=cp \"%p\" \"{archive}/%f\" && chmod 644 \"{archive}/%f\"");
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "dynamic_shared_memory_type=mmap",
            // A process is killed here, and never the machine.
            "fsync=off",
            "wal_level=replica",
            "hot_standby=on",
            "archive_mode=on",
            copy.as_str(),
            "shared_buffers=16MB",
            "max_connections=100",
            "huge_pages=off",
            "timezone=UTC",
        ];
        let program = Program::new(&programs.join("postgres"))
            .args(["-D", name, "-p", &port.to_string(), "-c", &format!("cluster_name={name}")])
            .args(settings.iter().flat_map(|setting| ["-c", setting]));
        let instance = Instance::start(program, folder, name).ours("starting a cluster")?;
        let server = Self { instance, port, secret: secret.to_owned() };
        let ready = || async { server.administrator("postgres").await.is_ok() };
        server.instance.until_ready(PATIENCE, ready).await.ours("starting a cluster")?;
        Ok(server)
    }

    async fn administrator(&self, database: &str) -> sqlx::Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(ADMINISTRATOR)
            .password(&self.secret)
            .database(database);
        PgConnection::connect_with(&options).await
    }

    /// Makes the role and the database of the server under test.
    async fn prepare(&self, password: &str) -> CheckResult {
        let mut connection = self.administrator("postgres").await.ours("connecting to a cluster")?;
        for sql in [
            format!("create role {ROLE} login replication password '{password}'"),
            format!("create database {ROLE} owner {ROLE}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.ours("preparing a cluster")?;
        }
        Ok(())
    }

    /// Has every commit wait for the standby from now on, once it follows.
    async fn wait_for_standby(&self) -> CheckResult {
        let mut connection = self.administrator("postgres").await.ours("connecting to a cluster")?;
        let set = format!("alter system set synchronous_standby_names = '{STANDBY}'");
        for sql in [set.as_str(), "select pg_reload_conf()"] {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.ours("preparing a cluster")?;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (follows,): (bool,) =
                sqlx::query_as("select exists (select from pg_stat_replication where sync_state = 'sync')")
                    .fetch_one(&mut connection)
                    .await
                    .ours("asking a cluster for its standby")?;
            if follows {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Failure::Ours("the standby does not follow its primary".into()));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The folder of the programs, if this machine has them.
fn programs(program: Option<&Path>) -> CheckResult<PathBuf> {
    let folder = program.and_then(Path::parent).map(Path::to_owned);
    folder.filter(|folder| COMPANIONS.iter().all(|name| folder.join(name).exists())).ok_or_else(|| {
        Failure::not_applicable(
            "it needs a Postgres with a standby, and the Postgres of this run comes without its programs: with `--services \
             private` it has them",
        )
    })
}

/// Makes the data of the primary.
async fn make_primary(programs: &Path, folder: &Folder, secret: &str) -> std::io::Result<()> {
    folder.write("secret", secret)?;
    let initdb = Program::new(&programs.join("initdb")).args([
        "-D",
        "primary",
        "--username",
        ADMINISTRATOR,
        "--pwfile=secret",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
        "--wal-segsize=1",
    ]);
    initdb.run(folder).await.map(drop)
}

/// Copies the primary's data for a standby that follows it.
async fn follow(programs: &Path, folder: &Folder, primary: &Server) -> std::io::Result<()> {
    let port = primary.port.to_string();
    let copy = Program::new(&programs.join("pg_basebackup"))
        .args(["-D", STANDBY, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h", "127.0.0.1", "-p", &port])
        .args(["-U", ADMINISTRATOR])
        .env("PGPASSWORD", &primary.secret);
    copy.run(folder).await.map(drop)
}

fn way(name: &str, port: u16, transcript: &Transcript) -> CheckResult<Arc<Proxy>> {
    let (upstream, protocol) = (Upstream::Tcp("127.0.0.1".into(), port), Arc::new(Counted::default()));
    let proxy = Proxy::start(name, upstream, protocol, Failpoints::default(), transcript.clone());
    Ok(Arc::new(proxy.ours("opening a port for a proxy of a cluster")?))
}
