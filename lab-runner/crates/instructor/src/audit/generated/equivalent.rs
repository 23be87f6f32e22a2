//! Generated mutants that nothing can tell from the solution: the lab names them, each with its reason.

use lab_runner::audit::Problem;
use lab_runner::workspace::Lab;
use serde::Deserialize;

use super::list::Made;

/// The file that names them, as seen from the lab's folder.
pub(super) const FILE: &str = "mutants/equivalent.toml";

/// What a lab calls equivalent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Equivalents {
    #[serde(default)]
    mutant: Vec<Equivalent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Equivalent {
    /// The name without line and column: `src/main.rs: replace + with - in next`.
    name: String,
    /// What stands on the line, where the name alone means more than one.
    line: Option<String>,
    /// Why nothing can see it.
    reason: String,
}

impl Equivalents {
    /// What `lab` says; nothing if it has no such file.
    ///
    /// # Errors
    /// The file makes no sense.
    pub fn load(lab: &Lab) -> Result<Self, Problem> {
        match std::fs::read_to_string(lab.folder.join(FILE)) {
            Ok(text) => Self::parse(&text),
            Err(_) => Ok(Self::default()),
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let parsed: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            Problem::of(FILE, format!("line {line}: {}", error.message()))
        })?;
        match parsed.mutant.iter().find(|one| one.reason.trim().is_empty()) {
            Some(one) => Err(Problem::of(FILE, format!("`{}` has no reason", one.name))),
            None => Ok(parsed),
        }
    }

    /// Whether `made` is among them.
    pub fn name(&self, made: &Made) -> bool {
        self.mutant.iter().any(|one| one.means(made))
    }

    /// Those that name nothing that was `made`: the solution is another by now.
    pub fn stale(&self, made: &[Made]) -> Vec<Problem> {
        let stale = self.mutant.iter().filter(|one| !made.iter().any(|made| one.means(made)));
        let told = |one: &Equivalent| {
            let at = one.line.as_ref().map(|line| format!(" on a line `{line}`")).unwrap_or_default();
            Problem::of(FILE, format!("no generated mutant is called `{}`{at} any more", one.name))
        };
        stale.map(told).collect()
    }
}

impl Equivalent {
    fn means(&self, made: &Made) -> bool {
        self.name == made.key() && self.line.as_ref().is_none_or(|line| line.trim() == made.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(change: &str, text: &str) -> Made {
        Made { file: "src/a.rs".into(), change: change.into(), text: text.into(), ..Made::default() }
    }

    #[test]
    fn a_mutant_is_known_by_its_name_without_its_line_and_by_what_stands_there() {
        let text = "[[mutant]]\nname = \"src/a.rs: replace < with <= in f\"\nline = \"if a < b {\"\nreason = \"so\"\n\
                    [[mutant]]\nname = \"src/a.rs: replace g with ()\"\nreason = \"so\"\n";
        let known = Equivalents::parse(text).unwrap();
        let all = [made("replace < with <= in f", "if a < b {"), made("replace < with <= in f", "if c < d {")];
        assert!(known.name(&all[0]) && !known.name(&all[1]) && known.name(&made("replace g with ()", "")));
        let stale: Vec<String> = known.stale(&all).into_iter().map(|problem| problem.message).collect();
        assert_eq!(stale, ["no generated mutant is called `src/a.rs: replace g with ()` any more"]);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_line() {
        let told = |text: &str| Equivalents::parse(text).unwrap_err().message;
        assert!(told("[[mutant]]\nname = \"a\"\nwhy = \"so\"\n").starts_with("line 3: unknown field `why`"));
        assert_eq!(told("[[mutant]]\nname = \"a\"\nreason = \" \"\n"), "`a` has no reason");
    }
}
