//! Reads a Dockerfile: instructions, stages, variables (Dockerfile reference, docs.docker.com).

use std::collections::BTreeMap;

/// A Dockerfile, stage by stage.
#[derive(Debug, Default)]
pub struct Dockerfile {
    pub stages: Vec<Stage>,
}

/// What stands between one `FROM` and the next.
#[derive(Debug, Default)]
pub struct Stage {
    /// The image or the stage it begins with, its variables filled in where they have a default.
    pub base: String,
    /// Its name, in lower case.
    pub name: Option<String>,
    /// Its instructions, in order.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// Its name in capitals.
    pub name: String,
    /// Its `--flags`.
    pub flags: Vec<String>,
    /// The rest, with variables as they are written.
    pub text: String,
    /// The same, with the variables filled in that have a value.
    pub filled: String,
}

impl Instruction {
    /// The words, where it is written as a JSON array.
    pub fn exec_form(&self) -> Option<Vec<String>> {
        self.text.trim_start().starts_with('[').then(|| serde_json::from_str(&self.text).ok()).flatten()
    }

    /// The value of a flag such as `--from=build`.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find_map(|flag| flag.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
    }
}

impl Dockerfile {
    /// Reads the text. An error says what is wrong, in words for a learner.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut dockerfile = Self::default();
        // ARGs before the first FROM are for the FROM lines, those of a stage for the stage.
        let (mut global, mut local) = (BTreeMap::new(), BTreeMap::new());
        for (name, rest) in logical_lines(text)? {
            let (flags, text) = flags(&rest);
            match (name.as_str(), dockerfile.stages.last_mut()) {
                ("FROM", _) => {
                    let stage = from(&fill(&text, &global))?;
                    dockerfile.stages.push(stage);
                    local.clear();
                }
                ("ARG", None) => assign(&text, &mut global, &BTreeMap::new()),
                (_, None) => return Err(format!("`{name}` comes before the first FROM")),
                (_, Some(stage)) => {
                    let filled = fill(&text, &local);
                    if name == "ARG" {
                        assign(&text, &mut local, &global);
                    } else if name == "ENV" {
                        for (variable, value) in pairs(&filled) {
                            local.insert(variable, value);
                        }
                    }
                    stage.instructions.push(Instruction { name, flags, text, filled });
                }
            }
        }
        if dockerfile.stages.is_empty() {
            return Err("it has no FROM".into());
        }
        Ok(dockerfile)
    }

    /// The earlier stage that `name` means, by its name or number, seen from the stage `before`.
    pub fn stage(&self, name: &str, before: usize) -> Option<usize> {
        let name = name.to_ascii_lowercase();
        let named = self.stages[..before].iter().rposition(|stage| stage.name.as_ref() == Some(&name));
        named.or_else(|| name.parse().ok().filter(|number| *number < before))
    }

    /// The stages that the final one is built on, itself first: `FROM build` inherits from `build`.
    pub fn lineage(&self) -> Vec<&Stage> {
        let (mut at, mut lineage) = (self.stages.len() - 1, Vec::new());
        loop {
            let stage = &self.stages[at];
            lineage.push(stage);
            // A base that is a number is an image's name: only names of stages are looked up here.
            let named =
                self.stages[..at].iter().rposition(|s| s.name.as_deref() == Some(&stage.base.to_ascii_lowercase()));
            match named {
                Some(earlier) => at = earlier,
                None => return lineage,
            }
        }
    }

    /// The instruction of this name that holds for the image, if any: the last one of the nearest stage that has one.
    pub fn effective(&self, name: &str) -> Option<&Instruction> {
        self.lineage().into_iter().find_map(|stage| stage.instructions.iter().rfind(|it| it.name == name))
    }

    /// The image that the lineage ends with.
    pub fn outermost_base(&self) -> &str {
        self.lineage().last().map_or("", |stage| stage.base.as_str())
    }
}

