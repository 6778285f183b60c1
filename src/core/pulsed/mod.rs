//! Networks of units that jump: states flow, a unit that reaches its threshold is reset, rests, and sends pulses that
//! arrive after delays and make others jump. Tangent vectors go with the trajectory through all of that.
//!
//! A vector of such a system has, beside the change of each state, the shift in time of each event that is under way:
//! a pulse that has not arrived, a rest that has not ended. Where an event that is shifted by δt changes the flow from
//! f⁻ to f⁺ by the map g, δx⁺ = Dg δx⁻ + (Dg f⁻ − f⁺) δt (saltation: Aizerman and Gantmakher 1958; di Bernardo et al.
//! 2008, doi:10.1007/978-1-84628-708-4, chapter 2); at a threshold h, δt = −∇h·δx/(∇h·f⁻), and what the spike causes
//! is shifted as much (networks of pulses: Monteforte and Wolf 2010, doi:10.1103/PhysRevLett.105.268104). The end of a
//! rest r(x⁺) is shifted by ∇r·(δx⁺ + f⁺ δt) more, as the state right after the reset of the shifted spike differs by
//! what stands in brackets.

mod trajectory;

use std::ops::Range;

use super::dynamics::Dynamics;
pub use trajectory::PulsedTrajectory;

/// A system whose states belong to units with thresholds, which send pulses to each other.
pub trait Pulsed: Dynamics {
    /// Number of units.
    fn units(&self) -> usize;
    /// The states of a unit.
    fn rows(&self, unit: usize) -> Range<usize>;
    /// Whether no unit's rates depend on the states of others: pulses are all that they have of each other.
    fn is_apart(&self) -> bool;
    /// Rates of the states of one unit of a system that [`Pulsed::is_apart`].
    fn rate_of(&self, unit: usize, t: f64, x: &[f64], out: &mut [f64]);
    /// h of a unit, positive beyond its threshold, with the gradient by its own states; `None` where it never spikes.
    fn height(&self, unit: usize, t: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64>;
    /// Resets a unit, with the Jacobian of the reset by its own states, row by row.
    fn reset_of(&self, unit: usize, t: f64, x: &mut [f64], jacobian: &mut [f64]);
    /// How long a unit rests after a spike, from its state after the reset, with the gradient of that by its own
    /// states, which is zero before, and which of its own states are held.
    fn rest_of(&self, unit: usize, x: &[f64], gradient: &mut [f64]) -> (f64, &[usize]);
    /// Delays after which pulses of a unit arrive, each once.
    fn delays(&self, unit: usize) -> &[f64];
    /// Calls `jump` for each pulse of a unit with the delay of this number: with its target, and what changes the
    /// target's state and says the Jacobian of that by its own states.
    fn arrive(&self, unit: usize, delay: usize, jump: &mut dyn FnMut(usize, Jump<'_>));
    /// Bytes that vectors may take, with those of what is under way.
    fn room(&self) -> u64 {
        u64::MAX
    }
}

/// What a pulse does to its target: time, states of the whole, and the Jacobian by the target's own states, which is
/// the identity before.
pub type Jump<'a> = &'a dyn Fn(f64, &mut [f64], &mut [f64]);

#[cfg(test)]
mod tests;
