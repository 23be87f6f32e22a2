//! Who may do what: the users, their passwords, their roles.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// What somebody may do. The greater includes the less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Clone and fetch.
    Read,
    /// Push and merge as well.
    Write,
}

/// Somebody whom we know.
#[derive(Debug, Clone)]
pub struct User {
    name: String,
    password: SecretString,
    role: Role,
}

impl User {
    /// What they are called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether they may do what `role` may.
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }
}

/// Everybody whom we know, from `name:password:role` separated by commas. Its errors do not tell what it was given.
#[derive(Clone)]
pub struct Users(Vec<User>);

impl Users {
    /// The user with this name and this password. Every user is looked at, and every password to its end, so that the
    /// time it takes does not tell how much of a guess was right.
    pub fn find(&self, name: &str, password: &str) -> Option<&User> {
        let mut found = None;
        for user in &self.0 {
            let same_name = user.name.as_bytes().ct_eq(name.as_bytes());
            let same_password = user.password.expose_secret().as_bytes().ct_eq(password.as_bytes());
            if bool::from(same_name & same_password) {
                found = Some(user);
            }
        }
        found
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(User::name)).finish()
    }
}

/// Why a list of users makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsersError {
    /// An entry has not three parts, or one of them is empty.
    #[error("every user is name:password:role")]
    Form,
    /// A role that there is not.
    #[error("a role is read or write")]
    Role,
    /// Two users share a name.
    #[error("a name is there twice")]
    Twice,
}

impl FromStr for Users {
    type Err = UsersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let users = text.split(',').map(str::parse).collect::<Result<Vec<User>, _>>()?;
        let names: HashSet<_> = users.iter().map(User::name).collect();
        if names.len() == users.len() { Ok(Self(users)) } else { Err(UsersError::Twice) }
    }
}

impl FromStr for User {
    type Err = UsersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split(':').collect();
        let [name, password, role] = parts[..] else { return Err(UsersError::Form) };
        if name.is_empty() || password.is_empty() {
            return Err(UsersError::Form);
        }
        let role = match role {
            "read" => Role::Read,
            "write" => Role::Write,
            _ => return Err(UsersError::Role),
        };
        Ok(Self { name: name.to_owned(), password: password.into(), role })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name_and_the_whole_password() {
        let users: Users = "ada:s3cret:write,bob:hunter2:read".parse().unwrap();
        assert!(users.find("ada", "s3cret").unwrap().may(Role::Write));
        let bob = users.find("bob", "hunter2").unwrap();
        assert!(bob.may(Role::Read) && !bob.may(Role::Write));
        for (name, password) in [("ada", "hunter2"), ("ada", ""), ("ada", "s3cre"), ("", "s3cret"), ("Ada", "s3cret")] {
            assert!(users.find(name, password).is_none(), "{name}:{password}");
        }
    }

    #[test]
    fn a_list_that_makes_no_sense_is_refused() {
        assert_eq!("".parse::<Users>().unwrap_err(), UsersError::Form);
        assert_eq!("ada:x".parse::<Users>().unwrap_err(), UsersError::Form);
        assert_eq!("ada::write".parse::<Users>().unwrap_err(), UsersError::Form);
        assert_eq!("ada:x:admin".parse::<Users>().unwrap_err(), UsersError::Role);
        assert_eq!("ada:x:read,ada:y:write".parse::<Users>().unwrap_err(), UsersError::Twice);
    }

    #[test]
    fn debug_shows_no_password() {
        let users: Users = "ada:s3cret:write".parse().unwrap();
        assert!(!format!("{users:?} {:?}", users.0).contains("s3cret"));
    }
}