/// `variable=value` pairs of ENV, ARG and LABEL; `ENV name value` is one, too.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let words = words(text);
    match words.as_slice() {
        [first, _, ..] if !first.contains('=') => {
            let value = text.trim_start().strip_prefix(first.as_str()).unwrap_or_default().trim();
            vec![(first.clone(), value.to_owned())]
        }
        _ => words
            .iter()
            .map(|word| word.split_once('=').unwrap_or((word, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

/// Words as a shell splits them, without their quotes.
pub fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => {
                word.extend(characters.next());
                begun = true;
            }
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => word.push(c),
            (c @ ('"' | '\''), None) => {
                quote = Some(c);
                begun = true;
            }
            (c, None) if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                    begun = false;
                }
            }
            (c, None) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Instructions with their continued lines joined; comments and the bodies of here-documents left out.
fn logical_lines(text: &str) -> Result<Vec<(String, String)>, String> {
    let escape =
        if text.lines().take_while(|line| line.starts_with('#')).any(is_backtick_directive) { '`' } else { '\\' };
    let mut lines = text.lines();
    let mut instructions = Vec::new();
    while let Some(line) = lines.next() {
        let mut whole = line.trim().to_owned();
        if whole.is_empty() || whole.starts_with('#') {
            continue;
        }
        while let Some(begun) = whole.strip_suffix(escape) {
            let next = lines.by_ref().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
            let Some(next) = next else {
                whole = begun.to_owned();
                break;
            };
            whole = format!("{begun} {next}");
        }
        for end in here_documents(&whole) {
            if !lines.by_ref().any(|line| line.trim_start_matches('\t') == end) {
                return Err(format!("the here-document `{end}` is not closed"));
            }
        }
        let (name, rest) = whole.split_once(char::is_whitespace).unwrap_or((&whole, ""));
        let name = name.to_ascii_uppercase();
        const KNOWN: [&str; 18] = [
            "ADD",
            "ARG",
            "CMD",
            "COPY",
            "ENTRYPOINT",
            "ENV",
            "EXPOSE",
            "FROM",
            "HEALTHCHECK",
            "LABEL",
            "MAINTAINER",
            "ONBUILD",
            "RUN",
            "SHELL",
            "STOPSIGNAL",
            "USER",
            "VOLUME",
            "WORKDIR",
        ];
        if !KNOWN.contains(&name.as_str()) {
            return Err(format!("`{name}` is not an instruction"));
        }
        instructions.push((name, rest.trim().to_owned()));
    }
    Ok(instructions)
}

fn is_backtick_directive(line: &str) -> bool {
    line.trim_start_matches('#').trim().to_ascii_lowercase().replace(' ', "") == "escape=`"
}

/// The words that end the here-documents of an instruction, such as `RUN <<EOF`.
fn here_documents(line: &str) -> Vec<String> {
    if !["RUN", "COPY", "ADD"].contains(&line.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str()) {
        return Vec::new();
    }
    let starts =
        line.match_indices("<<").filter(|(at, _)| !line[at + 2..].starts_with('<') && !line[..*at].ends_with('<'));
    let word = |(at, _): (usize, &str)| {
        let word = line[at + 2..].trim_start_matches('-').split_whitespace().next()?.trim_matches(['"', '\'']);
        word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then(|| word.to_owned())
    };
    starts.filter_map(word).filter(|word| !word.is_empty()).collect()
}

fn flags(text: &str) -> (Vec<String>, String) {
    let (mut flags, mut rest) = (Vec::new(), text.trim());
    while rest.starts_with("--") {
        let (flag, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        flags.push(flag.to_owned());
        rest = after.trim_start();
    }
    (flags, rest.to_owned())
}

fn from(text: &str) -> Result<Stage, String> {
    let words = words(text);
    match words.as_slice() {
        [base] => Ok(Stage { base: base.clone(), ..Stage::default() }),
        [base, word, name] if word.eq_ignore_ascii_case("as") => {
            Ok(Stage { base: base.clone(), name: Some(name.to_ascii_lowercase()), ..Stage::default() })
        }
        _ => Err(format!("`FROM {text}` is not `FROM image` or `FROM image AS name`")),
    }
}

/// `ARG name` in a stage takes the value from before the first FROM.
fn assign(text: &str, into: &mut BTreeMap<String, String>, outer: &BTreeMap<String, String>) {
    for word in words(&fill(text, into)) {
        match word.split_once('=') {
            Some((name, value)) => _ = into.insert(name.to_owned(), value.to_owned()),
            None => into.extend(outer.get(&word).map(|value| (word.clone(), value.clone()))),
        }
    }
}

/// Fills `$name`, `${name}` and `${name:-default}`. What has no value stays as it is.
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (whole, name, default) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((inner, _)) => {
                let (name, default) = inner.split_once(":-").or_else(|| inner.split_once('-')).unwrap_or((inner, ""));
                (inner.len() + 3, name, (name.len() != inner.len()).then_some(default))
            }
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (end + 1, &after[..end], None)
            }
        };
        let value = values.get(name).map(String::as_str).filter(|value| !value.is_empty()).or(default);
        filled.push_str(value.unwrap_or(&rest[at..at + whole]));
        rest = &rest[at + whole..];
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# syntax=docker/dockerfile:1
ARG VERSION=1.95
from --platform=$BUILDPLATFORM rust:${VERSION}-slim as Build
RUN apt-get update && \
    # a comment in between
    apt-get install -y curl
RUN <<EOF
FROM nothing
EOF
FROM debian:bookworm-slim
ARG UID=1000
COPY --from=build --chown=1:1 /a /b
ENV A=1 B="two words"
USER $UID
CMD ["/b", "--x"]
"#;

    #[test]
    fn stages_and_instructions_are_read() {
        let file = Dockerfile::parse(TEXT).unwrap();
        assert_eq!(file.stages.len(), 2);
        assert_eq!((file.stages[0].base.as_str(), file.stages[0].name.as_deref()), ("rust:1.95-slim", Some("build")));
        assert_eq!(file.stages[0].instructions.len(), 2);
        assert_eq!(file.effective("USER").unwrap().filled, "1000");
        assert_eq!(file.effective("CMD").unwrap().exec_form().unwrap(), ["/b", "--x"]);
        assert_eq!(file.effective("COPY").unwrap().flag("from"), Some("build"));
        assert_eq!(pairs(&file.effective("ENV").unwrap().text)[1], ("B".into(), "two words".into()));
        assert_eq!(file.stage("BUILD", 1), Some(0));
    }

    #[test]
    fn a_stage_inherits_from_the_one_it_begins_with() {
        let file = Dockerfile::parse("FROM a:1 AS base\nUSER 5\nFROM base\nCMD x").unwrap();
        assert_eq!(file.effective("USER").unwrap().text, "5");
        assert_eq!(file.outermost_base(), "a:1");
    }

    #[test]
    fn nonsense_is_no_dockerfile() {
        for wrong in ["", "RUN x", "FROM", "FROM a b", "FROM a\nGO x", "FROM a\nRUN <<EOF\nx"] {
            assert!(Dockerfile::parse(wrong).is_err(), "{wrong}");
        }
    }
}
