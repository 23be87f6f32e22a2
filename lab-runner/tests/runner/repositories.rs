//! `cargo lab grade --rev` and `--roster`: repositories at a commit, and the learners of a course.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::sandbox::{Ran, copy, folder, lab, submission};
use lab_not_tried::not_tried;

/// An empty folder for the test `name`.
fn place(name: &str) -> PathBuf {
    let place = folder().join("repositories").join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

/// What git says to `arguments` in `folder`, whatever the machine's settings are.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments).current_dir(folder);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository at `at` whose tag `due` has the sample submission `of`.
pub fn repository(at: &Path, of: &str) {
    fs::create_dir_all(at).unwrap();
    git(at, &["init", "--quiet", "--initial-branch=main"]);
    copy(&submission(of), at);
    git(at, &["add", "."]);
    git(at, &["commit", "--quiet", "--message", "hand it in"]);
    git(at, &["tag", "due"]);
}

pub fn grade(paths: &[&Path], out: &Path, isolation: &str, more: &[&str]) -> (Ran, Value) {
    let options = ["--lab", "tiny-1", "--seed", "7", "--format", "json", "--isolation", isolation, "--report"];
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let ran = lab(&[&["grade"], &paths[..], &options, &[out.to_str().unwrap()], more].concat());
    let grades = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.golden()));
    (ran, grades)
}

