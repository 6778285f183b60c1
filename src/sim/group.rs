//! One population's lanes on one thread, and one step of them.

mod snapshot;

use std::ops::Range;

use smallvec::SmallVec;

use super::axis::Axis;
use super::body::{Blame, Body, ProbeId};
use super::delivery::Ring;
use super::failure::{Broken, Failure};
use super::port::{InputPort, Rows};
use super::recorder::{EpochRecord, Sampler};
use super::stepper::{LaneSpike, all_finite};
use super::stimulus::Events;
use spikedeck_scenario::PopulationId;

/// One population's lanes on one thread.
#[derive(Debug)]
pub(super) struct Group {
    pub population: PopulationId,
    pub first: u32,
    pub lanes: usize,
    pub body: Box<dyn Body>,
    /// First of what spikes: the first unit, but on trees the first watched place.
    pub first_source: u32,
    pub inputs: Vec<InputPort>,
    /// One an event port; `None` if nothing arrives there.
    pub rings: Vec<Option<Ring>>,
    /// Event port, number of the stimulus and what it brings, in the order of the scenario.
    pub events: Vec<(usize, u32, Events)>,
    /// Whether the population has a threshold.
    pub has_threshold: bool,
    /// Index of its spikes in the recording.
    pub recorded: Option<usize>,
    /// Index of its spikes in the outbox, if event projections start here.
    pub emits: Option<usize>,
    /// Samplers of its variables.
    pub samplers: Vec<Sampler>,
    /// Histories that its values are published to.
    pub published: Vec<(usize, ProbeId)>,
    /// Steps between checks for values that are not finite.
    pub check_every: u64,
    /// All lanes, for probes.
    every_lane: Vec<u32>,
    spikes: Vec<LaneSpike>,
    /// Whether samples wait for the beginning of the next step; see [`Group::plan_samples`].
    waits: bool,
    /// States of those that spiked in the last step as they were before their reset, if these are still to be recorded.
    before_reset: Vec<f64>,
    /// Grid points of a stretch of steps that are recorded.
    pub due: Vec<u64>,
    pub scratch: Vec<f64>,
}

