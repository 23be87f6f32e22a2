//! The texts of a kit: what learners read and edit, and what cargo needs to build it.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::course::Course;
use lab_runner::error::Error;
use lab_runner::learner_kit::{FOLDER, platform};
use lab_runner::submission::Tree;
use lab_runner::workspace::{Lab, Workspace};
use lab_runner::{git, helper};
use toml::{Table, Value};
use walkdir::WalkDir;

/// What belongs to instructors, in a lab's folder, and what is made there.
const NOT_FOR_LEARNERS: [&str; 5] = ["checks", "solution", "mutants", "target", "suite"];
/// Files of the course that are taken as they are, where it has them; else the grader's, for a course elsewhere.
const AS_THEY_ARE: [&str; 9] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "clippy.toml",
    "docker-compose.yml",
    "docs/ci.md",
    "docs/learner.md",
    "docs/words.md",
    COURSE,
    "rustfmt.toml",
];
/// What only the course itself can have.
const COURSE: &str = "labs/course.toml";
/// What is there for learners to read, and has pictures.
const GUIDE: &str = "docs/learner.md";
/// What `cargo lab` starts: compiled on the learner's machine, from these files alone.
const LAUNCHER: [(&str, &str); 5] = [
    ("kit/launcher/Cargo.toml", include_str!("../../../launcher/kit/launcher.toml")),
    ("kit/launcher/start/Cargo.toml", include_str!("../../../launcher/kit/start.toml")),
    // Or else cargo writes it, and the learner has a file in the way that nobody knows.
    ("kit/launcher/start/Cargo.lock", include_str!("../../../launcher/start/Cargo.lock")),
    ("kit/launcher/src/main.rs", include_str!("../../../launcher/kit/main.rs")),
    ("kit/launcher/src/environment.rs", include_str!("../../../launcher/src/environment.rs")),
];
const ALIAS: &str = include_str!("../../../../kit/alias.toml");
const ALIAS_BELOW: &str = include_str!("../../../../kit/alias-below.toml");
const README: &str = include_str!("../../../../kit/README.md");
const CARGO_TOML_HEAD: &str =
    "# The workspace of this learner kit. A lab is a member by its place, as labs/ID-SLUG.\n\n";

/// The texts of a kit with `labs`, but for Cargo.lock. `untracked` tells whether files are taken that git does not know yet.
///
/// # Errors
/// A file of the course cannot be read, or makes no sense.
pub(super) fn texts(workspace: &Workspace, labs: &[Lab], untracked: bool) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    for lab in labs {
        lab_files(workspace, lab, untracked, &mut tree)?;
    }
    for path in AS_THEY_ARE.iter().map(Utf8PathBuf::from).chain(pictures(workspace)) {
        if let Some(content) = text_of(workspace, &path) {
            tree.0.insert(path, content);
        }
    }
    let mut add = |path: &str, text: String| tree.0.insert(path.into(), text.into_bytes());
    for (path, text) in LAUNCHER {
        add(path, text.to_owned());
    }
    add(".cargo/config.toml", ALIAS.to_owned());
    add("labs/.cargo/config.toml", ALIAS_BELOW.to_owned());
    add("docs/.cargo/config.toml", ALIAS_BELOW.to_owned());
    add(".gitignore", "/target\n".to_owned());
    add("README.md", readme(workspace, labs));
    add("Cargo.toml", manifest(workspace, labs, &BTreeSet::new())?);
    Ok(tree)
}

/// What the course has at `path`, or else the grader's sources have there.
fn text_of(workspace: &Workspace, path: &Utf8Path) -> Option<Vec<u8>> {
    let of_grader = || std::fs::read(helper::sources()?.join(path)).ok().filter(|_| path != COURSE);
    std::fs::read(workspace.root.join(path)).ok().or_else(of_grader)
}

/// The files of `lab` that learners get.
fn lab_files(workspace: &Workspace, lab: &Lab, untracked: bool, tree: &mut Tree) -> Result<(), Error> {
    let hidden = |path: &Utf8Path| NOT_FOR_LEARNERS.iter().any(|hidden| path.starts_with(hidden));
    for path in listed(workspace, lab, untracked)?.into_iter().filter(|path| !hidden(path)) {
        let from = lab.folder.join(&path);
        let content = std::fs::read(&from).map_err(|source| Error::io("read", &from, source))?;
        tree.0.insert(Utf8Path::new("labs").join(lab.package()).join(path), content);
    }
    Ok(())
}

