//! Task 9: the Dockerfile.

use lab_kit::prelude::*;

use super::dockerfile::{Dockerfile, Instruction, pairs, words};
use super::ignore::leaves_out;
use super::process::swallows_signals;
use super::secrets::{is_secret_name, password_in_url};

/// Reads the submission's Dockerfile.
pub fn dockerfile(lab: &Lab) -> CheckResult<Dockerfile> {
    Dockerfile::parse(&lab.file("Dockerfile")?)
        .map_err(|problem| Failure::learner(format!("the Dockerfile cannot be read: {problem}")))
}

/// An attacker who takes over a program that runs as root is root, and in a container that is often root on the host
/// (Docker documentation, Building best practices, USER; CIS Docker Benchmark 4.1; OWASP, Docker Security Cheat Sheet).
#[check(title = "the image's user is not root", task = 9, points = 1,
        hints = ["Which user runs the program if the Dockerfile does not say?",
                 "`USER 10001` in the last stage: a number needs no entry in /etc/passwd, and Kubernetes can check it."])]
async fn dockerfile_user(lab: &Lab) -> CheckResult {
    let file = dockerfile(lab)?;
    let Some(user) = file.effective("USER") else {
        // Some images say so by themselves, and in their names.
        let unprivileged = file.outermost_base().contains("nonroot") || file.outermost_base().contains("unprivileged");
        return expect_that(unprivileged, "no USER applies to the last stage: the program runs as root");
    };
    let name = user.filled.split(':').next().unwrap_or_default().trim();
    if name == "root" || name.parse() == Ok(0_u32) || name.is_empty() {
        return Err(Failure::learner("the program runs as root").actual(format!("USER {}", user.text)));
    }
    expect_that(!name.contains('$'), format!("`USER {}`: nobody can tell who that is", user.text))
}

/// A name without a version is a different image tomorrow, and an image that contains compilers and sources is large
/// and has many vulnerabilities (Docker documentation, Building best practices: Use multi-stage builds, Pin base image
/// versions).
#[check(title = "base images are pinned, and the last stage is not the build stage", task = 9, points = 1,
        hints = ["Which version is `FROM rust`, today and in a year?",
                 "Build in a separate stage, `FROM rust:1.95-slim-bookworm AS build`, and copy the program from it: `COPY --from=build`."])]
async fn dockerfile_bases(lab: &Lab) -> CheckResult {
    let file = dockerfile(lab)?;
    for (number, stage) in file.stages.iter().enumerate() {
        let earlier = file.stages[..number].iter().any(|s| s.name.as_deref() == Some(&stage.base.to_ascii_lowercase()));
        if !earlier && stage.base != "scratch" && !is_pinned(&stage.base) {
            return Err(Failure::learner(format!("the base image `{}` is not pinned", stage.base))
                .expected("a tag that is a version, such as `debian:bookworm-slim`, or a digest")
                .actual(format!("FROM {}", stage.base)));
        }
    }
    let builds = |it: &Instruction| it.name == "RUN" && it.text.contains("cargo ") && it.text.contains("build");
    let builds_itself = file.lineage().iter().any(|stage| stage.instructions.iter().any(builds));
    expect_that(!builds_itself, "the image is the stage that builds the program, with compiler and sources")?;
    let last = file.stages.len() - 1;
    let taken = |it: &Instruction| {
        let copied = it.name == "COPY" && it.flag("from").is_some_and(|from| file.stage(from, last).is_some());
        let mounted = it.flag("mount").is_some_and(|mount| mount.contains("from="));
        copied || it.name == "RUN" && mounted
    };
    let takes = file.lineage().iter().any(|stage| stage.instructions.iter().any(taken));
    expect_that(takes, "the last stage takes nothing from an earlier one (`COPY --from=…`)")
}

/// Whether an image's name says which one it is.
pub fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    // A colon before the last slash is a port of the registry.
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
    tag.is_some_and(|tag| !tag.is_empty() && tag != "latest" && !tag.contains('$'))
}

/// `docker stop` sends SIGTERM to a container's first process. A shell does not forward it (Dockerfile reference, Shell
/// and exec form, ENTRYPOINT).
#[check(title = "SIGTERM reaches the program, not a shell", task = 9, points = 1,
        hints = ["Who is process 1, with `CMD box-office`?",
                 "`STOPSIGNAL` says which signal `docker stop` sends. Does your program wait for that one?",
                 "Write the command as a JSON array: `ENTRYPOINT [\"/usr/local/bin/box-office\"]`. In a script, end with `exec`."])]
