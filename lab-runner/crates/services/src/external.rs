//! Servers that already run, and that a variable names.

use std::env;
use std::time::Duration;

use super::chain::Found;
use super::probe::{self, Answer};
use super::problem::Problem;
use super::{Kind, Provider, Service};

/// A server in the same network answers in milliseconds; one in another country within this.
const WITHIN: Duration = Duration::from_secs(5);

/// The variable that names the server of `kind`.
pub(super) fn variable(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "LAB_POSTGRES_URL",
        Kind::Redis => "LAB_REDIS_URL",
    }
}

/// Whether a server of `kind` is named.
pub(super) fn is_named(kind: Kind) -> bool {
    env::var_os(variable(kind)).is_some_and(|value| !value.is_empty())
}

/// Finds the server that the variable names, and makes sure who answers there.
pub(super) fn start(kind: Kind) -> Result<Found, Problem> {
    let name = variable(kind);
    let Some(url) = env::var(name).ok().filter(|value| !value.is_empty()) else {
        return Err(Problem::new(format!("{name} is not set")).hint(format!("set it to {}", example(kind))));
    };
    let (host, port) = address(kind, &url).map_err(|why| {
        Problem::new(format!("{name} cannot be used: {why}")).hint(format!("it looks like {}", example(kind)))
    })?;
    let answer = match kind {
        Kind::Postgres => probe::postgres(&host, port, WITHIN),
        Kind::Redis => probe::redis(&host, port, None, WITHIN),
    };
    match answer {
        Ok(Answer::Expected) => {
            let service = Service { url, provider: Provider::External, version: None };
            Ok(Found { service, instance: None, lease: None })
        }
        Ok(Answer::Other(what)) => {
            Err(Problem::new(format!("{host}:{port}, which {name} names, is not {kind}: it answered {what:?}")))
        }
        Err(error) => {
            Err(Problem::new(format!("nothing answers as {kind} at {host}:{port}, which {name} names: {error}"))
                .hint("start it (`docker compose up -d` starts both), or unset the variable"))
        }
    }
}

fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgres://postgres:postgres@127.0.0.1:5432/postgres",
        Kind::Redis => "redis://127.0.0.1:6379/",
    }
}

/// The host and the port of a URL, which is all that is looked at here: the suite connects with the rest of it.
fn address(kind: Kind, url: &str) -> Result<(String, u16), String> {
    let (schemes, default): (&[&str], u16) = match kind {
        Kind::Postgres => (&["postgres", "postgresql"], 5432),
        Kind::Redis => (&["redis"], 6379),
    };
    let (scheme, rest) = url.split_once("://").ok_or("it is no URL")?;
    if !schemes.contains(&scheme) {
        return Err(format!("its scheme is `{scheme}`, not `{}`", schemes[0]));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[').and_then(|place| place.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err("it names no host; a socket's folder cannot be used, because a proxy stands in between".to_owned());
    }
    let port =
        port.map_or(Ok(default), str::parse).map_err(|_| format!("its port {} is no number", port.unwrap_or("")))?;
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_may_be_left_out() {
        assert_eq!(address(Kind::Postgres, "postgres://u:p@db.example/x"), Ok(("db.example".into(), 5432)));
        assert_eq!(address(Kind::Redis, "redis://cache"), Ok(("cache".into(), 6379)));
    }

    #[test]
    fn a_password_may_hold_what_separates() {
        assert_eq!(address(Kind::Postgres, "postgresql://u:p@:1@10.0.0.1:5433/x?y"), Ok(("10.0.0.1".into(), 5433)));
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert_eq!(address(Kind::Redis, "redis://:pw@[::1]:6380/0"), Ok(("::1".into(), 6380)));
    }

    #[test]
    fn what_is_no_such_url_is_told() {
        assert!(address(Kind::Postgres, "localhost:5432").is_err());
        assert!(address(Kind::Postgres, "mysql://localhost/").unwrap_err().contains("mysql"));
        assert!(address(Kind::Postgres, "postgres:///db?host=/tmp").unwrap_err().contains("host"));
        assert!(address(Kind::Redis, "redis://h:port/").unwrap_err().contains("port"));
    }
}
