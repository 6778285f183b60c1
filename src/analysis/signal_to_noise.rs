//! Signal-to-noise ratio at one frequency: the power of a periodic drive in spikes or a state over its surroundings.

use super::prelude::*;
use spikedeck_core::number::{counted, shown};
use spikedeck_core::spike_spectrum::spike_spectrum;
use spikedeck_core::statistics::deviation;
use spikedeck_core::surrogate::student_quantile;
use spikedeck_core::units::short;
use spikedeck_core::welch::{Settings, Spectrum, welch_in_groups};
use spikedeck_scenario::{Observable, Subject};
use spikedeck_signal::{Axis, CurveStyle, ReferenceLine, Series, Shape, TimeBase};

/// The analysis `signal_to_noise`.
pub struct SignalToNoise;

/// Bins beside the drive's that its own power may reach (the taper's main lobe).
const GAP: usize = 2;

const CARD: AnalysisCard = AnalysisCard {
    title: "Signal-to-noise ratio",
    synonyms: &["snr"],
    summary: "power of spikes or a state at a drive's frequency over the power beside it",
    formula: "SNR = S(f)/mean of S over `neighbours` bins on either side, two bins left out next to f; S in segments \
              that hold a whole number of cycles",
    assumptions: "The drive is periodic with the stated frequency, the rest is stationary and flat over the \
                  neighbours. Spikes are a train in continuous time, averaged over units; states are tapered (Hann).",
    bias: "Without a drive the mean of SNR is 1 up to a share of order 1/(segments · neighbours). It grows with the \
           length of a segment, as a line stands over a density: compare SNRs of one segment length only.",
    cost: "O(spikes · frequencies), or O(N log N) for states",
    caveats: "Harmonics of the drive are not counted. A rhythm of the system's own near f counts as signal. Units \
              that share noise make segments and units no independent samples.",
    references: &[
        "Gammaitoni, Hänggi, Jung, Marchesoni 1998, Rev Mod Phys 70:223-287, doi:10.1103/RevModPhys.70.223",
        "Bartlett 1963, doi:10.1111/j.2517-6161.1963.tb00508.x",
    ],
};

options! {
    /// What `signal_to_noise` can be told.
    pub struct Options {
        frequency: Frequency = frequency("10 Hz").required().piece(), "frequency of the drive";
        cycles: usize = integer("10").between(4.0, 1e6), "cycles of the drive in a segment";
        neighbours: usize = integer("4").between(1.0, 1000.0),
            "bins on either side that the background is the mean of";
        bin: Time = rate_bin(), "bin of `POP.rate`";
    }
}

