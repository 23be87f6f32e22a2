//! Cargo's JSON messages on standard output: what was built, and what the compiler refuses.

use camino::Utf8PathBuf;
use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel};
use cargo_metadata::{Message, PackageId};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// More errors than this are counted and not kept.
const MOST_ERRORS: usize = 100;
/// A longer message is cut off, in bytes: a macro can make the compiler write any amount.
const LONGEST: usize = 4 << 20;

/// What is kept of the messages of one build.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The programs that were built, by the names of their targets.
    programs: Vec<(String, Utf8PathBuf)>,
    /// What the compiler refused, in order.
    pub errors: Vec<CompileError>,
    /// How many errors there were.
    pub count: usize,
    /// Whether cargo has begun to build: from then on its standard error may hold others' words.
    pub begun: bool,
}

/// What the compiler refused.
#[derive(Debug)]
pub(super) struct CompileError {
    /// What it says in one line, without a place. Only the compiler's own words, if there is no place.
    pub message: String,
    /// As the compiler shows it, with terminal colours.
    pub rendered: String,
    /// Whether it is about a place in the code. Only such an error can hold text of the code's choice:
    /// `compile_error!` always has a place.
    pub placed: bool,
    /// The files that it shows lines of, as seen from the workspace.
    pub files: Vec<String>,
    /// The package it is about, if that comes from a registry.
    pub dependency: Option<String>,
}

impl Messages {
    /// Reads to the end of cargo's standard output.
    pub(super) async fn read(mut stdout: impl AsyncBufRead + Unpin) -> Self {
        let mut messages = Self::default();
        let mut line = Vec::new();
        while let Ok(true) = next_line(&mut stdout, &mut line).await {
            if let Ok(message) = serde_json::from_slice(&line) {
                messages.take(message);
            }
        }
        messages
    }

    /// The program of the target `name`.
    pub(super) fn program(&self, name: &str) -> Option<&Utf8PathBuf> {
        self.programs.iter().rev().find(|(known, _)| known == name).map(|(_, path)| path)
    }

    fn take(&mut self, message: Message) {
        // Whatever is fetched is fetched before the first message, of old products as of new ones.
        self.begun = true;
        match message {
            Message::CompilerArtifact(artifact) => {
                self.programs.extend(artifact.executable.map(|path| (artifact.target.name, path)));
            }
            Message::CompilerMessage(message) => {
                if let Some(error) = CompileError::of(message.message, &message.package_id) {
                    self.count += 1;
                    if self.errors.len() < MOST_ERRORS {
                        self.errors.push(error);
                    }
                }
            }
            _ => {}
        }
    }
}

impl CompileError {
    fn of(diagnostic: Diagnostic, package: &PackageId) -> Option<Self> {
        let placed = !diagnostic.spans.is_empty();
        let mut shown = Vec::new();
        files(&diagnostic, &mut shown);
        // "aborting due to 2 previous errors" counts what is counted already.
        let summary = !placed && diagnostic.message.starts_with("aborting due to");
        let error = matches!(diagnostic.level, DiagnosticLevel::Error | DiagnosticLevel::Ice);
        (error && !summary).then(|| Self {
            rendered: diagnostic.rendered.unwrap_or_else(|| diagnostic.message.clone()),
            message: diagnostic.message,
            placed,
            files: shown,
            dependency: dependency(&package.repr),
        })
    }
}

/// The files that `diagnostic` and its notes show lines of.
fn files(diagnostic: &Diagnostic, into: &mut Vec<String>) {
    into.extend(diagnostic.spans.iter().map(|span| span.file_name.clone()));
    diagnostic.children.iter().for_each(|child| files(child, into));
}

/// The name in a package's id, `registry+https://…#serde@1.0.2`, unless the package lies on this machine.
fn dependency(id: &str) -> Option<String> {
    let (source, name) = id.split_once('#')?;
    let name = name.split('@').next().unwrap_or_default();
    (!source.starts_with("path+")).then(|| name.to_owned())
}

/// Reads the next line, or as much of it as is wanted. Tells whether there was one.
async fn next_line(stdout: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    loop {
        let available = stdout.fill_buf().await?;
        if available.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        let room = LONGEST.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let taken = part.len() + usize::from(end.is_some());
        stdout.consume(taken);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(lines: &str) -> Messages {
        Messages::read(lines.as_bytes()).await
    }

    fn error(message: &str, spans: &str) -> String {
        format!(
            r#"{{"reason":"compiler-message","package_id":"path+file:///w/labs/x#0.1.0","manifest_path":"/w","target":{{"kind":["bin"],"crate_types":["bin"],"name":"x","src_path":"/w/m.rs","edition":"2024","doc":true,"doctest":false,"test":true}},"message":{{"message":"{message}","code":null,"level":"error","spans":{spans},"children":[],"rendered":"error: {message}"}}}}"#
        )
    }

    #[tokio::test]
    async fn the_count_of_errors_is_no_error() {
        let messages = read(&error("aborting due to 2 previous errors", "[]")).await;
        assert_eq!(messages.count, 0);
        assert_eq!(read(&error("linker `cc` not found", "[]")).await.count, 1);
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_not_kept_whole() {
        let mut line = Vec::new();
        let long = "x".repeat(LONGEST + 10) + "\nnext\n";
        let mut input = long.as_bytes();
        assert!(next_line(&mut input, &mut line).await.unwrap());
        assert_eq!(line.len(), LONGEST);
        assert!(next_line(&mut input, &mut line).await.unwrap());
        assert_eq!(line, b"next");
        assert!(!next_line(&mut input, &mut line).await.unwrap());
    }

    #[test]
    fn a_package_of_a_registry_is_a_dependency() {
        let id = "registry+https://github.com/rust-lang/crates.io-index#serde@1.0.228";
        assert_eq!(dependency(id).as_deref(), Some("serde"));
        assert_eq!(dependency("path+file:///w/labs/step#0.1.0"), None);
    }
}
