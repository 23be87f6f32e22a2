//! A course in a repository of its own: labs, and nothing of the grader but where it is.

use std::collections::BTreeSet;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use lab_runner::error::Error;
use lab_runner::submission::Tree;
use toml::{Table, Value};

/// The shared crate whose place tells where the grader is.
const KIT: &str = "lab-runner/crates/kit";
const MANIFEST_HEAD: &str = include_str!("../../../course/Cargo.toml.head");
const ALIAS: &str = include_str!("../../../course/alias.toml");
const ALIAS_BELOW: &str = include_str!("../../../kit/alias-below.toml");
const COURSE: &str = include_str!("../../../course/course.toml");
const README: &str = include_str!("../../../course/README.md");
const LAUNCHER: &str = include_str!("../../../course/launcher.toml");
const START: &str = include_str!("../../../course/start.toml");
const START_LOCK: &str = include_str!("../../launcher/start/Cargo.lock");
/// Files of ours that a course begins with as they are.
const AS_THEY_ARE: [&str; 2] = ["Cargo.lock", "rustfmt.toml"];

/// The files of a course called `title` in `folder`, which has the grader from the workspace at `sources`.
///
/// # Errors
/// The grader's sources are not there, or make no sense.
pub fn files(folder: &Utf8Path, title: &str, sources: &Utf8Path) -> Result<Tree, Error> {
    if !sources.join(KIT).join("Cargo.toml").is_file() {
        return Err(Error::usage("a course takes the grader from its sources, and they are not on this machine"));
    }
    let tools = path_from(folder, sources);
    let mut tree = Tree::default();
    for path in AS_THEY_ARE {
        let from = sources.join(path);
        let content = std::fs::read(&from).map_err(|source| Error::io("read", &from, source))?;
        tree.0.insert(path.into(), content);
    }
    let mut add = |path: &str, text: String| tree.0.insert(path.into(), text.into_bytes());
    let with_tools = |text: &str| text.replace("{tools}", tools.as_str());
    add("Cargo.toml", manifest(sources, &tools)?);
    add(".cargo/config.toml", ALIAS.to_owned());
    add("labs/.cargo/config.toml", ALIAS_BELOW.to_owned());
    add("labs/course.toml", COURSE.replace("{title}", &Value::from(title).to_string()));
    add("launcher/Cargo.toml", with_tools(LAUNCHER));
    add("launcher/start/Cargo.toml", with_tools(START));
    add("launcher/start/Cargo.lock", START_LOCK.to_owned());
    add("README.md", with_tools(README).replace("{title}", title));
    add(".gitignore", "/target\n".to_owned());
    Ok(tree)
}

/// The course's Cargo.toml: the shared dependencies, lints and profiles of the workspace at `sources`, which is at `tools`
/// as seen from the course.
fn manifest(sources: &Utf8Path, tools: &Utf8Path) -> Result<String, Error> {
    let root = read_toml(&sources.join("Cargo.toml"))?;
    let workspace = root.get("workspace").and_then(Value::as_table).cloned().unwrap_or_default();
    let mut text = format!("{MANIFEST_HEAD}\n[workspace]\n");
    let resolver = workspace.get("resolver").and_then(Value::as_str).unwrap_or("1");
    text.push_str(&format!("resolver = {resolver:?}\n"));
    text.push_str("members = [\"launcher\", \"labs/*-[0-9]*\", \"labs/*-[0-9]*/checks\"]\n");
    if !tools.starts_with("..") {
        text.push_str(&format!("exclude = [{:?}]\n", tools.as_str()));
    }
    let section = |name: &str| workspace.get(name).and_then(Value::as_table).cloned().unwrap_or_default();
    text.push_str(&lines("workspace.package", &section("package")));
    let mut dependencies = section("dependencies");
    for (_, dependency) in &mut dependencies {
        let path = dependency.get("path").and_then(Value::as_str).map(|path| tools.join(path).into_string());
        if let (Some(path), Value::Table(table)) = (path, dependency) {
            table.insert("path".into(), path.into());
        }
    }
    text.push_str(&lines("workspace.dependencies", &dependencies));
    for (of, lints) in &section("lints") {
        text.push_str(&lines(&format!("workspace.lints.{of}"), lints.as_table().unwrap_or(&Table::new())));
    }
    text.push_str("\n# By which the launcher is compiled: see .cargo/config.toml.");
    text.push_str(&lines("profile.launcher", &Table::from_iter([("inherits".to_owned(), "dev".into())])));
    let dev = root.get("profile").and_then(|profile| profile.get("dev")?.as_table()).cloned().unwrap_or_default();
    let of_all = dev.get("package").and_then(|packages| packages.get("*")?.as_table()).cloned().unwrap_or_default();
    let plain = dev.into_iter().filter(|(_, value)| !value.is_table()).collect();
    text.push_str(&lines("profile.dev", &plain));
    text.push_str(&lines("profile.dev.package.\"*\"", &of_all));
    Ok(text)
}

