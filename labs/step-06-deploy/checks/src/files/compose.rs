//! What a compose file says, in whichever of its forms (Compose file reference).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::yaml::{names, text};

/// The service that is built here, and the one that is a Postgres.
#[derive(Debug)]
pub struct Compose<'a> {
    pub app: (&'a str, &'a Value),
    pub database: (&'a str, &'a Value),
    pub services: &'a Map<String, Value>,
}

impl<'a> Compose<'a> {
    /// Finds the two. An error says which is missing.
    pub fn of(file: &'a Value) -> Result<Self, String> {
        let services = file["services"].as_object().ok_or("it has no `services`")?;
        let find = |what: &str, fits: fn(&Value) -> bool| {
            let mut found = services.iter().filter(|(_, service)| fits(service));
            let first = found.next().ok_or_else(|| format!("it has no service that {what}"))?;
            Ok::<_, String>((first.0.as_str(), first.1))
        };
        Ok(Self {
            app: find("is built here (`build`)", |service| !service["build"].is_null())?,
            database: find("is a Postgres (`image: postgres:…`)", |service| {
                text(&service["image"]).to_ascii_lowercase().contains("postgres")
            })?,
            services,
        })
    }
}

/// Whether a service has a health check that checks something.
pub fn has_healthcheck(service: &Value) -> bool {
    let check = &service["healthcheck"];
    let disabled = check["disable"] == Value::Bool(true) || text(&check["disable"]) == "true";
    let test = names(&check["test"]);
    !disabled && !matches!(test.first().map(String::as_str), None | Some("" | "NONE"))
}

/// The condition on which `service` waits for `other`; the short form waits for its start.
pub fn condition(service: &Value, other: &str) -> Option<String> {
    match &service["depends_on"] {
        Value::Object(members) => {
            members.get(other).map(|it| it["condition"].as_str().unwrap_or("service_started").to_owned())
        }
        list => names(list).iter().any(|name| name == other).then(|| "service_started".to_owned()),
    }
}

/// The variables of a service and the arguments of its build, which stay in the image's history.
pub fn settings(service: &Value) -> impl Iterator<Item = (String, String)> {
    variables(&service["environment"]).into_iter().chain(variables(&service["build"]["args"]))
}

/// Variables from a mapping or from a list of `NAME=value`.
fn variables(value: &Value) -> BTreeMap<String, String> {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        list => names(list)
            .iter()
            .map(|line| line.split_once('=').unwrap_or((line, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

/// Whether a value is taken from the environment of whoever runs compose, with nothing written here: `${NAME}`,
/// `${NAME:?message}`, `$NAME`, or nothing at all, which passes the variable on.
pub fn comes_from_outside(value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() {
        return true;
    }
    let Some(name) = value.strip_prefix('$') else { return false };
    let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match name.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
        // `:-` and `-` give a value that stands here; `:?` and `?` only a message.
        Some(inner) => match inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            None => plain(inner),
            Some(end) => {
                let operator = &inner[end..];
                let rest = operator.trim_start_matches(':');
                plain(&inner[..end]) && (rest.starts_with('?') || rest == "-")
            }
        },
        None => plain(name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_mean_the_same() {
        assert_eq!(condition(&json!({"depends_on": ["db"]}), "db").as_deref(), Some("service_started"));
        let long = json!({"depends_on": {"db": {"condition": "service_healthy"}}});
        assert_eq!(condition(&long, "db").as_deref(), Some("service_healthy"));
        assert_eq!(variables(&json!(["A=1", "B"])), variables(&json!({"A": 1, "B": null})));
        let service = json!({"build": {"args": ["A=1"]}, "environment": {"B": 2}});
        assert_eq!(settings(&service).map(|(name, _)| name).collect::<Vec<_>>(), ["B", "A"]);
    }

    #[test]
    fn a_health_check_must_check() {
        for right in [json!({"test": "pg_isready"}), json!({"test": ["CMD", "x"]})] {
            assert!(has_healthcheck(&json!({"healthcheck": right})), "{right}");
        }
        for wrong in
            [json!(null), json!({"test": ["NONE"]}), json!({"disable": true, "test": "x"}), json!({"interval": "1s"})]
        {
            assert!(!has_healthcheck(&json!({"healthcheck": wrong})), "{wrong}");
        }
    }

    #[test]
    fn a_default_is_a_literal() {
        for outside in ["${A}", "$A", "${A:?set A}", "${A?}", "", "${A:-}"] {
            assert!(comes_from_outside(outside), "{outside}");
        }
        for literal in ["a", "${A:-secret}", "a${A}", "${A-secret}"] {
            assert!(!comes_from_outside(literal), "{literal}");
        }
    }
}
