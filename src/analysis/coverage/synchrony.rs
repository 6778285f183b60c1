//! Synchrony of many units.

use super::processes::{ar1, normals, units};
use super::spikes::angle;
use super::{Case, Looked, analyse};
use crate::testing::{subject, traces};
use spikedeck_scenario::OptionValue;
use std::f64::consts::TAU;

fn trains(kind: u32, count: u32, rate: f64, stop: f64) -> impl Fn(u64) -> crate::Outcome {
    move |s| {
        let r = units(s, count, kind, rate, stop);
        analyse("synchrony", s, &r, None, Looked::of(vec![subject("spikes", &[])]), &[])
    }
}

fn states(seed: u64, columns: &[Vec<f64>], phase: bool) -> crate::Outcome {
    let of = Looked::of(vec![subject("V_m", &[])]);
    analyse("synchrony", seed, &traces(columns, 1.0), None, of, &[("phase", OptionValue::Flag(phase))])
}

pub fn cases() -> Vec<Case> {
    // chi of N signals that share the part a of their variance: a + (1 - a)/N.
    let chi2 = |a: f64, n: f64| a + (1.0 - a) / n;
    vec![
        Case::new("12 Poisson units, 20 Hz, 10 s", trains(1, 12, 20.0, 10_000.0))
            .times(400, 100)
            .holds("isi_distance", 0.5)
            .holds("spike_distance", 0.2956)
            .holds("spike_sync", 0.25)
            .holds("coincidence", 1.0 - (-0.08f64).exp())
            .holds_its_average("coincidence_lag")
            .holds_its_average("order_mean")
            .holds_its_average("order_sd")
            .null("order_mean"),
        Case::new("30 gamma(4) units, 20 Hz, 5 s", trains(4, 30, 20.0, 5000.0))
            .times(200, 0)
            .holds_its_average("isi_distance")
            .holds_its_average("spike_distance")
            .holds_its_average("spike_sync")
            .holds_its_average("coincidence")
            .holds_its_average("coincidence_lag")
            .holds_its_average("order_mean")
            .holds_its_average("order_sd")
            .null("order_mean"),
        Case::new("20 signals AR(1) 0.8, independent, 2000 samples", |s| {
            states(s, &(0..20).map(|u| ar1(s, u, 0.8, 2000)).collect::<Vec<_>>(), false)
        })
        .times(400, 0)
        .holds("chi", chi2(0.0, 20.0).sqrt())
        .holds("chi2", chi2(0.0, 20.0))
        .null("chi"),
        Case::new("20 signals AR(1) 0.8 that share half of their variance, 2000 samples", |s| {
            let common = ar1(s, 99, 0.8, 2000);
            let one = |u| ar1(s, u, 0.8, 2000).iter().zip(&common).map(|(x, c)| x + c).collect();
            states(s, &(0..20).map(one).collect::<Vec<_>>(), false)
        })
        .times(400, 0)
        .holds("chi", chi2(0.5, 20.0).sqrt())
        .holds("chi2", chi2(0.5, 20.0)),
        Case::new("20 oscillators of 10 Hz that scatter by a hundredth, independent, 5 s", |s| {
            let one = |u: u32| {
                let from = angle(s, u);
                let by = TAU * 0.01 * (1.0 + 0.01 * normals(s, u, 1)[0]);
                (0..5000).map(|k| from + by * f64::from(k)).collect()
            };
            states(s, &(0..20).map(one).collect::<Vec<Vec<f64>>>(), true)
        })
        .times(400, 0)
        .without("order_mean", "the order changes too slowly for the window")
        .without("order_sd", "the order changes too slowly for the window")
        .null("order_mean"),
        Case::new("20 phases that go round by chance (sd 0.5 a sample), 2000 samples", |s| {
            let one = |u: u32| {
                normals(s, u, 2000).iter().fold(vec![angle(s, u)], |mut all, e| {
                    all.push(all[all.len() - 1] + 0.5 * e);
                    all
                })
            };
            states(s, &(0..20).map(one).collect::<Vec<Vec<f64>>>(), true)
        })
        .times(400, 0)
        .holds_its_average("order_mean")
        .holds_its_average("order_sd")
        .null("order_mean"),
    ]
}
