//! What DESIGN's invariants demand of the source itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use lab_services::ServiceId;

use crate::sandbox::repository;

/// What is one program to its users.
const RUNNER_AND_INSTRUCTOR: [&str; 2] = ["lab-runner/src", "lab-runner/crates/instructor/src"];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all_sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    folders.iter().for_each(|folder| sources(&repository().join(folder), &mut found));
    found
}

#[test]
fn the_runner_and_the_kit_know_no_lab_by_name() {
    let labs = fs::read_dir(repository().join("labs")).unwrap().flatten();
    let ids: Vec<String> = labs
        .filter_map(|lab| toml::from_str::<toml::Table>(&fs::read_to_string(lab.path().join("lab.toml")).ok()?).ok())
        .map(|manifest| manifest["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(!ids.is_empty());
    for (path, text) in all_sources(&["lab-runner/src", "lab-runner/crates"]) {
        let named = ids.iter().find(|id| text.contains(id.as_str()));
        assert!(named.is_none(), "{path} names {named:?}");
    }
}

/// Services come in as registered drivers: a lab without them links none, and another one needs no change of the kit.
#[test]
fn the_kit_names_no_service_outside_of_its_examples() {
    let sources = all_sources(&["lab-runner/crates/kit/src"]);
    assert!(!sources.is_empty());
    for (path, text) in sources {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let named = code
            .map(str::to_lowercase)
            .find(|line| ["postgres", "redis", "nats", "seaweed", "nginx"].iter().any(|name| line.contains(name)));
        assert!(named.is_none(), "{path}: {named:?}");
    }
}

/// One that returns before it has proved anything says so by `not_tried`, or asks a helper that does: all else is taken for a
/// test that has passed.
#[test]
fn no_test_ends_early_without_a_word() {
    // `child` is what tests run in a process of their own, and the formats are written for whoever asks.
    let may = ["let Ok(task) = std::env::var(TASK)", "std::env::var_os(\"LAB_WRITE_FORMATS\")"];
    // These say it.
    let helpers = ["sandbox()", "bounded()", "world()", "with_mounts(&script)", "Browser::start(", "here"];
    let mut early = 0;
    for (path, text) in all_sources(&["lab-runner/src", "lab-runner/tests", "lab-runner/crates"]) {
        let mut in_test = false;
        let mut before = "";
        for line in text.lines() {
            in_test |= matches!(line.trim(), "#[test]" | "#[tokio::test]") || line.trim().starts_with("#[tokio::test(");
            // A test's last line, in a file or in its module of tests.
            in_test &= !matches!(line, "}" | "    }");
            if in_test && (line.trim() == "return;" || line.trim_end().ends_with("else { return };")) {
                early += 1;
                let asks = format!("{before}{line}");
                let said = helpers.iter().any(|helper| asks.contains(helper)) || asks.contains("has_terminals()");
                let said = said || asks.contains("engine_isolates()") || may.iter().any(|known| asks.contains(known));
                assert!(said, "{path}: a test ends at `{}` without a word: lab-not-tried has one", asks.trim());
            }
            before = line;
        }
    }
    assert!(early > 0);
}

/// Suites have no tests of their own as a rule, and compiling each of them once more for none costs the first `cargo test`
/// seconds: `test = false`. One that gets a test has to say so.
#[test]
fn no_package_that_cargo_is_told_not_to_test_has_a_test() {
    let packages = manifests_of_suites();
    let untested = packages.iter().filter(|(_, manifest)| manifest.contains("\ntest = false"));
    let untested: Vec<&Path> = untested.map(|(folder, _)| folder.as_path()).collect();
    assert!(!untested.is_empty());
    for folder in untested {
        let mut found = Vec::new();
        sources(&folder.join("src"), &mut found);
        let tested = found.iter().find(|(_, text)| text.contains("test]\n") || text.contains("cfg(test)"));
        assert!(tested.is_none(), "{} would not be run: take `test = false` out of the manifest", tested.unwrap().0);
    }
}

/// The same for the runner's crates, whose libraries say for themselves that they have no tests or no examples.
#[test]
fn no_library_that_cargo_is_told_not_to_test_has_a_test_or_an_example() {
    let mut told = 0;
    for package in fs::read_dir(repository().join("lab-runner/crates")).unwrap().flatten() {
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(package.path().join("Cargo.toml")).unwrap()).unwrap();
        let without = |what: &str| manifest.get("lib").and_then(|library| library.get(what)?.as_bool()) == Some(false);
        let mut found = Vec::new();
        sources(&package.path().join("src"), &mut found);
        for (setting, marks) in [("test", ["test]\n", "cfg(test)"]), ("doctest", ["/// ```", "//! ```"])] {
            if without(setting) {
                told += 1;
                let left_out = found.iter().find(|(_, text)| marks.iter().any(|mark| text.contains(mark)));
                assert!(left_out.is_none(), "`{setting} = false` leaves out what is in {}", left_out.unwrap().0);
            }
        }
    }
    assert!(told > 0);
}

/// Of all labs' suites: the folder and the text.
fn manifests_of_suites() -> Vec<(std::path::PathBuf, String)> {
    let labs = fs::read_dir(repository().join("labs")).unwrap().flatten();
    let checks = labs.map(|lab| lab.path().join("checks"));
    checks.filter_map(|folder| fs::read_to_string(folder.join("Cargo.toml")).ok().map(|text| (folder, text))).collect()
}

#[test]
fn only_main_ends_the_process() {
    for (path, text) in all_sources(&RUNNER_AND_INSTRUCTOR) {
        assert!(!text.contains("process::exit("), "{path}");
    }
}

#[test]
fn only_reporters_write_to_the_terminal() {
    // A panic may come from anywhere, reporters included.
    let may = ["/reporter", "/cli/panic.rs"];
    for (path, text) in all_sources(&RUNNER_AND_INSTRUCTOR) {
        let writes =
            ["anstream::stdout()", "anstream::stderr()", "println!(", "print!("].iter().any(|way| text.contains(way));
        assert!(!writes || may.iter().any(|place| path.contains(place)), "{path}");
    }
}

/// What is asked for with other features is compiled once more, and nowhere does a learner wait longer than for the first
/// build: what the runner has compiled, no suite and no lab compiles again.
#[test]
fn whatever_is_built_has_each_dependency_with_one_set_of_features() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p};{f}"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let mut known = BTreeMap::new();
    for line in String::from_utf8(tree.stdout).unwrap().lines() {
        let (package, features) = line.trim_end_matches(" (*)").split_once(';').unwrap_or_default();
        let package = package.trim_end_matches(" (proc-macro)").to_owned();
        let other = known.insert(package.clone(), features.to_owned()).filter(|other| other != features);
        assert_eq!(other, None, "{package} with {features}");
    }
    assert!(known.len() > 100, "{known:?}");
    // The set is that of the whole workspace: whoever selects less has another.
    let others = ["lab-runner/crates/launcher/src", "lab-runner/crates/services/src"];
    for (path, text) in [all_sources(&RUNNER_AND_INSTRUCTOR), all_sources(&others)].concat() {
        let less = text.lines().find(|line| line.contains("\"--bin\"") && line.contains("\"--package\""));
        assert_eq!(less, None, "{path}");
    }
}

