//! Starts one container that is kept after we end, as told on stdin, and waits until it says that it is ready.
//!
//! The runner asks the engine itself whether a container still runs; this program is needed only to make one.
#![expect(clippy::print_stderr, reason = "what goes wrong is told to the runner, which reads stderr")]

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use lab_protocol::ContainerSpec;
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::wait::LogWaitStrategy;
use testcontainers::core::{IntoContainerPort as _, Mount, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{GenericImage, ImageExt as _, ReuseDirective, TestcontainersError};

/// The first start makes a cluster; on a slow disk that takes some seconds.
const START: Duration = Duration::from_secs(90);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let spec: ContainerSpec = match serde_json::from_reader(io::stdin().lock()) {
        Ok(spec) => spec,
        Err(error) => {
            eprintln!("the container on stdin cannot be read: {error}");
            return ExitCode::from(2);
        }
    };
    match start(spec).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(spec: ContainerSpec) -> Result<(), TestcontainersError> {
    let port = spec.port.tcp();
    let key = format!("{}/tcp", spec.port);
    let publish_on = spec.publish_on;
    let cgroup = spec.cgroup;
    let mut request = GenericImage::new(spec.image, spec.tag)
        .with_exposed_port(port)
        .with_wait_for(WaitFor::log(LogWaitStrategy::stdout_or_stderr(spec.ready_line)))
        .with_cmd(spec.args)
        .with_container_name(spec.name)
        .with_labels(spec.labels)
        .with_startup_timeout(START)
        // The library would publish it on every address, for everybody on the network.
        .with_host_config_modifier(move |host| {
            let binding = PortBinding { host_ip: Some(publish_on.clone()), host_port: None };
            host.port_bindings = Some([(key.clone(), Some(vec![binding]))].into());
            host.publish_all_ports = Some(false);
            host.cgroup_parent = cgroup.as_ref().map(|cgroup| cgroup.parent.clone());
            host.cpu_shares = cgroup.as_ref().map(|cgroup| cgroup.shares);
        })
        .with_reuse(ReuseDirective::Always);
    if let Some(folder) = spec.in_memory {
        request = request.with_mount(Mount::tmpfs_mount(folder));
    }
    for (name, value) in spec.env {
        request = request.with_env_var(name, value);
    }
    request.start().await?;
    Ok(())
}
