//! Tables that a run wrote and that are not all of what was recorded: they say so themselves.

use spikedeck_store::Contents;

/// What stands before the keys of what a table says of the run that wrote it.
pub const OF_RUN: &str = "spikedeck.";
/// Key of the number of points, in tables that hold what was recorded of the first alone.
pub const POINTS: &str = "points";
/// Key of how the run ended, where it did not come to its end.
pub const STATUS: &str = "status";

/// Of what a table is a part, in words; none where it is whole, or was written by something else.
pub(super) fn part_of(contents: &Contents) -> Option<String> {
    let of = |key: &str| {
        let found = contents.metadata.iter().find(|m| m.0.strip_prefix(OF_RUN) == Some(key));
        found.map(|m| m.1.as_str())
    };
    if let Some(points) = of(POINTS) {
        return Some(format!(
            "it holds what was recorded of the first of {points} points (`spikedeck sweep --keep all` keeps that of \
             each)"
        ));
    }
    of(STATUS).map(|how| format!("its run ended before its time ({how}), and it holds what was recorded until then"))
}
