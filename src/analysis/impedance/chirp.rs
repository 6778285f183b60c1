//! The impedance that a chirp shows, held against the linear response.

use super::{Linear, Options};
use crate::binding::{Bound, display};
use crate::prelude::*;
use spikedeck_core::response::response;
use spikedeck_core::trajectory::Trajectory;
use spikedeck_core::units::brief;
use spikedeck_core::zap::{Chirp, Settings, Zap, zap};
use spikedeck_equation::family::Family;
use std::f64::consts::TAU;

/// Rounds of the search for the greatest response, each of which costs all samples twice.
const ROUNDS: usize = 30;
/// Periods of the lowest frequency that a chirp lasts, and steps that its shortest period has at least.
const PERIODS: f64 = 20.0;
const STEPS: f64 = 20.0;
/// Time constants of the slowest mode after which a response has died away.
const GONE: f64 = 14.0;
/// Frequencies at which the response is looked at, at most, and steps that a chirp takes.
const MOST: usize = 100;
const MOST_STEPS: f64 = 1e8;

/// A unit at rest, and what drives it.
pub(super) struct Drive<'d, 'b> {
    pub family: &'d Family,
    pub bound: &'d Bound<'b>,
    pub rest: &'d [f64],
    /// Eigenvalues there.
    pub modes: &'d [(f64, f64)],
}

/// What the chirp shows.
pub(super) struct Seen {
    pub frequencies: Vec<f64>,
    /// Size (SI) and phase (radians) of the response at each.
    pub z: Vec<(f64, f64)>,
}

impl Drive<'_, '_> {
    /// Drives the unit, and holds the response against the linear one at those of `frequencies` that the chirp sweeps.
    pub fn measure(
        &self,
        o: &Options,
        amplitude: f64,
        linear: &Linear,
        frequencies: &[f64],
        f: &mut Findings<'_>,
    ) -> Result<Option<Seen>, AnalysisError> {
        let subject = self.bound.population.name.clone();
        let step = o.step.map_or_else(
            || f.scenario().expect("the equations were bound from a scenario").simulation.dt,
            |t| t.seconds,
        );
        let (low, high) = (frequencies[0], frequencies[frequencies.len() - 1]);
        let to = high.min(1.0 / (STEPS * step));
        let slowest = self.modes.iter().map(|m| -m.0).fold(f64::INFINITY, f64::min);
        let (length, tail) = (o.zap_duration.map_or(PERIODS / low, |t| t.seconds), GONE / slowest);
        let why = if slowest <= 0.0 {
            Some("the fixed point is not stable: a unit that is driven does not come back to it".to_owned())
        } else if amplitude == 0.0 {
            Some("a chirp of amplitude 0 moves nothing".to_owned())
        } else if to <= 2.0 * low {
            Some("the step is too long for what oscillates in the range: a smaller `step` may help".to_owned())
        } else if (length + tail) / step > MOST_STEPS {
            Some("it would take more than a hundred million steps: a higher `from` or a longer `step` helps".to_owned())
        } else {
            None
        };
        let missing = |f: &mut Findings<'_>, why: String| {
            f.metric(Metric::missing(&subject, "zap.deviation", "", 0, &why));
            f.word(format!("{subject}: no response to a chirp, {why}"));
            Ok(None)
        };
        if let Some(why) = why {
            return missing(f, why);
        }
        let chirp = Chirp { amplitude, from: low, to, length };
        let settings = Settings {
            rest: self.rest,
            about: self.bound.inputs[o.input.index()],
            chirp,
            tail,
            step,
            state: o.state.index(),
        };
        let flow = &self.bound.flow;
        let hybrid = Trajectory::new(flow, 0.0, self.rest, Vec::new(), step).is_hybrid();
        let mut gradient = vec![0.0; self.rest.len()];
        let mut cancelled = false;
        let run = zap(self.family, settings, &mut |x| {
            cancelled = f.request.check_cancelled().is_err();
            let fires = hybrid && flow.threshold(0.0, x, &mut gradient).is_some_and(|height| height > 0.0);
            !(cancelled || fires)
        });
        let zap = match run {
            _ if cancelled => return Err(AnalysisError::Cancelled),
            Ok(Some(zap)) => zap,
            Ok(None) => return missing(f, "the unit fires: a smaller amplitude does not reach the threshold".into()),
            Err(error) => return missing(f, format!("{error}: a smaller `step` or amplitude may help")),
        };
        // From the whole range as many as are told apart.
        let swept: Vec<f64> = frequencies.iter().copied().filter(|x| *x <= to).collect();
        let frequencies: Vec<f64> = swept.iter().copied().step_by(swept.len().div_ceil(MOST)).collect();
        let mut z = Vec::with_capacity(frequencies.len());
        let mut square = 0.0;
        for (k, &at) in frequencies.iter().enumerate() {
            f.progress(k as f64 / frequencies.len() as f64)?;
            let shown = zap.ratio(at);
            let known = response(&linear.jacobian, &linear.slope, TAU * at)
                .expect("a fixed point whose eigenvalues all decay has a response")[linear.state];
            square += (shown - known).norm_sqr() / known.norm_sqr();
            z.push((shown.norm(), shown.arg()));
        }
        let seen = Seen { frequencies, z };
        let deviation = (square / seen.z.len() as f64).sqrt();
        let note = format!(
            "root mean square of |Z_zap − Z|/|Z|; n = frequencies from {} to {} {}",
            brief(low),
            brief(to),
            self.bound.base.rate_unit()
        );
        let n = seen.z.len() as u64;
        f.metric(Metric::new(&subject, "zap.deviation", deviation, "", n).note(note));
        self.tell(&zap, &seen, linear.state, f);
        f.word(format!("{subject}: a chirp shows the same but for {}", brief(deviation)));
        Ok(Some(seen))
    }

    /// Where the response is greatest, and how far the state went.
    fn tell(&self, zap: &Zap, seen: &Seen, state: usize, f: &mut Findings<'_>) {
        let subject = &self.bound.population.name;
        let (n, rate) = (zap.len() as u64, self.bound.base.rate_unit());
        let sizes = || seen.z.iter().map(|z| z.0);
        let top = (0..seen.z.len()).max_by(|&a, &b| seen.z[a].0.total_cmp(&seen.z[b].0)).expect("at least one");
        f.metric(if top == 0 || top + 1 == sizes().len() {
            let why = "the response is greatest at an end of what the chirp sweeps";
            Metric::missing(subject, "zap.resonance", rate, n, why)
        } else {
            let (mut low, mut high) = (seen.frequencies[top - 1], seen.frequencies[top + 1]);
            for _ in 0..ROUNDS {
                let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                if zap.ratio(a).norm() < zap.ratio(b).norm() { low = a } else { high = b }
            }
            let at = f64::midpoint(low, high);
            Metric::new(subject, "zap.resonance", at, rate, n).note("where |Z_zap| is greatest; n = samples")
        });
        let (unit, scale) = display(self.bound.system.states()[state].dimension);
        let swing = Metric::new(subject, "zap.swing", zap.swing() / scale, unit, n);
        f.metric(swing.note("how far the chirp drives the state from rest"));
    }
}
