//! Users that programs of submissions run as: ids that belong to nobody, one submission each.

use std::io;
use std::os::fd::OwnedFd;

use crate::platform;

/// The ids that systemd gives to services without a user of their own (systemd.exec(5), DynamicUser): no system gives
/// them to people.
const FIRST: u32 = 61_184;
/// How many there are.
const COUNT: u32 = 4_336;

/// A user id that nobody else is given as long as this lives, on this machine.
#[derive(Debug)]
pub struct User {
    id: u32,
    _held: OwnedFd,
}

impl User {
    /// An id that nobody has.
    ///
    /// # Errors
    /// All are taken, or the system has no names that it lets go of by itself.
    pub fn take() -> io::Result<Self> {
        // Not always the first: what a run that was killed has left behind may still end.
        let start = std::process::id() % COUNT;
        let mut last = io::Error::other("every user id for submissions is taken");
        for offset in 0..COUNT {
            let id = FIRST + (start + offset) % COUNT;
            match platform::hold_name(&format!("backend-labs/user/{id}")) {
                Ok(held) => return Ok(Self { id, _held: held }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn an_id_is_given_to_one_at_a_time() {
        let (one, other) = (User::take().unwrap(), User::take().unwrap());
        assert_ne!(one.id(), other.id());
        let id = one.id();
        drop(one);
        assert_eq!(User::take().unwrap().id(), id);
    }
}
