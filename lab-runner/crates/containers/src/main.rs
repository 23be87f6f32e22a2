//! Starts one container that is kept after we end, as told on stdin, and waits until it says that it is ready.
//!
//! The runner asks the engine itself whether a container still runs; this program is needed only to make one.
#![expect(clippy::print_stderr, reason = "what goes wrong is told to the runner, which reads stderr")]

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::wait::LogWaitStrategy;
use testcontainers::core::{IntoContainerPort as _, Mount, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{GenericImage, ImageExt as _, ReuseDirective, TestcontainersError};

/// The first start makes a cluster; on a slow disk that takes some seconds.
const START: Duration = Duration::from_secs(90);

/// What to start. `services::containers::recipe` in lab-runner writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// The container's own name, by which it is found again.
    name: String,
    /// The image's name, without its tag.
    image: String,
    tag: String,
    env: BTreeMap<String, String>,
    args: Vec<String>,
    labels: BTreeMap<String, String>,
    /// The port inside.
    port: u16,
    /// The address of this machine that the port is published on.
    publish_on: String,
    /// A folder inside that is kept in memory.
    in_memory: Option<String>,
    /// What it writes when it is ready.
    ready: String,
    /// Where it stands among the processes that want the processor; `None` leaves it to the engine.
    placement: Option<Placement>,
}

/// A control group of version 1, and its weight there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Placement {
    parent: String,
    shares: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let order: Order = match serde_json::from_reader(io::stdin().lock()) {
        Ok(order) => order,
        Err(error) => {
            eprintln!("the order on stdin cannot be read: {error}");
            return ExitCode::from(2);
        }
    };
    match start(order).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(order: Order) -> Result<(), TestcontainersError> {
    let port = order.port.tcp();
    let key = format!("{}/tcp", order.port);
    let publish_on = order.publish_on;
    let placement = order.placement;
    let mut request = GenericImage::new(order.image, order.tag)
        .with_exposed_port(port)
        .with_wait_for(WaitFor::log(LogWaitStrategy::stdout_or_stderr(order.ready)))
        .with_cmd(order.args)
        .with_container_name(order.name)
        .with_labels(order.labels)
        .with_startup_timeout(START)
        // The library would publish it on every address, for everybody on the network.
        .with_host_config_modifier(move |host| {
            let binding = PortBinding { host_ip: Some(publish_on.clone()), host_port: None };
            host.port_bindings = Some([(key.clone(), Some(vec![binding]))].into());
            host.publish_all_ports = Some(false);
            host.cgroup_parent = placement.as_ref().map(|placement| placement.parent.clone());
            host.cpu_shares = placement.as_ref().map(|placement| placement.shares);
        })
        .with_reuse(ReuseDirective::Always);
    if let Some(folder) = order.in_memory {
        request = request.with_mount(Mount::tmpfs_mount(folder));
    }
    for (name, value) in order.env {
        request = request.with_env_var(name, value);
    }
    request.start().await?;
    Ok(())
}
