//! Whose container it is: its label names a socket that the system lets go of when its owner ends, however that ends.

use std::io;
use std::os::fd::OwnedFd;

use crate::platform;

/// How many names are tried: processes of other namespaces may have our number.
const NAMES: u32 = 100;

/// The owner of a container, for as long as this lives.
#[derive(Debug)]
pub struct ContainerOwner {
    label: String,
    _held: OwnedFd,
}

impl ContainerOwner {
    /// The label that names it.
    pub const LABEL: &str = "io.backend-labs.sandbox";

    /// This process.
    ///
    /// # Errors
    /// The system has no names that it lets go of by itself.
    pub fn ourselves() -> io::Result<Self> {
        for number in 0..NAMES {
            let name = format!("{}-{number}", std::process::id());
            match hold(&name) {
                Ok(held) => return Ok(Self { label: format!("{}/{name}", platform::network_name()), _held: held }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the names of all containers are taken"))
    }

    /// What its container is labelled with.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether the owner that `label` names is gone. Of those in another network nothing is known.
    #[must_use]
    pub fn is_gone(label: &str) -> bool {
        label.split_once('/').is_some_and(|(network, name)| network == platform::network_name() && hold(name).is_ok())
    }
}

fn hold(name: &str) -> io::Result<OwnedFd> {
    platform::hold_name(&format!("backend-labs/container/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn an_owner_is_gone_when_it_is_and_one_elsewhere_is_not_known_to_be() {
        let owner = ContainerOwner::ourselves().unwrap();
        let label = owner.label().to_owned();
        assert!(!ContainerOwner::is_gone(&label));
        drop(owner);
        assert!(ContainerOwner::is_gone(&label));
        let (_, name) = label.split_once('/').unwrap();
        assert!(!ContainerOwner::is_gone(&format!("1/{name}")) && !ContainerOwner::is_gone(name));
    }
}