/// The section `name` with a line for each entry of `table`.
fn lines(name: &str, table: &Table) -> String {
    let entry = |(key, value): (&String, &Value)| format!("{key} = {value}\n");
    format!("\n[{name}]\n{}", table.iter().map(entry).collect::<String>())
}

/// Adds to the Cargo.lock of the course at `root` what that of the workspace at `sources` has beside it, so that a lab which
/// asks for more than those before it gets the versions that the grader has. Cargo takes away what nobody asks for.
///
/// # Errors
/// One of the two cannot be read, or the course's not be written.
pub fn complete_lock(root: &Utf8Path, sources: &Utf8Path) -> Result<(), Error> {
    let path = root.join("Cargo.lock");
    let mut lock = read_toml(&path)?;
    let theirs = read_toml(&sources.join("Cargo.lock"))?;
    let packages = |lock: &Table| lock.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |package: &Value| package.get("name").and_then(Value::as_str).map(str::to_owned);
    let mut all = packages(&lock);
    let known: BTreeSet<_> = all.iter().map(name).collect();
    // Packages of a registry: another workspace's own are none of the course's.
    let is_missing = |package: &Value| package.get("source").is_some() && !known.contains(&name(package));
    let missing: Vec<_> = packages(&theirs).into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    all.extend(missing);
    lock.insert("package".into(), all.into());
    std::fs::write(&path, lock.to_string()).map_err(|source| Error::io("write", &path, source))
}

fn read_toml(path: &Utf8Path) -> Result<Table, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
    toml::from_str(&text).map_err(|error| Error::usage(format!("{path}: {}", error.message())))
}

/// `to` as seen from the folder `from`. Both are absolute and without `..`.
pub(crate) fn path_from(from: &Utf8Path, to: &Utf8Path) -> Utf8PathBuf {
    let parts = |path: &Utf8Path| path.components().map(|part| part.as_str().to_owned()).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[shared..].iter().map(|_| Utf8Component::ParentDir.as_str());
    up.chain(to[shared..].iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_one_folder_to_another() {
        let cases =
            [("/a/course", "/a/labs", "../labs"), ("/a/c", "/a/c/tools", "tools"), ("/x/y/z", "/a", "../../../a")];
        for (from, to, path) in cases {
            assert_eq!(path_from(from.into(), to.into()), path, "{from} {to}");
        }
    }

    #[test]
    fn a_course_has_the_graders_versions_and_the_kit_where_the_grader_is() {
        let sources = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
        let inside = sources.join("courses/one");
        let tree = files(&inside, "Backends, \"well\" done", sources).unwrap();
        let text = |path: &str| String::from_utf8(tree.0[Utf8Path::new(path)].clone()).unwrap();
        let manifest: Table = toml::from_str(&text("Cargo.toml")).unwrap();
        let dependencies = &manifest["workspace"]["dependencies"];
        assert_eq!(dependencies["lab-kit"]["path"].as_str(), Some("../../lab-runner/crates/kit"));
        let own: Table = toml::from_str(&std::fs::read_to_string(sources.join("Cargo.toml")).unwrap()).unwrap();
        assert_eq!(dependencies["tokio"], own["workspace"]["dependencies"]["tokio"]);
        assert_eq!(manifest["workspace"]["lints"], own["workspace"]["lints"]);
        let course: Table = toml::from_str(&text("labs/course.toml")).unwrap();
        assert_eq!(course["title"].as_str(), Some("Backends, \"well\" done"));
        assert!(text("launcher/Cargo.toml").contains("\"../../../lab-runner/crates/launcher/src/main.rs\""));
    }

    #[test]
    fn a_lock_gets_what_it_lacks_and_keeps_what_it_has() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        let package = |name: &str, version: &str, source: &str| {
            format!("[[package]]\nname = '{name}'\nversion = '{version}'\n{source}\n")
        };
        let registry = "source = 'registry+https://github.com/rust-lang/crates.io-index'";
        let (course, sources) = (root.join("course"), root.join("sources"));
        for (folder, packages) in [
            (&course, package("axum", "0.8.1", registry) + &package("lab-01-a", "0.1.0", "")),
            (
                &sources,
                package("axum", "0.8.9", registry)
                    + &package("redis", "1.8.0", registry)
                    + &package("own", "1.0.0", ""),
            ),
        ] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("Cargo.lock"), format!("version = 4\n{packages}")).unwrap();
        }
        complete_lock(&course, &sources).unwrap();
        let lock = read_toml(&course.join("Cargo.lock")).unwrap();
        let found = lock["package"].as_array().unwrap().iter();
        let found: Vec<_> =
            found.map(|package| (package["name"].as_str().unwrap(), package["version"].as_str().unwrap())).collect();
        assert_eq!(found, [("axum", "0.8.1"), ("lab-01-a", "0.1.0"), ("redis", "1.8.0")]);
    }
}
