//! A panic in a check: what it said and where, kept until the check is reported. It is a fault of the suite's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::task::Id;

/// What the tasks said that panicked.
static SAID: Mutex<Option<HashMap<Id, String>>> = Mutex::new(None);

/// From now on, panics of tasks are kept, and still printed.
pub(super) fn record() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Some(task) = tokio::task::try_id() {
            let place = info.location().map(|at| format!("at {}:{}", at.file(), at.line())).unwrap_or_default();
            let message = info.payload_as_str().unwrap_or("no message");
            let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
            said.get_or_insert_default().insert(task, format!("{place}: {message}"));
        }
        print(info);
    }));
}

/// Where `task` panicked and what it said, once.
pub(super) fn of(task: Id) -> Option<String> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.remove(&task)
}