/// The plain files in the folder of `lab` that belong to the course: those that git knows, where the workspace is a
/// repository.
fn listed(workspace: &Workspace, lab: &Lab, untracked: bool) -> Result<Vec<Utf8PathBuf>, Error> {
    let plain = |path: &Utf8PathBuf| lab.folder.join(path).symlink_metadata().is_ok_and(|file| file.is_file());
    if git::is_root(&workspace.root) {
        let mut arguments = vec!["ls-files", "-z", "--cached"];
        if untracked {
            arguments.extend(["--others", "--exclude-standard"]);
        }
        let told = git::output(&lab.folder, &arguments).unwrap_or_default();
        let paths = told.split(|byte| *byte == 0).filter_map(|path| std::str::from_utf8(path).ok());
        return Ok(paths.filter(|path| !path.is_empty()).map(Utf8PathBuf::from).filter(plain).collect());
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(&lab.folder).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::io("list", &lab.folder, error.into()))?;
        let path = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(&lab.folder).ok());
        files.extend(path.map(Utf8Path::to_owned).filter(plain));
    }
    Ok(files)
}

/// The pictures that the guide shows, as seen from the workspace.
fn pictures(workspace: &Workspace) -> Vec<Utf8PathBuf> {
    let text =
        text_of(workspace, Utf8Path::new(GUIDE)).and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    targets.filter(|target| target.starts_with("images/")).map(|target| Utf8Path::new("docs").join(target)).collect()
}

fn readme(workspace: &Workspace, labs: &[Lab]) -> String {
    let title =
        Course::load(&workspace.root.join("labs")).map_or_else(|_| "The labs".to_owned(), |course| course.title);
    let row = |lab: &Lab| {
        let (id, package, about) = (lab.id(), lab.package(), &lab.manifest);
        format!("| [{id} {}](labs/{package}/README.md) | {} |\n", about.title, about.summary)
    };
    let guide = if text_of(workspace, Utf8Path::new(GUIDE)).is_some() {
        " [docs/learner.md](docs/learner.md) says more."
    } else {
        ""
    };
    README
        .replace("{title}", &title)
        .replace("{platform}", &platform())
        .replace("{first}", labs.first().map_or("LAB", |lab| lab.id()))
        .replace("{labs}", &labs.iter().map(row).collect::<String>())
        .replace("{guide}", guide)
}

/// The root's Cargo.toml, cut down to what `labs` have of it. Settings of a profile for one package are kept for those
/// that `locked` names.
///
/// # Errors
/// The workspace's own cannot be read.
pub(super) fn manifest(workspace: &Workspace, labs: &[Lab], locked: &BTreeSet<String>) -> Result<String, Error> {
    let mut root = read_toml(&workspace.root.join("Cargo.toml"))?;
    root.retain(|key, _| matches!(key, "workspace" | "profile" | "patch"));
    let mut wanted = BTreeSet::new();
    for lab in labs {
        shared_dependencies(&read_toml(&lab.folder.join("Cargo.toml"))?, &mut wanted);
    }
    if let Some(Value::Table(table)) = root.get_mut("workspace") {
        let members = ["kit/launcher", "labs/*-[0-9]*"].map(Value::from);
        table.insert("members".into(), Value::Array(members.into()));
        table.retain(|key, _| !matches!(key, "default-members" | "exclude" | "metadata"));
        if let Some(Value::Table(dependencies)) = table.get_mut("dependencies") {
            dependencies.retain(|name, _| wanted.contains(name));
        }
    }
    let mut profiles = root.get("profile").and_then(Value::as_table).cloned().unwrap_or_default();
    profiles.insert("launcher".into(), Table::from_iter([("inherits".to_owned(), "dev".into())]).into());
    for (_, profile) in &mut profiles {
        if let Some(packages) = profile.get_mut("package").and_then(Value::as_table_mut) {
            packages.retain(|name, _| name == "*" || locked.contains(name));
        }
    }
    root.insert("profile".into(), profiles.into());
    Ok(format!("{CARGO_TOML_HEAD}{root}"))
}

/// Adds the names of the dependencies that `manifest` shares with its workspace.
fn shared_dependencies(manifest: &Table, names: &mut BTreeSet<String>) {
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        if key.ends_with("dependencies") {
            let shared = |value: &&Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
            names.extend(table.iter().filter(|(_, value)| shared(value)).map(|(name, _)| name.clone()));
        } else if matches!(key.as_str(), "target") || key.starts_with("cfg(") {
            shared_dependencies(table, names);
        }
    }
}

/// The packages that the Cargo.lock `text` names.
pub(super) fn locked(text: &str) -> BTreeSet<String> {
    let lock: Table = toml::from_str(text).unwrap_or_default();
    let packages = lock.get("package").and_then(Value::as_array);
    let name = |package: &Value| Some(package.get("name")?.as_str()?.to_owned());
    packages.into_iter().flatten().filter_map(name).collect()
}

/// The files of `tree` that are texts, as they are merged by an update.
pub(super) fn originals(tree: &Tree) -> BTreeMap<Utf8PathBuf, String> {
    let text = |(path, content): (&Utf8PathBuf, &Vec<u8>)| {
        let text = String::from_utf8(content.clone()).ok()?;
        (!path.starts_with(FOLDER)).then(|| (path.clone(), text))
    };
    tree.0.iter().filter_map(text).collect()
}

fn read_toml(path: &Utf8Path) -> Result<Table, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
    toml::from_str(&text).map_err(|error| Error::usage(format!("{path}: {}", error.message())))
}
