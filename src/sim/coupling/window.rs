//! Values of a part of the sources over the last steps, side by side, with the newest first: a connection of any delay
//! finds its own at a place that stays the same.

/// Values of all sources as they were at the last grid points.
#[derive(Debug)]
pub(super) struct Window {
    sources: usize,
    longest: usize,
    /// Rows of one value a source and a 0 behind them.
    rows: Vec<f64>,
    /// Number of the newest row; older ones follow it.
    first: usize,
    /// Grid point of the newest row, once there is one.
    newest: Option<u64>,
}

impl Window {
    /// For delays up to `longest` steps.
    pub fn new(sources: usize, longest: usize) -> Self {
        // With room for some rows more, all are moved only once in so many steps.
        let room = longest.div_ceil(4);
        Self { sources, longest, rows: vec![0.0; (sources + 1) * (longest + 1 + room)], first: room, newest: None }
    }

    /// The place of a source's value `delay` steps ago among [`Window::values`].
    pub fn place(sources: usize, source: u32, delay: u16) -> usize {
        usize::from(delay) * (sources + 1) + source as usize
    }

    /// The place of a value that is always 0.
    pub fn zero(sources: usize) -> usize {
        sources
    }

    /// Number of values.
    pub fn len(sources: usize, longest: usize) -> usize {
        (sources + 1) * (longest + 1)
    }

    fn row(&mut self, row: usize) -> &mut [f64] {
        &mut self.rows[row * (self.sources + 1)..][..self.sources]
    }

    /// Makes grid point `k` the newest; `fill` writes the values of so many steps before it. All rows are asked for
    /// unless `k` follows the newest, or is the newest itself.
    pub fn advance(&mut self, k: u64, mut fill: impl FnMut(usize, &mut [f64])) {
        match self.newest {
            Some(newest) if newest == k => fill(0, self.row(self.first)),
            Some(newest) if newest.wrapping_add(1) == k => {
                if self.first == 0 {
                    let width = self.sources + 1;
                    let kept = self.longest * width;
                    let to = self.rows.len() - kept;
                    self.rows.copy_within(..kept, to);
                    self.first = to / width;
                }
                self.first -= 1;
                fill(0, self.row(self.first));
            }
            _ => (0..=self.longest).for_each(|back| fill(back, self.row(self.first + back))),
        }
        self.newest = Some(k);
    }

    /// The values, the newest first.
    pub fn values(&self) -> &[f64] {
        &self.rows[self.first * (self.sources + 1)..][..Self::len(self.sources, self.longest)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_finds_its_value_at_the_same_place() {
        for (sources, longest) in [(1, 0), (3, 1), (2, 7), (5, 40)] {
            let mut window = Window::new(sources, longest);
            let value = |k: i64, source: usize| (k * 100 + source as i64) as f64;
            // Steps in a row, one twice, and a leap.
            let steps = (0..150).chain([149, 150, 151, 400, 401]);
            for k in steps {
                window.advance(k, |back, row| {
                    row.iter_mut().enumerate().for_each(|(s, v)| *v = value(k as i64 - back as i64, s));
                });
                let values = window.values();
                for delay in 0..=longest {
                    for source in 0..sources {
                        let place = Window::place(sources, source as u32, delay as u16);
                        assert_eq!(values[place], value(k as i64 - delay as i64, source), "{k} {delay} {source}");
                    }
                }
                assert_eq!(values[Window::zero(sources)], 0.0);
                assert_eq!(values.len(), Window::len(sources, longest));
            }
        }
    }
}
