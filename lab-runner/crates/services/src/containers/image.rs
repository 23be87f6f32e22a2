//! Images: which one a service is started from, and how it is had.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::super::Kind;
use super::super::cache::Cache;
use super::super::problem::Problem;
use super::super::tell::Tell;
use super::engine::{Engine, query};

/// A pull that sends nothing for so long has failed.
const SILENCE: Duration = Duration::from_secs(60);
/// No pull is waited for any longer: 150 MB on a line of 2 Mbit/s.
const WITHIN: Duration = Duration::from_secs(600);
/// How often a pull is spoken of.
const NEWS: Duration = Duration::from_secs(5);
/// `auto` does not try again what has just failed: without a network that can take half a minute each time.
const REMEMBERED: Duration = Duration::from_secs(600);

/// An image that is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// What it was asked for by, such as `postgres:17`.
    pub(crate) reference: String,
    /// What it is known by to the engine, whatever its name means tomorrow.
    pub(super) id: String,
}

/// Whether a pull that failed a moment ago is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The user asked for containers.
    TryAgain,
    /// There are other providers.
    GiveUp,
}

/// The variable that names another image.
pub(super) fn variable(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "LAB_POSTGRES_IMAGE",
        Kind::Redis => "LAB_REDIS_IMAGE",
    }
}

/// The official image of one major version: it gets fixes, and its behaviour stays. 17 and not 18, because its
/// data folder is where all images before it have theirs; 8 is the first Redis since 7.2 under a free licence.
fn official(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgres:17",
        Kind::Redis => "redis:8",
    }
}

/// What fixtures/images/build makes.
fn made_here(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "backend-labs/postgres:15",
        Kind::Redis => "backend-labs/redis:7",
    }
}

/// The image that is there, without pulling any.
pub(super) fn present(kind: Kind, engine: &Engine) -> Result<Option<Image>, Problem> {
    for reference in candidates(kind) {
        if let Some(image) = inspect(&reference, engine)? {
            return Ok(Some(image));
        }
    }
    Ok(None)
}

/// The image for `kind`, pulled if it must be.
pub(super) fn get(
    kind: Kind,
    engine: &Engine,
    cache: &Cache,
    patience: Patience,
    tell: &Tell,
) -> Result<Image, Problem> {
    if let Some(image) = present(kind, engine)? {
        return Ok(image);
    }
    let reference = candidates(kind).swap_remove(0);
    let note = note(&reference, cache)?;
    if patience == Patience::GiveUp && is_recent(&note) {
        let why = fs::read_to_string(&note).unwrap_or_default();
        return Err(absent(kind, &reference, &format!("{why} (a few minutes ago)")));
    }
    tell.say(format!("pulling the image {reference} (once)"));
    if let Err(why) = pull(&reference, engine, tell) {
        let _ = fs::write(&note, &why);
        return Err(absent(kind, &reference, &why));
    }
    let _ = fs::remove_file(&note);
    inspect(&reference, engine)?.ok_or_else(|| absent(kind, &reference, "it was pulled and is not there"))
}

/// Whether the note of a failure was written a moment ago.
pub(super) fn is_recent(note: &Path) -> bool {
    let written = fs::metadata(note).and_then(|metadata| metadata.modified());
    written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < REMEMBERED))
}

fn candidates(kind: Kind) -> Vec<String> {
    match env::var(variable(kind)).ok().filter(|value| !value.is_empty()) {
        Some(named) => vec![named],
        None => vec![official(kind).to_owned(), made_here(kind).to_owned()],
    }
}

fn note(reference: &str, cache: &Cache) -> Result<PathBuf, Problem> {
    let name: String = reference.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(cache.folder("containers")?.join(format!("not-pulled-{name}")))
}

/// Why there is nothing to start, when nothing is to be pulled.
pub(super) fn not_here(kind: Kind) -> Problem {
    Problem::new(format!("none of the images {} is on this machine", candidates(kind).join(", ")))
}

fn absent(kind: Kind, reference: &str, why: &str) -> Problem {
    Problem::new(format!("the image {reference} is not on this machine and cannot be pulled: {why}"))
        .hint(format!("name an image that is here, or that your registry has, in {}", variable(kind)))
        .hint("or make one out of Debian's packages: `fixtures/images/build`")
}

fn inspect(reference: &str, engine: &Engine) -> Result<Option<Image>, Problem> {
    if !is_reference(reference) {
        return Err(Problem::new(format!("`{reference}` is not the name of an image")));
    }
    let answer = engine.call("GET", &format!("/images/{reference}/json"))?;
    match answer.status {
        200 => {
            let id = answer.body["Id"].as_str().unwrap_or(reference).to_owned();
            Ok(Some(Image { reference: reference.to_owned(), id }))
        }
        404 => Ok(None),
        _ => Err(Problem::new(format!("the container engine says of image {reference}: {}", answer.message()))),
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
fn pull(reference: &str, engine: &Engine, tell: &Tell) -> Result<(), String> {
    let (name, tag) = split(reference);
    let path = format!("/images/create?fromImage={}&tag={}", query(&name), query(&tag));
    let began = Instant::now();
    let (status, body) = engine.stream("POST", &path, SILENCE).map_err(|error| error.to_string())?;
    let mut told = began;
    for line in BufReader::new(body).lines() {
        let line = line.map_err(|error| format!("the pull stopped: {error}"))?;
        let news: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        if let Some(why) = news["error"].as_str().or_else(|| news["message"].as_str().filter(|_| status != 200)) {
            return Err(why.to_owned());
        }
        if began.elapsed() > WITHIN {
            return Err(format!("it was not done after {} minutes", WITHIN.as_secs() / 60));
        }
        if told.elapsed() > NEWS {
            told = Instant::now();
            let part = [news["status"].as_str(), news["progress"].as_str()].map(Option::unwrap_or_default).join(" ");
            tell.say(format!("pulling {reference}, {} s: {}", began.elapsed().as_secs(), part.trim()));
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
