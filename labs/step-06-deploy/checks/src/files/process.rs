//! Which process gets the signals of a container: the program, or a shell that keeps them to itself.

use super::dockerfile::{Dockerfile, words};

/// Programs whose work it is to hand signals on.
const INITS: [&str; 4] = ["tini", "tini-static", "dumb-init", "catatonit"];
const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "busybox"];

/// Why SIGTERM does not reach the program, if that is so.
pub fn swallows_signals(file: &Dockerfile) -> Option<String> {
    let (entrypoint, cmd) = (file.effective("ENTRYPOINT"), file.effective("CMD"));
    let shell_form = |text: &str| {
        (!replaces_itself(text))
            .then(|| format!("`{text}` is run by `sh -c`, which gets the signal and does not forward it"))
    };
    match (entrypoint, cmd) {
        (None, None) => Some("there is neither ENTRYPOINT nor CMD".into()),
        (Some(entry), cmd) => match entry.exec_form() {
            None => shell_form(&entry.text),
            Some(mut argv) => {
                match cmd.map(|cmd| (cmd.exec_form(), &cmd.text)) {
                    Some((Some(more), _)) => argv.extend(more),
                    Some((None, text)) => argv.extend(["/bin/sh".into(), "-c".into(), text.clone()]),
                    None => {}
                }
                judge(&argv)
            }
        },
        (None, Some(cmd)) => match cmd.exec_form() {
            None => shell_form(&cmd.text),
            Some(argv) => judge(&argv),
        },
    }
}

fn judge(argv: &[String]) -> Option<String> {
    let program = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let first = program(argv.first()?);
    if INITS.contains(&first.as_str()) {
        // The init hands the signal to its child, which is the next program on the line.
        let rest = argv[1..].iter().position(|word| !word.starts_with('-')).map(|at| &argv[at + 1..]);
        // dumb-init signals the whole group, so that a shell in between does no harm.
        return rest.filter(|_| first != "dumb-init").and_then(judge);
    }
    if !SHELLS.contains(&first.as_str()) {
        return None;
    }
    let script =
        argv.iter().position(|word| word.starts_with('-') && word.ends_with('c')).and_then(|at| argv.get(at + 1))?;
    (!replaces_itself(script))
        .then(|| format!("`{first} -c` runs `{script}` as its child, gets the signal and does not forward it"))
}

/// Whether the shell that runs this line becomes the last program of it.
fn replaces_itself(script: &str) -> bool {
    let script = script.replace("&&", ";").replace('\n', ";");
    let last = script.split(';').map(str::trim).rfind(|part| !part.is_empty());
    last.is_some_and(|command| {
        !command.contains('|')
            && words(command).iter().find(|word| !word.contains('=')).is_some_and(|word| word == "exec")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swallows(lines: &str) -> bool {
        swallows_signals(&Dockerfile::parse(&format!("FROM a:1\n{lines}")).unwrap()).is_some()
    }

    #[test]
    fn programs_that_get_the_signal() {
        for right in [
            "CMD [\"/app\"]",
            "ENTRYPOINT [\"/app\"]\nCMD [\"--x\"]",
            "CMD exec /app --x",
            "ENTRYPOINT [\"/bin/sh\", \"-c\", \"migrate && exec /app\"]",
            "ENTRYPOINT [\"/usr/bin/tini\", \"--\", \"/app\"]",
            "ENTRYPOINT [\"tini\", \"--\"]\nCMD [\"/app\"]",
            "ENTRYPOINT [\"dumb-init\", \"--\"]\nCMD /app",
            "ENTRYPOINT [\"/entrypoint.sh\"]",
            "ENTRYPOINT RUST_LOG=info exec /app",
        ] {
            assert!(!swallows(right), "{right}");
        }
    }

    #[test]
    fn shells_that_keep_it() {
        for wrong in [
            "CMD /app",
            "ENTRYPOINT /app\nCMD [\"--x\"]",
            "ENTRYPOINT [\"sh\", \"-c\", \"/app\"]",
            "ENTRYPOINT [\"/bin/bash\", \"-lc\", \"cd / && /app\"]",
            "ENTRYPOINT [\"tini\", \"--\"]\nCMD /app",
            "CMD exec /app | tee log",
            "RUN true",
        ] {
            assert!(swallows(wrong), "{wrong}");
        }
    }
}
