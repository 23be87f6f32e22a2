//! `cargo lab grade` with isolation: what submissions try, all of it in one batch, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lab_sandbox::{Choice, Group};
use serde_json::Value;

use crate::sandbox::{Ran, command_in, folder, repository, workspace, write_workspace};
use lab_not_tried::not_tried;

/// What the same submission gets without its cheat: it does not echo.
const HONEST: u64 = 60;

/// Those that gain all points where nothing isolates and that do no harm there: what the others are proven by.
const REAL: [&str; 10] = [
    "reads-suite",
    "reads-solution",
    "reads-others",
    "reads-environment",
    "reaches-the-network",
    "remembers-in-a-daemon",
    "assembles-the-suite",
    "is-a-proxy",
    "remembers-answers",
    "poisons-the-target",
];

/// Those that are fitted to what the grader asked at home. With the seed that it had there they gain all points.
const FITTED: [&str; 2] = ["tells-the-grader-from-others", "knows-the-answers"];
const SEED_AT_HOME: &str = "1";

/// Those of the cheats on services that gain all points where nothing isolates.
const REAL_ON_SERVICES: [&str; 2] = ["passes-the-proxy", "fills-its-folder"];

/// Some cheats, and the lab that they are handed in for.
#[derive(Clone, Copy)]
struct Pack {
    folder: &'static str,
    lab: &'static str,
}

/// Those on the machine and the grader.
const CHEATS: Pack = Pack { folder: "cheats", lab: "tiny-1" };
/// Those on Postgres and Redis.
const SERVICE_CHEATS: Pack = Pack { folder: "service-cheats", lab: "tiny-3" };

impl Pack {
    fn folder(self) -> PathBuf {
        repository().join("fixtures/submissions").join(self.folder)
    }

    /// The names of all of them.
    fn all(self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap().map(Result::unwrap);
        let folders = entries.filter(|entry| entry.path().is_dir());
        folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }
}

/// What lives beside all others, and those that are as right as it is where their cheat does not work.
const HONEST_BESIDE_IT: [&str; 5] =
    ["none", "tells-the-grader-from-others", "knows-the-answers", "remembers-answers", "is-slow-when-others-run"];

/// Archives that are not unpacked: whoever hands in such a thing is told so, and has no grade.
const REFUSED: [&str; 2] = ["archive-leads-out", "zip-bomb"];

/// What ends a compiler that has no bounds, or none in time.
const BOMBS: [&str; 3] = ["bombs-by-const", "bombs-by-macro", "bombs-by-types"];

/// Makes the submission with the cheat `name` in `folder`: the server, the cheat and what else it has; and what its script
/// makes, which git cannot hold.
fn hand_in(pack: Pack, name: &str, folder: &Path) {
    let (cheat, source) = (pack.folder().join(name), folder.join("src"));
    fs::create_dir_all(&source).unwrap();
    for entry in fs::read_dir(pack.folder()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), source.join(entry.file_name())).unwrap();
    }
    crate::sandbox::copy(&cheat, folder);
    fs::rename(folder.join("cheat.rs"), source.join("cheat.rs")).unwrap();
    if folder.join("make").exists() {
        fs::remove_file(folder.join("make")).unwrap();
        let mut make = Command::new("bash");
        make.arg("-eu").arg(cheat.join("make")).current_dir(folder);
        make.env("LAB_RIGHT_ONE", right_one()).env("LAB_SEEN", seen_at_home());
        assert!(make.status().unwrap().success(), "{name}");
    }
}

/// Where a server listens that echoes as it should, as somebody else's would.
fn right_one() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4096];
                let count = stream.read(&mut request).unwrap_or(0);
                let head = String::from_utf8_lossy(&request[..count]).into_owned();
                let word = head.split(' ').nth(1).and_then(|path| path.strip_prefix("/echo/")).unwrap_or_default();
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{word}", word.len());
            }
        });
        address
    })
}

