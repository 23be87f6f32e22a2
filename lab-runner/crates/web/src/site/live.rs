//! Tells open pages that something was recorded, so that they look again: server-sent events (HTML standard, 9.2).

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use camino::{Utf8Path, Utf8PathBuf};
use futures::Stream;
use maud::{Markup, html};
use tokio::sync::watch;

/// How often the recordings are looked at. Nobody sees a shorter delay, and it works on any file system.
const EVERY: Duration = Duration::from_millis(300);

/// Whoever holds it hears of changes.
pub(super) type Changes = watch::Receiver<u64>;

/// What is looked at: the files, with their sizes and times.
type Seen = Vec<(Utf8PathBuf, u64, Option<SystemTime>)>;

/// Starts to look at what runs leave behind.
pub(super) fn watch(state: &lab_runner::state::State) -> Changes {
    let (told, changes) = watch::channel(0);
    let runs = state.runs();
    // Progress is kept beside the folder of recordings.
    let above = runs.parent().unwrap_or(&runs).to_owned();
    let folders = [runs, above];
    tokio::spawn(async move {
        let mut before = Seen::new();
        while !told.is_closed() {
            let folders = folders.clone();
            let now =
                tokio::task::spawn_blocking(move || folders.iter().flat_map(|folder| seen(folder)).collect::<Seen>())
                    .await;
            if let Ok(now) = now
                && now != before
            {
                before = now;
                told.send_modify(|count| *count += 1);
            }
            tokio::time::sleep(EVERY).await;
        }
    });
    changes
}

fn seen(folder: &Utf8Path) -> Seen {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let seen = |entry: camino::Utf8DirEntry| {
        let metadata = entry.metadata().ok()?;
        metadata.is_file().then(|| (entry.path().to_owned(), metadata.len(), metadata.modified().ok()))
    };
    let mut all: Seen = entries.filter_map(seen).collect();
    all.sort();
    all
}

/// A part of a page that is taken in when it is otherwise than before.
pub(super) fn part(name: &str, class: &str, inner: &Markup) -> Markup {
    let mut hasher = DefaultHasher::new();
    inner.0.hash(&mut hasher);
    html! { div class=(class) data-live=(name) data-hash=(format!("{:x}", hasher.finish())) { (inner) } }
}

/// A line for each change.
pub(super) async fn changes(State(changes): State<Changes>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = futures::stream::unfold(changes, |mut changes| async move {
        changes.changed().await.ok()?;
        let count = *changes.borrow_and_update();
        Some((Ok(Event::default().data(count.to_string())), changes))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
