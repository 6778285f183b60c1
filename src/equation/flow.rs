//! A system as mathematics: right-hand side, Jacobian, resets, for estimators that need the equations.

use super::System;
use super::derive::derivatives;
use super::graph::{Graph, Id, Symbol};
use super::tape::{Tape, Values};
use spikedeck_core::dynamics::Dynamics;

/// A system with all parameters and inputs bound: dx/dt = f(t, x), per unit of the recording's time base in SI
/// (seconds, or plain time for dimensionless systems). White noise stands apart, in [`Flow::noise`].
#[derive(Debug, Clone)]
pub struct Flow {
    states: usize,
    /// Units of the equations' time in a second.
    per_second: f64,
    rate: Tape,
    jacobian: Tape,
    noise: Tape,
    autonomous: bool,
    surface: Option<Tape>,
    reset: Option<Tape>,
    refractory: Option<Tape>,
    hold: Vec<usize>,
    unlike: Option<&'static str>,
}

impl Flow {
    /// Binds one value a parameter and one an input port: zero where nothing drives it.
    pub fn new(system: &System, parameters: &[f64], inputs: &[f64]) -> Self {
        let p = system.parts();
        let n = p.states.len();
        let mut g = Graph::new();
        let bind = |g: &mut Graph, roots: &[Id]| {
            g.import(
                &p.graph,
                roots,
                |g, s| match s {
                    Symbol::Parameter(i) => Some(g.number(parameters[i as usize])),
                    Symbol::Input(i) => Some(g.number(inputs[i as usize])),
                    Symbol::Noise(_) => Some(g.number(0.0)),
                    _ => None,
                },
                |v, _| (v, spikedeck_core::units::Dimension::NONE),
            )
        };
        let per_second = p.time_unit.per_second();
        let drift = bind(&mut g, &p.drift);
        let scale = g.number(per_second);
        let rate: Vec<Id> = drift.into_iter().map(|d| g.mul(scale, d)).collect();
        let autonomous = rate.iter().all(|&r| !g.depends(r, |s| s == Symbol::Time));
        let jacobian = jacobian(&mut g, &rate, n);
        // A density is per root of the time unit.
        let root = g.number(per_second.sqrt());
        let silent = g.number(0.0);
        let noise: Vec<Id> = p
            .diffusion
            .iter()
            .map(|d| {
                d.map_or(silent, |d| {
                    let d = bind(&mut g, &[d])[0];
                    g.mul(root, d)
                })
            })
            .collect();
        let surface = p.threshold.and_then(|t| t.surface).map(|h| {
            let h = bind(&mut g, &[h]);
            let mut roots = h.clone();
            roots.extend(self::jacobian(&mut g, &h, n));
            roots
        });
        let reset = p.threshold.map(|_| {
            let mut map: Vec<Id> = (0..n).map(|i| g.symbol(Symbol::State(i as u32))).collect();
            let ids: Vec<Id> = p.reset.iter().map(|r| r.1).collect();
            for ((state, _), id) in p.reset.iter().zip(bind(&mut g, &ids)) {
                map[*state] = id;
            }
            let slopes = self::jacobian(&mut g, &map, n);
            map.extend(slopes);
            map
        });
        let refractory = p.refractory.map(|r| bind(&mut g, &[r]));
        let jumps = p.threshold.is_some() && !(p.reset.is_empty() && p.refractory.is_none());
        let depends = |roots: &Option<Vec<Id>>, of: fn(Symbol) -> bool| {
            jumps && roots.iter().flatten().any(|id| g.depends(*id, of))
        };
        let by_time = |roots: &Option<Vec<Id>>| depends(roots, |s| s == Symbol::Time);
        let unlike = if by_time(&surface) || by_time(&reset) || by_time(&refractory) {
            Some("its threshold, reset or rest depends on time by itself")
        } else if depends(&refractory, |s| matches!(s, Symbol::State(_))) {
            Some("how long it rests depends on its states")
        } else {
            None
        };
        Self {
            states: n,
            per_second,
            rate: Tape::new(&g, &rate),
            jacobian: Tape::new(&g, &jacobian),
            noise: Tape::new(&g, &noise),
            autonomous,
            surface: surface.map(|r| Tape::new(&g, &r)),
            reset: reset.map(|r| Tape::new(&g, &r)),
            refractory: refractory.map(|r| Tape::new(&g, &r)),
            hold: p.hold.clone(),
            unlike,
        }
    }

