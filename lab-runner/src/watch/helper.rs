//! The program `lab-watch`, which has the terminal and the files' events.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use lab_protocol::{FromScreen, ToScreen};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::helper::Helper;

/// The package, and its program.
const PACKAGE: &str = "lab-watch";

/// How long it may take to give the terminal back.
const LEAVE: Duration = Duration::from_secs(2);
/// What undoes all that it may have done to a terminal: an unfinished update, lines that do not wrap, the alternate screen,
/// the hidden cursor, a style (xterm's control sequences).
const AS_IT_WAS: &[u8] = b"\x1b[?2026l\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m";

/// The program that belongs to this runner.
pub(super) fn find() -> Option<Helper> {
    Helper::find(PACKAGE, "watch", "the screen")
}

/// The program while it has the terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    child: Child,
    before: Before,
    messages: UnboundedReceiver<FromScreen>,
    lines: UnboundedSender<ToScreen>,
    writer: JoinHandle<()>,
    stderr: JoinHandle<String>,
}

impl Terminal {
    /// Starts `program`, which takes the terminal.
    ///
    /// # Errors
    /// There is no terminal, or no program.
    pub(super) fn open(program: &Utf8Path) -> io::Result<Self> {
        let before = Before::now()?;
        let (ours, theirs) = StdUnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = std::process::Command::new(program);
        // Of our process group: the terminal's keys are for us both. It is not killed with us, as it has to give the
        // terminal back; it does so when we hang up.
        command.stdin(Stdio::inherit()).stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::piped());
        let mut command = Command::from(command);
        let mut child = command.spawn()?;
        // The command keeps the other end open until it goes, and with it the socket would never end.
        drop(command);
        let (reading, mut writing) = UnixStream::from_std(ours)?.into_split();
        let (told, messages) = unbounded_channel();
        tokio::spawn(async move {
            let mut said = BufReader::new(reading).lines();
            while let Ok(Some(line)) = said.next_line().await {
                if let Ok(message) = serde_json::from_str(&line) {
                    let _ = told.send(message);
                }
            }
        });
        let (lines, mut coming) = unbounded_channel::<ToScreen>();
        let writer = tokio::spawn(async move {
            while let Some(message) = coming.recv().await {
                let Ok(mut line) = serde_json::to_vec(&message) else { continue };
                line.push(b'\n');
                if writing.write_all(&line).await.is_err() {
                    return;
                }
            }
        });
        let stderr = child.stderr.take();
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            if let Some(stderr) = stderr {
                let _ = stderr.take(16 << 10).read_to_string(&mut text).await;
            }
            text
        });
        Ok(Self { child, before, messages, lines, writer, stderr })
    }

    /// Tells the program `what`. If it is gone, that is noticed where it is listened to.
    pub(super) fn send(&self, what: ToScreen) {
        let _ = self.lines.send(what);
    }

    /// What the program tells next; nothing, if it has ended. Safe to cancel.
    pub(super) async fn next(&mut self) -> Option<FromScreen> {
        self.messages.recv().await
    }

    /// Has the terminal given back, by the program or, if it cannot, by us. Tells what went wrong, if something did.
    pub(super) async fn close(self) -> Option<String> {
        let Self { mut child, before, messages, lines, writer, stderr } = self;
        // It hangs up when it has no more to say, and leaves when we do.
        drop((messages, lines));
        let _ = tokio::time::timeout(LEAVE, writer).await;
        let ended = tokio::time::timeout(LEAVE, child.wait()).await;
        let status = ended.ok().and_then(Result::ok);
        if status.as_ref().is_some_and(ExitStatus::success) {
            return None;
        }
        let _ = child.kill().await;
        before.restore();
        let text = tokio::time::timeout(Duration::from_millis(200), stderr).await;
        let text = text.ok().and_then(Result::ok).unwrap_or_default();
        let how = status.map_or_else(|| "it hung".to_owned(), |status| status.to_string());
        let last = text.lines().next_back().map(|line| format!(": {line}")).unwrap_or_default();
        Some(format!("{PACKAGE}, which has the terminal, ended unexpectedly ({how}){last}"))
    }
}

/// A terminal's settings before they were changed.
#[derive(Debug)]
struct Before {
    terminal: File,
    settings: Termios,
}

impl Before {
    fn now() -> io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let settings = tcgetattr(&terminal)?;
        Ok(Self { terminal, settings })
    }

    /// A terminal that is gone needs no settings.
    fn restore(&self) {
        let _ = (&self.terminal).write_all(AS_IT_WAS);
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.settings);
    }
}
