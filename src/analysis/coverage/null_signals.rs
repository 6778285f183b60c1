//! Signals in which there is nothing to find: p-values alone.

use super::null_trains::{CHOSEN, least_of_chosen};
use super::processes::{ar1, normals};
use super::{Case, Looked, Settings, analyse};
use crate::Outcome;
use crate::testing::{subject, traces};
use spikedeck_scenario::{Band, FileMatrix, OptionValue};

fn few() -> (&'static str, OptionValue) {
    ("surrogates", OptionValue::Integer(99))
}

fn word(key: &'static str, value: &str) -> (&'static str, OptionValue) {
    (key, OptionValue::Text(value.into()))
}

fn whole(key: &'static str, value: i64) -> (&'static str, OptionValue) {
    (key, OptionValue::Integer(value))
}

/// `count` independent AR(1) of coefficient `a`.
fn independent(seed: u64, count: u32, a: f64, n: usize) -> Vec<Vec<f64>> {
    (0..count).map(|u| if a == 0.0 { normals(seed, u, n) } else { ar1(seed, u, a, n) }).collect()
}

fn of_all(kind: &'static str, seed: u64, columns: &[Vec<f64>], options: Settings<'_>) -> Outcome {
    analyse(kind, seed, &traces(columns, 1.0), None, Looked::of(vec![subject("V_m", &[])]), options)
}

fn directed(kind: &'static str, seed: u64, columns: &[Vec<f64>], options: Settings<'_>) -> Outcome {
    let looked = Looked::pair(subject("V_m", &[0]), subject("V_m", &[1]));
    analyse(kind, seed, &traces(columns, 1.0), None, looked, options)
}

fn band(key: &'static str, name: &str, low: f64, high: f64) -> (&'static str, OptionValue) {
    (key, OptionValue::Bands(vec![Band { name: name.into(), low, high }]))
}

/// Why p-values of spectral peaks are larger than uniform.
const HIGHER: &str = "the background is a line or, where it is higher, a parabola";

pub fn cases() -> Vec<Case> {
    let mut all = spectra();
    all.extend(pairs());
    all.extend(series());
    all
}

