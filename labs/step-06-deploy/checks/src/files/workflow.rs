//! Task 10, second half: the CI workflow (GitHub Actions, Workflow syntax).

use std::collections::BTreeSet;

use lab_kit::prelude::*;

use super::script::{loses_failure, test_command};
use super::yaml;

const FOLDER: &str = ".github/workflows";

/// The submission's workflow: the one that has the jobs `test` and `release`.
fn workflow(lab: &Lab) -> CheckResult<(String, Value)> {
    let folder = lab.tree()?.join(FOLDER);
    let mut paths = Vec::new();
    for entry in
        std::fs::read_dir(&folder).map_err(|error| Failure::learner(format!("`{FOLDER}` cannot be read: {error}")))?
    {
        let name = entry.ours("listing the workflows")?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") || name.ends_with(".yml") {
            paths.push(format!("{FOLDER}/{name}"));
        }
    }
    paths.sort();
    for path in &paths {
        let file = yaml::read(lab, path)?;
        if file["jobs"]["test"].is_object() && file["jobs"]["release"].is_object() {
            return Ok((path.clone(), file));
        }
    }
    Err(Failure::learner(format!("no workflow in `{FOLDER}` has both jobs, `test` and `release`"))
        .actual(if paths.is_empty() { "no workflow".into() } else { paths.join(", ") }))
}

/// Releasing something untested is a gamble. Everything the tests need must be there, and healthy, before they begin
/// (GitHub Actions documentation, `jobs.<job_id>.needs`, `services`; Humble and Farley, Continuous Delivery, ch. 5).
#[check(title = "the release waits for the tests, and the tests for a healthy Postgres", task = 10, points = 1,
        hints = ["Two jobs without `needs` run side by side. Which one finishes first?",
                 "`needs: test` in the job `release`; a service container in `test` with `options: --health-cmd pg_isready …`.",
                 "`if: always()` and `continue-on-error` let a failure pass. So does `cargo test | tee log`: a step's shell has no `pipefail`, unless it says `shell: bash`."])]
async fn workflow_order(lab: &Lab) -> CheckResult {
    let (path, file) = workflow(lab)?;
    let (test, release) = (&file["jobs"]["test"], &file["jobs"]["release"]);
    let wrong = |problem: &str| Err(Failure::learner(format!("`{path}`: {problem}")));
    if !waits_for(&file["jobs"], "release", "test", &mut BTreeSet::new()) {
        return wrong("the job `release` does not wait for the job `test` (`needs`)");
    }
    if !minds_failures(release) {
        let condition = yaml::text(&release["if"]);
        return wrong(&format!("the job `release` runs also when `test` has failed (`if: {condition}`)"));
    }
    let steps = test["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tests = || steps.iter().filter(|step| test_command(&yaml::text(&step["run"])).is_some());
    let Some(tests) = tests().find(|step| is_unconditional(step)).or_else(|| tests().next()) else {
        return wrong("the job `test` has no step that runs tests, such as `cargo test`");
    };
    if !is_unconditional(tests) {
        let condition = yaml::text(&tests["if"]);
        return wrong(&format!("the job `test` succeeds also when its tests are left out (`if: {condition}`)"));
    }
    let lets_pass = |it: &Value| !matches!(yaml::text(&it["continue-on-error"]).as_str(), "" | "false");
    if lets_pass(test) || lets_pass(tests) {
        return wrong("the job `test` succeeds also when its tests fail (`continue-on-error`)");
    }
    let shells = [&tests["shell"], &test["defaults"]["run"]["shell"], &file["defaults"]["run"]["shell"]];
    let shell = shells.into_iter().map(yaml::text).find(|shell| !shell.is_empty()).unwrap_or_default();
    if let Some(how) = loses_failure(&yaml::text(&tests["run"]), &shell) {
        return wrong(&format!("the job `test` succeeds also when its tests fail: {how}"));
    }
    let services = test["services"].as_object();
    let postgres = services.and_then(|all| all.values().find(|it| yaml::text(&it["image"]).contains("postgres")));
    let Some(postgres) = postgres else { return wrong("the job `test` has no Postgres among its `services`") };
    if !yaml::text(&postgres["options"]).contains("--health-cmd") {
        return wrong("nothing waits until the Postgres of `test` is healthy (`options: --health-cmd …`)");
    }
    Ok(())
}

/// Whether a step runs whenever those before it have succeeded. A step that is left out does not fail its job.
fn is_unconditional(step: &Value) -> bool {
    let condition = yaml::text(&step["if"]);
    let condition = condition.trim().trim_start_matches("${{").trim_end_matches("}}").trim();
    ["", "true", "success()", "always()", "!cancelled()"].contains(&condition)
}

/// Whether the job waits for the success of `other`, directly or by way of others that do.
fn waits_for(jobs: &Value, job: &str, other: &str, seen: &mut BTreeSet<String>) -> bool {
    let needs = yaml::names(&jobs[job]["needs"]);
    let by_way_of = |need: &String, seen: &mut BTreeSet<String>| {
        minds_failures(&jobs[need.as_str()]) && waits_for(jobs, need, other, seen)
    };
    seen.insert(job.to_owned()) && needs.iter().any(|need| need == other || by_way_of(need, seen))
}

/// Whether a job is left out when one that it needs has failed, as jobs are unless their `if` says otherwise.
fn minds_failures(job: &Value) -> bool {
    let condition = yaml::text(&job["if"]);
    !["always()", "failure()", "cancelled()"].iter().any(|it| condition.contains(it))
}

/// An action is a stranger's program that runs with the repository's permissions, and a branch is whatever its owner,
/// or a thief, puts there (GitHub Actions documentation, Secure use reference; OWASP Top 10 CI/CD Security Risks,
/// CICD-SEC-3 and CICD-SEC-5).
#[check(title = "actions are pinned, and jobs have no more permissions than they need", task = 10, points = 1,
        hints = ["What does `uses: actions/checkout@main` run tomorrow? And what may it do with your repository?",
                 "`@v5` or, better, the commit's hash. `permissions: {contents: read}` at the top; `packages: write` in `release` alone."])]