impl Group {
    /// The lanes of `population` from unit `first` on, without anything attached. `ports`: of input, of events.
    pub fn new(
        population: PopulationId,
        first: u32,
        body: Box<dyn Body>,
        lanes: usize,
        ports: [usize; 2],
        has_threshold: bool,
    ) -> Self {
        Self {
            population,
            first,
            lanes,
            body,
            first_source: first,
            inputs: (0..ports[0]).map(|_| InputPort::default()).collect(),
            rings: (0..ports[1]).map(|_| None).collect(),
            events: Vec::new(),
            has_threshold,
            recorded: None,
            emits: None,
            samplers: Vec::new(),
            published: Vec::new(),
            check_every: 1,
            every_lane: (0..lanes as u32).collect(),
            spikes: Vec::new(),
            waits: false,
            before_reset: Vec::new(),
            due: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Decides when samples are taken. They wait for the beginning of the next step where there is no threshold (what a
    /// step leaves is what the next begins with), and where something recorded of the population, by whichever thread,
    /// reads what a continuous projection carries, which is known only when all units have come to the grid point.
    pub fn plan_samples(&mut self, reads_what_is_carried: bool) {
        self.waits = !self.has_threshold || reads_what_is_carried;
    }

    /// Exchanges the states of those that spiked in the last step with what they were before their reset, if these are
    /// kept.
    fn exchange_reset(&mut self) {
        if self.before_reset.is_empty() {
            return;
        }
        let mut kept = self.before_reset.iter_mut();
        self.body.each_state(&self.spikes, &mut |value| {
            std::mem::swap(value, kept.next().expect("every state of what spiked is kept"));
        });
    }

    /// Whether no event arrives and nobody asks what it does.
    pub fn is_apart(&self) -> bool {
        let silent = self.events.is_empty() && self.rings.iter().all(Option::is_none);
        silent && self.emits.is_none() && self.published.is_empty()
    }

    /// Whether it is a few units that no threshold touches.
    pub fn is_short(&mut self) -> bool {
        let Some(points) = self.body.few() else { return false };
        // A stimulus that remembers has to be asked in every step, whether or not the equations read its port.
        self.inputs.iter().enumerate().all(|(p, input)| input.levels.is_empty() || points.stepper.reads(p))
    }

    /// Records what is due at grid point `k`.
    pub fn sample(&mut self, k: u64, record: &mut EpochRecord) {
        if self.samplers.iter().any(|t| t.is_due(k)) {
            self.body.look_around(k, &mut self.inputs);
            let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
            for sampler in self.samplers.iter_mut().filter(|t| t.is_due(k)) {
                sampler.sample(
                    k,
                    self.body.as_mut(),
                    &inputs,
                    &mut self.scratch,
                    &mut record.traces[sampler.trace.index()],
                );
            }
        }
    }

    /// Puts the values at grid point `k` where others will read them.
    pub fn publish(&mut self, k: u64, axis: &Axis, histories: &mut [(usize, Vec<f64>)]) {
        if self.published.is_empty() {
            return;
        }
        // Whether or not somebody records the inputs at this grid point.
        self.inputs.iter_mut().for_each(|port| port.refresh(k, axis));
        let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
        for (history, probe) in &self.published {
            let (first, values) = &mut histories[*history];
            *first = self.first as usize;
            values.clear();
            self.body.sample(*probe, k, &inputs, &self.every_lane, values);
        }
    }

    /// Stage `number` of step `k`, if it has one.
    pub fn stage(&mut self, k: u64, number: usize) {
        if number < self.body.stages() {
            let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
            self.body.stage(k, number, &inputs);
        }
    }

    /// Where step `k` leads a state without what is yet to be solved for: its values, then how they answer.
    pub fn foresee(&mut self, k: u64, state: usize, answers: &[f64], to: &mut (usize, Vec<f64>)) {
        let (first, ends) = to;
        *first = self.first as usize;
        ends.clear();
        let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
        let mut answers = answers[*first..*first + self.lanes].to_vec();
        self.body.foresee(k, &inputs, state, ends, &mut answers);
        ends.extend(answers);
    }

    /// Puts what is published at a stage of step `k` where others will read it.
    pub fn publish_stage(&mut self, k: u64, histories: &mut [(usize, Vec<f64>)]) {
        let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
        for (history, probe) in &self.published {
            let (first, values) = &mut histories[*history];
            *first = self.first as usize;
            values.clear();
            self.body.sample(*probe, k, &inputs, &self.every_lane, values);
        }
    }

    /// Brings what drives it to grid point `k`.
    pub fn refresh(&mut self, k: u64, axis: &Axis) {
        for port in &mut self.inputs {
            port.refresh(k, axis);
            if !port.total.is_empty() {
                port.total.copy_from_slice(&port.stimulus);
            }
        }
    }

    /// Records what is recorded when step `k` begins.
    pub fn begin(&mut self, k: u64, record: &mut EpochRecord) {
        if k == 0 || self.waits {
            self.exchange_reset();
            self.sample(k, record);
            self.exchange_reset();
        }
    }

    /// Keeps the times and units of spikes in step `k`.
    pub fn keep(&self, k: u64, spikes: &[LaneSpike], axis: &Axis, record: &mut EpochRecord) {
        if let Some(index) = self.recorded {
            let (times, units) = &mut record.spikes[index];
            times.extend(spikes.iter().map(|s| axis.time(k as f64 + s.fraction)));
            units.extend(spikes.iter().map(|s| self.first_source + s.lane));
        }
    }

    /// Step `k`: integrate, take in what arrives, test the threshold, record, reset; whether all is finite still.
    pub fn step(
        &mut self,
        k: u64,
        axis: &Axis,
        record: &mut EpochRecord,
        emitted: Option<&mut (Vec<u32>, Vec<u32>)>,
        events: &mut u64,
    ) -> Option<Failure> {
        *events += self.stimulate(k, axis);
        // What arrived with delay 0 since the last step acts from this one.
        if self.rings.iter().flatten().any(|r| r.is_pending(k)) {
            let mut arrivals: Vec<&mut [f64]> =
                self.rings.iter_mut().map(|r| r.as_mut().map_or(&mut [][..], |r| r.take(k))).collect();
            self.body.deliver_before(k, &mut arrivals);
        }
        let broken = self.broken_input(k);
        self.spikes.clear();
        self.before_reset.clear();
        self.body.before(k, &mut self.inputs);
        {
            // Pushed one by one: `collect` costs as much as the step of a small population.
            let mut inputs = Rows::new();
            for port in &self.inputs {
                inputs.push(port.row());
            }
            let mut arrivals: SmallVec<[&mut [f64]; 8]> = SmallVec::new();
            for ring in &mut self.rings {
                arrivals.push(ring.as_mut().map_or(&mut [][..], |r| r.take(k + 1)));
            }
            self.body.advance(k, &inputs, &mut arrivals, &mut self.spikes);
        }
        if let Some((units, ends)) = emitted {
            units.extend(self.spikes.iter().map(|s| self.first_source + s.lane));
            ends.push(units.len() as u32);
        }
        if self.has_threshold {
            self.keep(k, &self.spikes, axis, record);
            if self.samplers.iter().any(|t| t.is_due(k + 1)) {
                if self.waits {
                    let Self { body, spikes, before_reset, .. } = self;
                    body.each_state(spikes, &mut |value| before_reset.push(*value));
                } else {
                    self.inputs.iter_mut().for_each(|port| port.refresh(k + 1, axis));
                    self.sample(k + 1, record);
                }
            }
            if !self.spikes.is_empty() {
                self.body.reset(k, &self.spikes);
            }
        }
        let looked_at = (k + 1).is_multiple_of(self.check_every) || self.body.is_alarmed();
        broken.or_else(|| if looked_at { self.broken_state(k + 1) } else { None })
    }

    /// What brings the first value that is not finite to an input port, at grid point `k` or before.
    pub fn broken_input(&self, k: u64) -> Option<Failure> {
        let population = self.population;
        let ports = self.inputs.iter().enumerate();
        let found = ports.filter_map(|(state, port)| {
            if let Some((step, stimulus, lane)) = port.broken {
                let place = Broken::Stimulus { stimulus, population };
                return Some(Failure { step, place, unit: self.first + lane, state });
            }
            if let Some((step, stimulus, lane)) = port.strayed {
                let place = Broken::Range { stimulus, population };
                return Some(Failure { step, place, unit: self.first + lane, state });
            }
            if port.total.is_empty() || all_finite(&port.total) {
                return None;
            }
            let lane = port.total.iter().position(|v| !v.is_finite())?;
            Some(Failure { step: k, place: Broken::Arriving(population), unit: self.first + lane as u32, state })
        });
        let events = self.events.iter().filter_map(|(port, stimulus, events)| {
            let Events::Drawn(source) = events else { return None };
            let (step, unit) = source.broken()?;
            let place = Broken::Events { stimulus: *stimulus, population };
            Some(Failure { step, place, unit, state: *port })
        });
        found.chain(events).min()
    }

    /// The first state that is not finite at grid point `k`, or the expression that made it so.
    pub fn broken_state(&self, k: u64) -> Option<Failure> {
        let (lane, state) = self.body.not_finite()?;
        Some(self.blamed(k, lane, state))
    }

    /// What made `state` of `lane` what it is at grid point `k`.
    pub fn blamed(&self, k: u64, lane: u32, state: usize) -> Failure {
        let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
        let (lane, blame) = self.body.blame(lane, state, k, &inputs);
        let (place, state) = match blame {
            Blame::Unfollowed => (Broken::Unfollowed(self.population), state),
            Blame::Expression(number) => (Broken::Expression(self.population), number),
            Blame::State(state) => (Broken::Population(self.population), state),
        };
        Failure { step: k, place, unit: self.first + lane, state }
    }

    /// Steps of cells, tree by tree, in which nothing is recorded but spikes.
    pub fn step_trees(&mut self, steps: Range<u64>, axis: &Axis, record: &mut EpochRecord) {
        let cells = self.body.cells_apart().expect("only cells are stepped tree by tree");
        for k in steps.clone() {
            self.inputs.iter_mut().for_each(|port| port.refresh(k, axis));
            let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
            cells.forest.note(&inputs);
        }
        self.before_reset.clear();
        let mut fired = Vec::new();
        cells.forest.advance_many(steps, &mut fired);
        for (k, spike) in fired {
            self.keep(k, &[spike], axis, record);
        }
    }

    /// Whether it is cells whose steps are seldom looked at, and which few inputs drive.
    pub fn is_wood(&mut self) -> bool {
        self.check_every > 1 && self.body.cells_apart().is_some()
    }

    /// What stimuli bring during step `k`: to each input port, and, used up with it, to each event port at its end.
    pub fn driven(&mut self, k: u64, axis: &Axis) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        self.stimulate(k, axis);
        self.refresh(k, axis);
        let inputs = self.inputs.iter().map(|port| port.row().to_vec()).collect();
        let taken = |ring: &mut Option<Ring>| {
            let Some(ring) = ring else { return Vec::new() };
            // What stands before the first step is not asked for.
            ring.take(k).fill(0.0);
            let row = ring.take(k + 1);
            let due = row.to_vec();
            row.fill(0.0);
            due
        };
        (inputs, self.rings.iter_mut().map(taken).collect())
    }

    /// Adds the events of stimuli that arrive at the end of step `k`. Listed events at time 0 arrive before step 0.
    fn stimulate(&mut self, k: u64, axis: &Axis) -> u64 {
        let mut count = 0;
        for (port, _, events) in &mut self.events {
            let ring = self.rings[*port].as_mut().expect("there is room at every port at which a stimulus arrives");
            match events {
                Events::Poisson(source) => {
                    if source.is_active(k) {
                        count += if ring.keeps_singles() {
                            source.each(k, |lane, weight| ring.add(k + 1, lane, weight))
                        } else {
                            source.add(k, ring.arriving(k + 1))
                        };
                    }
                }
                Events::Drawn(source) => {
                    if source.is_active(k) {
                        count += if ring.keeps_singles() {
                            source.each(k, axis, &mut |lane, weight, n| {
                                (0..n).for_each(|_| ring.add(k + 1, lane, weight));
                            })
                        } else {
                            let row = ring.arriving(k + 1);
                            source.each(k, axis, &mut |lane, weight, n| row[lane as usize] += weight * n as f64)
                        };
                    }
                }
                Events::Listed { arrivals, next } => {
                    while let Some(&(at, lane, weight)) = arrivals.get(*next).filter(|a| a.0 <= k + 1) {
                        ring.add(at, lane, weight);
                        *next += 1;
                        count += 1;
                    }
                }
            }
        }
        count
    }
}
