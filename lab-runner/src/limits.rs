//! What grading needs of the machine before anything is built: open files enough (a server, its checks and the proxies
//! between them share nothing, and each connection counts), and a network on which they reach each other.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::Error;

/// Enough for any check on any number of processors, in open files for each process.
const ENOUGH: u64 = 4096;
/// With fewer a right server may fail a check that opens a few hundred connections. In open files for each process.
const FEWEST: u64 = 1024;

/// Raises the limit of open files as far as it is needed and may be raised: macOS begins with 256.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if current.is_some_and(|current| current < wanted) {
        // Whether that was enough is asked before anything is graded.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

/// Whether what grading starts may open enough files, and whether it can be reached.
///
/// # Errors
/// It may not, or cannot: a submission would lose points to it.
pub fn check() -> Result<(), Error> {
    check_files()?;
    check_loopback()
}

/// Without a loopback interface nobody reaches anybody on 127.0.0.1, and everything that tries waits in vain.
fn check_loopback() -> Result<(), Error> {
    lab_services::reach_loopback()
        .map_err(|error| Error::Infrastructure { message: error.to_string(), hints: error.hints().to_vec() })
}

fn check_files() -> Result<(), Error> {
    match getrlimit(Resource::Nofile).current {
        Some(most) if most < FEWEST => Err(Error::Infrastructure {
            message: format!("a process may open {most} files here, and the checks need {FEWEST}"),
            hints: vec![
                "see `ulimit -Hn`; raise it in /etc/security/limits.conf, or with `docker run --ulimit nofile=4096`"
                    .to_owned(),
            ],
        }),
        _ => Ok(()),
    }
}
