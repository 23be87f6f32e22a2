//! What a secret is called, and when a value is one.

/// Whether a variable of this name holds a secret. `…_FILE` says where one is, and is none.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).collect();
    let telling =
        ["PASSWORD", "PASSWD", "PASS", "PGPASSWORD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "CREDENTIALS"];
    let key = words
        .windows(2)
        .any(|pair| pair[1] == "KEY" && ["API", "PRIVATE", "SECRET", "ACCESS", "SIGNING"].contains(&pair[0]));
    (words.iter().any(|word| telling.contains(word)) || key)
        && !matches!(words.last(), Some(&("FILE" | "PATH" | "DIR")))
}

/// The password in a URL such as `postgres://user:password@host/`, if there is one.
pub fn password_in_url(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    // A password may hold an `@` of a variable's default, never a slash.
    let authority = rest.split(['/', '?']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password).filter(|password| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name() {
        for secret in
            ["API_TOKEN", "DB_PASSWORD", "POSTGRES_PASSWORD", "AWS_SECRET_ACCESS_KEY", "signing-key", "APIKEY"]
        {
            assert!(is_secret_name(secret), "{secret}");
        }
        for open in ["PORT", "API_TOKEN_FILE", "TOKENIZER", "COMPASS", "MONKEY", "CACHE_KEY", "PASSENGERS"] {
            assert!(!is_secret_name(open), "{open}");
        }
    }

    #[test]
    fn a_password_is_found_in_a_url() {
        assert_eq!(password_in_url("postgres://a:b@c/d"), Some("b"));
        assert_eq!(password_in_url("postgres://a:${B}@c/d"), Some("${B}"));
        assert_eq!(password_in_url("postgres://a@c/d"), None);
        assert_eq!(password_in_url("http://a:80/b@c"), None);
    }
}
