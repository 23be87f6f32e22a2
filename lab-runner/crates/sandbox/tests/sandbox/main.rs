//! What programs can do in a sandbox, and what they cannot.

#[cfg(target_os = "linux")]
mod bounds;
mod confinement;
#[cfg(target_os = "linux")]
mod isolation;
#[cfg(target_os = "linux")]
mod provider;
