//! What ISI-distance, SPIKE-distance and SPIKE-synchronization share: the adaptive threshold, and the mean over pairs
//! along time.

use crate::prelude::*;
use crate::train_pairs::Compared;
use spikedeck_core::number::shown;
use spikedeck_core::spike_distance::{Edges, adaptive_threshold};
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape};

options! {
    /// Which short intervals are looked past.
    pub struct Adaptive {
        adaptive: bool = flag(false),
            "whether intervals shorter than the root mean square interval of all trains are taken as that long, so \
             that spikes inside bursts are not told apart as those between them are";
        threshold: Option<Time> = time_if_given(), "the same with this interval in place of the root mean square";
    }
}

options! {
    /// What they can be told.
    pub struct Options {
        adaptive: Adaptive = shared();
        profile_bins: usize = integer("500").between(1.0, 100_000.0), "bins of the profile over time";
    }
}

impl Adaptive {
    /// The threshold of some trains; 0 for none.
    pub fn of(&self, c: &Compared) -> f64 {
        match self.threshold {
            Some(time) => time.axis,
            None if self.adaptive => adaptive_threshold(c.trains.iter().map(Vec::as_slice), c.edges),
            None => 0.0,
        }
    }
}

/// A threshold in words.
pub fn told(threshold: f64, unit: &str) -> Option<String> {
    (threshold > 0.0).then(|| format!("threshold {} {unit}", shown(threshold)))
}

/// Weighted sums in bins over the window.
pub struct Profile {
    edges: Edges,
    sums: Vec<f64>,
    weights: Vec<f64>,
}

impl Profile {
    /// Nothing yet.
    pub fn new(edges: Edges, bins: usize) -> Self {
        Self { edges, sums: vec![0.0; bins], weights: vec![0.0; bins] }
    }

    fn width(&self) -> f64 {
        (self.edges.stop - self.edges.start) / self.sums.len() as f64
    }

    /// A stretch of time in which the value is linear.
    pub fn add(&mut self, from: f64, to: f64, value: impl Fn(f64) -> f64) {
        let (width, last) = (self.width(), self.sums.len() - 1);
        let place = |t: f64| (((t - self.edges.start) / width).max(0.0) as usize).min(last);
        let (first, end) = (place(from), place(to));
        for bin in first..=end {
            let start = if bin == first { from } else { self.edges.start + bin as f64 * width };
            let stop = if bin == end { to } else { self.edges.start + (bin + 1) as f64 * width };
            if stop > start {
                self.sums[bin] += value(0.5 * (start + stop)) * (stop - start);
                self.weights[bin] += stop - start;
            }
        }
    }

    /// A value at one time, which counts once.
    pub fn add_at(&mut self, time: f64, value: f64) {
        let bin = (((time - self.edges.start) / self.width()).max(0.0) as usize).min(self.sums.len() - 1);
        self.sums[bin] += value;
        self.weights[bin] += 1.0;
    }

