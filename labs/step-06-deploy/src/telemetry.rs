//! The log: one JSON object a line on standard output. Where it goes from there is the platform's business.

use tracing_subscriber::EnvFilter;

/// Sets the log up. `RUST_LOG` decides how much is said; by default what an operator wants to read.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stdout).init();
}
