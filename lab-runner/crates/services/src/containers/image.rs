//! Images: which one a service is started from, and how it is had.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use lab_container_engine::EngineRequest;
use serde_json::Value;

use super::engine::ContainerEngine;
use super::spec::{self, ContainerImage};
use crate::cache::Cache;
use crate::error::ProviderError;
use crate::progress::ProgressSender;
use crate::registry::ServiceId;

/// A pull that sends nothing for so long has failed.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// No pull is waited for any longer: 150 MB on a line of 2 Mbit/s.
const PULL_TIMEOUT: Duration = Duration::from_secs(600);
/// How often a pull reports its progress.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// `auto` does not try again what has just failed: without a network that can take half a minute each time.
const RECENT: Duration = Duration::from_secs(600);

/// An image that is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PresentImage {
    /// What it was asked for by, such as `postgres:17`.
    pub(crate) reference: String,
    /// What it is known by to the engine, whatever its name means tomorrow.
    pub(super) id: String,
}

/// Whether a pull or a start that failed a moment ago is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryPolicy {
    /// The user asked for containers.
    Retry,
    /// There are other providers.
    SkipRecentFailure,
}

/// The image that is there, without pulling any.
pub(super) fn present(service: ServiceId, engine: &ContainerEngine) -> Result<Option<PresentImage>, ProviderError> {
    for reference in candidates(service)? {
        if let Some(image) = inspect(&reference, engine)? {
            return Ok(Some(image));
        }
    }
    Ok(None)
}

/// The image for `service`, pulled if it must be.
pub(super) fn get(
    service: ServiceId,
    engine: &ContainerEngine,
    cache: &Cache,
    retry: RetryPolicy,
    progress: &ProgressSender,
) -> Result<PresentImage, ProviderError> {
    if let Some(image) = present(service, engine)? {
        return Ok(image);
    }
    let reference = candidates(service)?.swap_remove(0);
    let note = note(&reference, cache)?;
    if retry == RetryPolicy::SkipRecentFailure && is_recent(&note) {
        let why = fs::read_to_string(&note).unwrap_or_default();
        return Err(absent(service, &reference, &format!("{why} (a few minutes ago)")));
    }
    progress.report(format!("pulling the image {reference} (once)"));
    if let Err(why) = pull(&reference, engine, progress) {
        let _ = fs::write(&note, &why);
        return Err(absent(service, &reference, &why));
    }
    let _ = fs::remove_file(&note);
    inspect(&reference, engine)?.ok_or_else(|| absent(service, &reference, "it was pulled and is still missing"))
}

/// Whether the note of a failure was written a moment ago.
pub(super) fn is_recent(note: &Path) -> bool {
    let written = fs::metadata(note).and_then(|metadata| metadata.modified());
    written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < RECENT))
}

fn candidates(service: ServiceId) -> Result<Vec<String>, ProviderError> {
    let image = spec::of(service)?;
    Ok(match service.setting("IMAGE") {
        Some(named) => vec![named],
        None => std::iter::once(image.official).chain(image.local).map(str::to_owned).collect(),
    })
}

fn note(reference: &str, cache: &Cache) -> Result<PathBuf, ProviderError> {
    let name: String = reference.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(cache.folder("containers")?.join(format!("not-pulled-{name}")))
}

/// Why there is nothing to start, when nothing is to be pulled.
pub(super) fn none_present(service: ServiceId) -> ProviderError {
    match candidates(service) {
        Ok(images) => ProviderError::new(format!("none of the images {} is on this machine", images.join(", "))),
        Err(error) => error,
    }
}

fn absent(service: ServiceId, reference: &str, why: &str) -> ProviderError {
    let error = ProviderError::new(format!("the image {reference} is not on this machine and cannot be pulled: {why}"))
        .hint(format!("set {} to an image that is on this machine or in your registry", service.variable("IMAGE")));
    match spec::of(service) {
        Ok(ContainerImage { local: Some(_), .. }) => {
            error.hint("or build one from Debian's packages: `fixtures/images/build`")
        }
        _ => error,
    }
}

fn inspect(reference: &str, engine: &ContainerEngine) -> Result<Option<PresentImage>, ProviderError> {
    if !is_reference(reference) {
        return Err(ProviderError::new(format!("`{reference}` is not the name of an image")));
    }
    let answer = engine.call(&EngineRequest::new("GET", format!("/images/{reference}/json")))?;
    match answer.status {
        200 => {
            let id = answer.body["Id"].as_str().unwrap_or(reference).to_owned();
            Ok(Some(PresentImage { reference: reference.to_owned(), id }))
        }
        404 => Ok(None),
        _ => Err(ProviderError::new(format!(
            "the container engine cannot look up the image {reference}: {}",
            answer.message()
        ))),
    }
}

fn is_reference(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "./:_-@".contains(c)) && !text.contains("..")
}

/// The reference's name and tag.
pub(super) fn split(reference: &str) -> (String, String) {
    if let Some((name, tag)) = reference.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        return (name.to_owned(), tag.to_owned());
    }
    (reference.to_owned(), "latest".to_owned())
}

/// Pulls the image, or says in the engine's words why not.
fn pull(reference: &str, engine: &ContainerEngine, progress: &ProgressSender) -> Result<(), String> {
    let (name, tag) = split(reference);
    let request = EngineRequest::new("POST", "/images/create").query(&[("fromImage", &name), ("tag", &tag)]);
    let began = Instant::now();
    let answer = engine.stream(&request, SILENCE_TIMEOUT).map_err(|error| error.to_string())?;
    let status = answer.status;
    let mut reported = began;
    for line in BufReader::new(answer.body).lines() {
        let line = line.map_err(|error| format!("the pull stopped: {error}"))?;
        let news: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        if let Some(why) = news["error"].as_str().or_else(|| news["message"].as_str().filter(|_| status != 200)) {
            return Err(why.to_owned());
        }
        if began.elapsed() > PULL_TIMEOUT {
            return Err(format!("it was not finished after {} minutes", PULL_TIMEOUT.as_secs() / 60));
        }
        if reported.elapsed() > REPORT_INTERVAL {
            reported = Instant::now();
            let part = [news["status"].as_str(), news["progress"].as_str()].map(Option::unwrap_or_default).join(" ");
            progress.report(format!("pulling {reference}, {} s: {}", began.elapsed().as_secs(), part.trim()));
        }
    }
    if status == 200 { Ok(()) } else { Err(format!("HTTP {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_port_is_no_tag() {
        assert_eq!(split("registry:5000/team/postgres"), ("registry:5000/team/postgres".into(), "latest".into()));
        assert_eq!(split("registry:5000/postgres:17"), ("registry:5000/postgres".into(), "17".into()));
    }

    #[test]
    fn a_digest_stays_with_its_name() {
        assert_eq!(split("postgres@sha256:abc"), ("postgres@sha256".into(), "abc".into()));
    }

    #[test]
    fn a_name_that_would_leave_the_path_is_refused() {
        assert!(!is_reference("a/../../containers/x"));
        assert!(!is_reference("a b"));
        assert!(is_reference("ghcr.io/x/postgres:17-alpine"));
    }
}
