//! Numbers and texts in panes. How numbers are written is said in [`spikedeck_core::number`], for every screen.

pub use spikedeck_core::number::{
    MISSING, count, duration as lasted, rough as three, shown as short, shown_or_missing, with_unit,
};
pub use spikedeck_plot::grid::fit;

/// Time left or taken: `0:07`, `12:30`, `1:02:03`.
pub fn clock(d: std::time::Duration) -> String {
    let s = d.as_secs_f64().ceil() as u64;
    if s >= 3600 {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    } else {
        format!("{}:{:02}", s / 60, s % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_count_and_texts_are_cut() {
        assert_eq!(clock(std::time::Duration::from_millis(61_200)), "1:02");
        assert_eq!(fit("spikedeck", 5), "spik…");
        assert_eq!(fit("spikedeck", 0), "");
    }
}
