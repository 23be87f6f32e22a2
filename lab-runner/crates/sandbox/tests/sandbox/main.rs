//! What programs can do in a sandbox, and what they cannot.

mod confinement;
#[cfg(target_os = "linux")]
mod isolation;
