//! What a run recorded and left on disk because it does not fit into memory: read back as far as it is looked at.

use std::fmt;
use std::sync::Arc;

use super::spikes::Spikes;
use super::trace::Trace;

/// Rows that left memory, read part by part by whoever wrote them.
pub trait Rows: fmt::Debug + Send + Sync {
    /// Hands over times and units of the spikes of a population, in the order of time.
    ///
    /// # Errors
    /// A text for the person who waits.
    fn spikes(&self, population: &str, take: &mut dyn FnMut(&[f64], &[u32])) -> Result<(), String>;

    /// Hands over the values of a trace, sample by sample, whole samples at a time.
    ///
    /// # Errors
    /// As above.
    fn samples(&self, trace: &Trace, take: &mut dyn FnMut(&[f64])) -> Result<(), String>;
}

/// Everything of a recording that stays on disk.
#[derive(Debug, Clone)]
pub struct OnDisk {
    /// Spikes, without times.
    pub spikes: Vec<Spikes>,
    /// Traces, without values.
    pub traces: Vec<Trace>,
    /// Bytes that may be held of it at once.
    pub room: u64,
    /// Where it is.
    pub rows: Arc<dyn Rows>,
}

impl PartialEq for OnDisk {
    fn eq(&self, other: &Self) -> bool {
        let Self { spikes, traces, room, rows } = self;
        (spikes, traces, room) == (&other.spikes, &other.traces, &other.room)
            && std::ptr::addr_eq(Arc::as_ptr(rows), Arc::as_ptr(&other.rows))
    }
}

impl OnDisk {
    /// Columns `place` of the samples of `trace` in a window (their mean if `mean`).
    ///
    /// # Errors
    /// When they cannot be read, or do not fit.
    pub fn columns(
        &self,
        trace: &Trace,
        place: &[usize],
        mean: bool,
        window: super::Window,
    ) -> Result<Vec<Vec<f64>>, String> {
        let (width, inside) = (trace.units.len().max(1), trace.indices(window));
        let mut columns = vec![Vec::new(); if mean { 1 } else { place.len() }];
        let (mut at, mut fits) = (0_usize, true);
        let most = self.room / 8 / columns.len().max(1) as u64;
        self.rows.samples(trace, &mut |values| {
            for sample in values.chunks_exact(width) {
                if inside.contains(&at) {
                    fits &= columns.first().is_none_or(|column: &Vec<f64>| (column.len() as u64) < most);
                    match fits {
                        true if mean => {
                            let sum = place.iter().map(|&j| sample[j]).sum::<f64>();
                            columns[0].push(sum / place.len().max(1) as f64);
                        }
                        true => columns.iter_mut().zip(place).for_each(|(column, &j)| column.push(sample[j])),
                        false => {}
                    }
                }
                at += 1;
            }
        })?;
        if fits { Ok(columns) } else { Err(format!("{} of its units do not fit into memory", place.len())) }
    }
}
