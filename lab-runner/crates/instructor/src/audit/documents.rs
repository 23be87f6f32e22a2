//! What can be told without running anything: a lab's manifest, README, starter and checks agree.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use lab_protocol::CheckInfo;
use lab_runner::audit::{LabAudit, Problem};
use lab_runner::suggest;
use lab_runner::workspace::{Lab, Workspace};
use walkdir::WalkDir;

use super::source::SuiteCode;
use super::tables;
use crate::release;

/// What a lab's checks are worth together, without those that are held out.
const POINTS: u32 = 100;

/// Examines the documents of `lab`, whose suite declares `checks`.
pub(super) fn examine(lab: &Lab, checks: &[CheckInfo], source: &SuiteCode) -> Vec<Problem> {
    let mut problems = names(lab);
    problems.extend(source.unreadable.iter().map(|(place, message)| Problem::of(place, message.as_str())));
    problems.extend(checks.iter().flat_map(check_is_complete));
    problems.extend(checks_as_a_whole(checks, source));
    problems.extend(readme(lab, checks));
    problems.extend(tables::examine(lab, checks, source));
    problems.extend(release::problems(lab));
    problems
}

/// Every lab of the workspace has an id and a slug of its own.
pub(super) fn names_are_unique(workspace: &Workspace, audits: &mut [LabAudit]) {
    for audit in audits {
        let same = |pick: fn(&Lab) -> &str, value: &str| workspace.labs.iter().filter(|lab| pick(lab) == value).count();
        if same(|lab| lab.id(), &audit.lab) > 1 {
            audit.problem("lab.toml", &format!("another lab has the id `{}`", audit.lab));
        }
        if same(|lab| &lab.manifest.slug, &audit.slug) > 1 {
            audit.problem("lab.toml", &format!("another lab has the slug `{}`", audit.slug));
        }
    }
}

fn names(lab: &Lab) -> Vec<Problem> {
    let mut problems = Vec::new();
    let folder = lab.folder.file_name().unwrap_or_default();
    if folder != lab.package() {
        problems.push(Problem::of(
            "lab.toml",
            format!("the folder is `{folder}`, but id and slug make it `{}`", lab.package()),
        ));
    }
    for (path, package) in [("Cargo.toml", lab.package()), ("checks/Cargo.toml", lab.suite_package())] {
        let name = package_name(&lab.folder.join(path));
        if name.as_deref() != Some(package.as_str()) {
            problems.push(Problem::of(path, format!("the package should be named `{package}`")));
        }
    }
    for path in lab.manifest.editable.iter().filter(|path| !lab.folder.join(path).exists()) {
        problems.push(Problem::of("lab.toml", format!("editable names `{path}`, which the starter does not have")));
    }
    problems
}

fn package_name(path: &Utf8Path) -> Option<String> {
    let table: toml::Table = toml::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    Some(table.get("package")?.get("name")?.as_str()?.to_owned())
}

fn check_is_complete(check: &CheckInfo) -> Vec<Problem> {
    let mut lacks = Vec::new();
    for (what, text) in [("title", &check.title), ("reason", &check.why), ("source", &check.source)] {
        if text.trim().is_empty() {
            lacks.push(what);
        }
    }
    if check.hints.iter().all(|hint| hint.trim().is_empty()) {
        lacks.push("hint");
    }
    if check.points == 0 {
        lacks.push("points");
    }
    lacks.iter().map(|what| Problem::of(&format!("check {}", check.id), format!("it has no {what}"))).collect()
}

fn checks_as_a_whole(checks: &[CheckInfo], source: &SuiteCode) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sum: u32 = checks.iter().filter(|check| !check.held_out).map(|check| check.points).sum();
    if sum != POINTS {
        problems.push(Problem::of("checks", format!("their points sum to {sum}, not {POINTS}")));
    }
    problems.extend(needs_held_out(checks));
    problems.extend(needs_a_later_one(checks));
    let mut seen = BTreeSet::new();
    for check in checks {
        let place = format!("check {}", check.id);
        if !seen.insert(check.id.as_str()) {
            problems.push(Problem::of(&place, "its id is not unique"));
        }
        for need in check.needs.iter().filter(|need| !checks.iter().any(|other| other.id == **need)) {
            let declared = source.checks.get(&check.id);
            let line = declared.and_then(|declared| declared.needs_lines.get(need));
            let at = declared.zip(line).map(|(declared, line)| format!("{}:{line}: ", declared.file));
            let nearest = suggest::did_you_mean(need, checks.iter().map(|check| check.id.as_str()));
            let hint = nearest.map(|hint| format!("; {hint}")).unwrap_or_default();
            let at = at.unwrap_or_default();
            problems.push(Problem::of(&place, format!("{at}it needs `{need}`, which is not a check{hint}")));
        }
    }
    problems
}

