//! The table engine panics at some files that are damaged; nobody shall see that.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::error::StoreError;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread will be caught and told as a file that cannot be read: hooks keep silent then.
pub fn panics_are_caught() -> bool {
    GUARDED.get()
}

/// What `read` gives; a panic is a damaged file.
pub(super) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, String>) -> Result<T, StoreError> {
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(before);
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(message)) => Err(StoreError::Malformed { path: path.to_owned(), message: first_line(&message) }),
        Err(_) => Err(StoreError::Damaged {
            path: path.to_owned(),
            what: "its contents are not what its footer says".to_owned(),
        }),
    }
}

/// The first line: the rest is advice to programmers.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}