async fn workflow_rights(lab: &Lab) -> CheckResult {
    let (path, file) = workflow(lab)?;
    let wrong = |problem: String| Err(Failure::learner(format!("`{path}`: {problem}")));
    let Some(jobs) = file["jobs"].as_object() else { return wrong("it has no jobs".into()) };
    for (name, job) in jobs {
        let steps = job["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
        for uses in steps.iter().chain([job]).map(|it| yaml::text(&it["uses"])).filter(|uses| !uses.is_empty()) {
            if !is_pinned(&uses) {
                return wrong(format!("`uses: {uses}` is not pinned: give it a version (`@v5`) or a commit's hash"));
            }
        }
        let rights = if job["permissions"].is_null() { &file["permissions"] } else { &job["permissions"] };
        if rights.is_null() {
            return wrong(format!("the job `{name}` does not declare its `permissions`"));
        }
        let writes = |rights: &Value| rights.as_object().is_some_and(|all| all.values().any(|right| right == "write"));
        if rights == "write-all" {
            return wrong(format!("the job `{name}` has write access to everything"));
        }
        if name == "test" && writes(rights) {
            return wrong("the job `test` has write access, but only needs to read".into());
        }
    }
    Ok(())
}

/// A version or a hash; what stands in the repository itself comes with its commit.
fn is_pinned(uses: &str) -> bool {
    if uses.starts_with("./") {
        return true;
    }
    if let Some(image) = uses.strip_prefix("docker://") {
        return super::dockerfile_checks::is_pinned(image);
    }
    let Some((_, reference)) = uses.rsplit_once('@') else { return false };
    let hash = reference.len() == 40 && reference.chars().all(|c| c.is_ascii_hexdigit());
    let version = reference.trim_start_matches('v');
    hash || version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_hashes_are_pins() {
        for pinned in [
            "actions/checkout@v5",
            "a/b@1.2.3",
            "a/b/c@08c6903cd8c0fde910a37f88322edcfb5dd907a8",
            "./local",
            "docker://a:1",
            "dtolnay/rust-toolchain@1.95.0",
        ] {
            assert!(is_pinned(pinned), "{pinned}");
        }
        for loose in ["actions/checkout", "actions/checkout@main", "a/b@stable", "a/b@HEAD", "docker://a"] {
            assert!(!is_pinned(loose), "{loose}");
        }
    }

    #[test]
    fn a_step_with_a_condition_of_its_own_may_be_left_out() {
        for always in [json!({}), json!({"if": "${{ success() }}"}), json!({"if": "always()"}), json!({"if": true})] {
            assert!(is_unconditional(&always), "{always}");
        }
        assert!(!is_unconditional(&json!({"if": "github.ref == 'refs/heads/main'"})));
    }

    #[test]
    fn a_job_waits_by_way_of_another() {
        let jobs =
            json!({"release": {"needs": ["image"]}, "image": {"needs": "test"}, "test": {}, "loop": {"needs": "loop"}});
        assert!(waits_for(&jobs, "release", "test", &mut BTreeSet::new()));
        assert!(!waits_for(&jobs, "loop", "test", &mut BTreeSet::new()));
        let anyway = json!({"release": {"needs": "image"}, "image": {"needs": "test", "if": "always()"}, "test": {}});
        assert!(!waits_for(&anyway, "release", "test", &mut BTreeSet::new()));
    }
}
