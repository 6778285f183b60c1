//! Poisson events of which units share some: events of one train, each of which a unit has or has not, later by a time
//! of its own, beside events that it has by itself.
//!
//! Every thread draws the shared train anew, keyed by the step alone; what becomes of an event at a unit is keyed by
//! unit and step.

use std::collections::HashMap;

use super::poisson::Inverse;
use super::{Source, Tell};
use crate::axis::Axis;
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::UnitValues;
use crate::values::at;
use spikedeck_core::rng::{Key, unit_interval};
use spikedeck_scenario::Window;

/// Stands for the shared train where units are numbered: no population has so many.
const TRAIN: u32 = u32::MAX;

/// Marks the blocks of a unit's own events: the train never has so many in a step.
const OWN: u32 = 1 << 31;

/// Shared events of some lanes.
#[derive(Debug)]
pub(crate) struct Shared {
    key: Key,
    /// Unit of the first lane.
    first: u32,
    /// Targeted lanes.
    lanes: Vec<u32>,
    weight: UnitValues,
    /// Number of events of the shared train in a step, and of those of a unit alone.
    train: Inverse,
    own: Option<Inverse>,
    /// Probability that a unit has an event.
    kept: f64,
    /// Longest delay, in steps.
    jitter: f64,
    /// Targeted lanes (by their number) of the events of the steps to come, as a ring.
    due: Vec<Vec<u32>>,
    /// Step of the shared train that is drawn next; the train begins so long before the units' events that these are as
    /// many from their first step on.
    next: u64,
    lead: u64,
    window: Window,
}

/// Mean numbers in a step, and what becomes of a shared event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    /// Events of the shared train in a step.
    pub train: f64,
    /// Events of a unit alone in a step.
    pub own: f64,
    /// Probability that a unit has an event of the train.
    pub kept: f64,
    /// Longest delay, in steps.
    pub jitter: f64,
}

impl Shared {
    /// Events of the targeted `lanes` among those from unit `first` on, in `window`.
    pub fn new(key: Key, (first, lanes): (u32, Vec<u32>), share: Share, weight: UnitValues, window: Window) -> Self {
        let Share { train, own, kept, jitter } = share;
        let lead = jitter.ceil() as u64;
        Self {
            key,
            first,
            lanes,
            weight,
            train: Inverse::new(train),
            own: (own > 0.0).then(|| Inverse::new(own)),
            kept,
            jitter,
            due: vec![Vec::new(); lead as usize + 2],
            next: window.first(),
            lead,
            window,
        }
    }

    /// Draws the shared train of the step that is `lead` steps before step `step` of this counting, and puts its events
    /// where they are due, if that is in the window.
    fn draw(&mut self, step: u64) {
        let events = self.train.count(self.key.block(TRAIN, step, 0)[0]);
        for event in 1..=events {
            let [a, b, ..] = self.key.block(TRAIN, step, event);
            let moment = unit_interval(a, b);
            for (j, lane) in (0..).zip(&self.lanes) {
                let [a, b, c, d] = self.key.block(self.first + lane, step, event);
                if unit_interval(a, b) < self.kept {
                    let later = unit_interval(c, d).mul_add(self.jitter, moment);
                    let due = step + later as u64;
                    if due >= self.lead && self.window.holds(due - self.lead, later.fract()) {
                        let slots = self.due.len() as u64;
                        self.due[(due % slots) as usize].push(j);
                    }
                }
            }
        }
    }
}

impl Snapshot for Shared {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            key: _,
            first: _,
            lanes,
            weight: _,
            train: _,
            own: _,
            kept: _,
            jitter: _,
            due,
            next,
            lead: _,
            window: _,
        } = self;
        pass.number("next step of the train", next);
        // The slot of each event that is due at a lane; lanes that are there several times have all of them in turn.
        let mut events: Vec<(u32, u64)> = Vec::new();
        let mut numbers: Vec<(u32, u64)> = Vec::new();
        let (mut seen, mut numbered) = (HashMap::<u32, u64>::new(), HashMap::new());
        let mut times = Vec::with_capacity(lanes.len());
        for (j, lane) in (0..).zip(&*lanes) {
            let number = seen.entry(*lane).or_default();
            numbered.insert((*lane, *number), j);
            times.push(*number);
            *number += 1;
        }
        for (slot, list) in due.iter().enumerate() {
            for j in list {
                events.push((lanes[*j as usize], slot as u64));
                numbers.push((lanes[*j as usize], times[*j as usize]));
            }
        }
        pass.lists("due", &mut events);
        pass.lists("due at", &mut numbers);
        if !pass.saves() {
            due.iter_mut().for_each(Vec::clear);
            for ((lane, slot), (_, number)) in events.into_iter().zip(numbers) {
                match (numbered.get(&(lane, number)), due.get_mut(slot as usize)) {
                    (Some(j), Some(list)) => list.push(*j),
                    _ => pass.refuse("the state of another network: a shared train is of other units"),
                }
            }
        }
    }
}

impl Source for Shared {
    fn is_active(&self, k: u64) -> bool {
        self.window.share(k) > 0.0
    }

    fn each(&mut self, k: u64, _: &Axis, tell: Tell<'_>) -> u64 {
        // Steps of the train are counted so that its step s is step s - lead of the run.
        while self.next <= k + self.lead {
            self.draw(self.next);
            self.next += 1;
        }
        let slot = ((k + self.lead) % self.due.len() as u64) as usize;
        let mut due = std::mem::take(&mut self.due[slot]);
        let mut events = due.len() as u64;
        for &j in &due {
            tell(self.lanes[j as usize], at(&self.weight, j as usize), 1);
        }
        due.clear();
        self.due[slot] = due;
        let share = self.window.share(k);
        if let Some(own) = &self.own {
            for (j, &lane) in self.lanes.iter().enumerate() {
                let unit = self.first + lane;
                let mut count = own.count(self.key.block(unit, k + self.lead, 0)[0]);
                if share < 1.0 {
                    // Of a step that is inside in part each event counts with the chance of that part: Poisson again.
                    let chance = |event: u32| {
                        let [.., a, b] = self.key.block(unit, k + self.lead, OWN | event);
                        unit_interval(a, b)
                    };
                    count = (0..count).filter(|event| chance(*event) < share).count() as u32;
                }
                if count > 0 {
                    tell(lane, at(&self.weight, j), u64::from(count));
                    events += u64::from(count);
                }
            }
        }
        events
    }
}