async fn dockerfile_exec_form(lab: &Lab) -> CheckResult {
    let file = dockerfile(lab)?;
    if let Some(signal) = file.effective("STOPSIGNAL").filter(|it| !is_sigterm(&it.filled)) {
        return Err(Failure::learner("`docker stop` sends another signal than SIGTERM, which your program waits for")
            .expected("STOPSIGNAL SIGTERM, or no STOPSIGNAL at all")
            .actual(format!("STOPSIGNAL {}", signal.text)));
    }
    match swallows_signals(&file) {
        None => Ok(()),
        Some(how) => Err(Failure::learner(format!("SIGTERM does not reach the program: {how}")).expected(
            "ENTRYPOINT or CMD in exec form, `[\"program\", \"argument\"]`, or a shell that ends with `exec`",
        )),
    }
}

/// SIGTERM, by whichever of its names.
pub fn is_sigterm(signal: &str) -> bool {
    matches!(signal.trim().to_ascii_uppercase().as_str(), "SIGTERM" | "TERM" | "15")
}

/// Anything in the context can end up in the image, and all of it is sent to the builder each time (Docker
/// documentation, Build context, .dockerignore files).
#[check(title = "build output, history and local settings stay out of the context", task = 9, points = 1,
        hints = ["How large is `target`? And what is in your `.env`?",
                 "`Dockerfile.dockerignore` beside the Dockerfile, with lines `**/target`, `.git` and `**/.env*`."])]
async fn dockerfile_context(lab: &Lab) -> CheckResult {
    let tree = lab.tree()?;
    let ignore = ["Dockerfile.dockerignore", ".dockerignore"].into_iter().find(|name| tree.join(name).is_file());
    let name = ignore.unwrap_or("Dockerfile.dockerignore");
    let text = lab.file(name)?;
    for path in ["target/debug/deps/box_office", ".git/config", ".env"] {
        if !leaves_out(&text, path) {
            return Err(Failure::learner(format!("`{path}` is part of the build context"))
                .expected(format!("a line in `{name}` that excludes it"))
                .actual(text));
        }
    }
    let dockerfile = dockerfile(lab)?;
    let copied = copies(&dockerfile).any(|it| words(&it.filled).iter().any(|word| word == "." || word == "./"));
    let sources = ["src/main.rs", "labs/step-06-deploy/src/main.rs"];
    expect_that(!copied || sources.iter().any(|path| !leaves_out(&text, path)), "the sources are excluded as well")
}

/// Layers are stored, pushed and read by others; whatever was in one is there for good, even if a later one removes it
/// (Docker documentation, Build secrets; OWASP, Docker Security Cheat Sheet; CWE-798).
#[check(title = "no secret is built into the image", task = 9, points = 1,
        hints = ["What does `docker history --no-trunc` show about your ARG and ENV?",
                 "Secrets come from the environment when the container starts. Secrets for the build come in through `RUN --mount=type=secret`."])]
async fn dockerfile_secrets(lab: &Lab) -> CheckResult {
    let file = dockerfile(lab)?;
    for instruction in file.stages.iter().flat_map(|stage| &stage.instructions) {
        if let Some(what) = secret_in(instruction) {
            return Err(Failure::learner(format!("a secret becomes part of the image: {what}"))
                .actual(format!("{} {}", instruction.name, instruction.text)));
        }
    }
    Ok(())
}

fn secret_in(instruction: &Instruction) -> Option<String> {
    match instruction.name.as_str() {
        "ENV" | "ARG" | "LABEL" => pairs(&instruction.filled).into_iter().find_map(|(name, value)| {
            // The value of an ARG stands in the image's history, wherever it comes from. An empty ENV says nothing.
            let held = !value.is_empty() || instruction.name == "ARG";
            if is_secret_name(&name) && held {
                return Some(format!("`{name}`"));
            }
            password_in_url(&value).map(|_| format!("the password in `{name}`"))
        }),
        "COPY" | "ADD" if instruction.flag("from").is_none() => {
            let sources = words(&instruction.filled);
            let sources = &sources[..sources.len().saturating_sub(1)];
            sources.iter().find(|path| is_secret_file(path)).map(|path| format!("the file `{path}`"))
        }
        _ => None,
    }
}

fn is_secret_file(path: &str) -> bool {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let sample = name.ends_with(".example") || name.ends_with(".sample");
    let telling = name.starts_with(".env") || name == ".ssh" || name == ".npmrc" || name == ".netrc";
    !sample
        && (telling
            || name.starts_with("id_rsa")
            || name.starts_with("id_ed25519")
            || name.ends_with(".pem")
            || name.ends_with(".key"))
}

fn copies(file: &Dockerfile) -> impl Iterator<Item = &Instruction> {
    let instructions = file.stages.iter().flat_map(|stage| &stage.instructions);
    instructions.filter(|it| (it.name == "COPY" || it.name == "ADD") && it.flag("from").is_none())
}
