//! The slow way to compare with: one check after the other, each with a container of its own for each service.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{OneByOne, check, millis};
use crate::context::RunContext;
use crate::error::Error;
use crate::report::Report;
use crate::workspace::Lab;
use lab_services::{self as services, Choice, Service, Wanted};

/// No container takes longer to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that is started anew for each check.
struct Recipe {
    image: String,
    port: u16,
    variable: &'static str,
    scheme: &'static str,
    environment: &'static [&'static str],
    /// What is asked, and how the answer begins.
    probe: (&'static [u8], &'static [&'static [u8]]),
}

/// A container that is removed with its owner.
struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

/// Runs each check of `report` by itself, with fresh containers, and adds up: their start and end, and the check's own
/// time. What the runner needs around that is left out, which favours this side.
pub(super) async fn one_by_one(
    run: &RunContext,
    lab: &Lab,
    report: &Report,
    arguments: &dyn Fn(&[&str]) -> Vec<String>,
    check_ms: f64,
    say: &dyn Fn(String),
) -> Result<OneByOne, String> {
    let recipes = recipes(lab).await?;
    let (mut total, mut containers) = (0.0, 0.0);
    for (number, one) in report.checks.iter().enumerate() {
        say(format!("one by one: check {} of {}, {}", number + 1, report.checks.len(), one.id));
        let (around, own) = alone(run, &recipes, &one.id, arguments).await?;
        containers += around;
        total += around + own;
    }
    Ok(OneByOne {
        checks: report.checks.len(),
        total_ms: total,
        containers_ms: containers,
        against_check: total / check_ms,
    })
}

/// One check with fresh containers: the time around it, and its own.
async fn alone(
    run: &RunContext,
    recipes: &[Recipe],
    id: &str,
    arguments: &dyn Fn(&[&str]) -> Vec<String>,
) -> Result<(f64, f64), String> {
    let began = Instant::now();
    let (mut running, mut env) = (Vec::new(), Vec::new());
    for recipe in recipes {
        let (container, url) = recipe.start()?;
        running.push(container);
        env.push((recipe.variable.to_owned(), url));
    }
    let start = millis(began.elapsed());
    // `check` reads the lab first, then the checks' names.
    let mut arguments = arguments(&["--services", "external", "--jobs", "1"]);
    arguments.insert(2, id.to_owned());
    let graded = check(run, &arguments, &env).await.map_err(|error: Error| error.to_string())?;
    let own = graded.checks.iter().find(|check| check.id == id).map_or(0, |check| check.duration_ms);
    let began = Instant::now();
    drop(running);
    Ok((start + millis(began.elapsed()), own as f64))
}

async fn recipes(lab: &Lab) -> Result<Vec<Recipe>, String> {
    use crate::manifest::ServiceName::{Postgres, Redis};
    let asked = &lab.manifest.services;
    let wanted = Wanted { postgres: asked.contains(&Postgres), redis: asked.contains(&Redis) };
    if wanted == Wanted::default() {
        return Err("the lab asks for no service".into());
    }
    docker(&["version"]).map_err(|error| format!("no container engine: {error}"))?;
    let ready = services::start(Choice::Containers, wanted, &|_| {}).await.map_err(|error| error.to_string())?;
    let image = |service: &Option<Service>| {
        let version = service.as_ref()?.version.clone()?;
        Some(version.trim_start_matches("image ").to_owned())
    };
    let postgres = image(&ready.postgres).map(|image| Recipe {
        image,
        port: 5432,
        variable: "LAB_POSTGRES_URL",
        scheme: "postgres://postgres:bench@",
        environment: &["POSTGRES_PASSWORD=bench"],
        // SSLRequest: answered by one byte, once the server takes connections (PostgreSQL manual, 55.2.10).
        probe: (&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], &[b"S", b"N"]),
    });
    let redis = image(&ready.redis).map(|image| Recipe {
        image,
        port: 6379,
        variable: "LAB_REDIS_URL",
        scheme: "redis://",
        environment: &[],
        probe: (b"PING\r\n", &[b"+PONG"]),
    });
    ready.shutdown().await;
    Ok(postgres.into_iter().chain(redis).collect())
}

impl Recipe {
    fn start(&self) -> Result<(Container, String), String> {
        let publish = format!("127.0.0.1::{}", self.port);
        let mut arguments = vec!["run", "--detach", "--publish", &publish];
        self.environment.iter().for_each(|pair| arguments.extend(["--env", pair]));
        arguments.push(&self.image);
        let container = Container(docker(&arguments)?);
        let port = docker(&["port", &container.0, &self.port.to_string()])?;
        let address = port.lines().next().unwrap_or_default().to_owned();
        let deadline = Instant::now() + PATIENCE;
        while !self.answers(&address) {
            if Instant::now() > deadline {
                return Err(format!("a container of {} does not answer", self.image));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let database = if self.port == 5432 { "/postgres" } else { "" };
        Ok((container, format!("{}{address}{database}", self.scheme)))
    }

    fn answers(&self, address: &str) -> bool {
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(self.probe.0)?;
            let mut answer = [0; 16];
            let count = stream.read(&mut answer)?;
            Ok(self.probe.1.iter().any(|start| answer[..count].starts_with(start)))
        };
        ask().unwrap_or(false)
    }
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new("docker").args(arguments).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
