//! How our containers are started, and the labels by which only ours are ever removed.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::super::Kind;
use super::super::cache::Cache;
use super::super::instance::verifier;
use super::super::native::settings_for_containers;
use super::engine::Engine;
use super::image::{Image, split};

/// What `lab-containers` is told on its stdin.
#[derive(Debug, Serialize)]
pub(super) struct Order {
    pub(super) name: String,
    image: String,
    tag: String,
    env: BTreeMap<&'static str, String>,
    args: Vec<String>,
    labels: BTreeMap<&'static str, String>,
    port: u16,
    publish_on: &'static str,
    in_memory: Option<&'static str>,
    ready: &'static str,
    placement: Option<Placement>,
}

/// A control group, and the container's weight in it.
#[derive(Debug, Serialize)]
struct Placement {
    parent: &'static str,
    shares: u32,
}

/// Where an engine manages control groups of version 1 itself, all its containers together weigh as much as a single
/// process outside: on a busy machine Postgres would get a twentieth of a processor, and servers would be blamed for
/// its slowness. Beside those processes it weighs what sixteen of them do, and it is idle most of the time.
const BESIDE_PROCESSES: Placement = Placement { parent: "/", shares: 16 * 1024 };

/// Counts the changes to how a container is made that the rest of its recipe does not show.
const LAYOUT: u8 = 1;

/// The label that says which service it is, and that it is ours.
pub(super) const SERVICE: &str = "backend-labs.service";
/// The label that says whose it is.
pub(super) const OWNER: &str = "backend-labs.owner";

/// Tells this user's containers from another's, and those of one cache, where the passwords are, from another's.
pub(super) fn owner(cache: &Cache) -> String {
    let digest = hex::encode(Sha256::digest(cache.root().as_os_str().as_encoded_bytes()));
    format!("{}-{}", rustix::process::geteuid().as_raw(), &digest[..8])
}

pub(super) fn service(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgres",
        Kind::Redis => "redis",
    }
}

/// The name of the container for `kind` from `image`. It holds a hash of everything that matters but the password: a
/// container that was made otherwise is another one.
pub(super) fn name(kind: Kind, image: &Image, cache: &Cache) -> String {
    let owner = owner(cache);
    let recipe = match kind {
        Kind::Postgres => postgres(""),
        Kind::Redis => redis(""),
    };
    let mut digest = Sha256::new();
    digest.update([LAYOUT]);
    let variables = recipe.env.iter().flat_map(|(name, value)| [*name, value.as_str()]);
    let args = recipe.args.iter().map(String::as_str);
    for fact in
        [image.id.as_str(), &owner, recipe.in_memory.unwrap_or_default()].into_iter().chain(variables).chain(args)
    {
        digest.update(fact);
        digest.update([0]);
    }
    format!("backend-labs-{}-{owner}-{}", service(kind), &hex::encode(digest.finalize())[..8])
}

/// The port inside the container.
pub(super) fn port(kind: Kind) -> u16 {
    match kind {
        Kind::Postgres => 5432,
        Kind::Redis => 6379,
    }
}

/// The order for `kind` from `image`. `engine` is the one that will start it.
pub(super) fn order(kind: Kind, image: &Image, cache: &Cache, password: &str, engine: &Engine) -> Order {
    let (repository, tag) = split(&image.reference);
    Order {
        name: name(kind, image, cache),
        image: repository,
        tag,
        labels: BTreeMap::from([(SERVICE, service(kind).to_owned()), (OWNER, owner(cache))]),
        publish_on: if engine.is_elsewhere() { "0.0.0.0" } else { "127.0.0.1" },
        placement: engine.weighs_containers_as_one().then_some(BESIDE_PROCESSES),
        ..match kind {
            Kind::Postgres => postgres(&verifier(password)),
            Kind::Redis => redis(password),
        }
    }
}

/// `password` is what Postgres is told, which is not what a client says.
fn postgres(password: &str) -> Order {
    let mut args = vec!["postgres".to_owned()];
    args.extend(settings_for_containers().flat_map(|setting| ["-c".to_owned(), setting.to_owned()]));
    Order {
        env: BTreeMap::from([
            ("POSTGRES_PASSWORD", password.to_owned()),
            ("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C.UTF-8 --no-sync --wal-segsize=1".to_owned()),
            ("PGDATA", "/lab/data".to_owned()),
            ("TZ", "UTC".to_owned()),
        ]),
        args,
        port: port(Kind::Postgres),
        in_memory: Some("/lab"),
        // The server that the image starts first, to set the cluster up, listens on no address.
        ready: "listening on IPv4 address",
        ..empty()
    }
}

fn redis(password: &str) -> Order {
    let args = ["--requirepass", password, "--databases", "1024", "--save", "", "--appendonly", "no"];
    Order {
        args: args.map(str::to_owned).to_vec(),
        port: port(Kind::Redis),
        ready: "eady to accept connections",
        ..empty()
    }
}

fn empty() -> Order {
    Order {
        name: String::new(),
        image: String::new(),
        tag: String::new(),
        env: BTreeMap::new(),
        args: Vec::new(),
        labels: BTreeMap::new(),
        port: 0,
        publish_on: "127.0.0.1",
        in_memory: None,
        ready: "",
        placement: None,
    }
}