/// The text without comments and tests, which may give examples.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What only Linux has, by calls and by places. macOS is what many learners have: each crate keeps such things in one
/// module, `platform`, with what it does without them.
const ONLY_LINUX: [&str; 9] = [
    "target_os",
    "/proc",
    "/sys/",
    "/dev/shm",
    "parent_process_death_signal",
    "child_subreaper",
    "prctl",
    "pidfd",
    "memfd",
];
/// Not asked of the system: for which one a downloaded program was made.
const NO_CALL: &str = "/services/src/embedded/wheel.rs";

#[test]
fn what_only_linux_has_is_asked_for_in_one_module_of_each_crate() {
    let mut sources = all_sources(&["lab-runner/src", "lab-runner/crates"]);
    // Checks have no such module: they ask the kit's.
    let checks = all_sources(&["labs"]).into_iter().filter(|(path, _)| path.contains("/checks/"));
    sources.extend(checks);
    let modules: Vec<&String> =
        sources.iter().map(|(path, _)| path).filter(|path| path.ends_with("/platform.rs")).collect();
    assert!(modules.iter().any(|path| path.ends_with("lab-runner/src/platform.rs")), "{modules:?}");
    for (path, text) in &sources {
        if path.contains("/tests/") || modules.contains(&path) || path.ends_with(NO_CALL) {
            continue;
        }
        let code = code_of(text);
        let found = code.lines().find(|line| ONLY_LINUX.iter().any(|only| line.contains(only)));
        assert_eq!(found, None, "{path}: move it to the crate's module `platform`");
    }
}

#[test]
fn the_runner_knows_no_service_by_name() {
    let services = ServiceId::all();
    assert!(!services.is_empty());
    let own_module = |path: &str, id: &str| path.contains(&format!("/services/src/{id}"));
    let others = ["lab-runner/crates/services/src", "lab-runner/crates/containers"];
    for (path, text) in [all_sources(&RUNNER_AND_INSTRUCTOR), all_sources(&others)].concat() {
        // What reporters' snapshots are made of names services as a run would.
        if path.ends_with("/tests.rs") {
            continue;
        }
        let code = code_of(&text).to_lowercase();
        for service in services.iter().filter(|service| !own_module(&path, service.id())) {
            let declared = format!("mod {};", service.id());
            let named = code.lines().find(|line| line.contains(service.id()) && line.trim() != declared);
            assert_eq!(named, None, "{path} names {service}");
        }
    }
}
