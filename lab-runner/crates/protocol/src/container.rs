//! What the runner asks of `lab-containers`, the program that starts its containers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A container to start. It is sent as JSON on the program's standard input.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerSpec {
    /// The container's own name, by which it is found again.
    pub name: String,
    /// The image's name, without its tag.
    pub image: String,
    /// The image's tag.
    pub tag: String,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The TCP port that it listens on inside.
    pub port: u16,
    /// The address of this machine that the port is published on.
    pub publish_on: String,
    /// A folder inside that is kept in memory.
    pub in_memory: Option<String>,
    /// What it writes when it is ready.
    pub ready_line: String,
    /// Its share of the processor, if that is not left to the engine.
    pub cgroup: Option<CgroupShare>,
}

/// A control group of version 1, and a container's weight in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CgroupShare {
    /// The group's path.
    pub parent: String,
    /// Its weight; a process outside of all groups has 1024.
    pub shares: i64,
}
