//! Containers: kept warm between runs, so that attaching to one takes milliseconds.

mod engine;
mod helper;
mod image;
mod recipe;
mod remove;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cache::Cache;
use super::chain::Found;
use super::instance::{TICK, secret};
use super::probe::{self, Answer};
use super::problem::Problem;
use super::tell::Tell;
use super::{Kind, Provider, Service};

pub(super) use engine::Engine;
pub(super) use image::Patience;
pub(super) use remove::{Removed, remove_all};

/// A container that was started before this run answers at once, or is no use.
const WARM: Duration = Duration::from_secs(5);
/// One that was started just now has said that it is ready.
const COLD: Duration = Duration::from_secs(30);

/// What is kept of a container, readable by nobody else.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    password: String,
}

/// Attaches to the container for `kind`, or starts it.
pub(super) fn start(kind: Kind, patience: Patience, tell: &Tell) -> Result<Found, Problem> {
    let engine = Engine::find()?;
    let cache = Cache::locate()?;
    let image = image::get(kind, &engine, &cache, patience, tell)?;
    let folder = cache.folder("containers")?;
    let name = recipe::name(kind, &image, &cache);
    let lease = lease(&folder, &name)?;
    let failed = |error: io::Error| Problem::io("lock the container", &error);
    // Of several runs that begin at once, one starts the container.
    let starting = File::create(folder.join(format!("{name}.starting"))).map_err(failed)?;
    starting.lock().map_err(failed)?;
    let file = folder.join(format!("{name}.json"));
    let kept: Option<Kept> = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let found = |address: (String, u16), password: &str| Found {
        service: Service {
            url: url(kind, &address, password),
            provider: Provider::Containers,
            version: Some(format!("image {}", image.reference)),
        },
        instance: None,
        lease: Some(lease),
    };
    if let Some(kept) = &kept
        && let Ok(address) = attach(kind, &name, &engine, &kept.password, WARM)
    {
        return Ok(found(address, &kept.password));
    }
    let note = folder.join(format!("{name}.failed"));
    if patience == Patience::GiveUp && image::is_recent(&note) {
        let why = fs::read_to_string(&note).unwrap_or_default();
        return Err(Problem::new(format!("{why} (a few minutes ago)")));
    }
    // Whatever has the name now cannot be used: it is stopped, does not answer, or has a password nobody knows.
    remove::one(&engine, &name)?;
    let kept = kept.unwrap_or_else(|| Kept { password: secret() });
    keep(&file, &kept).map_err(|error| Problem::io("keep the container's password", &error))?;
    let order = recipe::order(kind, &image, &cache, &kept.password, &engine);
    let started =
        helper::start(&order, &engine, tell).and_then(|()| attach(kind, &name, &engine, &kept.password, COLD));
    match started {
        Ok(address) => {
            let _ = fs::remove_file(&note);
            remove::outdated(&engine, kind, &cache, &name);
            Ok(found(address, &kept.password))
        }
        Err(problem) => {
            let _ = remove::one(&engine, &name);
            let _ = fs::write(&note, problem.to_string());
            Err(problem)
        }
    }
}

/// How far a service is from a container of ours.
#[derive(Debug)]
pub(super) enum Standing {
    /// The container runs and answers.
    Warm { image: String, engine: String },
    /// The image is there, and the engine answers.
    Image { image: String, engine: String },
}

/// Looks, and starts nothing.
pub(super) fn standing(kind: Kind) -> Result<Standing, Problem> {
    let engine = Engine::find()?;
    let cache = Cache::locate()?;
    let found = image::present(kind, &engine)?.ok_or_else(|| image::not_here(kind))?;
    let name = recipe::name(kind, &found, &cache);
    let file = cache.folder("containers")?.join(format!("{name}.json"));
    let kept: Option<Kept> = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let warm = kept.is_some_and(|kept| attach(kind, &name, &engine, &kept.password, WARM).is_ok());
    let (image, engine) = (format!("image {}", found.reference), engine.version);
    Ok(if warm { Standing::Warm { image, engine } } else { Standing::Image { image, engine } })
}

/// Held for as long as a run uses the container: `down` leaves it alone for so long.
fn lease(folder: &Path, name: &str) -> Result<File, Problem> {
    let failed = |error: io::Error| Problem::io("lock the container", &error);
    let lease =
        OpenOptions::new().create(true).truncate(false).write(true).open(lease_file(folder, name)).map_err(failed)?;
    lease.lock_shared().map_err(failed)?;
    Ok(lease)
}

fn lease_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.lock"))
}

fn keep(file: &Path, kept: &Kept) -> io::Result<()> {
    let _ = fs::remove_file(file);
    let text = serde_json::to_vec(kept)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(&text)
}

/// Where the container `name` answers.
fn attach(kind: Kind, name: &str, engine: &Engine, password: &str, within: Duration) -> Result<(String, u16), Problem> {
    let deadline = Instant::now() + within;
    loop {
        let facts = engine.call("GET", &format!("/containers/{}/json", name))?;
        if facts.status != 200 || facts.body["State"]["Running"] != true {
            return Err(Problem::new(format!("the container {} does not run", name)));
        }
        for (host, port) in addresses(&facts.body, recipe::port(kind), engine.host()) {
            let answer = match kind {
                Kind::Postgres => probe::postgres(&host, port, within),
                Kind::Redis => probe::redis(&host, port, Some(password), within),
            };
            if matches!(answer, Ok(Answer::Expected)) {
                return Ok((host, port));
            }
        }
        if Instant::now() >= deadline {
            return Err(Problem::new(format!("{kind} in the container {} does not answer", name)));
        }
        thread::sleep(TICK);
    }
}

/// The published port, and the container's own address for when we are in a container ourselves.
fn addresses(facts: &Value, port: u16, host: &str) -> Vec<(String, u16)> {
    let network = &facts["NetworkSettings"];
    let published = network["Ports"][format!("{port}/tcp")][0]["HostPort"].as_str().and_then(|port| port.parse().ok());
    let own = network["IPAddress"].as_str().filter(|address| !address.is_empty());
    let published = published.map(|port| (host.to_owned(), port));
    published.into_iter().chain(own.map(|address| (address.to_owned(), port))).collect()
}

fn url(kind: Kind, (host, port): &(String, u16), password: &str) -> String {
    match kind {
        Kind::Postgres => format!("postgres://postgres:{password}@{host}:{port}/postgres"),
        Kind::Redis => format!("redis://:{password}@{host}:{port}/"),
    }
}
