//! A lab's manifest, `lab.toml`: what it is called, what it needs, and what a learner may edit.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use lab_protocol::Readiness;
use lab_services::ServiceId;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::building::Bounds;
use crate::error::ExpectedError;
use crate::exit::ExitCode;
use crate::held_out::Disclosure;
use crate::suggest;

/// The manifest format this runner reads.
pub const FORMAT_VERSION: u32 = 1;
/// The manifest's file name.
pub const FILE_NAME: &str = "lab.toml";

/// A lab's manifest.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(title = "Backend Labs manifest", description = "The file lab.toml of a lab."))]
pub struct Manifest {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The lab's id, such as `step-NN`: how commands, reports and TODOs name it. It ends in a number.
    pub id: String,
    /// The rest of the folder's and the package's name, in lower-case words joined by hyphens.
    pub slug: String,
    /// The lab's title.
    pub title: String,
    /// What is built, in one sentence.
    pub summary: String,
    /// The lab's version, from 1. It is raised when what is asked of learners changes; CHANGELOG.md says how.
    #[serde(default = "first_version")]
    pub version: u32,
    /// What a learner has built and understood who passes everything, as it follows on "You built: ".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<String>,
    /// The roadmap steps that it covers.
    pub roadmap: Vec<u32>,
    /// The services that its server needs.
    #[serde(default)]
    pub services: Vec<ServiceId>,
    /// The files and folders taken from a submission, relative to the lab's folder.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub editable: Vec<Utf8PathBuf>,
    /// What reports show of held-out checks: `hidden` (the default) their task, points and verdict, `title` their ids and
    /// titles as well, `full` everything.
    #[serde(default)]
    pub held_out: Disclosure,
    /// How the server is started, and how it shows that it is ready. A lab has this or `[program]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// How the program is run, where the lab grades one that is run and ends, in place of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// Limits of time and memory.
    #[serde(default)]
    pub limits: Limits,
}

fn first_version() -> u32 {
    1
}

/// How the server is started, and how it shows that it is ready.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The request that shows whether it is ready.
    pub readiness: Readiness,
    /// Variables it gets beside `HOST`, `PORT` and those of its services. `{random}` in a value becomes 48 random
    /// hexadecimal characters, new for each run.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// How a program is run that gets arguments and standard input, and ends.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Variables it gets beside the usual ones, such as `PATH`. `{random}` in a value becomes 48 random hexadecimal
    /// characters, new for each run.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// Limits of time and memory.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From the server's start to its first answer.
    pub start_seconds: u64,
    /// For a check that sets no limit of its own.
    pub check_seconds: u64,
    /// For compiling the submission's own code, in seconds of processor time. Its dependencies are not counted.
    pub build_seconds: u64,
    /// The same in memory, in mebibytes; three quarters of the machine's, if that is less.
    pub build_mebibytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { start_seconds: 10, check_seconds: 20, build_seconds: 180, build_mebibytes: 4096 }
    }
}

impl Limits {
    /// From the server's start to its first answer.
    pub fn start(&self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }

    /// For a check that sets no limit of its own.
    pub fn check(&self) -> Duration {
        Duration::from_secs(self.check_seconds)
    }

