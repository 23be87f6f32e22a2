//! What `cargo lab run` tells: the URLs, then the server's own log.

use std::io::Write as _;

use super::Live;
use super::paint::{bad, dim, strong};
use crate::events::{Listener, Progress};
use crate::report::Diagnostics;

/// Tells of a server that is run for work by hand.
#[derive(Debug, Default)]
pub struct Host(Live);

impl Host {
    /// Tells why there is no server, or no more.
    pub fn give_up(&self, diagnostics: &Diagnostics) {
        self.0.clear();
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{} {}", bad("error:"), diagnostics.message);
        let details = if diagnostics.coloured.is_empty() { &diagnostics.details } else { &diagnostics.coloured };
        for detail in details {
            let _ = writeln!(stderr, "\n{detail}");
        }
    }
}

impl Listener for Host {
    fn hear(&self, progress: Progress) {
        match progress {
            Progress::Serving { urls, taken } => {
                self.0.clear();
                let mut stdout = anstream::stdout();
                for (name, url) in &urls {
                    let _ = writeln!(stdout, "{:<9} {}", strong(name), url);
                }
                if let Some(port) = taken {
                    let _ = writeln!(stdout, "{}", dim(format_args!("port {port} is taken, so that it got another")));
                }
                let _ = writeln!(stdout, "{}", dim("its log follows; Ctrl-C ends it and removes its data"));
            }
            Progress::ServerLog(line) => {
                let _ = writeln!(anstream::stdout(), "{} {line}", dim("|"));
            }
            other => self.0.hear(&other),
        }
    }
}
