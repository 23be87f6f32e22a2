//! Whether images can be built on this machine at all: an image of ours tells, which no submission has a hand in.

use lab_kit::prelude::*;

use super::engine::{LABEL, Leftover, docker, has_buildx, image_name};

/// The bases that the image is built from which tells whether this machine can.
pub const BASES: [&str; 2] = ["rust:1.95-slim-bookworm", "debian:bookworm-slim"];
/// A build that fetches both bases and one small crate.
const BUILD: Duration = Duration::from_secs(600);

/// Not applicable, with the reason, unless this machine builds an image from the usual bases in which cargo finds a crate.
pub async fn builds(lab: &Lab) -> CheckResult {
    let says = |why: String| Err(Failure::not_applicable(format!("no image can be built here: {why}")));
    if !has_buildx().await {
        return says("the container engine has no BuildKit (`docker buildx version`)".to_owned());
    }
    let folder = lab.folder()?;
    std::fs::write(folder.join("Dockerfile"), dockerfile()).ours("writing a Dockerfile of the grader's")?;
    let name = image_name(&lab.word());
    let _image = Leftover::image(&name);
    // What was built before may have been so while there was a network.
    let arguments = ["build", "--quiet", "--no-cache", "--force-rm", "--tag", &name, "."];
    match docker(&arguments, Some(&folder), BUILD).await {
        Ok(built) if built.ok => Ok(()),
        Ok(built) => says(format!("an image of the grader's own fails: {}", last_line(&built.error))),
        Err(_) => says(format!("an image of the grader's own takes longer than {BUILD:?}")),
    }
}

/// Two stages, as most have, with what every build of a service needs: a crate.
fn dockerfile() -> String {
    let [build, run] = BASES;
    format!(
        "FROM {build} AS build\n\
         LABEL {LABEL}=image\n\
         RUN cargo init --quiet --name probe /probe && cd /probe && cargo add --quiet itoa@1 && cargo fetch --quiet\n\
         FROM {run}\n\
         LABEL {LABEL}=image\n\
         COPY --from=build /probe/Cargo.lock /\n"
    )
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::dockerfile::Dockerfile;

    /// What tells whether a machine can build images is to ask no more of it than the solution does.
    #[test]
    fn the_graders_own_image_is_built_from_the_bases_of_the_solution() {
        let bases = |text: &str| -> Vec<String> {
            Dockerfile::parse(text).unwrap().stages.into_iter().map(|stage| stage.base).collect()
        };
        assert_eq!(bases(&dockerfile()), bases(include_str!("../../../solution/Dockerfile")));
        assert_eq!(bases(&dockerfile()), BASES);
    }

    #[test]
    fn why_a_build_failed_is_its_last_line() {
        assert_eq!(last_line("one\ntwo\n\n"), "two");
        assert_eq!(last_line("\n"), "it does not say why");
    }
}