fn spectra() -> Vec<Case> {
    let range = || {
        [
            ("segment", OptionValue::Number(1.0)),
            ("peak_min", OptionValue::Number(5.0)),
            ("peak_max", OptionValue::Number(100.0)),
        ]
    };
    let curved = "where the spectrum bends there is no p-value";
    let peaks = |case: Case| case.null_at_most("peak", HIGHER).null_at_most("peak_power", HIGHER);
    let at_most = |case: Case| case.null_at_most("peak", curved).null_at_most("peak_power", curved);
    let phases = |case: Case| {
        case.null("plv_alpha").null("ppc_alpha").null("pli_alpha").null("wpli_alpha").null("wpli2_debiased_alpha")
    };
    let coherent = |case: Case| {
        let bands = ["band_delta", "band_theta", "band_alpha", "band_beta", "band_gamma"];
        let together = "all ordinates of the range count, also those that hang together";
        let peak = case.null_at_most("peak", together).null_at_most("peak_coherence", together);
        bands.into_iter().fold(peak, Case::null)
    };
    vec![
        peaks(Case::of_p("white noise, the peak from 5 to 100 Hz, 10 s in segments of 1 s", 400, move |s| {
            of_all("psd", s, &independent(s, 1, 0.0, 10_000), &range())
        })),
        peaks(Case::of_p("ten units of white noise, the peak from 5 to 100 Hz, 5 s in segments of 1 s", 0, move |s| {
            of_all("psd", s, &independent(s, 10, 0.0, 5000), &range())
        })),
        at_most(Case::of_p("AR(1) 0.9, the peak from 5 to 100 Hz, 10 s in segments of 1 s", 0, move |s| {
            of_all("psd", s, &independent(s, 1, 0.9, 10_000), &range())
        })),
        at_most(Case::of_p("a random walk, the peak from 5 to 100 Hz, 10 s in segments of 1 s", 0, move |s| {
            of_all("psd", s, &independent(s, 1, 0.9999, 10_000), &range())
        })),
        at_most(Case::of_p("a random walk, 10 s at the defaults", 0, move |s| {
            of_all("psd", s, &independent(s, 1, 0.9999, 10_000), &[])
        })),
        Case::of_p("AR(1) 0.9, 8 s in one stretch, seven tapers", 0, |s| {
            of_all("multitaper", s, &independent(s, 1, 0.9, 8000), &[])
        })
        .null("line")
        .null("line_amplitude"),
        Case::of_p("a random walk, 8 s in one stretch, seven tapers", 0, |s| {
            of_all("multitaper", s, &independent(s, 1, 0.9999, 8000), &[])
        })
        .null("line")
        .null("line_amplitude"),
        coherent(Case::of_p("independent AR(1) 0.9, 8 s in segments of 0.5 s", 0, |s| {
            of_all("coherence", s, &independent(s, 2, 0.9, 8000), &[("segment", OptionValue::Number(0.5))])
        })),
        coherent(Case::of_p("independent random walks, 8 s in segments of 0.5 s", 0, |s| {
            of_all("coherence", s, &independent(s, 2, 0.9999, 8000), &[("segment", OptionValue::Number(0.5))])
        })),
        coherent(Case::of_p("three independent AR(1) 0.9, 8 s in segments of 0.5 s, partial", 0, |s| {
            let options = [("segment", OptionValue::Number(0.5)), ("partial", OptionValue::Flag(true))];
            let mut o = of_all("coherence", s, &independent(s, 3, 0.9, 8000), &options);
            o.metrics.retain(|m| m.subject == "p.V_m[0]->p.V_m[2]");
            o
        })),
        phases(Case::of_p("independent AR(1) 0.9, 8 s", 0, |s| {
            let alpha = band("bands", "alpha", 8.0, 13.0);
            of_all("phase_locking", s, &independent(s, 2, 0.9, 8000), &[few(), alpha])
        })),
        phases(Case::of_p("independent random walks, 8 s", 0, |s| {
            let alpha = band("bands", "alpha", 8.0, 13.0);
            of_all("phase_locking", s, &independent(s, 2, 0.9999, 8000), &[few(), alpha])
        })),
        Case::of_p("white noise, 5 s", 0, |s| {
            let bands = [band("phase", "theta", 4.0, 8.0), band("amplitude", "gamma", 40.0, 80.0)];
            let options = [&bands[..], &[few()]].concat();
            of_all("phase_amplitude_coupling", s, &independent(s, 1, 0.0, 5000), &options)
        })
        .null("modulation_theta_gamma"),
        Case::of_p("AR(1) 0.9, 5 s", 0, |s| {
            let bands = [band("phase", "theta", 4.0, 8.0), band("amplitude", "gamma", 40.0, 80.0)];
            let options = [&bands[..], &[few()]].concat();
            of_all("phase_amplitude_coupling", s, &independent(s, 1, 0.9, 5000), &options)
        })
        .null("modulation_theta_gamma"),
        Case::of_p("AR(1) 0.9, segments of 1 s, 20 s", 0, |s| {
            of_all("signal_to_noise", s, &independent(s, 1, 0.9, 20_000), &[("frequency", OptionValue::Number(10.0))])
        })
        .null("snr"),
    ]
}

