//! Stimuli into input ports: a value for each unit that holds during a step.

use std::sync::Arc;

use super::of_lanes;
use super::pace::Sampled;
use super::sequence::Sequence;
use crate::axis::Axis;
use crate::expression::{Expression, Operand};
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::UnitValues;
use crate::values::at;
use spikedeck_core::normal::Normals;
use spikedeck_core::vector::vectorised;
use spikedeck_scenario::Wave;

/// What a level stimulus does, for the lanes it targets on one thread. Columns have one entry a targeted lane.
#[derive(Debug)]
pub(crate) enum Drive {
    /// `amplitude * wave + offset`.
    Wave { amplitude: UnitValues, offset: UnitValues, wave: Arc<dyn Wave>, last: Option<(f64, f64)> },
    /// Ornstein-Uhlenbeck process, exact in distribution: x' = mean + (x - mean) a + sigma sqrt(1 - a^2) N, a =
    /// exp(-dt/tau).
    Ou { mean: UnitValues, sigma: UnitValues, decay: f64, kick: f64 },
    /// mean + scale N, drawn anew every `every` steps, keyed or from a stream. White noise of density D has scale
    /// D/sqrt(dt) every step.
    Normal { mean: UnitValues, scale: UnitValues, every: u64, listed: Option<Sequence> },
    /// A sampled signal.
    Signal(Sampled),
    /// An expression over columns.
    Expression { expression: Expression, operands: Vec<UnitValues> },
}

/// A stimulus into an input port, on one thread.
#[derive(Debug)]
pub(crate) struct Level {
    pub(super) drive: Drive,
    /// Targeted lanes; `None` is all.
    pub(super) lanes: Option<Vec<u32>>,
    /// Value of each targeted lane now (one number if all are the same).
    pub(super) now: Vec<f64>,
    /// Normal numbers of all lanes.
    pub(super) normals: Vec<f64>,
    /// Where they come from.
    pub(super) source: Normals,
    /// Grid point of the last refresh.
    pub(super) refreshed: Option<u64>,
}

impl Level {
    /// Brings the values to grid point `k`; returns whether they changed.
    pub fn refresh(&mut self, k: u64, axis: &Axis) -> bool {
        if self.refreshed == Some(k) {
            return false;
        }
        let first_time = self.refreshed.is_none();
        self.refreshed = Some(k);
        match &mut self.drive {
            Drive::Wave { amplitude, offset, wave, last } => {
                let value = wave.at(k, axis.clock());
                if *last == Some(value) {
                    return false;
                }
                *last = Some(value);
                for (j, now) in self.now.iter_mut().enumerate() {
                    *now = at(amplitude, j) * value.0 + at(offset, j) * value.1;
                }
                true
            }
            Drive::Ou { mean, sigma, decay, kick } => {
                self.source.fill(0, k, &mut self.normals);
                for (j, now) in self.now.iter_mut().enumerate() {
                    let n = self.normals[self.lanes.as_ref().map_or(j, |l| l[j] as usize)];
                    let m = at(mean, j);
                    *now = if first_time {
                        at(sigma, j) * n + m
                    } else {
                        (*now - m) * *decay + (at(sigma, j) * *kick * n + m)
                    };
                }
                true
            }
            Drive::Normal { mean, scale, every, listed } => {
                if !first_time && !k.is_multiple_of(*every) {
                    return false;
                }
                if let Some(sequence) = listed {
                    for (j, (now, n)) in self.now.iter_mut().zip(sequence.draw(k / *every)).enumerate() {
                        *now = at(scale, j) * n + at(mean, j);
                    }
                    return true;
                }
                match &self.lanes {
                    None => self.source.fill(0, k / *every, &mut self.now),
                    Some(lanes) => {
                        self.source.fill(0, k / *every, &mut self.normals);
                        for (now, &lane) in self.now.iter_mut().zip(lanes) {
                            *now = self.normals[lane as usize];
                        }
                    }
                }
                stretch(&mut self.now, scale, mean);
                true
            }
            Drive::Signal(samples) => {
                samples.fill(axis.seconds(k), &mut self.now);
                true
            }
            Drive::Expression { expression, operands } => {
                let values: Vec<Operand<'_>> = operands.iter().map(Operand::from).collect();
                expression.evaluate(axis.seconds(k), &values, &mut self.now);
                true
            }
        }
    }

    /// Does the refreshes of a row of grid points from `from` on in one go and writes what [`Level::put_into`] would,
    /// if the values are the same to every lane and depend on nothing but the grid point.
    pub fn refresh_many(&mut self, from: u64, rows: &mut [f64]) -> bool {
        let Self { drive, lanes: listed, source, now, refreshed, .. } = self;
        let Drive::Normal {
            mean: mean @ UnitValues::Shared(_),
            scale: scale @ UnitValues::Shared(_),
            every: 1,
            listed: None,
        } = drive
        else {
            return false;
        };
        if listed.is_some() || rows.is_empty() {
            return false;
        }
        let lanes = now.len();
        source.fill_rows(from, lanes, rows);
        *refreshed = Some(from + (rows.len() / lanes) as u64 - 1);
        stretch(rows, scale, mean);
        now.copy_from_slice(&rows[rows.len() - lanes..]);
        // As `0 + v` does: no negative zero.
        for v in rows {
            *v += 0.0;
        }
        true
    }

    /// Puts the values into a row of all lanes, zeros elsewhere.
    pub fn put_into(&self, row: &mut [f64]) {
        match &self.lanes {
            None => row.iter_mut().zip(&self.now).for_each(|(r, v)| *r = 0.0 + *v),
            Some(_) => {
                row.fill(0.0);
                self.add_to(row);
            }
        }
    }

    /// Adds the values to a row of all lanes.
    pub fn add_to(&self, row: &mut [f64]) {
        match &self.lanes {
            None => row.iter_mut().zip(&self.now).for_each(|(r, v)| *r += v),
            Some(lanes) => lanes.iter().zip(&self.now).for_each(|(&l, v)| row[l as usize] += v),
        }
    }
}

impl Snapshot for Level {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { drive, lanes, now, normals: _, source: _, refreshed } = self;
        match drive {
            Drive::Ou { .. } => {
                match lanes {
                    Some(lanes) => of_lanes(pass, "process", lanes.iter().copied(), now),
                    None => of_lanes(pass, "process", 0.., now),
                }
                *refreshed = Some(pass.now());
            }
            // These follow from the grid point.
            Drive::Wave { .. } | Drive::Normal { .. } | Drive::Signal(_) | Drive::Expression { .. } => {}
        }
    }
}

vectorised! {
    /// `v = scale v + mean`.
    fn stretch(values: &mut [f64], scale: &UnitValues, mean: &UnitValues) {
        match (scale, mean) {
            (UnitValues::Shared(s), UnitValues::Shared(m)) => values.iter_mut().for_each(|v| *v = s * *v + m),
            (UnitValues::Shared(s), UnitValues::Each(m)) => values.iter_mut().zip(m).for_each(|(v, m)| *v = s * *v + m),
            (UnitValues::Each(s), UnitValues::Shared(m)) => values.iter_mut().zip(s).for_each(|(v, s)| *v = s * *v + m),
            (UnitValues::Each(s), UnitValues::Each(m)) => {
                values.iter_mut().zip(s).zip(m).for_each(|((v, s), m)| *v = s * *v + m);
            }
        }
    }
}