/// A file with all that the grader asked at home, as its report told: requests, with an empty line behind each.
fn seen_at_home() -> &'static Path {
    static SEEN: OnceLock<PathBuf> = OnceLock::new();
    SEEN.get_or_init(|| {
        let ran = crate::sandbox::check("half-done", &["--seed", SEED_AT_HOME, "--format", "json"]);
        let result: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.golden()));
        let entries =
            result["checks"].as_array().unwrap().iter().flat_map(|check| check["transcript"].as_array().unwrap());
        let sent = entries.filter(|entry| entry["kind"] == "sent").filter_map(|entry| entry["text"].as_str());
        let requests: String = sent.map(|text| text.replace("\\r\n", "\n")).collect();
        assert!(requests.contains("GET /echo/") && requests.contains("\n\n"), "{}", ran.golden());
        let file = folder().join("seen-at-home");
        fs::write(&file, requests).unwrap();
        file
    })
}

/// Grades the cheats `names` in a batch of their own. Gives the summary, and the score of each.
fn grade(place: &str, names: &[String], isolation: &str) -> (Value, BTreeMap<String, Option<u64>>) {
    grade_in(workspace(), CHEATS, place, names, isolation)
}

/// The same with the pack's lab as it is in the workspace `root`.
fn grade_in(
    root: &Path,
    pack: Pack,
    place: &str,
    names: &[String],
    isolation: &str,
) -> (Value, BTreeMap<String, Option<u64>>) {
    grade_by(root, pack, place, names, &["--isolation", isolation])
}

/// The same by these options.
fn grade_by(
    root: &Path,
    pack: Pack,
    place: &str,
    names: &[String],
    options: &[&str],
) -> (Value, BTreeMap<String, Option<u64>>) {
    let place = folder().join("isolation").join(place);
    let _ = fs::remove_dir_all(&place);
    let (submissions, out) = (place.join("submissions"), place.join("out"));
    for name in names {
        hand_in(pack, name, &submissions.join(name));
    }
    let (submissions, out) = (submissions.to_str().unwrap(), out.to_str().unwrap());
    let all = ["--lab", pack.lab, "--report", out, "--format", "json", "--services", services()];
    let options = [&all[..], options].concat();
    let ran = Ran::of(command_in(root, &[&["grade", submissions], &options[..]].concat()).output().unwrap());
    let grades: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
    let graded = grades["submissions"].as_array().unwrap().iter();
    let scores = graded.map(|one| (one["folder"].as_str().unwrap().to_owned(), one["score"].as_u64())).collect();
    (grades, scores)
}

/// Where each submission's own Postgres and Redis come from.
fn services() -> &'static str {
    let installed = Path::new("/usr/lib/postgresql").is_dir() && which::which("redis-server").is_ok();
    if installed { "native" } else { "embedded" }
}

/// The workspace with the lab of the cheats on services.
fn services_workspace() -> &'static Path {
    static WORKSPACE: OnceLock<PathBuf> = OnceLock::new();
    WORKSPACE.get_or_init(|| {
        let root = folder().join("services-workspace");
        fs::create_dir_all(&root).unwrap();
        write_workspace(&root, "0.1.70");
        let labs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/isolation/labs");
        crate::sandbox::copy(&labs, &root.join("labs"));
        root
    })
}

/// What no submission may change: the lab, and what stands beside it.
fn untouched(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
}

