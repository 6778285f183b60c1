//! Work on threads of their own: one that dies says so, and why.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::terminal;

/// Does `work`; if it panics, `died` is told in words.
pub fn guarded(work: impl FnOnce(), died: impl FnOnce(String)) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(work)) else { return };
    let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref().cloned());
    // The hook has seen the place too.
    let seen = terminal::last_panic().filter(|seen| text.as_ref().is_none_or(|text| seen.starts_with(text.as_str())));
    let words = seen.or(text).unwrap_or_else(|| "no reason was given".to_owned());
    died(format!("the program made a mistake: {words}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dies_says_why_and_what_does_not_says_nothing() {
        let mut told = None;
        guarded(|| {}, |why| told = Some(why));
        assert_eq!(told, None);
        guarded(|| assert!(told.is_some(), "column {} is damaged", 3), |_| {});
        let mut told = None;
        guarded(|| panic!("column {} is damaged", 3), |why| told = Some(why));
        assert!(told.unwrap().starts_with("the program made a mistake: column 3 is damaged"));
    }
}
