//! How everything of a run is named, so that nothing else is ever dropped.

use rand::RngExt as _;
use rand::distr::Alphanumeric;
use sha2::{Digest as _, Sha256};

/// What every name begins with.
const PREFIX: &str = "lab_";
/// As many letters and digits as nobody guesses.
const PASSWORD_LENGTH: usize = 32;

/// A run, as its names and its lock tell it. It is made from the run's secret but does not give it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(u64);

impl RunKey {
    /// From the run's secret.
    pub fn of(run: &str) -> Self {
        let digest = Sha256::digest(run.as_bytes());
        Self(digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte)))
    }

    /// The key as it stands in names: 16 hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:016x}", self.0)
    }

    /// The key of the advisory lock that the run holds while it lives.
    pub fn lock(self) -> i64 {
        self.0.cast_signed()
    }

    /// The name of the run's `number`th database, role or user.
    pub fn name(self, number: u64) -> String {
        format!("{PREFIX}{}_{number}", self.hex())
    }

    /// The name that the run's own connection bears.
    pub fn connection_name(self) -> String {
        format!("{PREFIX}{}", self.hex())
    }

    /// The run that made `name`, if it is a name of our own making.
    pub fn of_name(name: &str) -> Option<Self> {
        let (key, number) = name.strip_prefix(PREFIX)?.split_once('_')?;
        let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if numbered { Self::of_hex(key) } else { None }
    }

    /// The run that bears the connection `name`.
    pub fn of_connection_name(name: &str) -> Option<Self> {
        Self::of_hex(name.strip_prefix(PREFIX)?)
    }

    /// The run that `hex` stands for, if it is 16 hexadecimal digits in lower case.
    pub fn of_hex(hex: &str) -> Option<Self> {
        let lower = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != 16 || !lower {
            return None;
        }
        u64::from_str_radix(hex, 16).ok().map(Self)
    }
}

/// A password that needs no escaping in a URL or in SQL.
pub fn password() -> String {
    rand::rng().sample_iter(Alphanumeric).take(PASSWORD_LENGTH).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_run() {
        let key = RunKey::of("a nonce");
        assert_eq!(RunKey::of_name(&key.name(17)), Some(key));
        assert_eq!(RunKey::of_connection_name(&key.connection_name()), Some(key));
        assert_ne!(RunKey::of("another"), key);
    }

    #[test]
    fn a_name_that_is_not_ours_leads_nowhere() {
        for name in [
            "postgres",
            "lab_",
            "lab_orders_1",
            "lab_0123456789abcdef",
            "lab_0123456789abcdef_",
            "lab_0123456789abcdef_x",
            "lab_0123456789ABCDEF_1",
            "lab_0123456789abcdef0_1",
            "lab_+123456789abcdef_1",
            "my_lab_0123456789abcdef_1",
        ] {
            assert_eq!(RunKey::of_name(name), None, "{name}");
        }
    }
}