impl Estimator for SignalToNoise {
    type Options = Options;
    const KIND: &'static str = "signal_to_noise";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let (frequency, cycles, neighbours) = (o.frequency.hertz, o.cycles, o.neighbours);
        let segment = cycles as f64 / frequency;
        let mut curves = Vec::new();
        let mut unit = String::new();
        f.each_spiking(|f, s| {
            let (spectrum, units, density) = spectrum(f.request, s, o, segment)?;
            let needed = cycles + GAP + neighbours;
            if spectrum.power.len() <= needed || cycles < GAP + neighbours {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: {neighbours} neighbours beside bin {cycles} do not fit the spectrum: raise `cycles` or lower \
                     `neighbours`",
                    s.text
                )));
            }
            let around = |p: &[f64]| {
                let beside = (GAP..GAP + neighbours).flat_map(|d| [p[cycles - d], p[cycles + d]]);
                beside.sum::<f64>() / (2 * neighbours) as f64
            };
            let (signal, background) = (spectrum.power[cycles], around(&spectrum.power));
            let n = spectrum.segments as u64;
            if background <= 0.0 {
                let why = "no power beside the drive: nothing fired or nothing varies";
                f.metric(Metric::missing(&s.text, "snr", "", n, why));
                return Ok(());
            }
            let snr = signal / background;
            // Each segment's ratio to the common background: their scatter is that of the signal's power.
            let ratios: Vec<f64> = spectrum.groups.iter().map(|g| g[cycles] / background).collect();
            let worth = spectrum.independent_units(units, 2.0);
            let freedom = worth * spectrum.freedom;
            let tail = f_tail(snr, freedom, freedom * (2 * neighbours) as f64);
            let seconds = if f.base == TimeBase::Milliseconds { "s" } else { "time units" };
            let mut m = Metric::new(&s.text, "snr", snr, "", n).chance(1.0).p(tail);
            m = m
                .note(format!("n = segments of {} {seconds}; {units} units, worth {worth:.1}", short(segment)))
                .null_by("p: F test of independent bins");
            // The background is the mean of so many ordinates that its own error is small beside that of the signal.
            let scatter = deviation(&ratios, 1) / (ratios.len() as f64).sqrt() / snr;
            let beside = (1.0 / (freedom / 2.0 * (2 * neighbours) as f64)).sqrt();
            let half = student_quantile(ratios.len().saturating_sub(1)) * scatter.hypot(beside);
            if ratios.len() > 2 && half.is_finite() {
                m = m
                    .interval(snr * (-half).exp(), snr * half.exp())
                    .interval_by("95 % interval over segments (t, of the logarithm)");
            }
            f.metric(m);
            f.metric(
                Metric::new(&s.text, "signal_power", signal - background, &density, n)
                    .note("power at the drive above the background"),
            );
            f.metric(Metric::new(&s.text, "background", background, &density, n));
            if n < 5 {
                f.warn(format!("{}: {} few", s.text, counted(n as usize, "segment is", "segments are")));
            }
            f.word(format!("{}: SNR {}", s.text, shown(snr)));
            let shown = 1..spectrum.power.len().min(4 * cycles);
            let x = shown.clone().map(|k| k as f64 * spectrum.step).collect();
            curves.push(curve(&s.text, x, spectrum.power[shown].to_vec(), CurveStyle::Line));
            unit = density;
            Ok(())
        })?;
        let drawn: Vec<f64> = curves.iter().flat_map(|c| c.x.iter().copied()).collect();
        let series = Series {
            x: Axis::frequency(f.base.rate_unit(), &drawn),
            y: Axis::new("power", unit).log(),
            curves,
            references: vec![ReferenceLine { name: "drive".into(), at: frequency, vertical: true }],
        };
        f.shape("spectrum", Shape::Series(series));
        Ok(())
    }
}

/// Spectrum in segments of `segment` seconds, how many units it averages, and the unit of its density.
fn spectrum(
    request: &Request<'_>,
    s: &Subject,
    o: &Options,
    segment: f64,
) -> Result<(Spectrum, usize, String), AnalysisError> {
    let too_short = |seconds: f64| {
        AnalysisError::Unsuitable(format!(
            "{}: a segment of {} does not fit into {}: lower `cycles`",
            s.text,
            short(segment),
            short(seconds)
        ))
    };
    if matches!(s.what, Observable::Spikes) {
        let t = subject::trains(request, s)?;
        let seconds = t.base.seconds();
        let segments = (t.duration() / segment + 1e-9).floor() as usize;
        if segments == 0 {
            return Err(too_short(t.duration()));
        }
        let trains: Vec<Vec<f64>> =
            t.trains.iter().map(|x| x.iter().map(|v| (v - t.window.start) * seconds).collect()).collect();
        let top = 4.0 * o.frequency.hertz;
        let found = spike_spectrum(&trains, segment, segments, top, &mut || request.check_cancelled())?;
        return Ok((found, trains.len(), t.base.rate_unit().to_owned()));
    }
    let columns = subject::columns(request, s, o.bin)?;
    let samples = (segment * columns.sampling_rate()).round() as usize;
    let settings = Settings { overlap: 0, ..Settings::new(samples) };
    let mut sum: Option<Spectrum> = None;
    for column in &columns.columns {
        request.check_cancelled()?;
        let Some(one) = welch_in_groups(column, columns.sampling_rate(), &settings, column.len() / samples.max(1))
        else {
            return Err(too_short(columns.len() as f64 / columns.sampling_rate()));
        };
        sum = Some(match sum {
            None => one,
            Some(mut all) => {
                all.power.iter_mut().zip(&one.power).for_each(|(a, b)| *a += b);
                all.groups
                    .iter_mut()
                    .zip(&one.groups)
                    .for_each(|(a, b)| a.iter_mut().zip(b).for_each(|(a, b)| *a += b));
                all
            }
        });
    }
    let n = columns.columns.len().max(1);
    let mut found = sum.ok_or_else(|| too_short(0.0))?;
    found.power.iter_mut().chain(found.groups.iter_mut().flatten()).for_each(|v| *v /= n as f64);
    let per = if columns.base == TimeBase::Milliseconds { "/Hz" } else { "" };
    Ok((found, n, if columns.unit.is_empty() { format!("1{per}") } else { format!("{}**2{per}", columns.unit) }))
}