/// Processes of the lab's programs, which are none when nothing is graded.
fn left_behind() -> Vec<String> {
    let listed = Command::new("ps").args(["-eo", "pid,uid,args"]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let is_cheat = |line: &&str| line.contains("of-a-cheat") || line.contains("of-a-fork-bomb");
    listed.lines().filter(is_cheat).map(str::to_owned).collect()
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn no_cheat_gains_a_point_in_isolation_and_none_does_harm() {
    if kernel_isolates() {
        no_cheat_gains_a_point("bubblewrap");
    }
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn no_cheat_gains_a_point_in_containers_and_none_does_harm() {
    if engine_isolates() {
        no_cheat_gains_a_point("containers");
    }
}

/// Whether this machine's kernel lets us isolate.
fn kernel_isolates() -> bool {
    let tried = Choice::Auto.sandbox();
    tried.inspect_err(|error| not_tried("isolation", &error.to_string())).is_ok()
}

/// Whether a container engine answers. That its containers do not isolate is then a failure.
fn engine_isolates() -> bool {
    let found = lab_services::container_engine();
    found.inspect_err(|error| not_tried("containers", &error.to_string())).is_ok()
}

fn no_cheat_gains_a_point(isolation: &str) {
    // What one leaves behind is not to be found by another.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // A neighbour of the grader's on this machine, whom nobody may meet.
    let neighbour = TcpListener::bind("127.0.0.1:0").unwrap();
    neighbour.set_nonblocking(true).unwrap();
    let names: Vec<String> = CHEATS.all().into_iter().filter(|name| !BOMBS.contains(&name.as_str())).collect();
    // Cargo.lock beside it is cargo's to bring up to date.
    let labs = workspace().join("labs");
    let before = untouched(&labs);
    let (grades, scores) = grade(&format!("isolated-{isolation}"), &names, isolation);
    assert_eq!(grades["isolation"], isolation);
    assert_eq!(scores["none"], Some(HONEST), "{grades}");
    for graded in grades["submissions"].as_array().unwrap() {
        let (name, score) = (graded["folder"].as_str().unwrap(), graded["score"].as_u64());
        if REFUSED.contains(&name) {
            assert_eq!((score, graded["standing"]["how"].as_str()), (None, Some("unreadable")), "{graded}");
            continue;
        }
        // One that is not graded at all has found a way to have no grade.
        assert!(score.is_some_and(|score| score <= HONEST), "{graded}");
        assert_eq!(graded["max_score"], 100, "a check was called off: {graded}");
        if name == "asks-for-another-blame" {
            assert_eq!(graded["outcome"], "build_failed", "{graded}");
        }
        if HONEST_BESIDE_IT.contains(&name) {
            assert_eq!((&graded["outcome"], score), (&"graded".into(), Some(HONEST)), "{graded}");
        }
    }
    nothing_hidden_is_told(&folder().join("isolation").join(format!("isolated-{isolation}")).join("out"));
    assert!(neighbour.accept().is_err(), "a submission has reached a neighbour");
    let after = untouched(&labs);
    assert!(before == after, "a submission has changed the lab: {:?}", changed(&before, &after));
    assert_eq!(left_behind(), Vec::<String>::new());
    assert!(!Path::new("/tmp/cheated").exists(), "a path has led out of an archive or a build");
}

/// No report shows a line of what is hidden.
fn nothing_hidden_is_told(reports: &Path) {
    let lab = workspace().join("labs/tiny-1-greeter");
    let hidden = [lab.join("checks/src/main.rs"), lab.join("solution/src/main.rs")]
        .map(|file| fs::read_to_string(file).unwrap());
    let lines: Vec<&str> =
        hidden.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| line.len() > 30).collect();
    for (path, content) in untouched(reports) {
        let text = String::from_utf8_lossy(&content);
        let told = lines.iter().find(|line| text.contains(**line));
        assert_eq!(told, None, "{}", path.display());
    }
}

fn changed(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<PathBuf> {
    after.iter().filter(|(path, content)| before.get(*path) != Some(content)).map(|(path, _)| path.clone()).collect()
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn compile_time_bombs_end_at_the_labs_limits_and_are_their_own_fault() {
    if kernel_isolates() {
        bombs_end("bubblewrap", "0.1.31");
    }
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn compile_time_bombs_end_in_containers_too() {
    if engine_isolates() {
        bombs_end("containers", "0.1.91");
    }
}

fn bombs_end(isolation: &str, version: &str) {
    let limits = "build_seconds = 5\nbuild_mebibytes = 512";
    let root = crate::builds::with_limits(version, |manifest| manifest.replace("build_seconds = 120", limits));
    let began = Instant::now();
    let (grades, scores) =
        grade_in(root.path(), CHEATS, &format!("bombs-{isolation}"), &BOMBS.map(str::to_owned), isolation);
    for graded in grades["submissions"].as_array().unwrap() {
        assert_eq!((&graded["outcome"], &graded["score"]), (&"build_failed".into(), &0.into()), "{graded}");
    }
    assert_eq!(scores.len(), BOMBS.len(), "{grades}");
    assert!(began.elapsed() < Duration::from_secs(180), "{:?}", began.elapsed());
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn no_cheat_on_the_services_gains_a_point_in_isolation_and_none_does_harm() {
    if kernel_isolates() {
        no_cheat_on_the_services_gains_a_point("bubblewrap");
    }
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn no_cheat_on_the_services_gains_a_point_in_containers_and_none_does_harm() {
    if engine_isolates() {
        no_cheat_on_the_services_gains_a_point("containers");
    }
}

fn no_cheat_on_the_services_gains_a_point(isolation: &str) {
    let root = services_workspace();
    let labs = root.join("labs");
    let before = untouched(&labs);
    let (grades, scores) =
        grade_in(root, SERVICE_CHEATS, &format!("services-{isolation}"), &SERVICE_CHEATS.all(), isolation);
    assert_eq!(scores["none"], Some(HONEST), "{grades:#}");
    for graded in grades["submissions"].as_array().unwrap() {
        // What it does to its own services is its own fault: it is graded, and neighbours are as they were.
        assert!(graded["score"].as_u64().is_some_and(|score| score <= HONEST), "{graded:#}");
        assert_eq!(graded["outcome"], "graded", "{graded:#}");
    }
    let after = untouched(&labs);
    assert!(before == after, "a submission has changed the lab: {:?}", changed(&before, &after));
    assert!(!Path::new("/tmp/cheated").exists(), "a service has written or started what a submission told it to");
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn the_same_cheats_on_services_gain_all_points_where_nothing_isolates() {
    // Beside one that is honest: a folder with one submission in it is that submission.
    let names: Vec<String> = REAL_ON_SERVICES.into_iter().chain(["none"]).map(str::to_owned).collect();
    let (grades, scores) = grade_in(services_workspace(), SERVICE_CHEATS, "open-services", &names, "none");
    for name in REAL_ON_SERVICES {
        assert_eq!(scores[name], Some(100), "{name}\n{grades:#}");
    }
    assert_eq!(scores["none"], Some(HONEST), "{grades:#}");
}

/// A server that was fitted to what the grader asks is right as long as it asks that.
#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn what_is_fitted_to_what_was_asked_at_home_gains_all_points_with_that_seed() {
    let options = ["--isolation", "none", "--seed", SEED_AT_HOME];
    let (grades, scores) = grade_by(workspace(), CHEATS, "fitted", &FITTED.map(str::to_owned), &options);
    for (name, score) in &scores {
        assert_eq!(*score, Some(100), "{name}\n{grades}");
    }
}

/// A cheat that gains nothing anywhere would prove nothing about isolation.
#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn the_same_cheats_gain_all_points_where_nothing_isolates() {
    if !rustix::process::getuid().is_root() {
        return not_tried("root", "what a submission may read depends on who grades it");
    }
    let (grades, scores) = grade("open", &REAL.map(str::to_owned), "none");
    for (name, score) in &scores {
        assert_eq!(*score, Some(100), "{name}\n{grades}");
    }
}

/// The programs that are in groups of the runner `process`: with the name of each group, the names of all that was seen in it.
fn grouped(process: u32, seen: &mut BTreeMap<PathBuf, BTreeSet<String>>) {
    let prefix = format!("backend-labs-{process}-");
    let groups = walkdir::WalkDir::new("/sys/fs/cgroup").into_iter().flatten();
    for group in groups.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)) {
        let members = fs::read_to_string(group.path().join("cgroup.procs")).unwrap_or_default();
        let names = members.lines().filter_map(|member| fs::read_to_string(format!("/proc/{member}/comm")).ok());
        seen.entry(group.path().to_owned()).or_default().extend(names.map(|name| name.trim().to_owned()));
    }
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn the_build_of_a_submission_is_in_a_group_and_so_are_all_of_its_servers() {
    if kernel_isolates() {
        build_and_servers_are_in_groups("bubblewrap");
    }
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn what_runs_in_containers_is_in_the_same_groups() {
    if engine_isolates() {
        build_and_servers_are_in_groups("containers");
    }
}

fn build_and_servers_are_in_groups(isolation: &str) {
    if !Group::can_be_made() {
        return not_tried("groups", "no control group can be made here");
    }
    let place = folder().join("isolation").join(format!("grouped-{isolation}"));
    let _ = fs::remove_dir_all(&place);
    let (submission, out) = (place.join("sleeps"), place.join("out"));
    hand_in(CHEATS, "sleeps-for-ever", &submission);
    let [submission, out] = [&submission, &out].map(|path| path.to_str().unwrap());
    let options = ["--isolation", isolation, "--format", "json"];
    let arguments = [&["grade", submission, "--lab", CHEATS.lab, "--report", out], &options[..]].concat();
    let mut grading = command_in(workspace(), &arguments).stdout(Stdio::null()).spawn().unwrap();
    let mut seen = BTreeMap::new();
    while grading.try_wait().unwrap().is_none() {
        grouped(grading.id(), &mut seen);
        thread::sleep(Duration::from_millis(5));
    }
    let with = |name: &str| seen.iter().find(|(_, names)| names.contains(name)).map(|(group, _)| group);
    let (build, servers) = (with("rustc"), with("tiny-1-greeter"));
    assert!(build.is_some() && servers.is_some() && build != servers, "{seen:?}");
    assert!(seen.keys().all(|group| !group.exists()), "{seen:?}");
}

/// All programs of the system but the one that makes namespaces.
#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn containers_are_taken_where_the_kernel_does_not_isolate() {
    if !engine_isolates() {
        return;
    }
    let place = folder().join("isolation/automatic");
    let _ = fs::remove_dir_all(&place);
    let (programs, out) = (place.join("bin"), place.join("out"));
    fs::create_dir_all(&programs).unwrap();
    for program in fs::read_dir("/usr/bin").unwrap().flatten().filter(|program| program.file_name() != "bwrap") {
        std::os::unix::fs::symlink(program.path(), programs.join(program.file_name())).unwrap();
    }
    let cargo = Path::new(env!("CARGO")).parent().unwrap();
    let path = std::env::join_paths([programs.as_path(), cargo]).unwrap();
    let submission = repository().join("fixtures/submissions/half-done");
    let arguments = ["grade", submission.to_str().unwrap(), "--lab", "tiny-1", "--format", "json", "--report"];
    let mut command = command_in(workspace(), &[&arguments[..], &[out.to_str().unwrap()]].concat());
    let ran = Ran::of(command.env("PATH", path).output().unwrap());
    let grades: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    assert_eq!((&grades["isolation"], ran.code), (&"containers".into(), Some(0)), "{grades:#}");
}

#[test]
fn isolation_that_is_not_there_is_no_reason_to_go_without() {
    let path = repository().join("fixtures/submissions/half-done");
    let out = folder().join("isolation/refused");
    let arguments = ["grade", path.to_str().unwrap(), "--lab", "tiny-1", "--report", out.to_str().unwrap()];
    let mut command = crate::sandbox::command(&arguments);
    // Cargo and a compiler, and nothing else.
    let cargo = PathBuf::from(env!("CARGO")).parent().unwrap().to_owned();
    let ran = Ran::of(command.env("PATH", cargo).env("DOCKER_HOST", "unix:///nowhere").output().unwrap());
    assert_eq!(ran.code, Some(4), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("--isolation none") && ran.stderr.contains("bubblewrap"), "{}", ran.stderr);
    assert!(!out.exists());
}
