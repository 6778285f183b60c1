//! A plane through time: the frames of a finished run, one a recorded sample, without copying the recording.

use std::sync::Arc;

use spikedeck_core::units::short;
use spikedeck_signal::{Image, Recording, Trace};

/// All samples of a plane.
#[derive(Debug, Clone)]
pub struct Movie {
    recording: Arc<Recording>,
    /// Which trace of it.
    index: usize,
    /// Whether it is an angle, of which the part of a turn is shown.
    turns: bool,
    /// Colours of all frames: with a scale of its own each frame would look like any other.
    range: (f64, f64),
}

impl Movie {
    /// Of a trace of all cells; `None` where there is nothing to move.
    pub fn of(recording: &Arc<Recording>, trace: &Trace, turns: bool) -> Option<Self> {
        let index = recording.traces.iter().position(|t| std::ptr::eq(t, trace)).filter(|_| trace.len() > 1)?;
        let (low, high) = trace
            .values
            .iter()
            .filter(|v| v.is_finite())
            .map(|&v| shown(v, turns))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        (low <= high).then(|| Self { recording: recording.clone(), index, turns, range: (low, high) })
    }

    fn trace(&self) -> &Trace {
        &self.recording.traces[self.index]
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.trace().len()
    }

    /// Time of a frame.
    pub fn time(&self, frame: usize) -> f64 {
        self.trace().time(frame)
    }

    /// Least and greatest value of all frames.
    pub fn range(&self) -> (f64, f64) {
        self.range
    }

    /// The newest frame that is not after a time.
    pub fn frame_at(&self, time: f64) -> usize {
        let k = ((time - self.trace().start) / self.trace().interval + 1e-9).floor().max(0.0);
        (k as usize).min(self.frames() - 1)
    }

    /// When a frame is, in words.
    pub fn words(&self, frame: usize) -> String {
        format!("at {} {}", short(self.time(frame)), self.recording.time_base.unit()).trim_end().to_owned()
    }

    /// `image` with the values of a frame.
    pub fn image(&self, image: &Image, frame: usize) -> Image {
        let (width, height, cells) = (image.width, image.height, self.trace().units.len());
        let values = &self.trace().values[frame * cells..(frame + 1) * cells];
        let turns = self.turns;
        let values = (0..width).flat_map(|x| (0..height).map(move |y| shown(values[y * width + x], turns))).collect();
        Image { values, ..image.clone() }
    }
}

/// A value as it is shown: of angles the part of a turn, from zero to 2 pi.
pub(super) fn shown(value: f64, turns: bool) -> f64 {
    if turns { value.rem_euclid(std::f64::consts::TAU) } else { value }
}
