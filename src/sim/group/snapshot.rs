//! The state of a population's lanes between two steps.

use super::Group;
use crate::delivery::Ring;
use crate::snapshot::{Pass, Snapshot};

/// The first place of what arrives at a ring: units, but on trees the compartments that carry a receptor.
fn first_of(ring: &Ring, first: u32, lanes: usize) -> u64 {
    u64::from(first) * ring.lanes() as u64 / lanes.max(1) as u64
}

impl Snapshot for Group {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let sources = self.body.sources(self.lanes);
        let Self {
            population: _,
            first,
            lanes,
            body,
            first_source,
            inputs,
            rings,
            events,
            has_threshold: _,
            recorded: _,
            emits: _,
            samplers: _,
            published: _,
            check_every: _,
            every_lane: _,
            spikes,
            waits: _,
            before_reset,
            due: _,
            scratch: _,
        } = self;
        pass.along(u64::from(*first), *lanes, |pass| {
            body.visit(pass);
            for port in inputs.iter_mut() {
                port.visit(pass);
            }
        });
        for (port, ring) in rings.iter_mut().enumerate() {
            let Some(ring) = ring else { continue };
            pass.along(first_of(ring, *first, *lanes), ring.lanes(), |pass| {
                pass.inside(&format!("port {port}"), |pass| ring.visit(pass));
            });
        }
        for (port, stimulus, events) in events {
            let ring = rings[*port].as_ref().expect("there is room at every port at which a stimulus arrives");
            pass.along(first_of(ring, *first, *lanes), ring.lanes(), |pass| {
                pass.inside(&format!("stimulus {stimulus}"), |pass| events.visit(pass));
            });
        }
        // Who spiked in the last step is known only as long as it is yet to be recorded.
        let (mut spiked, mut states) = (Vec::new(), Vec::new());
        if !before_reset.is_empty() {
            let mut kept = before_reset.iter();
            for spike in spikes.iter() {
                spiked.push((spike.lane, spike.fraction));
                body.each_state(std::slice::from_ref(spike), &mut |_| {
                    states.push((spike.lane, *kept.next().expect("every state of what spiked is kept")));
                });
            }
        }
        pass.along(u64::from(*first_source), sources, |pass| {
            pass.lists("spiked", &mut spiked);
            pass.lists("before reset", &mut states);
        });
        if !pass.saves() {
            *spikes = spiked.into_iter().map(|(lane, fraction)| super::LaneSpike { lane, fraction }).collect();
            *before_reset = states.into_iter().map(|(_, value)| value).collect();
        }
    }
}
