//! The first lines of a mutant's patch: what it breaks, and the checks that must fail.

use crate::suggest;

/// The lines before the diff begins.
pub struct Head<'a>(Vec<&'a str>);

/// What a head should say and does not.
pub struct Missing {
    /// The line, counted from 1, that should have said it, or before which it should stand.
    pub line: usize,
    /// What is wrong with the line, if one was meant to say it.
    pub reason: String,
}

impl<'a> Head<'a> {
    /// The head of `patch`.
    pub fn of(patch: &'a str) -> Self {
        Self(patch.lines().take_while(|line| !line.starts_with("--- ") && !line.starts_with("diff --git ")).collect())
    }

    /// Its lines.
    pub fn lines(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().copied()
    }

    /// The value of the line `key: …`, and the line's number, counted from 1.
    ///
    /// # Errors
    /// No line has that key, or its value is empty.
    pub fn value(&self, key: &str) -> Result<(usize, &'a str), Missing> {
        let keys = self.0.iter().zip(1..).filter_map(|(text, line)| Some((line, text.split_once(':')?)));
        let mut found = keys.clone().filter(|(_, (name, _))| *name == key);
        match found.next() {
            Some((line, (_, value))) if !value.trim().is_empty() => Ok((line, value.trim())),
            Some((line, _)) => Err(Missing { line, reason: format!("`{key}:` is empty") }),
            None => {
                let similar = keys.filter(|(_, (name, _))| suggest::nearest(name.trim(), [key]).is_some());
                Err(similar.last().map_or_else(
                    || Missing {
                        line: self.0.len() + 1,
                        reason: format!("the diff begins before there is a line `{key}: …`"),
                    },
                    |(line, (name, _))| Missing { line, reason: format!("`{name}:` should be `{key}:`") },
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    fn missing(patch: &str) -> (usize, String) {
        let missing = Head::of(patch).value("Fails").err().unwrap();
        (missing.line, missing.reason)
    }

    #[test]
    fn what_is_missing_is_told_with_the_line_where_it_should_be() {
        assert_eq!(missing("Breaks: it\n\n--- a/x\n"), (3, "the diff begins before there is a line `Fails: …`".into()));
        assert_eq!(missing("Breaks: it\nFail: greets\n--- a/x\n"), (2, "`Fail:` should be `Fails:`".into()));
        assert_eq!(missing("Fails: \n--- a/x\n"), (1, "`Fails:` is empty".into()));
        // What stands in the diff is no head.
        assert_eq!(missing("--- a/x\n+++ b/x\n+Fails: greets\n").0, 1);
    }
}
