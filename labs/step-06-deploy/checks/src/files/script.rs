//! Whether a step's script fails when its tests do (GitHub Actions, Workflow syntax, `jobs.<job_id>.steps[*].shell`;
//! bash manual, 4.3.1 The Set Builtin).

/// The command of the script that runs tests, if there is one. Tests that are only compiled are not run.
pub fn test_command(run: &str) -> Option<String> {
    lines(run).into_iter().find(|line| is_test(line))
}

/// How the failure of the tests in `run` gets lost, if it does. `shell` is the step's, the job's or the workflow's; a
/// step that names none has `bash -e`, in which the status of a pipeline is that of its last command.
pub fn loses_failure(run: &str, shell: &str) -> Option<String> {
    let lines = lines(run);
    let at = lines.iter().position(|line| is_test(line))?;
    let (line, before) = (&lines[at], lines[..at].join("\n"));
    let sets = |what: &str| before.split([';', '\n', '&']).any(|command| command.trim().starts_with(what));
    // A shell that is given with its arguments has these alone; the names that GitHub knows stop at a failure.
    let stops = !sets("set +e") && (!shell.contains("{0}") || has_flag(shell, 'e') || sets("set -e"));
    let rest = &line[line.find("test").unwrap_or_default()..];
    let (rest, alternative) = rest.split_once("||").map_or((rest, None), |(test, other)| (test, Some(other)));
    let pipefail = shell.trim() == "bash" || shell.contains("pipefail") || before.contains("pipefail");
    let minds_the_pipe = pipefail || line.contains("pipefail") || run.contains("PIPESTATUS");
    let ends_in_failure = |other: &str| {
        let last = other.rsplit([';', '&', '{', '\n']).map(str::trim).find(|word| !word.is_empty() && *word != "}");
        last.is_some_and(|last| last == "false" || last.starts_with("exit ") && last != "exit 0")
    };
    let is_last = at + 1 == lines.len();
    let looks = run.contains("exit ") || run.contains("PIPESTATUS");
    match () {
        () if alternative.is_some_and(|other| !ends_in_failure(other)) => Some("what follows `||` succeeds".into()),
        () if rest.contains('|') && !minds_the_pipe => {
            Some("of a pipe only the last command counts, without `pipefail` (`shell: bash` sets it)".into())
        }
        () if rest.trim_end().ends_with('&') && !rest.trim_end().ends_with("&&") => {
            Some("it runs in the background".into())
        }
        () if line.starts_with("! ") => Some("`!` turns a failure into a success".into()),
        () if !stops && !is_last && !looks => {
            Some("after `set +e`, or in a shell without `-e`, only the last command counts".into())
        }
        () if rest.contains("&&") && !is_last && !looks => {
            Some("a failure in front of `&&` does not end the script, and more follows".into())
        }
        () if (line.starts_with("if ") || line.starts_with("while ")) && !looks => {
            Some("a condition may fail, and the script goes on".into())
        }
        () => None,
    }
}

fn is_test(line: &str) -> bool {
    let word = |wanted: &[&str]| line.split(|c: char| !c.is_alphanumeric()).any(|word| wanted.contains(&word));
    word(&["test", "nextest"]) && !line.contains("--no-run")
}

/// Whether one of the shell's arguments is, or holds, this one-letter option.
fn has_flag(shell: &str, flag: char) -> bool {
    shell.split_whitespace().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(flag))
}

/// Lines without comments; what ends with a backslash goes on in the next one.
fn lines(run: &str) -> Vec<String> {
    let joined = run.replace("\\\n", " ");
    joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_failure_is_fine() {
        for (run, shell) in [
            ("cargo test --locked", ""),
            ("cargo test --locked | tee test.log", "bash"),
            ("cargo test | tee log", "bash -euo pipefail {0}"),
            ("set -o pipefail\ncargo test | tee log", ""),
            ("set -euo pipefail; cargo test | tee log", ""),
            ("cargo test | tee log\nexit ${PIPESTATUS[0]}", ""),
            ("cargo test || exit 1", ""),
            ("cargo test\necho done", "bash -eo pipefail {0}"),
            ("set -eu\ncargo test\necho done", "bash {0}"),
            ("cargo test", "bash {0}"),
            ("cargo test || { cat log; exit 1; }", ""),
            ("cargo test && echo fine", ""),
            ("cargo build\ncargo test \\\n  --locked\necho done", ""),
            ("if ! cargo test; then\n  cat log\n  exit 1\nfi", ""),
            ("echo y | cargo nextest run", ""),
        ] {
            assert_eq!(loses_failure(run, shell), None, "{run}");
        }
    }

    #[test]
    fn what_loses_the_failure_is_seen() {
        for run in [
            "cargo test | tee test.log",
            "cargo test --locked \\\n  | tee test.log",
            "cargo test 2>&1 | tee log",
            "cargo test || true",
            "cargo test || :",
            "cargo test || echo failed",
            "cargo test || { cat log; exit 0; }",
            "cargo test &",
            "! cargo test",
            "set +e\ncargo test\necho done",
            "cargo test && echo fine\necho done",
            "if cargo test; then echo fine; fi",
        ] {
            assert!(loses_failure(run, "").is_some(), "{run}");
        }
        assert!(loses_failure("cargo test\necho done", "bash {0}").is_some());
    }

    #[test]
    fn tests_that_are_only_compiled_are_none() {
        assert_eq!(test_command("cargo test --no-run"), None);
        assert_eq!(test_command("# test\ncargo build"), None);
        assert!(test_command("cargo test --no-run\ncargo nextest run").is_some());
    }
}