    /// What compiling the submission's own code may take.
    pub fn build(&self) -> Bounds {
        Bounds::on_this_machine(Duration::from_secs(self.build_seconds), self.build_mebibytes << 20)
    }
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The manifest.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not valid TOML, or a key is missing, unknown or of the wrong type.
    #[error("{path}:{line}: {message}")]
    Invalid {
        /// The manifest.
        path: Utf8PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
        /// The key that was probably meant.
        suggestion: Option<String>,
    },
    /// It was written for another runner.
    #[error("{path}: format_version is {found}, but this runner reads version {FORMAT_VERSION}")]
    OtherVersion {
        /// The manifest.
        path: Utf8PathBuf,
        /// The version it declares.
        found: u32,
    },
    /// A value has the right type but makes no sense.
    #[error("{path}:{line}: {message}")]
    Nonsense {
        /// The manifest.
        path: Utf8PathBuf,
        /// The line of its key, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It names another folder's lab.
    #[error("{path}: it is a copy of {of}; keep copies outside of labs/")]
    Copy {
        /// The manifest.
        path: Utf8PathBuf,
        /// The package of that lab.
        of: String,
    },
}

impl ExpectedError for ManifestError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Invalid { suggestion: Some(suggestion), .. } => vec![suggestion.clone()],
            _ => Vec::new(),
        }
    }
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or is not a manifest of this format.
    pub fn load(path: &Utf8Path) -> Result<Self, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Parses and checks the manifest `text`; `path` is for messages.
    ///
    /// # Errors
    /// The text is not a manifest of this format.
    pub fn parse(text: &str, path: &Utf8Path) -> Result<Self, ManifestError> {
        refuse_other_versions(text, path)?;
        let manifest: Self = toml::from_str(text).map_err(|error| invalid(text, path, &error))?;
        manifest.make_sense().map_err(|(key, message)| {
            let line = line_of_key(text, key).unwrap_or(1);
            ManifestError::Nonsense { path: path.to_owned(), line, message }
        })?;
        Ok(manifest)
    }

    /// The lab's package and folder: its id and its slug.
    pub fn package(&self) -> String {
        format!("{}-{}", self.id, self.slug)
    }

    /// The request that shows that the server is ready; nothing where a program is graded that is run and ends.
    pub fn readiness(&self) -> Option<&Readiness> {
        self.server.as_ref().map(|server| &server.readiness)
    }

    /// The variables that the server or the program gets, by this manifest.
    pub fn env(&self) -> impl Iterator<Item = (&String, &String)> {
        let server = self.server.iter().flat_map(|server| &server.env);
        server.chain(self.program.iter().flat_map(|program| &program.env))
    }

    /// What is wrong is told in words, with the key that holds it.
    fn make_sense(&self) -> Result<(), (&'static [&'static str], String)> {
        const ID: &[&str] = &["id"];
        const EDITABLE: &[&str] = &["editable"];
        if self.version == 0 {
            return Err((&["version"], "version is 0, and the first is 1".into()));
        }
        for (key, path, value) in [("id", ID, &self.id), ("slug", &["slug"], &self.slug)] {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if value.is_empty() || !value.chars().all(fits) {
                return Err((path, format!("{key} `{value}` may contain only lower-case letters, digits and hyphens")));
            }
        }
        // By this the workspace's Cargo.toml tells a lab's folder from others (`labs/*-[0-9]*`).
        let number = self.id.rsplit_once('-').map(|(_, number)| number);
        if number.is_none_or(|number| number.parse::<u32>().is_err()) {
            return Err((ID, format!("id `{}` does not end in a hyphen and a number, as `lab-7` does", self.id)));
        }
        if self.editable.is_empty() {
            return Err((EDITABLE, "editable is empty, so there is nothing to grade".into()));
        }
        for path in &self.editable {
            let inside = path.components().all(|part| matches!(part, Utf8Component::Normal(_)));
            if path.as_str().is_empty() || !inside {
                return Err((EDITABLE, format!("editable path `{path}` leaves the lab's folder")));
            }
        }
        match (&self.server, &self.program) {
            (Some(server), None) if !server.readiness.path.starts_with('/') => {
                let message = format!("readiness path `{}` does not begin with a slash", server.readiness.path);
                Err((&["server", "readiness"], message))
            }
            (Some(_), Some(_)) => {
                Err((&["program"], "a lab grades a `[server]` or a `[program]`, and not both".into()))
            }
            (None, None) => Err((&["id"], "there is no table `[server]`, and no `[program]` either".into())),
            (None, Some(_)) if !self.services.is_empty() => {
                Err((&["services"], "a `[program]` has no services: only a `[server]` is told of them".into()))
            }
            _ => Ok(()),
        }
    }
}

/// The version is looked at first, so that a newer manifest is not reported as one with unknown keys.
fn refuse_other_versions(text: &str, path: &Utf8Path) -> Result<(), ManifestError> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    match toml::from_str::<Version>(text) {
        Ok(Version { format_version: found }) if found != FORMAT_VERSION => {
            Err(ManifestError::OtherVersion { path: path.to_owned(), found })
        }
        _ => Ok(()),
    }
}

/// The line, counted from 1, on which the value of a key stands; `key` leads to it through tables.
fn line_of_key(text: &str, key: &[&str]) -> Option<usize> {
    let (last, tables) = key.split_last()?;
    let mut table = toml::de::DeTable::parse(text).ok()?.into_inner();
    for name in tables {
        let (_, value) = table.into_iter().find(|(key, _)| key.get_ref() == name)?;
        let toml::de::DeValue::Table(inner) = value.into_inner() else { return None };
        table = inner;
    }
    let start = table.iter().find(|(key, _)| key.get_ref() == last)?.1.span().start;
    Some(text.get(..start)?.matches('\n').count() + 1)
}

fn invalid(text: &str, path: &Utf8Path, error: &toml::de::Error) -> ManifestError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let message = error.message().to_owned();
    let suggestion = suggest_key(&message);
    ManifestError::Invalid { path: path.to_owned(), line: before.matches('\n').count() + 1, message, suggestion }
}