    /// The curve over time.
    pub fn draw(&self, f: &mut Findings<'_>, subject: &str, label: &str, chance: Option<f64>) {
        let width = self.width();
        let x = (1..=self.sums.len()).map(|k| self.edges.start + k as f64 * width).collect();
        let y = self.sums.iter().zip(&self.weights).map(|(s, w)| s / w).collect();
        let reference = |at| ReferenceLine { name: "Poisson trains of equal rate".into(), at, vertical: false };
        let series = Series {
            x: Axis::time(f.base),
            y: Axis::new(label, ""),
            curves: vec![Curve { name: subject.to_owned(), x, y, band: None, style: CurveStyle::Steps }],
            references: chance.map(reference).into_iter().collect(),
        };
        f.shape(format!("profile of {subject}"), Shape::Series(series));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isi_distance::IsiDistance;
    use crate::spike_distance::SpikeDistance;
    use crate::spike_synchronization::SpikeSynchronization;
    use crate::synchrony::Synchrony;
    use crate::testing::{gamma, metric, poisson, recording, run, same_values, shifted, value};
    use crate::{Analysis, Outcome};
    use spikedeck_scenario::OptionValue;

    const ALL: [(&dyn Analysis, &str, &str); 3] = [
        (&IsiDistance, "isi_distance", "isi_distance"),
        (&SpikeDistance, "spike_distance", "spike_distance"),
        (&SpikeSynchronization, "spike_synchronization", "spike_sync"),
    ];

    fn none() -> [(&'static str, OptionValue); 1] {
        [("surrogates", OptionValue::Integer(0))]
    }

    fn profile(o: &Outcome) -> &Series {
        let found = o.shapes.iter().find_map(|s| if let Shape::Series(s) = &s.shape { Some(s) } else { None });
        found.unwrap()
    }

    /// Asked alone they say what `synchrony` says of them together, and their profile has it as its mean over time.
    #[test]
    fn alone_as_together_and_over_time() {
        for n in [2, 4, 9] {
            let trains: Vec<Vec<f64>> =
                (0..n).map(|u| gamma(3, u, 1 + u % 3, 20.0 + 10.0 * f64::from(u), 4096.0)).collect();
            let r = recording(&trains, 4096.0);
            let together = run(&Synchrony, &r, vec![], &[]).unwrap();
            for (analysis, name, there) in ALL {
                let o = run(analysis, &r, vec![], &none()).unwrap();
                let (alone, all) = (metric(&o, "p.spikes", name), metric(&together, "p.spikes", there));
                assert!((alone.value.unwrap() - all.value.unwrap()).abs() < 1e-12, "{name}");
                assert_eq!(alone.chance, all.chance);
                if n >= 4 {
                    let (a, b) = (alone.ends().unwrap(), all.ends().unwrap());
                    assert!((a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12, "{name} {a:?} {b:?}");
                } else {
                    assert!(alone.ends().is_some(), "{name}: a pair has its interval over time");
                }
                let y = &profile(&o).curves[0].y;
                assert_eq!(y.len(), 500);
                if name != "spike_synchronization" {
                    let mean = y.iter().sum::<f64>() / 500.0;
                    assert!((mean - alone.value.unwrap()).abs() < 1e-9, "{name} {mean}");
                }
            }
        }
    }

    /// A profile in one bin is the value, whatever the trains; of spikes as well.
    #[test]
    fn one_bin_holds_all() {
        let trains: Vec<Vec<f64>> = vec![vec![], vec![500.0], poisson(8, 2, 30.0, 1000.0), poisson(8, 3, 3.0, 1000.0)];
        for (analysis, name, _) in ALL {
            for adaptive in [false, true] {
                let mut options = none().to_vec();
                options.push(("profile_bins", OptionValue::Integer(1)));
                options.push(("adaptive", OptionValue::Flag(adaptive)));
                let o = run(analysis, &recording(&trains, 1000.0), vec![], &options).unwrap();
                let y = profile(&o).curves[0].y[0];
                assert!((y - value(&o, "p.spikes", name)).abs() < 1e-12, "{name} {y}");
            }
        }
    }

    #[test]
    fn the_adaptive_threshold_looks_past_bursts() {
        // Bursts at the same times whose spikes inside differ; for coincidences, pairs of spikes near single ones.
        let burst = |offsets: &[f64]| -> Vec<f64> {
            (1..20).flat_map(|k| offsets.iter().map(move |o| f64::from(k) * 500.0 + o)).collect()
        };
        let inside = [burst(&[0.0, 3.0, 9.0]), burst(&[1.0, 8.0, 10.0]), burst(&[2.0, 4.0, 5.0])];
        let near = [burst(&[0.0, 4.0]), burst(&[6.0]), burst(&[9.0, 12.0])];
        for (analysis, name, _) in ALL {
            let r = recording(if name == "spike_synchronization" { &near } else { &inside }, 10_000.0);
            let plain = value(&run(analysis, &r, vec![], &none()).unwrap(), "p.spikes", name);
            let mut options = none().to_vec();
            options.push(("adaptive", OptionValue::Flag(true)));
            let o = run(analysis, &r, vec![], &options).unwrap();
            let adaptive = value(&o, "p.spikes", name);
            let nearer = if name == "spike_synchronization" { adaptive > plain } else { adaptive < plain };
            assert!(nearer, "{name} {plain} {adaptive}");
            assert!(
                metric(&o, "p.spikes", name).chance.is_none() && o.summary.contains("(threshold "),
                "{}",
                o.summary
            );
            options[1] = ("threshold", OptionValue::Number(1e-9));
            let o = run(analysis, &r, vec![], &options).unwrap();
            assert!((value(&o, "p.spikes", name) - plain).abs() < 1e-12, "{name}");
        }
    }

    /// Copies are nearer than surrogates, and independent trains are not.
    #[test]
    fn surrogates_tell_copies_from_strangers() {
        let first = gamma(9, 0, 3, 20.0, 20_000.0);
        let copy: Vec<f64> = first.iter().map(|t| t + 1.0).collect();
        let strangers: Vec<Vec<f64>> = (0..4).map(|u| gamma(10, u, 3, 20.0, 20_010.0)).collect();
        for (analysis, name, _) in ALL {
            let o = run(analysis, &recording(&[first.clone(), copy.clone()], 20_010.0), vec![], &[]).unwrap();
            // A shift of both by nearly the same is rare, and no surprise.
            assert!(metric(&o, "p.spikes", name).p_value.unwrap() <= 0.02, "{name}");
            let o = run(analysis, &recording(&strangers, 20_010.0), vec![], &[]).unwrap();
            assert!(metric(&o, "p.spikes", name).p_value.unwrap() > 0.005, "{name}");
            assert!(value(&o, "p.spikes", "significant_pairs") <= 1.0, "{name}");
        }
    }

    #[test]
    fn blind_to_absolute_time_and_silence_is_missing() {
        let trains: Vec<Vec<f64>> = (0..4).map(|u| poisson(11, u, 15.0, 8192.0)).collect();
        let r = recording(&trains, 8192.0);
        for (analysis, name, _) in ALL {
            let o = run(analysis, &r, vec![], &none()).unwrap();
            same_values(&o, &run(analysis, &shifted(&r, 65536.0), vec![], &none()).unwrap(), 1e-8);
            let o = run(analysis, &recording(&[vec![], vec![]], 100.0), vec![], &[]).unwrap();
            assert!(metric(&o, "p.spikes", name).value.is_none());
            let e = run(analysis, &recording(&[vec![1.0]], 100.0), vec![], &[]).unwrap_err().to_string();
            assert!(e.contains("at least two units"), "{e}");
        }
    }
}