fn pairs() -> Vec<Case> {
    let gaussian = || [few(), word("estimator", "gaussian")];
    let bits = |kind: &'static str, metric: &'static str, process: &'static str, tests: u32, a: f64, n: usize| {
        Case::of_p(process, tests, move |s| directed(kind, s, &independent(s, 2, a, n), &gaussian())).null(metric)
    };
    vec![
        bits("mutual_information", "information", "independent AR(1) 0.9, 1000 samples, gaussian", 400, 0.9, 1000),
        bits("transfer_entropy", "transfer_entropy", "independent AR(1) 0.9, 1000 samples, gaussian", 400, 0.9, 1000),
        Case::of_p("independent AR(1) 0.9, 500 samples, ksg", 0, |s| {
            let options = [few(), word("estimator", "ksg")];
            directed("transfer_entropy", s, &independent(s, 2, 0.9, 500), &options)
        })
        .null("transfer_entropy"),
        Case::of_p("independent AR(1) 0.9, 1000 samples, three quantile bins", 0, |s| {
            let options = [few(), word("estimator", "plugin"), whole("bins", 3)];
            directed("transfer_entropy", s, &independent(s, 2, 0.9, 1000), &options)
        })
        .null("transfer_entropy"),
        Case::of_p("independent AR(1) 0.9, 1000 samples, gaussian, delays of 1 to 10 samples", 0, move |s| {
            let options = [&gaussian()[..], &[("scan", OptionValue::Number(0.01))]].concat();
            let mut o = directed("transfer_entropy", s, &independent(s, 2, 0.9, 1000), &options);
            o.metrics.retain(|m| m.metric == "scan_max");
            o
        })
        .null("scan_max"),
        Case::of_p("independent AR(1) 0.9, 2000 samples", 0, |s| {
            directed("channel_capacity", s, &independent(s, 2, 0.9, 2000), &[few(), whole("bins", 3)])
        })
        .null("capacity")
        .null("information"),
        Case::of_p("independent AR(1) 0.9, 1000 samples, order 3", 100, |s| {
            directed("granger", s, &independent(s, 2, 0.9, 1000), &[whole("order", 3)])
        })
        .null("granger"),
        Case::of_p("independent AR(1) 0.9, 1000 samples, order found", 0, |s| {
            directed("granger", s, &independent(s, 2, 0.9, 1000), &[])
        })
        .null("granger"),
        Case::of_p("three independent AR(1) 0.9, 1000 samples, partial", 0, |s| {
            let of = independent(s, 3, 0.9, 1000);
            let looked = Looked::of(vec![subject("V_m", &[])]);
            let partial = [word("measure", "partial")];
            let mut o = analyse("functional_connectivity", s, &traces(&of, 1.0), None, looked, &partial);
            o.metrics.retain(|m| m.subject.ends_with("[0]~p.V_m[1]"));
            o
        })
        .null("partial_correlation"),
        Case::of_p("eight independent AR(1) 0.9, 1000 samples, against a matrix by chance", 0, |s| {
            let size = 8;
            let drawn = normals(s, 99, size * size);
            let at = |k: usize| drawn[(k / size).min(k % size) * size + (k / size).max(k % size)];
            let values = (0..size * size).map(at).collect();
            let matrix = FileMatrix { file: "chance.csv".into(), size, values, names: None };
            let options = [("against", OptionValue::Matrix(matrix)), whole("permutations", 99)];
            let mut o = of_all("functional_connectivity", s, &independent(s, 8, 0.9, 1000), &options);
            o.metrics.retain(|m| m.metric != "correlation");
            o
        })
        .null("fit")
        .null("fit_distance"),
        Case::of_p("six independent AR(1) 0.9, 1000 samples", 0, |s| {
            of_all("dimensionality", s, &independent(s, 6, 0.9, 1000), &[few(), whole("max_factors", 0)])
        })
        .null("participation_ratio"),
        Case::of_p("three independent AR(1) 0.9, 1000 samples", 0, |s| {
            of_all("o_information", s, &independent(s, 3, 0.9, 1000), &[few(), whole("blocks", 0)])
        })
        .null("o_information")
        .null("total_correlation")
        .null("dual_total_correlation"),
        Case::of_p("15 independent AR(1) 0.9, 1000 samples", 0, |s| {
            of_all("synchrony", s, &independent(s, 15, 0.9, 1000), &[])
        })
        .null("chi")
        .null("chi2"),
        Case::of_p("three independent AR(1) 0.6, 500 samples", 0, |s| {
            let options = [few(), whole("target_lags", 2), whole("source_lags", 2)];
            let looked = Looked::pair(subject("V_m", &[]), subject("V_m", &[0]));
            let r = traces(&independent(s, 3, 0.6, 500), 1.0);
            least_of_chosen(analyse("multivariate_transfer_entropy", s, &r, None, looked, &options))
        })
        .null_at_most("transfer_entropy", CHOSEN),
    ]
}

/// One series.
fn series() -> Vec<Case> {
    let spectrum = || [few(), word("surrogate", "spectrum")];
    vec![
        Case::of_p("white noise, 500 samples", 0, |s| {
            let options = [few(), whole("history", 1)];
            of_all("active_information_storage", s, &independent(s, 1, 0.0, 500), &options)
        })
        .null("active_information_storage"),
        Case::of_p("independent values, 300 samples", 0, |s| {
            of_all("recurrence", s, &independent(s, 1, 0.0, 300), &[whole("dimension", 2), few()])
        })
        .null("determinism")
        .null("laminarity"),
        Case::of_p("a linear process, AR(1) 0.8, 500 samples, surrogates of its spectrum", 0, move |s| {
            of_all("permutation_entropy", s, &independent(s, 1, 0.8, 500), &spectrum())
        })
        .null("permutation_entropy"),
        Case::of_p("a linear process, AR(1) 0.8, 500 samples, surrogates of its spectrum", 0, move |s| {
            of_all("lempel_ziv", s, &independent(s, 1, 0.8, 500), &spectrum())
        })
        .null_at_most("complexity", "complexities are few numbers, and equal ones count as reached"),
        Case::of_p("a linear process, AR(1) 0.8, 500 samples, surrogates of its spectrum", 0, move |s| {
            of_all("dfa", s, &independent(s, 1, 0.8, 500), &spectrum())
        })
        .null("alpha"),
        Case::of_p("a linear process, AR(1) 0.8, 300 samples, surrogates of its spectrum", 0, move |s| {
            let options = [&spectrum()[..], &[whole("dimension", 2)]].concat();
            of_all("recurrence", s, &independent(s, 1, 0.8, 300), &options)
        })
        .null("determinism")
        .null("laminarity"),
    ]
}