/// The line of the submission called `name`.
pub fn line<'a>(grades: &'a Value, name: &str) -> &'a Value {
    let all = grades["submissions"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {grades:#}"))
}

#[test]
fn a_commit_is_graded_whatever_the_working_tree_holds() {
    let place = place("commit");
    let submissions = place.join("submissions");
    repository(&submissions.join("ada"), "half-done");
    // What was built and committed by mistake is not taken, nor does it fill what may be.
    fs::create_dir_all(submissions.join("ada/target")).unwrap();
    fs::write(submissions.join("ada/target/huge"), vec![0; 8 << 20]).unwrap();
    git(&submissions.join("ada"), &["add", "--force", "target"]);
    git(&submissions.join("ada"), &["commit", "--quiet", "--amend", "--message", "with what was built"]);
    git(&submissions.join("ada"), &["tag", "--force", "due"]);
    fs::write(submissions.join("ada/src/main.rs"), "compile_error!(\"later\");").unwrap();
    git(&place, &["clone", "--quiet", "--bare", "submissions/ada", "submissions/bare"]);
    git(&place, &["-C", "submissions/bare", "gc", "--quiet"]);
    repository(&submissions.join("late"), "half-done");
    git(&submissions.join("late"), &["tag", "--delete", "due"]);
    copy(&submission("half-done"), &submissions.join("plain"));
    let out = place.join("out");
    let (ran, grades) = grade(&[&submissions], &out, "none", &["--rev", "due"]);
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
    assert_eq!((line(&grades, "ada")["score"].as_u64(), line(&grades, "bare")["score"].as_u64()), (Some(60), Some(60)));
    assert_eq!(line(&grades, "bare")["standing"]["folder"], "ada", "{grades:#}");
    let why = |name: &str| line(&grades, name)["message"].as_str().unwrap().to_owned();
    assert!(why("late").ends_with("there is no commit `due` in it"), "{}", why("late"));
    assert!(why("plain").contains("it is no git repository"), "{}", why("plain"));
    let result = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(out.join(format!("submissions/{name}/result.json"))).unwrap()).unwrap()
    };
    let commit = git(&submissions.join("ada"), &["rev-parse", "due"]);
    assert_eq!(result("ada")["submission"]["commit"], commit);
    assert_eq!(result("bare")["submission"]["commit"], commit);
    // One that came later and changed nothing that counts is not graded again, and is named.
    git(&submissions.join("ada"), &["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    git(&submissions.join("ada"), &["tag", "--force", "due"]);
    let (_, resumed) = grade(&[&submissions], &out, "none", &["--rev", "due", "--resume"]);
    assert_eq!(line(&resumed, "ada")["standing"]["how"], "known", "{resumed:#}");
    assert_eq!(result("ada")["submission"]["commit"], git(&submissions.join("ada"), &["rev-parse", "due"]));
}

#[test]
fn who_is_in_the_roster_and_has_handed_in_nothing_is_named() {
    let place = place("roster");
    let submissions = place.join("submissions");
    copy(&submission("half-done"), &submissions.join("ada"));
    copy(&submission("half-done"), &submissions.join("mallory"));
    repository(&place.join("elsewhere/bobs"), "not-compiling");
    fs::write(place.join("elsewhere/bobs/src/main.rs"), "fn main() {}").unwrap();
    let rows = "id,name,path,rev\nada,Ada L.,,\nbob,Bob,elsewhere/bobs,due\ncyd,Cyd,,\ndan,Dan,elsewhere/dans,due\n";
    let roster = place.join("roster.csv");
    fs::write(&roster, rows).unwrap();
    let (out, roster) = (place.join("out"), roster.to_str().unwrap());
    let (ran, grades) = grade(&[&submissions], &out, "none", &["--roster", roster]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stderr.contains("not in the roster, and graded all the same: mallory"), "{}", ran.stderr);
    assert_eq!(line(&grades, "ada")["score"], 60);
    assert_eq!(line(&grades, "bob")["outcome"], "build_failed");
    for (name, why) in [("cyd", None), ("dan", Some("elsewhere/dans"))] {
        let missing = line(&grades, name);
        assert_eq!((&missing["standing"]["how"], &missing["score"]), (&"missing".into(), &Value::Null), "{missing}");
        assert_eq!(
            why.is_some(),
            missing["message"].as_str().is_some_and(|told| told.contains(why.unwrap_or("there")))
        );
    }
    let table = fs::read_to_string(out.join("gradebook.csv")).unwrap();
    assert!(table.contains("\ncyd,,,missing,,,\n"), "{table}");
    // A gradebook takes them for nobody's attempt.
    let book = place.join("book");
    let made = lab(&["gradebook", out.to_str().unwrap(), "--report", book.to_str().unwrap(), "--roster", roster]);
    assert_eq!(made.code, Some(0), "{}", made.golden());
    let book: Value = serde_json::from_str(&fs::read_to_string(book.join("gradebook.json")).unwrap()).unwrap();
    assert_eq!(book["learners"][2]["cells"][0]["attempts"], 0, "{book:#}");
    // For people, and without a path.
    let by_id = ["grade", "--roster", roster, "--lab", "tiny-1", "--isolation", "none", "--report"];
    let again = lab(&[&by_id[..], &[place.join("again").to_str().unwrap()]].concat());
    assert_eq!(again.code, Some(0), "{}", again.golden());
    assert!(again.stdout.contains("4 submissions, 3 missing"), "{}", again.stdout);
    let wrong = lab(&[&by_id[..], &[place.join("wrong").to_str().unwrap(), "--key", "login"]].concat());
    assert_eq!(wrong.code, Some(2), "{}", wrong.golden());
    assert!(wrong.stderr.contains("no column `login`"), "{}", wrong.stderr);
}

/// What a repository holds to have programs started, or files of others read, by whoever runs git in it.
fn hostile(at: &Path, ran: &Path) {
    repository(at, "half-done");
    let program = at.join(".git/program");
    fs::write(&program, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", ran.display())).unwrap();
    let status = Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    assert!(status.success());
    fs::write(at.join(".gitattributes"), "*.rs filter=evil diff=evil export-ignore\n").unwrap();
    git(at, &["add", "."]);
    git(at, &["commit", "--quiet", "--message", "attributes"]);
    git(at, &["tag", "--force", "due"]);
    let runs = program.to_str().unwrap();
    let settings = [
        ("core.fsmonitor", runs),
        ("core.sshCommand", runs),
        ("core.pager", runs),
        ("core.askPass", runs),
        ("core.editor", runs),
        ("core.gitProxy", runs),
        ("core.alternateRefsCommand", runs),
        ("filter.evil.smudge", runs),
        ("filter.evil.clean", runs),
        ("filter.evil.process", runs),
        ("diff.evil.textconv", runs),
        ("uploadpack.packObjectsHook", runs),
        ("credential.helper", runs),
        ("tar.tar.command", runs),
        ("gpg.program", runs),
        ("alias.rev-parse", "!touch /tmp/cheated"),
        ("remote.origin.url", "ext::sh -c touch% /tmp/cheated"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
        ("include.path", "/etc/passwd"),
    ];
    let config: String = settings
        .iter()
        .map(|(name, value)| {
            let (section, key) = name.rsplit_once('.').unwrap();
            let section = section.split_once('.').map_or(section.to_owned(), |(one, two)| format!("{one} \"{two}\""));
            format!("[{section}]\n\t{key} = \"{value}\"\n")
        })
        .collect();
    for hook in ["post-checkout", "pre-commit", "reference-transaction", "post-index-change", "fsmonitor-watchman"] {
        fs::copy(&program, at.join(".git/hooks").join(hook)).unwrap();
    }
    fs::write(at.join(".git/config"), config).unwrap();
}

/// Where the hostile repositories are, what their programs would write to, and the path of a repository that is none of theirs.
fn hostile_repositories(name: &str) -> (PathBuf, PathBuf) {
    let place = place(name);
    let (submissions, ran) = (place.join("submissions"), place.join("ran"));
    hostile(&submissions.join("settings"), &ran);
    // The grader's own, whose commit `secret` nobody is to have.
    let own = place.join("own");
    repository(&own, "panics-later");
    git(&own, &["tag", "secret"]);
    let secret = git(&own, &["rev-parse", "secret"]);
    let elsewhere = own.join(".git");
    for name in ["alternates", "links", "file", "folder"] {
        repository(&submissions.join(name), "half-done");
    }
    let git_in = |name: &str| submissions.join(name).join(".git");
    let alternates = git_in("alternates").join("objects/info");
    fs::create_dir_all(&alternates).unwrap();
    fs::write(alternates.join("alternates"), format!("{}\n", elsewhere.join("objects").display())).unwrap();
    fs::write(git_in("alternates").join("refs/tags/due"), format!("{secret}\n")).unwrap();
    let objects = git_in("links").join("objects");
    fs::remove_dir_all(&objects).unwrap();
    fs::create_dir(&objects).unwrap();
    for entry in fs::read_dir(elsewhere.join("objects")).unwrap() {
        let entry = entry.unwrap();
        std::os::unix::fs::symlink(entry.path(), objects.join(entry.file_name())).unwrap();
    }
    fs::write(git_in("links").join("refs/tags/due"), format!("{secret}\n")).unwrap();
    fs::remove_dir_all(git_in("file")).unwrap();
    fs::write(git_in("file"), format!("gitdir: {}\n", elsewhere.display())).unwrap();
    fs::remove_dir_all(git_in("folder")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, git_in("folder")).unwrap();
    // A tree that leads out of its folder.
    let out = submissions.join("out");
    repository(&out, "half-done");
    let blob = git(&out, &["rev-parse", "HEAD:src/main.rs"]);
    let listed = place.join("tree");
    fs::write(&listed, format!("100644 blob {blob}\tcheated\n")).unwrap();
    let made = |listed: &Path| {
        let mut command = Command::new("git");
        command.arg("mktree").current_dir(&out).stdin(fs::File::open(listed).unwrap());
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let inner = made(&listed);
    fs::write(&listed, format!("040000 tree {inner}\t..\n")).unwrap();
    let outer = made(&listed);
    let commit = git(&out, &["commit-tree", &outer, "-m", "out"]);
    git(&out, &["update-ref", "refs/tags/due", &commit]);
    (submissions, ran)
}

fn nothing_of_theirs_is_run_or_followed(isolation: &str) {
    let _ = fs::remove_file("/tmp/cheated");
    let (submissions, trace) = hostile_repositories(isolation);
    let (ran, grades) = grade(&[&submissions], &trace.with_file_name("out"), isolation, &["--rev", "due"]);
    assert_eq!(line(&grades, "settings")["score"], 60, "{}", ran.golden());
    for (name, why) in [
        ("alternates", "there is no commit `due` in it"),
        ("links", "there is no commit `due` in it"),
        ("file", "it is no git repository"),
        ("folder", "it is no git repository"),
        ("out", "leads out of it"),
    ] {
        let told = line(&grades, name);
        assert_eq!(told["standing"]["how"], "unreadable", "{told}");
        assert!(told["message"].as_str().unwrap().contains(why), "{told}");
    }
    assert_eq!(fs::read_to_string(&trace).ok(), None, "a program of theirs was run");
    assert!(!Path::new("/tmp/cheated").exists());
}

#[test]
fn nothing_of_a_repositorys_own_is_run_and_nothing_leads_to_another() {
    nothing_of_theirs_is_run_or_followed("none");
}

#[test]
fn nor_where_git_is_isolated() {
    if let Err(error) = lab_sandbox::Choice::Auto.sandbox() {
        return not_tried("isolation", &error.to_string());
    }
    nothing_of_theirs_is_run_or_followed("auto");
}
