//! `cargo lab export kit`: what learners get works by itself, and holds nothing that is not for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::held_out::CHECK;
use crate::sandbox::{Ran, command_in, folder, repository, write_workspace};

/// Where the lab stands, in the course as in the kit.
const LAB: &str = "labs/tiny-1-greeter";

/// The tests' course with a held-out check, and the kit that was made of it: each once.
fn places() -> &'static (PathBuf, PathBuf) {
    static PLACES: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    PLACES.get_or_init(|| {
        let root = folder().join("kit-course");
        fs::create_dir_all(&root).unwrap();
        write_workspace(&root, "0.1.70");
        let suite = root.join(LAB).join("checks/src/main.rs");
        let text = fs::read_to_string(&suite).unwrap();
        fs::write(&suite, text + CHECK).unwrap();
        let kit = folder().join("kit");
        let _ = fs::remove_dir_all(&kit);
        let record = root.join(LAB).join("checks/released.toml");
        let _ = fs::remove_file(&record);
        let ran = export(&root, &kit, &["--release"]);
        assert_eq!(ran.code, Some(0), "{}", ran.golden());
        assert!(
            ran.stdout.contains(&format!("commit these files:\n  {LAB}/checks/released.toml\n")),
            "{}",
            ran.golden()
        );
        assert!(fs::read_to_string(&record).unwrap().contains("\nversion = 1\n"));
        (root, kit)
    })
}

fn export(course: &Path, to: &Path, more: &[&str]) -> Ran {
    let arguments = [&["export", "kit", to.to_str().unwrap()], more].concat();
    Ran::of(command_in(course, &arguments).env("LAB_FOLDER", course.join("lab")).output().unwrap())
}

/// A copy of the kit, for a test that changes it.
fn copy_of_kit(name: &str) -> PathBuf {
    let to = folder().join(name);
    let _ = fs::remove_dir_all(&to);
    let ok = Command::new("cp").arg("-R").arg(&places().1).arg(&to).status().unwrap();
    assert!(ok.success());
    to
}

/// `cargo lab` as a learner starts it, with cargo and nothing of ours.
fn cargo_lab(kit: &Path, below: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new("cargo");
    command.arg("lab").args(arguments).current_dir(kit.join(below)).env("XDG_STATE_HOME", kit.join("target/state"));
    let ours = ["CARGO_TARGET_DIR", "LAB_FOLDER", "LAB_SOURCES", "LAB_WORKSPACE", "LAB_SERVICES", "CARGO_MANIFEST_DIR"];
    ours.iter().for_each(|name| {
        command.env_remove(name);
    });
    Ran::of(command.output().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_kit_grades_the_starter_and_what_a_learner_makes_of_it() {
    let (course, kit) = (&places().0, copy_of_kit("kit-at-work"));
    let starter = cargo_lab(&kit, "", &["check", "tiny-1", "--format", "json"]);
    assert_eq!(starter.code, Some(1), "{}", starter.golden());
    let result: Value = serde_json::from_str(&starter.stdout).unwrap_or_else(|_| panic!("{}", starter.golden()));
    assert_eq!(result["max_score"], 100, "{result}");
    let ids: Vec<&str> = result["checks"].as_array().unwrap().iter().filter_map(|check| check["id"].as_str()).collect();
    assert!(!ids.is_empty() && !ids.contains(&"echoes_short"), "{ids:?}");

    let own = kit.join(LAB).join("src/main.rs");
    let given = fs::read(&own).unwrap();
    fs::copy(course.join(LAB).join("solution/src/main.rs"), &own).unwrap();
    let solved = cargo_lab(&kit, LAB, &["check", "--quiet"]);
    assert_eq!((solved.code, solved.stdout.trim()), (Some(0), "tiny-1 100/100"), "{}", solved.golden());

    let reset = cargo_lab(&kit, "labs", &["reset", "tiny-1", "--yes"]);
    assert_eq!(reset.code, Some(0), "{}", reset.golden());
    assert!(fs::read(&own).unwrap() == given, "the starter is back");
    let status = Command::new("git").args(["status", "--porcelain"]).current_dir(&kit).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&status.stdout), "", "what commands write is ignored");
}

#[test]
fn what_needs_the_course_says_in_a_kit_that_this_is_one() {
    let kit = &places().1;
    let asked: [&[&str]; 8] = [
        &["audit"],
        &["mutant", "refresh"],
        &["new-course", "/nowhere"],
        &["solution", "tiny-1"],
        &["check", "tiny-1", "--solution"],
        &["grade", ".", "--lab", "tiny-1", "--report", "out"],
        &["export", "kit", "/nowhere"],
        &["export", "jplag", "/nowhere", ".", "--lab", "tiny-1"],
    ];
    for arguments in asked {
        let ran = cargo_lab(kit, "", arguments);
        assert!(ran.code == Some(2) && ran.stderr.contains("this is a learner kit"), "{}", ran.golden());
    }
    let next = cargo_lab(kit, "", &["next", "tiny-1"]);
    assert_eq!(next.code, Some(0), "{}", next.golden());
}

