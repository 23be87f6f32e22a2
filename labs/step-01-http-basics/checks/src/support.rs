//! What several checks share: requests as text, random content, and a folder with a server on it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use lab_kit::prelude::*;
use lab_kit::rand::Rng as _;

/// How long a server is given to close a connection. It needs no time for that: this is for a busy machine.
pub const CLOSE: Duration = Duration::from_secs(5);

/// What a status line looks like.
const STATUS_LINE: &str = "HTTP/1.1 200 OK";

/// A GET request as it goes over the wire.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: lab\r\n\r\n")
}

/// A request as it goes over the wire, with the given fields (each ended by CRLF) beside Host.
pub fn request(line: &str, fields: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: lab\r\n{fields}\r\n{body}")
}

/// The same for fields and bodies that are no text.
pub fn raw_request(line: &str, fields: &[u8], body: &[u8]) -> Vec<u8> {
    [format!("{line} HTTP/1.1\r\nHost: lab\r\n").as_bytes(), fields, b"\r\n", body].concat()
}

/// Whether the server keeps a connection open for a further request. That is the business of task 4: what an earlier task
/// demands of every request of a connection is asked of its first one alone until then.
pub async fn keeps_connections(app: &App) -> CheckResult<bool> {
    let mut connection = app.connect().await?;
    connection.send(get("/")).await?;
    connection.response().await?;
    // never fails alone: whether task 4 is done is the question, and both answers are right
    Ok(connection.expect_open().await.is_ok())
}

/// A text as one chunk, with the last chunk behind it.
pub fn one_chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len())
}

/// Fails the learner unless the answer says no. The `usual` statuses are what a message names; any other 4xx will do,
/// and a server may also redirect to where it would rather be asked.
pub fn expect_refusal(answer: Response, usual: &[u16]) -> CheckResult {
    if (300..500).contains(&answer.status()) { Ok(()) } else { answer.expect_status_in(usual).map(drop) }
}

/// Fails the learner unless the head of a response is written as RFC 9112 §2.1 and §4 want it.
pub fn expect_well_formed(answer: &Response) -> CheckResult {
    let head = answer.raw_head();
    let lines = head.split(|&byte| byte == b'\n').collect::<Vec<_>>();
    // Behind the last line feed nothing is left.
    let ended = lines.split_last().is_some_and(|(_, lines)| lines.iter().all(|line| is_line(line)));
    if !ended {
        return Err(answer
            .failure("a line in the head of the response does not end in CRLF")
            .expected("CRLF, `\\r\\n`"));
    }
    let status_line = lines.first().copied().unwrap_or_default();
    let words: Vec<_> = status_line.splitn(3, |&byte| byte == b' ').collect();
    let is_code = |code: &[u8]| code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    match words[..] {
        [version, code, _] if version.starts_with(b"HTTP/1.") && is_code(code) => Ok(()),
        _ => Err(answer
            .failure("the status line is not a version, a space, a code, a space, and an optional phrase")
            .expected(STATUS_LINE)
            .actual(status_line.escape_ascii().to_string())),
    }
}

/// Whether a line, without its line feed, ends in its only carriage return.
fn is_line(line: &[u8]) -> bool {
    line.iter().position(|&byte| byte == b'\r') == line.len().checked_sub(1)
}

/// Bytes that nobody could have foreseen, of every kind.
pub fn random_bytes(lab: &Lab, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    lab.random(|random| random.fill_bytes(&mut bytes));
    bytes
}

/// The server's folder and what lies around it, all in a folder of the check's own.
pub struct Site {
    /// The running server.
    pub app: App,
    /// The folder above the server's.
    pub around: PathBuf,
    /// The folder that the server is given as `FILES_DIR`.
    pub files: PathBuf,
}

impl Site {
    /// Starts a server on a fresh folder.
    pub async fn start(lab: &Lab) -> CheckResult<Self> {
        let around = lab.folder()?;
        let files = around.join("files");
        make_folder(&files)?;
        let app = lab.server().env("FILES_DIR", &files.display().to_string()).start().await?;
        Ok(Self { app, around, files })
    }

    /// Puts a file into the server's folder.
    pub fn write(&self, name: &str, content: &[u8]) -> CheckResult {
        write_file(&self.files.join(name), content)
    }

    /// Makes a file `length` bytes long. What is new reads as zeros, and takes no room on the disk.
    pub fn stretch(&self, name: &str, length: u64) -> CheckResult {
        let file = fs::File::options().write(true).open(self.files.join(name)).ours("opening a file")?;
        file.set_len(length).ours("making a file longer")
    }

    /// Moves the time of a file's last change `seconds` on; false if the file is somebody else's, who alone may.
    pub fn made_later(&self, name: &str, seconds: u64) -> bool {
        let Ok(file) = fs::File::options().write(true).open(self.files.join(name)) else { return false };
        let changed = file.metadata().and_then(|metadata| metadata.modified());
        changed.and_then(|changed| file.set_modified(changed + Duration::from_secs(seconds))).is_ok()
    }

    /// Fails the learner unless the folder holds the file `name` with exactly this content.
    pub fn expect_file(&self, name: &str, content: &[u8]) -> CheckResult {
        let Some(found) = read_file(&self.files.join(name))? else {
            return Err(Failure::learner(format!("there is no file `{name}` in the FILES_DIR folder"))
                .expected(format!("a file `{name}` of {} bytes", content.len()))
                .actual(format!("the folder holds: {}", listing(&self.files)?)));
        };
        if found == content {
            return Ok(());
        }
        let differs = found.iter().zip(content).position(|(a, b)| a != b).unwrap_or(found.len().min(content.len()));
        Err(Failure::learner(format!("the file `{name}` does not contain the bytes that were sent"))
            .expected(format!("{} bytes, exactly as they were sent", content.len()))
            .actual(format!("{} bytes; the first difference is at byte {differs}", found.len())))
    }
}

/// Makes a folder that a server may write to, whoever it runs as.
pub fn make_folder(path: &Path) -> CheckResult {
    fs::create_dir(path).ours("making a folder")?;
    fs::set_permissions(path, Permissions::from_mode(0o777)).ours("giving the server access to a folder")
}

/// Writes a file that a server may replace, whoever it runs as.
pub fn write_file(path: &Path, content: &[u8]) -> CheckResult {
    fs::write(path, content).ours("writing a file")?;
    fs::set_permissions(path, Permissions::from_mode(0o666)).ours("giving the server access to a file")
}

/// The content of a file, if it is there.
pub fn read_file(path: &Path) -> CheckResult<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::ours("reading a file", &error)),
    }
}

/// The names in a folder, sorted, for a message.
pub fn listing(folder: &Path) -> CheckResult<String> {
    let entries = fs::read_dir(folder).ours("listing a folder")?;
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name().display().to_string()).collect();
    names.sort();
    Ok(if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
}