/// serde says: unknown field `x`, expected one of `y`, `z`. The nearest of those is what was meant.
fn suggest_key(message: &str) -> Option<String> {
    if !message.starts_with("unknown") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    suggest::did_you_mean(unknown, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
format_version = 1
id = "lab-1"
slug = "first"
title = "First"
summary = "A first lab."
roadmap = [1]
services = ["postgres"]
editable = ["src"]

[server]
readiness = { path = "/health" }
"#;

    fn parse(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(text, Utf8Path::new("labs/lab-1-first/lab.toml"))
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let manifest = parse(GOOD).unwrap();
        assert_eq!(manifest.readiness().unwrap().status, 200);
        assert_eq!(
            manifest.limits,
            Limits { start_seconds: 10, check_seconds: 20, build_seconds: 180, build_mebibytes: 4096 }
        );
        assert_eq!(manifest.package(), "lab-1-first");
    }

    #[test]
    fn an_unknown_key_is_refused_and_the_nearest_suggested() {
        let error = parse(&GOOD.replace("editable", "editabel")).unwrap_err();
        assert!(error.to_string().contains("labs/lab-1-first/lab.toml:9: unknown field `editabel`"), "{error}");
        assert_eq!(error.hints(), ["did you mean `editable`?"]);
    }

    #[test]
    fn an_unknown_service_is_refused_and_the_nearest_suggested() {
        let error = parse(&GOOD.replace("\"postgres\"", "\"postgresql\"")).unwrap_err();
        assert_eq!(error.hints(), ["did you mean `postgres`?"]);
    }

    #[test]
    fn a_later_format_is_told_apart_from_an_unknown_key() {
        let error = parse(&GOOD.replace("format_version = 1", "format_version = 2\ncolour = \"red\"")).unwrap_err();
        assert!(matches!(error, ManifestError::OtherVersion { found: 2, .. }), "{error}");
    }

    #[test]
    fn an_id_ends_in_the_number_by_which_its_folder_is_known() {
        for id in ["lab", "lab-", "lab-one", "1"] {
            let error = parse(&GOOD.replace("lab-1", id)).unwrap_err();
            assert!(error.to_string().contains("does not end in a hyphen and a number"), "{error}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_line() {
        for (from, to, line) in [
            ("\"lab-1\"", "\"lab\"", 3),
            ("\"first\"", "\"First\"", 4),
            ("[\"src\"]", "[]", 9),
            ("\"/health\"", "\"health\"", 12),
        ] {
            let error = parse(&GOOD.replace(from, to)).unwrap_err();
            let place = format!("labs/lab-1-first/lab.toml:{line}: ");
            assert!(error.to_string().starts_with(&place), "{error}");
        }
    }

    #[test]
    fn a_mistake_in_a_table_is_told_with_its_line_and_the_nearest_key() {
        let mistake = |from: &str, to: &str| parse(&GOOD.replace(from, to)).unwrap_err();
        let error = mistake("readiness", "rediness");
        assert!(error.to_string().contains("lab.toml:12: unknown field `rediness`"), "{error}");
        assert_eq!(error.hints(), ["did you mean `readiness`?"]);
        let error = mistake("path = ", "pth = ");
        assert!(error.to_string().contains("lab.toml:12: unknown field `pth`"), "{error}");
        assert_eq!(error.hints(), ["did you mean `path`?"]);
        let error = mistake("[server]", "[limits]\nstart = 3\n[server]");
        assert!(error.to_string().contains("lab.toml:12: unknown field `start`"), "{error}");
        assert_eq!(error.hints(), ["did you mean `start_seconds`?"]);
        assert!(mistake("roadmap = [1]", "roadmap = \"1\"").to_string().contains("lab.toml:7: invalid type"));
    }

    #[test]
    fn a_lab_grades_a_server_or_a_program() {
        let (before, server) = GOOD.split_at(GOOD.find("[server]").unwrap());
        let program = before.replace("services = [\"postgres\"]", "") + "[program]\nenv = { TZ = \"UTC\" }\n";
        let manifest = parse(&program).unwrap();
        assert!(manifest.readiness().is_none());
        assert_eq!(manifest.env().count(), 1);
        let wrong = |text: &str| parse(text).unwrap_err().to_string();
        assert!(wrong(before).contains("no table `[server]`"), "{}", wrong(before));
        assert!(wrong(&format!("{program}{server}")).contains("and not both"));
        assert!(wrong(&format!("{before}[program]\n")).contains("lab.toml:8: a `[program]` has no services"));
    }

    #[test]
    fn an_editable_path_cannot_leave_the_lab() {
        for path in ["../src", "/etc", "", "src/../.."] {
            let error = parse(&GOOD.replace("[\"src\"]", &format!("[{path:?}]"))).unwrap_err();
            assert!(error.to_string().contains("leaves the lab's folder"), "{error}");
        }
    }
}
