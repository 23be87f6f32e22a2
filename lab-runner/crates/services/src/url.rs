//! The URLs of services: what they look like, and the addresses in them.

use std::fmt;

use url::Url;

/// What a service's URLs look like.
#[derive(Debug, Clone, Copy)]
pub struct UrlFormat {
    /// The schemes that name it; the first is the one that we write.
    pub schemes: &'static [&'static str],
    /// Its usual port, and the port inside a container.
    pub port: u16,
    /// Who signs in as its administrator.
    pub administrator: Administrator,
    /// What follows the port in the administrator's URL, such as `/postgres`.
    pub path: &'static str,
    /// A whole URL, for messages.
    pub example: &'static str,
}

/// How a service knows its administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administrator {
    /// It lets everybody in.
    Anybody,
    /// By a password alone.
    Password,
    /// By this user's name and a password.
    User(&'static str),
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or a number, IPv6 without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Address {
    /// A port of this machine.
    pub(crate) fn local(port: u16) -> Self {
        Self { host: "127.0.0.1".to_owned(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(formatter, "[{host}]:{port}") } else { write!(formatter, "{host}:{port}") }
    }
}

impl UrlFormat {
    /// The administrator's URL at `address`. `password` is made of letters that need no quoting.
    #[must_use]
    pub fn administrator_url(&self, address: &Address, password: Option<&str>) -> String {
        let who = match (self.administrator, password) {
            (Administrator::Password, Some(password)) => format!(":{password}@"),
            (Administrator::User(user), Some(password)) => format!("{user}:{password}@"),
            (Administrator::User(user), None) => format!("{user}@"),
            _ => String::new(),
        };
        format!("{}://{who}{address}{}", self.schemes.first().unwrap_or(&""), self.path)
    }

    /// The address that `url` leads to, which is all that is looked at here: the suite connects with the rest of it.
    ///
    /// # Errors
    /// Why it cannot be used, as a clause.
    pub fn address(&self, url: &str) -> Result<Address, String> {
        if !url.contains("://") {
            return Err("it is not a URL".to_owned());
        }
        let parsed = Url::parse(url).map_err(|error| match error {
            // The library speaks of an empty host even if there is a user before it.
            url::ParseError::EmptyHost => NO_HOST.to_owned(),
            error => format!("it is not a URL ({error})"),
        })?;
        if !self.schemes.contains(&parsed.scheme()) {
            let expected = self.schemes.first().unwrap_or(&"");
            return Err(format!("its scheme is `{}`, not `{expected}`", parsed.scheme()));
        }
        let host = match parsed.host() {
            Some(url::Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(url::Host::Ipv4(address)) => address.to_string(),
            Some(url::Host::Ipv6(address)) => address.to_string(),
            _ => return Err(NO_HOST.to_owned()),
        };
        Ok(Address { host, port: parsed.port().unwrap_or(self.port) })
    }
}

const NO_HOST: &str = "it does not name a host (a Unix socket cannot be used, because a TCP proxy stands in between)";

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: UrlFormat = UrlFormat {
        schemes: &["database", "db"],
        port: 5432,
        administrator: Administrator::User("root"),
        path: "/main",
        example: "database://root:secret@127.0.0.1:5432/main",
    };

    fn address(url: &str) -> Result<String, String> {
        DATABASE.address(url).map(|address| address.to_string())
    }

    #[test]
    fn the_port_may_be_left_out() {
        assert_eq!(address("database://u:p@db.example/x").unwrap(), "db.example:5432");
        assert_eq!(address("db://cache").unwrap(), "cache:5432");
    }

    #[test]
    fn a_password_may_hold_what_separates() {
        assert_eq!(address("db://u:p@:1@10.0.0.1:5433/x?y").unwrap(), "10.0.0.1:5433");
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert_eq!(address("db://:pw@[::1]:6380/0").unwrap(), "[::1]:6380");
    }

    #[test]
    fn a_url_that_cannot_be_used_is_explained() {
        assert!(address("localhost:5432").unwrap_err().contains("not a URL"));
        assert!(address("mysql://localhost/").unwrap_err().contains("mysql"));
        assert!(address("database:///db?host=/tmp").unwrap_err().contains("host"));
        assert!(address("db://h:port/").unwrap_err().contains("port"));
    }

    #[test]
    fn the_administrators_url_leads_back_to_its_address() {
        let at = Address { host: "::1".into(), port: 7 };
        let url = DATABASE.administrator_url(&at, Some("secret"));
        assert_eq!(url, "database://root:secret@[::1]:7/main");
        assert_eq!(DATABASE.address(&url), Ok(at));
    }
}