/// A learner is asked no held-out check, so that what needs one could never be asked of them.
fn needs_held_out(checks: &[CheckInfo]) -> Vec<Problem> {
    let held_out = |id: &&String| checks.iter().any(|check| check.held_out && check.id == **id);
    let found = checks.iter().filter(|check| !check.held_out).flat_map(|check| {
        let needs = check.needs.iter().filter(held_out);
        needs.map(|need| Problem::of(&format!("check {}", check.id), format!("it needs `{need}`, which is held out")))
    });
    found.collect()
}

/// Whoever works through the checks in their order has what each of them needs when its turn comes.
fn needs_a_later_one(checks: &[CheckInfo]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        for later in checks[index + 1..].iter().filter(|later| check.needs.contains(&later.id)) {
            let message = format!("it needs `{}`, which comes after it, in task {}", later.id, later.task);
            problems.push(Problem::of(&format!("check {}", check.id), message));
        }
    }
    problems
}

/// The README names every check, and its tasks are those of the checks and of the starter's TODOs.
fn readme(lab: &Lab, checks: &[CheckInfo]) -> Vec<Problem> {
    let Ok(text) = std::fs::read_to_string(lab.folder.join("README.md")) else {
        return vec![Problem::of("README.md", "it cannot be read")];
    };
    let mut problems = Vec::new();
    for check in checks {
        let named = text.contains(&format!("`{}`", check.id));
        if !check.held_out && !named {
            problems.push(Problem::of("README.md", format!("it does not name the check `{}`", check.id)));
        } else if check.held_out && named {
            problems.push(Problem::of("README.md", format!("it names the check `{}`, which is held out", check.id)));
        }
    }
    let written: BTreeSet<u32> = text.lines().filter_map(task_of_heading).collect();
    let asked: BTreeSet<u32> = checks.iter().map(|check| check.task).collect();
    let marked = todos(lab);
    for task in asked.difference(&written) {
        problems.push(Problem::of(
            "README.md",
            format!("it has no heading `Task {task}: …`, although checks belong to that task"),
        ));
    }
    for task in written.difference(&asked) {
        problems.push(Problem::of("README.md", format!("no check belongs to its task {task}")));
    }
    for task in written.iter().filter(|task| !marked.contains_key(task)) {
        problems.push(Problem::of("starter", format!("there is no `TODO({}.{task})` for task {task}", lab.id())));
    }
    for (task, place) in marked.iter().filter(|(task, _)| !written.contains(task)) {
        problems.push(Problem::of(
            place,
            format!("`TODO({}.{task})` refers to a task that the README does not have", lab.id()),
        ));
    }
    problems
}

/// The number in a heading such as `## Task 3: events`.
fn task_of_heading(line: &str) -> Option<u32> {
    let rest = line.strip_prefix('#')?.trim_start_matches('#').trim_start().strip_prefix("Task ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The numbers of the starter's TODOs, each with a file that has it.
fn todos(lab: &Lab) -> BTreeMap<u32, String> {
    let mark = format!("TODO({}.", lab.id());
    let mut found = BTreeMap::new();
    for path in &lab.manifest.editable {
        for entry in WalkDir::new(lab.folder.join(path)).into_iter().flatten() {
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            let place = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(&lab.folder).ok());
            for after in text.split(&mark).skip(1) {
                if let Some(task) = after.split_once(')').and_then(|(number, _)| number.parse().ok()) {
                    found.entry(task).or_insert_with(|| place.map(ToString::to_string).unwrap_or_default());
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tasks_number_is_read_from_its_heading() {
        assert_eq!(task_of_heading("## Task 3: events"), Some(3));
        assert_eq!(task_of_heading("### Task 12"), Some(12));
        assert_eq!(task_of_heading("Task 3: not a heading"), None);
        assert_eq!(task_of_heading("## Tasks"), None);
    }

    fn check(id: &str, needs: &[&str], held_out: bool) -> CheckInfo {
        let info = serde_json::json!({ "id": id, "title": "", "task": 1, "points": 1, "needs": needs, "why": "",
            "source": "", "hints": [], "held_out": held_out, "alone": false });
        serde_json::from_value(info).unwrap()
    }

    #[test]
    fn what_needs_a_held_out_check_has_to_be_held_out_itself() {
        let checks =
            [check("hidden", &[], true), check("deeper", &["hidden"], true), check("seen", &["hidden"], false)];
        let found: Vec<String> = needs_held_out(&checks).into_iter().map(|problem| problem.place).collect();
        assert_eq!(found, ["check seen"]);
    }

    #[test]
    fn no_check_needs_one_that_comes_after_it() {
        let checks = [check("first", &["last"], false), check("last", &[], false), check("then", &["last"], false)];
        let found: Vec<String> = needs_a_later_one(&checks).into_iter().map(|problem| problem.place).collect();
        assert_eq!(found, ["check first"]);
    }
}
