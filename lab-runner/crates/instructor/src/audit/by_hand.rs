//! A line for work by hand, taken apart: what makes its files, the variables of the server it needs, and its command.

use std::collections::BTreeMap;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

/// What starts a learner's server, and what follows it on the same line.
const START: &str = "cargo lab run ";
const ELSEWHERE: &str = "   # in another terminal";
/// Where that server listens, as curl and as nc are told.
const ADDRESS: &str = "127.0.0.1:8080";
const HOST_AND_PORT: &str = "127.0.0.1 8080";
/// Where a check's folders are by hand.
const FOLDERS: &str = "/tmp/lab-";

/// A line that a report shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ByHand {
    /// Makes the files that the server begins with. May be empty.
    files: String,
    /// The variables that the server is started with.
    pub env: BTreeMap<String, String>,
    /// What is run in the other terminal.
    command: String,
    /// The folder that the files are made in, once it has moved.
    folder: Option<Utf8PathBuf>,
}

impl ByHand {
    /// Takes apart what a report shows. None if it is nothing to be run as it stands.
    pub fn parse(line: &str) -> Option<Self> {
        let (start, command) = line.split_once('\n')?;
        let start = start.strip_suffix(ELSEWHERE)?;
        let (files, options) = start.split_once(START)?;
        let mut env = BTreeMap::new();
        let mut words = options.split_whitespace().skip(1);
        while let Some(word) = words.next() {
            let pair = if word == "--env" { words.next()? } else { return None };
            let (name, value) = pair.split_once('=')?;
            env.insert(name.to_owned(), value.to_owned());
        }
        let known = [ADDRESS, HOST_AND_PORT].iter().any(|address| command.contains(address));
        known.then(|| Self { files: files.to_owned(), env, command: command.to_owned(), folder: None })
    }

    /// The same with its files in `folder`, so that nothing of others is touched.
    pub fn moved_to(&self, folder: &Utf8Path) -> Self {
        let place = format!("{folder}/now/");
        let moved = |text: &str| text.replace(FOLDERS, &place);
        let env = self.env.iter().map(|(name, value)| (name.clone(), moved(value))).collect();
        Self { files: moved(&self.files), env, command: moved(&self.command), folder: Some(folder.to_owned()) }
    }

    /// Makes the files once: some are random, and are to be the same for both servers.
    ///
    /// # Errors
    /// What the shell says.
    pub async fn prepare(&self) -> Result<(), String> {
        let Some(folder) = &self.folder else { return Ok(()) };
        shell(&format!("mkdir -p {folder}/now; {} cp -a {folder}/now {folder}/kept", self.files)).await
    }

    /// Has the files as they were made, whatever a server did to them.
    pub async fn begin_anew(&self) {
        if let Some(folder) = &self.folder {
            let _ = shell(&format!("rm -rf {folder}/now; cp -a {folder}/kept {folder}/now")).await;
        }
    }

    /// The command for a server at `url`.
    pub fn command_at(&self, url: &str) -> String {
        let address = url.trim_start_matches("http://");
        self.command.replace(ADDRESS, address).replace(HOST_AND_PORT, &address.replace(':', " "))
    }
}

async fn shell(script: &str) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = shell.kill_on_drop(true).output().await.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

/// An output without what differs from server to server and from moment to moment: dates, ids, ports, tags.
pub(super) fn shape(output: &str) -> String {
    let lines = output.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !matches!(name.as_str(), "date" | "last-modified" | "x-request-id")
    });
    lines.map(|line| format!("{}\n", without_long_words(line))).collect()
}

/// The line with its long numbers and its tokens, which hold digits, made alike.
fn without_long_words(line: &str) -> String {
    let mut text = String::new();
    let mut word = String::new();
    for character in line.chars().chain(['\n']) {
        if character.is_ascii_alphanumeric() {
            word.push(character);
            continue;
        }
        let token = word.len() >= 5 && word.bytes().any(|byte| byte.is_ascii_digit());
        text.push_str(if token { "#" } else { &word });
        word.clear();
        text.push(character);
    }
    text.trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_and_its_folders_and_addresses_are_moved() {
        let line = "mkdir -p /tmp/lab-files-dir; printf %s 'a' >/tmp/lab-files-dir/a.txt; cargo lab run tiny-1 --env \
                    FILES_DIR=/tmp/lab-files-dir --env LIMIT=3   # in another terminal\ncurl -i http://127.0.0.1:8080/a";
        let by_hand = ByHand::parse(line).unwrap().moved_to(Utf8Path::new("/x"));
        assert_eq!(by_hand.files, "mkdir -p /x/now/files-dir; printf %s 'a' >/x/now/files-dir/a.txt; ");
        let env = BTreeMap::from([("FILES_DIR", "/x/now/files-dir"), ("LIMIT", "3")]);
        assert_eq!(by_hand.env, env.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        assert_eq!(by_hand.command_at("http://127.0.0.1:4711"), "curl -i http://127.0.0.1:4711/a");
        let raw = "cargo lab run tiny-1   # in another terminal\nprintf 'GET' | nc -w 10 127.0.0.1 8080";
        assert_eq!(ByHand::parse(raw).unwrap().command_at("http://127.0.0.1:9"), "printf 'GET' | nc -w 10 127.0.0.1 9");
    }

    #[test]
    fn what_cannot_be_run_as_it_stands_is_no_line() {
        for line in ["cargo lab try tiny-1 greets", "cargo lab run tiny-1   # in another terminal\npsql -c 'EXPLAIN …'"]
        {
            assert_eq!(ByHand::parse(line), None, "{line}");
        }
    }

    #[test]
    fn dates_and_ids_make_no_difference_and_statuses_do() {
        let shown = |status: &str, id: &str| {
            shape(&format!("HTTP/1.1 {status}\ndate: Mon {id}\nlocation: /a/{id}\n\n{{\"id\": 7}}"))
        };
        assert_eq!(shown("200 OK", "1935430200000"), shown("200 OK", "8e03978e"));
        assert_ne!(shown("200 OK", "12345"), shown("201 Created", "12345"));
    }
}
