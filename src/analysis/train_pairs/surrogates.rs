//! Surrogates of trains: which are made, and what they give of a measure of all pairs.

use super::{Compared, Of, Tail};
use crate::prelude::*;
use spikedeck_core::spike_surrogate::{SurrogateMaker, TrainSurrogate, common_grid};
use spikedeck_core::surrogate::p_value;

words! {
    for TrainSurrogate {
        Shift = "shift",
        Dither = "dither",
        DeadTimeDither = "dead_time_dither",
        IsiDither = "isi_dither",
        JointIsiDither = "joint_isi_dither",
        IsiShuffle = "isi_shuffle",
        Uniform = "uniform",
    }
}

options! {
    /// Which surrogates of trains are made.
    pub struct Surrogates {
        surrogate: TrainSurrogate = choice(TrainSurrogate::Shift),
            "how chance is made of each train on its own: all spikes by one shift on a circle (keeps all intervals); \
             each spike by a dither (keeps slow rates), not below the least interval (dead_time_dither), or by how \
             often its intervals occur (isi_dither, joint_isi_dither); the intervals in another order (isi_shuffle); \
             as many spikes anywhere (uniform). Spikes on the grid of time steps stay on it";
        dither: Time = time("20 ms").or(DITHER), "how far a dither goes to either side";
        surrogates: usize = integer("199").between(0.0, 100_000.0), "number of surrogates (0: none)";
    }
}

impl Surrogates {
    /// None of them.
    pub fn without(&self) -> Self {
        Self { surrogates: 0, ..self.clone() }
    }
}

/// Half of the typical interval, which counts where spikes are dithered.
pub const DITHER: derived::Derivation = derived::Derivation {
    matters: |r| {
        use crate::options::{Options as _, Reader};
        // Asked without the width itself, which would ask for this again.
        Kind::read(&mut Reader::new(r)).is_ok_and(|k| {
            !matches!(k.surrogate, TrainSurrogate::Shift | TrainSurrogate::IsiShuffle | TrainSurrogate::Uniform)
        })
    },
    ..derived::HALF
};

options! {
    /// The kind of surrogates alone.
    struct Kind {
        surrogate: TrainSurrogate = choice(TrainSurrogate::Shift), "as above";
    }
}

/// Spikes that all surrogates together are looked at for, at most.
const EFFORT: f64 = 4e9;
/// Surrogates that make a test at 5 % in both directions.
const LEAST: usize = 39;

/// What surrogates of all trains give.
pub(super) struct Drawn {
    /// The mean over pairs of each.
    pub means: Vec<f64>,
    /// Of each pair: its sum over them, and how many are at least and at most as large as what was found.
    pub sums: Vec<f64>,
    above: Vec<u32>,
    below: Vec<u32>,
}

impl Drawn {
    pub fn p_of_mean(&self, found: f64, tail: Tail) -> f64 {
        let down: Vec<f64> = self.means.iter().map(|v| -v).collect();
        let below = p_value(-found - rounding(found), &down);
        let above = p_value(found - rounding(found), &self.means);
        match tail {
            Tail::Above => above,
            Tail::Below => below,
            Tail::Both => (2.0 * below.min(above)).min(1.0),
        }
    }

    pub fn p_of_pairs(&self, tail: Tail) -> Vec<f64> {
        let all = 1.0 + self.means.len() as f64;
        let p = |k: usize| {
            let (above, below) = (f64::from(1 + self.above[k]) / all, f64::from(1 + self.below[k]) / all);
            if self.sums[k].is_nan() {
                return f64::NAN;
            }
            match tail {
                Tail::Above => above,
                Tail::Below => below,
                Tail::Both => (2.0 * above.min(below)).min(1.0),
            }
        };
        (0..self.sums.len()).map(p).collect()
    }
}

/// Values that differ by no more are the same.
fn rounding(value: f64) -> f64 {
    1e-12 * (1.0 + value.abs())
}

/// Looks at so many surrogates of all trains, each train on its own.
///
/// # Errors
/// `Cancelled`, and what `look` fails with.
pub fn each_surrogate(
    f: &Findings<'_>,
    made: &Surrogates,
    c: &Compared,
    count: usize,
    mut look: impl FnMut(&[Vec<f64>]) -> Measured,
) -> Measured {
    let grid = common_grid(f.recording.dt, c.edges, c.trains.iter().map(Vec::as_slice));
    let maker = |t| SurrogateMaker::new(made.surrogate, t, c.edges, made.dither.axis, grid);
    let makers: Vec<SurrogateMaker<'_>> = c.trains.iter().map(|t| maker(t)).collect();
    let key = f.key(&c.subject, "surrogates");
    for s in 0..count {
        f.progress(s as f64 / count as f64)?;
        let trains: Vec<Vec<f64>> =
            makers.iter().zip(0..).map(|(maker, unit)| maker.make(&mut key.stream(unit, s as u64))).collect();
        look(&trains)?;
    }
    Ok(())
}

/// Draws surrogates: as many as asked for, or as the work that all pairs make allows. Where that is too few for a test,
/// the reason.
pub(super) fn surrogates(
    f: &Findings<'_>,
    o: &Surrogates,
    c: &Compared,
    (found, work): (&[f64], f64),
    of: Of<'_>,
) -> Result<Result<Drawn, &'static str>, AnalysisError> {
    if o.surrogates == 0 {
        return Ok(Err("no p: no surrogates"));
    }
    let spikes: usize = c.trains.iter().map(Vec::len).sum();
    let once = (spikes * c.trains.len().saturating_sub(1)).max(1) as f64 * work;
    let count = o.surrogates.min((EFFORT / once) as usize);
    if count < o.surrogates.min(LEAST) {
        return Ok(Err("no p: surrogates of so many spikes would take minutes; lower max_units"));
    }
    let none = vec![0; found.len()];
    let mut drawn =
        Drawn { means: Vec::with_capacity(count), sums: vec![0.0; found.len()], above: none.clone(), below: none };
    each_surrogate(f, o, c, count, |trains| {
        let made = of(trains, c.edges)?;
        drawn.means.push(made.mean());
        for (k, (v, found)) in made.values.iter().zip(found).enumerate() {
            drawn.sums[k] += v;
            drawn.above[k] += u32::from(*v >= found - rounding(*found));
            drawn.below[k] += u32::from(*v <= found + rounding(*found));
        }
        Ok(())
    })?;
    drawn.means.retain(|m| m.is_finite());
    Ok(if drawn.means.len() == count { Ok(drawn) } else { Err("no p: some surrogates have no value") })
}
