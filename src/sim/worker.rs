//! One thread's share of a network: its lanes of every population, the connections into them, and one step of them.

use smallvec::SmallVec;

use super::axis::Axis;
use super::body::{Body, BodyProbe};
use super::coupling::History;
use super::delivery::Ring;
use super::grid::Space;
use super::inputs::{Broken, ContinuousInput, EventInput, Failure, Finals, LearningInput, PlasticInput, gather};
use super::port::{InputPort, Rows};
use super::recorder::{Take, Tap};
use super::stepper::{LaneSpike, Stepper, all_finite};
use super::stimulus::Events;

/// One population's lanes on one thread.
#[derive(Debug)]
pub(super) struct Group {
    pub population: usize,
    pub first: u32,
    pub lanes: usize,
    pub body: Body,
    /// First of what spikes: the first unit, but on trees the first watched place.
    pub first_source: u32,
    pub inputs: Vec<InputPort>,
    /// One an event port; `None` if nothing arrives there.
    pub rings: Vec<Option<Ring>>,
    /// Event port and stimulus, in the order of the scenario.
    pub events: Vec<(usize, Events)>,
    /// Whether the population has a threshold.
    pub has_threshold: bool,
    /// Index of its spikes in the recording.
    pub recorded: Option<usize>,
    /// Index of its spikes in the outbox, if event projections start here.
    pub emits: Option<usize>,
    /// Taps and their index in the take.
    pub taps: Vec<Tap>,
    /// Histories that its values are published to.
    pub published: Vec<(usize, BodyProbe)>,
    /// Steps between checks for values that are not finite.
    pub check_every: u64,
    /// Operators of space and diffusion, on a grid; and what the operators are worth, one row a port.
    space: Option<(Space, Vec<Vec<f64>>)>,
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
    pub fn new(population: usize, first: u32, body: Body, lanes: usize, ports: [usize; 2], has_threshold: bool) -> Self {
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
            taps: Vec::new(),
            published: Vec::new(),
            check_every: 1,
            space: None,
            every_lane: (0..lanes as u32).collect(),
            spikes: Vec::new(),
            waits: false,
            before_reset: Vec::new(),
            due: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Decides when samples are taken. They wait for the beginning of the next step where there is no threshold (what a step leaves
    /// is what the next begins with), and where something recorded of the population, by whichever thread, reads what a
    /// continuous projection carries, which is known only when all units have come to the grid point.
    pub fn plan_samples(&mut self, reads_what_is_carried: bool) {
        self.waits = !self.has_threshold || reads_what_is_carried;
    }

    /// Exchanges the states of those that spiked in the last step with what they were before their reset, if these are kept.
    fn exchange_reset(&mut self) {
        if self.before_reset.is_empty() {
            return;
        }
        let mut kept = self.before_reset.iter_mut();
        self.body.each_state(&self.spikes, &mut |value| {
            if let Some(other) = kept.next() {
                std::mem::swap(value, other);
            }
        });
    }

    /// Puts the lanes, which are all cells of a grid, into space.
    pub fn set_space(&mut self, space: Space) {
        self.space = Some((space, vec![Vec::new(); self.inputs.len()]));
    }

    /// Whether it is a few units that nobody else, no event and no threshold touches.
    pub fn is_apart(&self) -> bool {
        // A stimulus that remembers has to be asked in every step, whether or not the equations read its port.
        let asked = |stepper: &Stepper| (0..self.inputs.len()).all(|p| self.inputs[p].levels.is_empty() || stepper.reads(p));
        let points = matches!(&self.body, Body::Points(stepper) if stepper.is_short() && asked(stepper));
        let silent = self.events.is_empty() && self.rings.iter().all(Option::is_none);
        points && silent && self.space.is_none() && self.emits.is_none() && self.published.is_empty()
    }

    /// Computes all operators of space from the states at step `k`, for who records them.
    fn look_around(&mut self, k: u64) {
        if let (Some((space, rows)), Body::Points(stepper)) = (&mut self.space, &self.body) {
            exchange_inputs(&mut self.inputs, rows);
            space.operators(k, stepper, rows, true);
            exchange_inputs(&mut self.inputs, rows);
        }
    }

    /// The first lane and state that is not finite.
    fn not_finite(&self) -> Option<(u32, usize)> {
        match &self.body {
            Body::Points(stepper) => stepper.not_finite(),
            Body::Tree(tree) if tree.voltages().all(all_finite) => None,
            Body::Tree(tree) => tree.not_finite(),
        }
    }

    /// Records what is due at grid point `k`.
    pub fn sample(&mut self, k: u64, take: &mut Take) {
        if self.taps.iter().any(|t| t.is_due(k)) {
            self.look_around(k);
            let inputs: Rows<'_> = self.inputs.iter().map(InputPort::row).collect();
            for tap in self.taps.iter_mut().filter(|t| t.is_due(k)) {
                tap.sample(k, &mut self.body, &inputs, &mut self.scratch, &mut take.traces[tap.trace]);
            }
        }
    }

    /// Adds the events of stimuli that arrive at the end of step `k`. Listed events at time 0 arrive before step 0.
    fn stimulate(&mut self, k: u64) -> u64 {
        let mut count = 0;
        for (port, events) in &mut self.events {
            let Some(ring) = self.rings[*port].as_mut() else { continue };
            match events {
                Events::Poisson(source) => {
                    if source.is_active(k) {
                        count += source.add(k, ring.arriving(k + 1));
                    }
                }
                Events::Listed { arrivals, next } => {
                    while let Some(&(at, lane, weight)) = arrivals.get(*next).filter(|a| a.0 <= k + 1) {
                        ring.arriving(at)[lane as usize] += weight;
                        *next += 1;
                        count += 1;
                    }
                }
            }
        }
        count
    }
}

/// Lends the rows of ports to the operators of space, or takes them back: other ports as their arguments read them.
fn exchange_inputs(inputs: &mut [InputPort], rows: &mut [Vec<f64>]) {
    for (port, row) in inputs.iter_mut().zip(rows.iter_mut()) {
        std::mem::swap(if port.total.is_empty() { &mut port.stimulus } else { &mut port.total }, row);
    }
}

/// What a thread tells the others at the end of an interval.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// For each population that emits: units that spiked, step by step, and where each step ends.
    pub spikes: Vec<(Vec<u32>, Vec<u32>)>,
    /// For each history: the values of this thread's lanes, and the first unit.
    pub values: Vec<(usize, Vec<f64>)>,
}

/// One thread's share of a network.
#[derive(Debug)]
pub(super) struct Worker {
    pub axis: Axis,
    pub groups: Vec<Group>,
    /// In the order of the scenario.
    pub event_inputs: Vec<EventInput>,
    /// In the order of the scenario.
    pub continuous_inputs: Vec<ContinuousInput>,
    pub histories: Vec<History>,
    pub take: Take,
    /// What the current interval emitted.
    pub outbox: Outbox,
    pub events: u64,
    /// Number of populations that emit.
    pub emitters: usize,
    pub failure: Option<Failure>,
    spiking: Vec<u32>,
    targets: Vec<u32>,
}

impl Worker {
    /// An empty share with room for `emitters` populations that emit, and the histories given.
    pub fn new(axis: Axis, emitters: usize, histories: Vec<History>, take: Take) -> Self {
        let outbox = Outbox { spikes: vec![(Vec::new(), Vec::new()); emitters], values: vec![(0, Vec::new()); histories.len()] };
        Self {
            axis,
            groups: Vec::new(),
            event_inputs: Vec::new(),
            continuous_inputs: Vec::new(),
            histories,
            take,
            outbox,
            events: 0,
            emitters,
            failure: None,
            spiking: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Inputs of step `k`, and what is recorded at its beginning: the initial state, and every sample that waited for it, of
    /// states as they were before their reset.
    pub fn begin(&mut self, k: u64) {
        for group in &mut self.groups {
            for port in &mut group.inputs {
                port.refresh(k, &self.axis);
                if !port.total.is_empty() {
                    port.total.copy_from_slice(&port.stimulus);
                }
            }
        }
        let t = self.axis.seconds(k);
        for input in &mut self.continuous_inputs {
            input.coupling.add(k, t, &self.histories, &mut self.groups[input.to].inputs[input.port].total);
            if let Some(LearningInput { taps, .. }) = &input.plastic {
                for tap in taps.iter().filter(|t| k.is_multiple_of(t.every)) {
                    let values = tap.places.iter().map(|p| input.coupling.look(&tap.variable, p.connection as usize, k) / tap.scale);
                    self.take.traces[tap.trace].extend(values);
                }
            }
        }
        if k == 0 {
            self.event_inputs.iter_mut().for_each(|input| input.sample(0, &mut self.take));
        }
        for group in &mut self.groups {
            if k == 0 || group.waits {
                group.exchange_reset();
                group.sample(k, &mut self.take);
                group.exchange_reset();
            }
        }
    }

    /// Step `k`: integrate, deliver what is due at its end, test the threshold, record, reset.
    pub fn step(&mut self, k: u64) {
        self.begin(k);
        let t = self.axis.seconds(k);
        for input in &mut self.continuous_inputs {
            let Some(learning) = &input.plastic else { continue };
            input.coupling.learn(k, t, &self.histories);
            if let Some((source, lane, state)) = input.coupling.failed() {
                let place = Broken::Connection { projection: learning.projection, source };
                let found = Failure { step: k + 1, place, unit: self.groups[input.to].first + lane, state };
                Failure::note(&mut self.failure, Some(found));
            }
        }
        for group in &mut self.groups {
            self.events += group.stimulate(k);
            // What arrived with delay 0 since the last step acts from this one.
            if group.rings.iter().flatten().any(|r| r.is_pending(k)) {
                let mut arrivals: Vec<&mut [f64]> = group.rings.iter_mut().map(|r| r.as_mut().map_or(&mut [][..], |r| r.take(k))).collect();
                group.body.deliver_before(k, &mut arrivals);
            }
            group.spikes.clear();
            group.before_reset.clear();
            if let (Some((space, rows)), Body::Points(stepper)) = (&mut group.space, &mut group.body) {
                exchange_inputs(&mut group.inputs, rows);
                space.before(k, stepper, rows);
                exchange_inputs(&mut group.inputs, rows);
            }
            {
                // Pushed one by one: `collect` costs as much as the step of a small population.
                let mut inputs = Rows::new();
                for port in &group.inputs {
                    inputs.push(port.row());
                }
                let mut arrivals: SmallVec<[&mut [f64]; 8]> = SmallVec::new();
                for ring in &mut group.rings {
                    arrivals.push(ring.as_mut().map_or(&mut [][..], |r| r.take(k + 1)));
                }
                group.body.advance(k, &inputs, &mut arrivals, &mut group.spikes);
            }
            if let (Some((space, _)), Body::Points(stepper)) = (&mut group.space, &mut group.body) {
                space.after(stepper);
            }
            if let Some(index) = group.emits {
                let (units, ends) = &mut self.outbox.spikes[index];
                units.extend(group.spikes.iter().map(|s| group.first_source + s.lane));
                ends.push(units.len() as u32);
            }
            if group.has_threshold {
                if let Some(index) = group.recorded {
                    let (times, units) = &mut self.take.spikes[index];
                    times.extend(group.spikes.iter().map(|s| self.axis.time(k as f64 + s.fraction)));
                    units.extend(group.spikes.iter().map(|s| group.first_source + s.lane));
                }
                if group.taps.iter().any(|t| t.is_due(k + 1)) {
                    if group.waits {
                        let Group { body, spikes, before_reset, .. } = group;
                        body.each_state(spikes, &mut |value| before_reset.push(*value));
                    } else {
                        group.inputs.iter_mut().for_each(|port| port.refresh(k + 1, &self.axis));
                        group.sample(k + 1, &mut self.take);
                    }
                }
                if !group.spikes.is_empty() {
                    group.body.reset(k, &group.spikes);
                }
            }
            if self.failure.is_none()
                && (k + 1).is_multiple_of(group.check_every)
                && let Some((lane, state)) = group.not_finite()
            {
                self.failure = Some(Failure { step: k + 1, place: Broken::Population(group.population), unit: group.first + lane, state });
            }
        }
    }

    /// Puts the values at the current grid point into the outbox.
    pub fn publish(&mut self, k: u64) {
        for group in &mut self.groups {
            if group.published.is_empty() {
                continue;
            }
            // Whether or not somebody records the inputs at this grid point.
            group.inputs.iter_mut().for_each(|port| port.refresh(k, &self.axis));
            let inputs: Rows<'_> = group.inputs.iter().map(InputPort::row).collect();
            for (history, probe) in &mut group.published {
                let (first, values) = &mut self.outbox.values[*history];
                *first = group.first as usize;
                values.clear();
                group.body.sample(probe, k, &inputs, &group.every_lane, values);
            }
        }
    }

    /// Lets all connections that change see everything up to grid point `done`, and notices those that this makes infinite; the
    /// weights of those that are to be written.
    pub fn finish(&mut self, done: u64) -> Finals {
        let mut all = Vec::new();
        for input in &mut self.event_inputs {
            let first = input.first;
            if let Some(p) = &mut input.plastic {
                p.plastic.finish(done, &mut input.table);
            }
            Failure::note(&mut self.failure, input.failure());
            let Some(p) = input.plastic.as_ref().filter(|p| p.written) else { continue };
            all.push((p.projection, input.table.connections().map(|(s, lane, w, _)| (s, lane + first, w)).collect()));
        }
        for input in &self.continuous_inputs {
            let Some(p) = input.plastic.as_ref().filter(|p| p.written) else { continue };
            let first = self.groups[input.to].first;
            all.push((p.projection, input.coupling.connections().into_iter().map(|(s, lane, w, _)| (s, lane + first, w)).collect()));
        }
        all
    }

    /// Takes in what all threads sent for the interval of `steps` steps from `start`: values into histories, spikes to
    /// their targets, in the order of step, projection, source.
    pub fn collect(&mut self, start: u64, steps: u64, outboxes: &[&Outbox]) {
        let now = start + steps;
        for outbox in outboxes {
            for (history, (first, values)) in self.histories.iter_mut().zip(&outbox.values) {
                history.row_mut(now)[*first..*first + values.len()].copy_from_slice(values);
            }
        }
        let sampled = self.event_inputs.iter().any(|i| i.plastic.as_ref().is_some_and(|p| !p.taps.is_empty()));
        if !sampled && outboxes.iter().all(|o| o.spikes.iter().all(|s| s.0.is_empty())) {
            return;
        }
        for step in 0..steps as usize {
            let at = start + step as u64 + 1;
            for input in &mut self.event_inputs {
                gather(outboxes, input.from, step, &mut self.spiking);
                let group = &mut self.groups[input.to];
                let ring = group.rings[input.port].as_mut();
                if let Some(PlasticInput { plastic, to, heard, .. }) = &mut input.plastic {
                    gather(outboxes, *to, step, &mut self.targets);
                    heard.lanes(&mut self.targets);
                    self.events += plastic.step(at, &self.spiking, &self.targets, &mut input.table, ring);
                    input.sample(at, &mut self.take);
                    Failure::note(&mut self.failure, input.failure());
                } else if let Some(ring) = ring {
                    self.events += input.table.deliver(&self.spiking, at, ring);
                }
            }
        }
    }
}
