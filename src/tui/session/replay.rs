//! What must not go with the screen, told again where it stays.

use std::io::{self, Write};

use crate::state::app::App;
use crate::state::columns::Column;

/// Lines of failures that are told again.
const REPLAYED: usize = 60;

/// What failed while the screen was taken, and which runs stand nowhere now, told where it stays.
pub fn replay(app: &App) {
    let mut err = io::stderr().lock();
    let bad: Vec<&str> = app.log.lines().iter().filter(|l| l.bad).map(|l| l.text.as_str()).collect();
    for line in bad.iter().take(REPLAYED) {
        let _ = writeln!(err, "{}", spikedeck_core::visible::visible(line));
    }
    if bad.len() > REPLAYED {
        let _ = writeln!(err, "… and more: {} lines in all", bad.len());
    }
    for told in app.columns.list().iter().filter_map(Column::unwritten) {
        let _ = writeln!(err, "{}", spikedeck_core::visible::visible(&told));
    }
}
