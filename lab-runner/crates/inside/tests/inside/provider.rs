//! The sandbox of these tests: that of containers.

use std::path::Path;
use std::sync::OnceLock;

use lab_container_engine::{EngineAddress, usual_sockets};
use lab_not_tried::not_tried;
use lab_sandbox::{Sandbox, User};
use tempfile::TempDir;

/// How many starts are measured.
pub(crate) const STARTS: usize = 20;

/// The sandbox that works here. None of these tests proves anything where no engine answers, which is a failure in CI unless
/// `LAB_TESTS_WITHOUT=containers` says that it is known.
pub(crate) fn sandbox() -> Option<(Sandbox, User)> {
    static TRIED: OnceLock<(Result<Sandbox, String>, TempDir)> = OnceLock::new();
    let (tried, _) = TRIED.get_or_init(|| {
        let places = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let sandbox = Sandbox::of_containers(program(), &engine(), places.path());
        (sandbox.map_err(|error| error.to_string()), places)
    });
    match tried {
        Ok(sandbox) => {
            let user = User::take().unwrap();
            Some((sandbox.of_user(&user), user))
        }
        Err(error) => {
            not_tried("containers", error);
            None
        }
    }
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lab-inside"))
}

/// Where an engine listens, as `DOCKER_HOST` would say.
pub(crate) fn engine() -> String {
    let named = std::env::var("DOCKER_HOST").ok();
    let usual = || usual_sockets().into_iter().find(|socket| socket.exists()).unwrap_or_default();
    named.unwrap_or_else(|| EngineAddress::Socket(usual()).to_string())
}
