//! Units that are reset at spikes and send pulses to each other: [`Coupled`] as a pulsed system.

use std::ops::Range;

use super::{Coupled, Part};
use spikedeck_core::pulsed::{Jump, Pulsed};
use spikedeck_equation::tape::{Tape, Values};

/// What happens at a threshold.
#[derive(Debug)]
pub(crate) struct Firing {
    /// h, positive beyond the threshold, and its derivatives by the states.
    pub height: Tape,
    /// New values of all states, then their derivatives row by row.
    pub reset: Tape,
    /// How long a unit rests, in the equations' time, and its derivatives by the states.
    pub rest: Option<Tape>,
    /// States that are held while it does.
    pub hold: Vec<usize>,
}

/// What an event of weight 1 adds to states: how much to each, then the derivatives of that by the unit's states, row
/// by row.
#[derive(Debug)]
pub(crate) struct Effects {
    pub states: Vec<usize>,
    pub gains: Tape,
}

/// Where a pulse arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub part: u32,
    pub unit: u32,
    pub port: u32,
    pub weight: f64,
}

/// The pulses of one unit: delays in SI, each once, and who is hit after each.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub delays: Vec<f64>,
    pub hits: Vec<Vec<Hit>>,
}

impl Coupled {
    /// Whether units are reset, rest or send pulses: the system is no flow.
    pub fn is_pulsed(&self) -> bool {
        self.parts.iter().any(|p| p.firing.is_some())
    }

    /// The part to which a unit of the whole belongs, and which of its units it is.
    fn place(&self, unit: usize) -> (&Part, usize) {
        let part = self.parts.partition_point(|p| p.before <= unit) - 1;
        (&self.parts[part], unit - self.parts[part].before)
    }
}

impl Part {
    /// Calls `act` with what is known of a unit, nothing arriving but what is constant.
    fn known<T>(&self, unit: usize, t: f64, x: &[f64], act: impl FnOnce(&Values<'_>) -> T) -> T {
        let mut parameters = vec![0.0; self.parameters.len()];
        self.parameters_of(unit, &mut parameters);
        let inputs: Vec<f64> = self.inputs.iter().map(|list| list[unit]).collect();
        act(&Values {
            states: self.of(x, unit),
            parameters: &parameters,
            inputs: &inputs,
            time: Some(t * self.per_second),
            ..Values::default()
        })
    }

    /// What an event does: the states of the whole become those after it, and `jacobian` is multiplied by what it does
    /// to small changes.
    fn hit(&self, (unit, port, weight): (usize, usize, f64), t: f64, x: &mut [f64], jacobian: &mut [f64]) {
        let (effects, n) = (&self.effects[port], self.states);
        let mut out = vec![0.0; effects.gains.outputs()];
        self.known(unit, t, x, |known| effects.gains.evaluate(known, &mut out));
        let (gains, slopes) = out.split_at(effects.states.len());
        let before = jacobian.to_vec();
        let first = self.first + unit * n;
        for (k, &state) in effects.states.iter().enumerate() {
            x[first + state] += weight * gains[k];
            for (b, slope) in slopes[k * n..(k + 1) * n].iter().enumerate() {
                for column in 0..n {
                    jacobian[state * n + column] += weight * slope * before[b * n + column];
                }
            }
        }
    }
}

impl Pulsed for Coupled {
    fn units(&self) -> usize {
        self.parts.last().map_or(0, |p| p.before + p.units)
    }

    fn rows(&self, unit: usize) -> Range<usize> {
        let (part, own) = self.place(unit);
        let first = part.first + own * part.states;
        first..first + part.states
    }

    fn is_apart(&self) -> bool {
        self.links.is_empty()
    }

    fn rate_of(&self, unit: usize, t: f64, x: &[f64], out: &mut [f64]) {
        let (part, own) = self.place(unit);
        part.known(own, t, x, |known| part.rate.evaluate(known, out));
    }

    fn height(&self, unit: usize, t: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
        let (part, own) = self.place(unit);
        let firing = part.firing.as_ref()?;
        let mut out = vec![0.0; firing.height.outputs()];
        part.known(own, t, x, |known| firing.height.evaluate(known, &mut out));
        gradient.copy_from_slice(&out[1..]);
        Some(out[0])
    }

    fn reset_of(&self, unit: usize, t: f64, x: &mut [f64], jacobian: &mut [f64]) {
        let (part, own) = self.place(unit);
        let Some(firing) = &part.firing else { return };
        let mut out = vec![0.0; firing.reset.outputs()];
        part.known(own, t, x, |known| firing.reset.evaluate(known, &mut out));
        let (states, slopes) = out.split_at(part.states);
        let first = part.first + own * part.states;
        x[first..first + part.states].copy_from_slice(states);
        jacobian.copy_from_slice(slopes);
    }

    fn rest_of(&self, unit: usize, x: &[f64], gradient: &mut [f64]) -> (f64, &[usize]) {
        let (part, own) = self.place(unit);
        let Some(firing) = &part.firing else { return (0.0, &[]) };
        let Some(rest) = &firing.rest else { return (0.0, &firing.hold) };
        let mut out = vec![0.0; rest.outputs()];
        // A rest that depends on time has been refused.
        part.known(own, 0.0, x, |known| rest.evaluate(known, &mut out));
        gradient.iter_mut().zip(&out[1..]).for_each(|(g, slope)| *g = slope / part.per_second);
        (out[0] / part.per_second, &firing.hold)
    }

    fn room(&self) -> u64 {
        self.allowed.saturating_sub(self.bytes_of_connections())
    }

    fn delays(&self, unit: usize) -> &[f64] {
        &self.sent[unit].delays
    }

    fn arrive(&self, unit: usize, delay: usize, jump: &mut dyn FnMut(usize, Jump<'_>)) {
        for hit in &self.sent[unit].hits[delay] {
            let part = &self.parts[hit.part as usize];
            let what = (hit.unit as usize, hit.port as usize, hit.weight);
            jump(part.before + hit.unit as usize, &|t, x, jacobian| part.hit(what, t, x, jacobian));
        }
    }
}
