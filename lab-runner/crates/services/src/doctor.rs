//! `cargo lab doctor`: what every provider has to offer on this machine, tried out.

use std::collections::BTreeSet;
use std::time::Instant;

use lab_protocol::millis;
use serde::Serialize;

use crate::cache::Cache;
use crate::containers::{self, Availability};
use crate::embedded::{self, Installer, Wheel};
use crate::error::{ProviderError, specific_hints};
use crate::loopback::reach_loopback;
use crate::machine::{self, Fact};
use crate::program::Program;
use crate::progress::ProgressSender;
use crate::provider::{self, Provided, Provider};
use crate::registry::ServiceId;
use crate::{external, fix, native, packages, search};

/// What is examined, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examination {
    /// The labs that are to be graded here, with what they need.
    pub labs: Vec<LabNeeds>,
    /// Whether these labs were asked for: then their services are tried and no others, and each of them counts.
    pub named: bool,
    /// Whether a provider is set up for a service that has none.
    pub fix: bool,
}

/// The services that a lab needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabNeeds {
    /// The lab's id.
    pub lab: String,
    /// What its server has to have.
    pub services: Vec<ServiceId>,
}

/// What the doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// The services that were examined.
    pub services: Vec<ServiceId>,
    /// The labs that this is about, with what they need.
    pub labs: Vec<LabNeeds>,
    /// Whether these labs were asked for.
    pub named: bool,
    /// Every provider of every service.
    pub findings: Vec<Finding>,
    /// The rest of the machine.
    pub machine: Vec<Fact>,
    /// What `--fix` did.
    pub fixed: Vec<String>,
    /// What mends it, if a service that was examined has no provider that works.
    pub hints: Vec<String>,
}

/// What one provider has to offer for one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The service.
    pub service: ServiceId,
    /// The provider.
    pub provider: Provider,
    /// Whether it serves.
    pub state: State,
    /// What was found: version and place, or why it does not serve.
    pub detail: String,
}

/// Whether a provider serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was started, or attached to.
    Ready {
        /// How long that took, in milliseconds.
        ms: u64,
    },
    /// It was not tried, because that takes long; it has all it needs.
    Able,
    /// It would have to be set up first.
    Absent,
}

impl State {
    fn ready_since(began: Instant) -> Self {
        Self::Ready { ms: millis(began.elapsed()) }
    }

    /// Whether it can be counted on.
    #[must_use]
    pub fn works(self) -> bool {
        self != Self::Absent
    }
}

impl DoctorReport {
    /// Whether what was asked for can be done here: each lab that was named can be graded. Where none was named, some lab
    /// that needs services can; where there is no such lab, some service has a provider; and without any lab, each has.
    #[must_use]
    pub fn works(&self) -> bool {
        let cannot = self.cannot_be_graded();
        if self.named {
            return cannot.is_empty();
        }
        if self.labs.is_empty() {
            return self.missing().is_empty();
        }
        let needing = self.labs.iter().filter(|lab| !lab.services.is_empty()).count();
        if needing > 0 { cannot.len() < needing } else { self.missing().len() < self.services.len() }
    }

    /// The services that no provider has, of those that were examined.
    #[must_use]
    pub fn missing(&self) -> Vec<ServiceId> {
        self.services.iter().copied().filter(|service| self.first(*service).is_none()).collect()
    }

    /// The labs that need a service which no provider has.
    #[must_use]
    pub fn cannot_be_graded(&self) -> Vec<&str> {
        let lacks = |lab: &&LabNeeds| lab.services.iter().any(|service| self.first(*service).is_none());
        self.labs.iter().filter(lacks).map(|lab| lab.lab.as_str()).collect()
    }

    /// 0 if what was asked for can be done here, otherwise 4.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.works() { 0 } else { 4 }
    }

    /// The provider that `auto` takes for `service`.
    #[must_use]
    pub fn first(&self, service: ServiceId) -> Option<Provider> {
        self.findings
            .iter()
            .find(|finding| finding.service == service && finding.state.works())
            .map(|finding| finding.provider)
    }
}

/// Tries every provider of what `examination` is about; with `fix`, sets one up for a service that has none. `consent` is
/// asked before anything is installed outside the cache.
pub(crate) fn examine(
    examination: Examination,
    consent: &dyn Fn(&str) -> bool,
    progress: &ProgressSender,
) -> DoctorReport {
    let Examination { labs, named, fix } = examination;
    let needed = |service: &ServiceId| !named || labs.iter().any(|lab| lab.services.contains(service));
    let services: Vec<ServiceId> = ServiceId::all().into_iter().filter(needed).collect();
    let (findings, failures) = findings(&services, progress);
    let (machine, fixed, hints) = (machine::facts(), Vec::new(), Vec::new());
    let mut report = DoctorReport { services, labs, named, findings, machine, fixed, hints };
    if fix {
        for service in report.services.clone() {
            if !report.is_served(service) {
                report.mend(service, consent, progress);
            }
        }
    }
    let missing = report.missing();
    if !missing.is_empty() {
        let hint = if fix { packages::remedy(&missing) } else { "run `cargo lab doctor --fix`".to_owned() };
        let failed = failures.into_iter().filter(|(service, ..)| missing.contains(service));
        let failed: Vec<_> = failed.map(|(_, provider, error)| (provider, error)).collect();
        // Where a disk is full or a folder cannot be written, installing something is no help.
        report.hints.extend(specific_hints(&failed).unwrap_or_else(|| vec![hint]));
    }
    let mut seen = BTreeSet::new();
    report.hints.retain(|hint| seen.insert(hint.clone()));
    report
}