    fn values<'a>(&self, t: f64, x: &'a [f64]) -> Values<'a> {
        Values { states: x, time: Some(t * self.per_second), ..Values::default() }
    }

    /// Number of states.
    pub fn dimension(&self) -> usize {
        self.states
    }

    /// f(t, x) into `out`.
    pub fn rate(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.rate.evaluate(&self.values(t, x), out);
    }

    /// The Jacobian, row-major `out[i * n + j] = df_i/dx_j`, from symbolic derivatives.
    pub fn jacobian(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.jacobian.evaluate(&self.values(t, x), out);
    }

    /// The factor of white noise in each state's equation, per root of a second, into `out`; zero where there is none.
    pub fn noise(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.noise.evaluate(&self.values(t, x), out);
    }

    /// Whether the right-hand side does not depend on time by itself.
    pub fn is_autonomous(&self) -> bool {
        self.autonomous
    }

    /// Why a spike that comes δt later is not the same spike δt later, if it is not: what resets, holds or lets go of
    /// the states then is different, and tangent vectors that are changed by the flow around a spike alone are wrong.
    pub fn unlike_later(&self) -> Option<&'static str> {
        self.unlike
    }

    /// The threshold surface h(x): positive once crossed (`V_m > V_th` gives V_m - V_th), and its gradient. None
    /// without threshold, or when the condition is not one comparison.
    pub fn threshold(&self, t: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
        let tape = self.surface.as_ref()?;
        let mut all = vec![0.0; tape.outputs()];
        tape.evaluate(&self.values(t, x), &mut all);
        for (g, v) in gradient.iter_mut().zip(&all[1..]) {
            *g = *v;
        }
        Some(all[0])
    }

    /// The reset map applied to x in place, and its Jacobian (row-major). None without threshold.
    pub fn reset(&self, t: f64, x: &mut [f64], jacobian: &mut [f64]) -> Option<()> {
        let tape = self.reset.as_ref()?;
        let mut all = vec![0.0; tape.outputs()];
        tape.evaluate(&self.values(t, x), &mut all);
        let n = self.states;
        x[..n].copy_from_slice(&all[..n]);
        for (j, v) in jacobian.iter_mut().zip(&all[n..]) {
            *j = *v;
        }
        Some(())
    }

    /// Refractory time in SI and the states held during it.
    pub fn refractory(&self, x: &[f64]) -> Option<(f64, Vec<usize>)> {
        let tape = self.refractory.as_ref()?;
        Some((tape.value(&self.values(0.0, x)) / self.per_second, self.hold.clone()))
    }
}

/// Derivatives of each root by each state, row-major.
pub fn jacobian(g: &mut Graph, roots: &[Id], states: usize) -> Vec<Id> {
    let columns: Vec<Vec<Id>> = (0..states).map(|j| derivatives(g, roots, Symbol::State(j as u32))).collect();
    (0..roots.len()).flat_map(|i| columns.iter().map(move |c| c[i])).collect()
}

impl Dynamics for Flow {
    fn dimension(&self) -> usize {
        self.dimension()
    }
    fn rate(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.rate(t, x, out);
    }
    fn jacobian(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.jacobian(t, x, out);
    }
    fn threshold(&self, t: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
        self.threshold(t, x, gradient)
    }
    fn reset(&self, t: f64, x: &mut [f64], jacobian: &mut [f64]) -> bool {
        self.reset(t, x, jacobian).is_some()
    }
    fn refractory(&self, x: &[f64]) -> Option<(f64, Vec<usize>)> {
        self.refractory(x)
    }
}