/// Lines of the solution of a length that no other text has by chance, which the starter and the README do not have.
fn lines_of_solution(course: &Path) -> Vec<String> {
    let lab = course.join(LAB);
    let text = |name: &str| fs::read_to_string(lab.join(name)).unwrap();
    let shown = text("src/main.rs") + &text("README.md");
    let solution = text("solution/src/main.rs");
    let lines = solution.lines().map(str::trim).filter(|line| line.len() >= 24 && !shown.contains(line));
    lines.map(str::to_owned).collect()
}

#[test]
fn no_file_of_a_kit_holds_a_solution_a_held_out_check_a_mutant_or_a_path_of_the_machine_that_made_it() {
    let (course, kit) = places();
    let mut forbidden = lines_of_solution(course);
    assert!(forbidden.len() >= 5, "there is something to look for: {forbidden:?}");
    forbidden.extend(
        ["echoes_short", "a word of two letters is given back", "Which words do you expect?"].map(str::to_owned),
    );
    for mutant in fs::read_dir(course.join(LAB).join("mutants")).unwrap().flatten() {
        forbidden.push(mutant.file_name().into_string().unwrap());
        let text = fs::read_to_string(mutant.path()).unwrap();
        forbidden.push(text.lines().next().unwrap().trim_start_matches("Breaks: ").to_owned());
    }
    let home = std::env::var("HOME").unwrap();
    forbidden.extend([course, &repository()].map(|path| path.to_str().unwrap().to_owned()));
    forbidden.extend([format!("{home}/.cargo"), format!("{home}/.rustup")]);
    for path in files(kit).into_iter().filter(|path| !path.starts_with(kit.join(".git"))) {
        let relative = path.strip_prefix(kit).unwrap();
        let hidden = ["checks", "solution", "mutants"].iter().any(|name| relative.iter().any(|part| part == *name));
        assert!(!hidden, "{relative:?}");
        let content = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&content);
        let found = forbidden.iter().find(|text_| text.contains(text_.as_str()));
        assert_eq!(found, None, "{relative:?}");
    }
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn a_kit_that_would_hold_a_solution_is_not_written() {
    let root = folder().join("kit-leaky");
    fs::create_dir_all(&root).unwrap();
    write_workspace(&root, "0.1.71");
    let told = "thirty letters and more, of the model answer";
    let kit = folder().join("kit-not-written");
    let _ = fs::remove_dir_all(&kit);
    let suite = root.join(LAB).join("checks/src/main.rs");
    let text = fs::read_to_string(&suite).unwrap();
    fs::write(&suite, text.replace("GET /echo/{word} gives the word back", told)).unwrap();
    let solution = root.join(LAB).join("solution/src/main.rs");
    let text = fs::read_to_string(&solution).unwrap();
    fs::write(&solution, format!("{text}\n/*\n{told}\n*/\n")).unwrap();
    let ran = export(&root, &kit, &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
    assert!(ran.stderr.contains("suites/tiny-1-greeter") && ran.stderr.contains(told), "{}", ran.golden());
    assert!(!kit.exists());
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn a_new_version_of_the_course_leaves_a_learners_work_alone() {
    let kit = copy_of_kit("kit-updated");
    let root = folder().join("kit-course-2");
    fs::create_dir_all(&root).unwrap();
    write_workspace(&root, "0.1.72");
    let edit = |path: PathBuf, from: &str, to: &str| {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    // The learner begins the file, and the course has another end of it.
    let own = kit.join(LAB).join("src/main.rs");
    let text = fs::read_to_string(&own).unwrap();
    fs::write(&own, format!("// by the learner\n{text}")).unwrap();
    let starter = root.join(LAB).join("src/main.rs");
    let text = fs::read_to_string(&starter).unwrap();
    fs::write(&starter, format!("{text}\n// by the course\n")).unwrap();
    edit(root.join(LAB).join("README.md"), "# ", "# New: ");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=L", "-c", "user.email=l@localhost"]).args(arguments).current_dir(&kit);
        String::from_utf8(git.output().unwrap().stdout).unwrap()
    };
    git(&["commit", "--all", "--quiet", "--message", "My work"]);

    let ran = export(&root, &kit, &["--update"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("from 0.1.70 to 0.1.72"), "{}", ran.golden());
    for line in [
        "replaced  labs/tiny-1-greeter/README.md",
        "merged    labs/tiny-1-greeter/src/main.rs",
        "all of it is committed",
    ] {
        assert!(ran.stdout.contains(line), "{line}: {}", ran.golden());
    }
    let merged = fs::read_to_string(&own).unwrap();
    assert!(merged.starts_with("// by the learner\n") && merged.ends_with("// by the course\n"), "{merged}");
    assert!(git(&["log", "-1", "--format=%s"]).starts_with("Update the course from 0.1.70 to 0.1.72"));
    assert_eq!(git(&["status", "--porcelain"]), "");

    // Both change the same line, and not everything is committed.
    edit(own.clone(), "// by the course", "// by the learner too");
    edit(starter, "// by the course", "// by the course again");
    let ran = export(&root, &kit, &["--update"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("conflict  labs/tiny-1-greeter/src/main.rs"), "{}", ran.golden());
    assert!(ran.stdout.contains("nothing is committed"), "{}", ran.golden());
    assert!(fs::read_to_string(&own).unwrap().ends_with("// by the learner too\n"));
    let both = fs::read_to_string(kit.join(LAB).join("src/main.rs.merge")).unwrap();
    assert!(both.contains("// by the course again") && both.contains("<<<<<<<"), "{both}");
}
