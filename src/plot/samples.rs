//! Made-up shapes of every kind, for tests and for looking at.

use spikedeck_signal::{
    Axis, Card, Curve, CurveStyle, Distribution, FixedPoint, GraphEdge, Image, Matrix, Metric, NamedShape,
    PhasePortrait, Raster, RasterGroup, ReferenceLine, ScalarRow, Scalars, Series, Shape, Stability, TimeBase,
};

/// Numbers that look random and are the same everywhere.
fn noise(k: u64) -> f64 {
    let mut z = k.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn curve(name: &str, style: CurveStyle, points: impl Iterator<Item = (f64, f64)>) -> Curve {
    let (x, y) = points.unzip();
    Curve { name: name.into(), x, y, band: None, style }
}

pub(crate) fn trace() -> NamedShape {
    let cell = |shift: f64| {
        (0..20_000).map(move |k| {
            let t = f64::from(k) * 0.05;
            let phase = (t + shift).rem_euclid(83.0);
            (t, if phase < 0.4 { 30.0 } else { -70.0 + 18.0 * (1.0 - (-phase / 30.0).exp()) + noise(k as u64) })
        })
    };
    let curves = vec![curve("exc[0]", CurveStyle::Line, cell(0.0)), curve("inh[0]", CurveStyle::Line, cell(37.0))];
    let references = vec![ReferenceLine { name: "V_th".into(), at: -52.0, vertical: false }];
    NamedShape::new(
        "membrane potential",
        Shape::Series(Series { x: Axis::time(TimeBase::Milliseconds), y: Axis::new("V_m", "mV"), curves, references }),
    )
}

pub(crate) fn spectrum() -> NamedShape {
    let power = |f: f64| 1.0 / (1.0 + (f / 20.0).powi(2)) + 3.0 * (-((f - 42.0) / 4.0).powi(2)).exp();
    let mut data = curve(
        "psd",
        CurveStyle::Line,
        (1..400).map(|k| (f64::from(k), power(f64::from(k)) * (0.7 + 0.6 * noise(k as u64)))),
    );
    data.band = Some((data.y.iter().map(|v| v * 0.6).collect(), data.y.iter().map(|v| v * 1.5).collect()));
    let theory = curve(
        "1/(1+(f/20)²)",
        CurveStyle::Theory,
        (1..400).map(|k| (f64::from(k), 1.0 / (1.0 + (f64::from(k) / 20.0).powi(2)))),
    );
    let chance = curve("surrogates", CurveStyle::Chance, (1..400).map(|k| (f64::from(k), 0.01)));
    let references = vec![ReferenceLine { name: "gamma 42 Hz".into(), at: 42.0, vertical: true }];
    let shape = Series {
        x: Axis::new("frequency", "Hz").log(),
        y: Axis::new("power", "Hz²/Hz").log(),
        curves: vec![data, theory, chance],
        references,
    };
    NamedShape::new("spectrum", Shape::Series(shape))
}

pub(crate) fn fi_curve() -> NamedShape {
    let rate = |i: f64| if i > 200.0 { 1000.0 / (2.0 + 20.0 * (i / (i - 200.0)).ln()) } else { 0.0 };
    let data = curve("measured", CurveStyle::Points, (0..25).map(|k| (f64::from(k) * 25.0, rate(f64::from(k) * 25.0))));
    let steps =
        curve("binned", CurveStyle::Steps, (0..13).map(|k| (f64::from(k) * 50.0, rate(f64::from(k) * 50.0) * 0.8)));
    let theory = curve("closed form", CurveStyle::Theory, (0..600).map(|k| (f64::from(k), rate(f64::from(k)))));
    let references = vec![ReferenceLine { name: "rheobase".into(), at: 200.0, vertical: true }];
    let shape =
        Series { x: Axis::new("I", "pA"), y: Axis::new("rate", "Hz"), curves: vec![data, steps, theory], references };
    NamedShape::new("f-I curve", Shape::Series(shape))
}

pub(crate) fn distribution() -> NamedShape {
    let edges: Vec<f64> = (0..=40).map(|k| f64::from(k) * 5.0).collect();
    let shape = |m: f64| {
        (0..40).map(|k| 120.0 * (-((f64::from(k) * 5.0 - m) / 30.0).powi(2)).exp() + 4.0 * noise(k as u64)).collect()
    };
    let d = Distribution {
        x: Axis::new("interval", "ms"),
        y: Axis::new("count", ""),
        edges,
        heights: vec![("exc".into(), shape(60.0)), ("inh".into(), shape(110.0))],
        references: vec![ReferenceLine { name: "mean".into(), at: 71.0, vertical: true }],
    };
    NamedShape::new("ISI histogram", Shape::Distribution(d))
}

pub(crate) fn raster() -> NamedShape {
    let group = |name: &str, size: u32, rate: f64, seed: u64| {
        let mut spikes: Vec<(f64, u32)> = Vec::new();
        for unit in 0..size {
            for k in 0..(rate as u64) {
                let key = seed + u64::from(unit) * 1000 + k;
                let t = noise(key) * 1000.0;
                // A rhythm of 40 Hz.
                if noise(key + 77_777) < 0.5 + 0.5 * (t * 0.251).sin() {
                    spikes.push((t, unit));
                }
            }
        }
        spikes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (times, units) = spikes.into_iter().unzip();
        RasterGroup { name: name.into(), size: size as usize, times, units }
    };
    let groups = vec![group("exc", 320, 14.0, 5), group("inh", 80, 30.0, 900_000)];
    let rate = |g: &RasterGroup, name: &str| {
        let mut y = vec![0.0; 200];
        for t in &g.times {
            y[(t / 5.0) as usize] += 1000.0 / (5.0 * g.size as f64);
        }
        curve(name, CurveStyle::Line, y.into_iter().enumerate().map(|(k, v)| (k as f64 * 5.0 + 2.5, v)))
    };
    let curves = vec![rate(&groups[0], "exc"), rate(&groups[1], "inh")];
    let time = Axis::time(TimeBase::Milliseconds);
    let rate = Series { x: time.clone(), y: Axis::new("rate", "Hz"), curves, references: Vec::new() };
    NamedShape::new("spikes", Shape::Raster(Raster { x: time, extent: (0.0, 1000.0), groups, rate }))
}

pub(crate) fn image() -> NamedShape {
    let (width, height) = (160, 64);
    let value = |c: usize, r: usize| {
        let centre = 30.0 + 14.0 * (c as f64 / 20.0).sin();
        -90.0 + 30.0 * (-((r as f64 - centre) / 5.0).powi(2)).exp() + 6.0 * noise((c * height + r) as u64)
    };
    let values = (0..width).flat_map(|c| (0..height).map(move |r| value(c, r))).collect();
    let i = Image {
        x: Axis::time(TimeBase::Milliseconds),
        y: Axis::new("frequency", "Hz"),
        value: Axis::new("power", "dB"),
        x_range: (0.0, 1590.0),
        y_range: (0.0, 126.0),
        width,
        height,
        values,
        diverging: false,
    };
    NamedShape::new("spectrogram", Shape::Image(i))
}

pub(crate) fn matrix() -> NamedShape {
    let names: Vec<String> = ["V1", "V2", "V4", "MT", "LIP", "FEF"].iter().map(|s| (*s).to_string()).collect();
    let values: Vec<f64> = (0..36).map(|k| if k % 7 == 0 { f64::NAN } else { 1.8 * (noise(k) - 0.5) }).collect();
    let significant = values.iter().map(|v| v.abs() > 0.5).collect();
    let m = Matrix {
        value: Axis::new("transfer entropy", "bits"),
        row_axis: "source".into(),
        column_axis: "target".into(),
        rows: names.clone(),
        columns: names,
        values,
        chance: None,
        significant: Some(significant),
        diverging: true,
    };
    NamedShape::new("transfer entropy", Shape::Matrix(m))
}

pub(crate) fn big_matrix() -> NamedShape {
    let n = 100;
    let names: Vec<String> = (0..n).map(|k| format!("unit {k}")).collect();
    let values = (0..n * n)
        .map(|k| (-(f64::from(k / n) - f64::from(k % n)).abs() / 20.0).exp() + 0.2 * noise(k as u64))
        .collect();
    let m = Matrix {
        value: Axis::new("SPIKE-distance", ""),
        row_axis: "unit".into(),
        column_axis: "unit".into(),
        rows: names.clone(),
        columns: names,
        values,
        chance: None,
        significant: None,
        diverging: false,
    };
    NamedShape::new("distances", Shape::Matrix(m))
}

pub(crate) fn phase() -> NamedShape {
    // FitzHugh-Nagumo: dv = v - v^3/3 - w + 0.5, dw = 0.08 (v + 0.7 - 0.8 w).
    let flow = |v: f64, w: f64| (v - v.powi(3) / 3.0 - w + 0.5, 0.08 * (v + 0.7 - 0.8 * w));
    let (mut v, mut w) = (-1.0, 1.5);
    let path: Vec<(f64, f64)> = (0..4000)
        .map(|_| {
            let (a, b) = flow(v, w);
            v += 0.05 * a;
            w += 0.05 * b;
            (v, w)
        })
        .collect();
    let cubic = |v: f64| v - v.powi(3) / 3.0 + 0.5;
    let along = |f: &dyn Fn(f64) -> f64| -> Vec<[f64; 4]> {
        (0..100)
            .map(|k| (-2.4 + 0.048 * f64::from(k), -2.4 + 0.048 * f64::from(k + 1)))
            .map(|(a, b)| [a, f(a), b, f(b)])
            .collect()
    };
    let nullclines = vec![("dv/dt = 0".into(), along(&cubic)), ("dw/dt = 0".into(), along(&|v| (v + 0.7) / 0.8))];
    let fixed = |x: f64, y: f64, stability, spiral| FixedPoint {
        x,
        y,
        stability,
        spiral,
        eigenvalues: vec![(0.1, 0.3), (0.1, -0.3)],
    };
    let field = (0..12)
        .flat_map(|i| (0..8).map(move |j| (-2.4 + 0.42 * f64::from(i), -0.8 + 0.38 * f64::from(j))))
        .map(|(x, y)| {
            let (a, b) = flow(x, y);
            let length = a.hypot(b).max(1e-12);
            [x, y, a / length, b / length]
        })
        .collect();
    let p = PhasePortrait {
        x: Axis::new("v", ""),
        y: Axis::new("w", ""),
        trajectories: vec![curve("trajectory", CurveStyle::Line, path.into_iter())],
        nullclines,
        fixed_points: vec![
            fixed(-0.805, -0.131, Stability::Unstable, true),
            fixed(1.6, 1.2, Stability::Saddle, false),
            fixed(-1.8, 1.4, Stability::Stable, false),
        ],
        field,
    };
    NamedShape::new("phase plane", Shape::Phase(p))
}

pub(crate) fn graph() -> NamedShape {
    let nodes = ["thalamus", "L4", "L2/3", "L5", "L6"].map(String::from).to_vec();
    let edge = |from, to, weight| GraphEdge { from, to, weight };
    let edges = vec![
        edge(0, 1, 0.9),
        edge(1, 2, 0.7),
        edge(2, 3, 0.6),
        edge(3, 4, 0.3),
        edge(4, 0, -0.5),
        edge(4, 1, 0.1),
        edge(2, 2, 0.4),
        edge(3, 0, 0.1),
    ];
    NamedShape::new("directed influence", Shape::Graph { nodes, edges })
}

pub(crate) fn scalars() -> NamedShape {
    let row = |name: &str, value, unit: &str, interval: Option<(f64, f64)>, chance, p_value, n, note: &str| ScalarRow {
        name: name.into(),
        measured: Metric {
            value,
            unit: unit.into(),
            ci_low: interval.map(|i| i.0),
            ci_high: interval.map(|i| i.1),
            chance,
            p_value,
            n: Some(n),
            note: note.into(),
            ..Metric::default()
        },
    };
    let rows = vec![
        row("exc.spikes rate", Some(12.34), "Hz", Some((11.9, 12.8)), None, None, 3948, "95 % over units"),
        row("exc.spikes cv", Some(0.8712), "", Some((0.84, 0.90)), Some(1.0), None, 3628, "chance: Poisson"),
        row(
            "exc→inh transfer entropy",
            Some(0.0213),
            "bits",
            Some((0.015, 0.027)),
            Some(0.004),
            Some(0.0005),
            20_000,
            "200 circular shifts",
        ),
        row(
            "inh→exc transfer entropy",
            Some(0.0031),
            "bits",
            Some((0.0002, 0.006)),
            Some(0.0029),
            Some(0.41),
            20_000,
            "200 circular shifts",
        ),
        row("lambda_1", None, "1/s", None, None, None, 3, "too few exponent windows (3 of at least 20)"),
    ];
    NamedShape::new("numbers", Shape::Scalars(Scalars { rows }))
}

pub(crate) fn card() -> NamedShape {
    let text = "The adaptive exponential integrate-and-fire model joins an exponential spike current to one \
                adaptation variable.";
    let sections = vec![
        ("What it is".to_string(), text.to_string()),
        (
            "Equations".to_string(),
            "  C_m dV_m/dt = -g_L (V_m - E_L) + g_L Δ_T exp((V_m - V_T)/Δ_T) - w + I\n  τ_w dw/dt = a (V_m - E_L) - w"
                .to_string(),
        ),
        ("References".to_string(), "Brette and Gerstner (2005), doi:10.1152/jn.00686.2005".to_string()),
    ];
    NamedShape::new("adex", Shape::Card(Card::prose(sections)))
}

/// One of each.
pub(crate) fn all() -> Vec<NamedShape> {
    vec![
        trace(),
        spectrum(),
        fi_curve(),
        distribution(),
        raster(),
        image(),
        matrix(),
        big_matrix(),
        phase(),
        graph(),
        scalars(),
        card(),
    ]
}