/// P(F ≥ x) for the ratio of two chi-squared means.
fn f_tail(x: f64, above: f64, below: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, FisherSnedecor};
    FisherSnedecor::new(above, below).map_or(f64::NAN, |f| f.sf(x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, subject, traces};
    use spikedeck_scenario::OptionValue;
    use std::f64::consts::TAU;

    #[test]
    fn poisson_spikes_have_no_signal_and_modulated_ones_do() {
        let trains: Vec<Vec<f64>> = (0..10).map(|u| poisson(31, u, 40.0, 100_000.0)).collect();
        let o = run(&SignalToNoise, &recording(&trains, 100_000.0), vec![subject("spikes", &[])], &[]).unwrap();
        let m = metric(&o, "p.spikes", "snr");
        assert!((m.value.unwrap() - 1.0).abs() < 0.15 && m.p_value.unwrap() > 0.01, "{m:?}");
        // Thinned by (1 + 0.5 sin)/1.5: the line of a rate r (1 + 0.5 sin) stands r T/16 above the level r.
        let thinned: Vec<Vec<f64>> = trains
            .iter()
            .enumerate()
            .map(|(u, t)| {
                let mut s = spikedeck_core::rng::Key::new(4, "snr", "thin").stream(u as u32, 0);
                t.iter().copied().filter(|t| s.uniform() < (1.0 + 0.5 * (TAU * t / 100.0).sin()) / 1.5).collect()
            })
            .collect();
        let o = run(&SignalToNoise, &recording(&thinned, 100_000.0), vec![subject("spikes", &[])], &[]).unwrap();
        let m = metric(&o, "p.spikes", "snr");
        let expected = 1.0 + 40.0 / 1.5 * 1.0 / 16.0;
        assert!((m.value.unwrap() / expected - 1.0).abs() < 0.1, "{} {expected}", m.value.unwrap());
        assert!(m.p_value.unwrap() < 1e-6);
    }

    #[test]
    fn a_sine_in_noise() {
        let mut s = spikedeck_core::rng::Key::new(5, "snr", "noise").stream(0, 0);
        let mut noise = || (0..12).map(|_| s.uniform()).sum::<f64>() - 6.0;
        let wave: Vec<f64> = (0..100_000).map(|k| 0.2 * (TAU * f64::from(k) / 100.0).sin() + noise()).collect();
        let flat: Vec<f64> = (0..100_000).map(|_| noise()).collect();
        let find = |column: Vec<f64>| {
            let o = run(
                &SignalToNoise,
                &traces(&[column], 1.0),
                vec![subject("V_m", &[])],
                &[("cycles", OptionValue::Integer(20))],
            )
            .unwrap();
            metric(&o, "p.V_m", "snr").clone()
        };
        // Density of the noise 2/fs, of the line A²/2/(1.5 Δf): 0.02/(1.5·0.5)/0.002 above 1.
        let expected = 1.0 + 0.02 / 0.75 / 0.002;
        assert!((find(wave).value.unwrap() / expected - 1.0).abs() < 0.15);
        assert!(find(flat).p_value.unwrap() > 0.01);
    }
}