impl DoctorReport {
    /// Whether something serves `service` that need not be fetched first.
    fn is_served(&self, service: ServiceId) -> bool {
        let is_there = |finding: &Finding| finding.provider != Provider::Embedded || finding.state != State::Able;
        self.findings.iter().any(|finding| finding.service == service && finding.state.works() && is_there(finding))
    }

    fn mend(&mut self, service: ServiceId, consent: &dyn Fn(&str) -> bool, progress: &ProgressSender) {
        let result =
            fix::fix(service, consent, progress).and_then(|done| Ok((done, embedded_state(service, progress)?)));
        let (state, detail) = match result {
            Ok((done, found)) => {
                self.fixed.push(done);
                found
            }
            Err(error) => {
                self.hints.extend(error.hints().iter().cloned());
                (State::Absent, error.to_string())
            }
        };
        let embedded = |finding: &&mut Finding| finding.service == service && finding.provider == Provider::Embedded;
        if let Some(finding) = self.findings.iter_mut().find(embedded) {
            (finding.state, finding.detail) = (state, detail);
        }
    }
}

/// What each provider has for each service, and why those have nothing that have nothing.
fn findings(
    services: &[ServiceId],
    progress: &ProgressSender,
) -> (Vec<Finding>, Vec<(ServiceId, Provider, ProviderError)>) {
    let (mut findings, mut failures) = (Vec::new(), Vec::new());
    for &service in services {
        progress.report(format!("trying every provider of {service}"));
        for provider in provider::order(containers::can_start(service)) {
            let state = || match provider {
                Provider::External => external_state(service),
                Provider::Containers => containers_state(service),
                Provider::Native => native_state(service, progress),
                Provider::Embedded => embedded_state(service, progress),
            };
            let reached = if provider == Provider::External { Ok(()) } else { reach_loopback() };
            let (state, detail) = reached.and_then(|()| state()).unwrap_or_else(|error| {
                let detail = error.to_string();
                failures.push((service, provider, error));
                (State::Absent, detail)
            });
            findings.push(Finding { service, provider, state, detail });
        }
    }
    (findings, failures)
}

type Examined = Result<(State, String), ProviderError>;

fn external_state(service: ServiceId) -> Examined {
    let began = Instant::now();
    external::start(service)?;
    Ok((State::ready_since(began), format!("{} answers", service.variable("URL"))))
}

fn containers_state(service: ServiceId) -> Examined {
    let began = Instant::now();
    match containers::availability(service)? {
        Availability::Warm { image, engine } => {
            Ok((State::ready_since(began), format!("{image}, kept running by {engine}")))
        }
        Availability::ImagePresent { image, engine } => {
            Ok((State::Able, format!("{image} is available, and {engine} can start it")))
        }
    }
}

fn native_state(service: ServiceId, progress: &ProgressSender) -> Examined {
    try_out(&search::find(service)?, service, Provider::Native, progress)
}

fn embedded_state(service: ServiceId, progress: &ProgressSender) -> Examined {
    match embedded::downloaded(service, &Cache::locate()?) {
        Some(program) => try_out(&program?, service, Provider::Embedded, progress),
        None => {
            let wheel = Wheel::of(service)?;
            let installer = Installer::find()?;
            Cache::locate()?.require_room(wheel.bytes())?;
            let detail = format!("{} will be downloaded when needed, with {}", wheel.name(), installer.version);
            Ok((State::Able, detail))
        }
    }
}

/// Starts an instance of `program` and stops it again.
fn try_out(program: &Program, service: ServiceId, provider: Provider, progress: &ProgressSender) -> Examined {
    let began = Instant::now();
    let Provided { instance, .. } = native::run(program, service, provider, &Cache::locate()?, progress)?;
    let state = State::ready_since(began);
    if let Some(instance) = instance {
        instance.stop();
    }
    Ok((state, format!("{}, {}", program.name(), program.path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a machine that has the first service and no other.
    fn code(labs: &[&[usize]], named: bool) -> u8 {
        let services = ServiceId::all();
        let needs = |of: &&[usize]| LabNeeds {
            lab: "a lab".into(),
            services: of.iter().map(|index| services[*index]).collect(),
        };
        let labs = labs.iter().map(needs).collect();
        let finding =
            Finding { service: services[0], provider: Provider::Native, state: State::Able, detail: String::new() };
        let (findings, machine) = (vec![finding], Vec::new());
        DoctorReport { services, labs, named, findings, machine, fixed: Vec::new(), hints: Vec::new() }.exit_code()
    }

    #[test]
    fn it_is_about_the_labs_that_are_named_or_else_about_whether_any_can_be_graded() {
        assert_eq!([code(&[&[]], true), code(&[&[0]], true), code(&[&[0, 1]], true)], [0, 0, 4]);
        assert_eq!(code(&[&[0], &[1]], true), 4, "each that is named counts");
        assert_eq!(code(&[&[], &[0], &[1]], false), 0);
        assert_eq!(code(&[&[], &[1], &[0, 1]], false), 4, "one without services says nothing of the others");
        assert_eq!([code(&[], false), code(&[&[]], false)], [4, 0], "outside a course all services count");
    }
}
