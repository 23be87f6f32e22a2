//! Task 9, last check: the image itself, where it can be built.

use lab_kit::prelude::*;
use lab_kit::{ByHand, Container};
use lab_postgres::LabPostgres as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::context::Context;
use super::dockerfile_checks::dockerfile;
use super::engine::{Leftover, PROGRAM, answers, docker, image_name, sweep_images};
use super::machine;
use crate::support::{Office, START};

/// A first build compiles every dependency, and machines that do so may be small and busy.
const BUILD: Duration = Duration::from_secs(900);
/// Fetching a base image.
const FETCH: Duration = Duration::from_secs(600);
/// Any other command of the engine.
const COMMAND: Duration = Duration::from_secs(30);

/// The last task whose checks look at a running server.
const LAST_RUNNING: u32 = 8;

/// The image is deployed, not the program: it must start, become ready, stop, and do everything else like the program
/// itself (The Twelve-Factor App, IX Disposability and X Dev/prod parity; OCI Runtime Specification, Lifecycle).
#[check(title = "the image builds, and its container does what the program does", task = 9, points = 1, limit = 1_500,
        needs = ["dockerfile_user", "dockerfile_exec_form", "dockerfile_context"],
        hints = ["`docker build -f labs/step-06-deploy/Dockerfile .` in the workspace's root, then `docker run`: what do you see?",
                 "Is the program where ENTRYPOINT looks for it, and may the user run it?",
                 "`docker stop` sends SIGTERM and waits ten seconds; the exit code is in `docker inspect`.",
                 "Does the same check pass without the container? Then look at what ENTRYPOINT, ENV and USER make different."])]
async fn image(lab: &Lab) -> CheckResult {
    answers().await?;
    is_asked_for(lab)?;
    machine::builds(lab).await?;
    fetch_bases(lab).await?;
    Container::sweep(PROGRAM).await?;
    sweep_images().await?;
    let name = image_name(&lab.word());
    // Dropped in the opposite order: the container goes before its image.
    let _image = Leftover::image(&name);
    build(lab, &name).await?;
    let _container = Leftover::container(&name);
    let office = Office::new(lab);
    let port = free_port().await?;
    start(lab, &office, &name, port).await?;
    lab.eventually("GET /readyz of the container is 200", START, || async {
        match status(port, "/readyz").await {
            Some(200) => Ok(()),
            other => Err(Failure::learner(format!("it is {other:?}")).actual(logs(&name).await)),
        }
    })
    .await?;
    expect_not_root(&name).await?;
    let stopped = docker(&["stop", "--time", "20", &name], None, COMMAND).await?;
    // What does not stop is killed, so that it is the engine which failed.
    stopped.ok.then_some(()).ok_or_else(|| Failure::Ours(format!("`docker stop` failed: {}", stopped.error)))?;
    let code = docker(&["inspect", "--format", "{{.State.ExitCode}}", &name], None, COMMAND).await?.output;
    if code != "0" {
        return Err(Failure::learner(format!("after SIGTERM the container ended with code {code}"))
            .expected("exit code 0; 137 means that it was killed after 20 s, 143 that SIGTERM itself killed it")
            .actual(logs(&name).await));
    }
    let by_hand = ByHand { image: "box-office", variables: &["DATABASE_URL", "API_TOKEN"] };
    let container = Container::of(PROGRAM, &name, by_hand);
    lab.check_containers(&container, |check| check.task <= LAST_RUNNING).await
}

/// Every change of the sources builds the release anew: too long for every run of a learner, not for CI.
fn is_asked_for(lab: &Lab) -> CheckResult {
    if lab.is_named() || std::env::var_os("CI").is_some() {
        return Ok(());
    }
    Err(Failure::not_applicable(
        "it takes minutes, so it runs only in CI or when you name it: `cargo lab check step-06 image`",
    ))
}

/// Fetches the bases that are not on this machine. That it can fetch some has been seen, so that what cannot be had is
/// named wrongly.
async fn fetch_bases(lab: &Lab) -> CheckResult {
    let file = dockerfile(lab)?;
    for (number, stage) in file.stages.iter().enumerate() {
        if stage.base == "scratch" || file.stage(&stage.base, number).is_some() {
            continue;
        }
        let known = docker(&["image", "inspect", "--format", "{{.Id}}", &stage.base], None, COMMAND).await?;
        if known.ok {
            continue;
        }
        let fetched = docker(&["pull", "--quiet", &stage.base], None, FETCH).await?;
        if !fetched.ok {
            let told = format!("the base image `{}` is not on this machine, and cannot be fetched", stage.base);
            return Err(Failure::learner(told)
                .expected(format!("a base that `docker pull` finds, such as `{}`", machine::BASES.join("` or `")))
                .actual(fetched.error));
        }
    }
    Ok(())
}

/// Builds what the context holds.
async fn build(lab: &Lab, name: &str) -> CheckResult {
    let context = Context::copy(lab)?;
    let arguments = ["build", "--quiet", "--force-rm", "--tag", name, "--file", context.dockerfile(), "."];
    let built = docker(&arguments, Some(context.root()), BUILD).await?;
    if built.ok {
        return Ok(());
    }
    let tail: Vec<&str> = built.error.lines().rev().take(15).collect();
    let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
    Err(Failure::learner("the image cannot be built").expected("docker build succeeds").actual(tail))
}

async fn start(lab: &Lab, office: &Office, name: &str, port: u16) -> CheckResult {
    let variables = [
        format!("DATABASE_URL={}", lab.postgres().await?.url()),
        format!("API_TOKEN={}", office.token),
        "HOST=127.0.0.1".to_owned(),
        format!("PORT={port}"),
        "DRAIN_DELAY_MS=100".to_owned(),
        "SHUTDOWN_TIMEOUT_MS=5000".to_owned(),
    ];
    let label = format!("{}={}", Container::SUITE, std::process::id());
    let mut arguments = vec!["run", "--detach", "--name", name, "--network", "host", "--label", &label];
    for variable in &variables {
        arguments.extend(["--env", variable]);
    }
    arguments.push(name);
    let started = docker(&arguments, None, COMMAND).await?;
    expect_that(started.ok, format!("the container does not start: {}", started.error))
}

/// No process of the container runs as root, by whatever name, or with the rights of a file's owner. It is seen from outside:
/// an image need not have programs to ask with.
async fn expect_not_root(name: &str) -> CheckResult {
    // Of one that has ended by itself, its exit code tells.
    let running = docker(&["top", name, "-eo", "pid,euid,args"], None, COMMAND).await?.output;
    match running.lines().skip(1).find(|line| line.split_whitespace().nth(1) == Some("0")) {
        None => Ok(()),
        Some(line) => Err(Failure::learner("a program in the container runs as root").actual(line)),
    }
}

async fn free_port() -> CheckResult<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.ours("looking for a free port")?;
    Ok(listener.local_addr().ours("looking for a free port")?.port())
}

/// The status of a GET, `None` where there is no answer.
async fn status(port: u16, path: &str) -> Option<u16> {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.take(4_096).read_to_string(&mut answer).await.ok()?;
        answer.split(' ').nth(1)?.parse().ok()
    };
    timeout(Duration::from_secs(2), ask).await.ok().flatten()
}

async fn logs(name: &str) -> String {
    match docker(&["logs", "--tail", "10", name], None, COMMAND).await {
        Ok(said) => format!("{}\n{}", said.output, said.error),
        Err(_) => String::new(),
    }
}
