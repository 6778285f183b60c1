//! Fixtures for the tests of this room: small results with known numbers, and a printer of whole screens with styles.

use std::fmt::Write as _;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::draw::paint;
use crate::input::commands;
use crate::panes::content::Content;
use crate::state::app::App;
use crate::state::gallery::{Entry, Preview};
use crate::state::keys::Key;
use crate::state::message::{JobEvent, Message};
use crate::state::source::Source;
use crate::state::theme::{Theme, nearest};
use crate::update::update;
use spikedeck_plot::{self as plot, Depth};
use spikedeck_run::{Check, Facts, Finished, Status};
use spikedeck_signal::{
    Axis, Curve, Matrix, Metric, NamedShape, Outcome, Recording, Scalars, Series, Shape, Spikes, TimeBase, Trace,
    Window,
};

impl Key {
    /// As a message.
    pub fn into_message(self) -> Message {
        Message::Key(self)
    }
}

/// The message of a key as written.
pub fn key(text: &str) -> Message {
    Message::Key(Key::parse(text).unwrap())
}

/// Presses keys and forgets the effects.
pub fn press(app: &mut App, keys: &str) {
    for k in keys.split(' ') {
        update(app, key(k));
    }
}

/// A dashboard with three entries.
pub fn app(size: (u16, u16)) -> App {
    let entry = |name: &str, title: &str, tag: &str| {
        Entry::new(Source::Scenario(name.into()), name.into(), title.into(), vec![tag.into()])
    };
    let entries = vec![
        entry("adex-patterns", "Firing patterns of the adaptive exponential model", "single neuron"),
        entry("balanced-coba", "Balanced network, conductance synapses", "network"),
        entry("lorenz", "The Lorenz system", "chaos"),
    ];
    let look = plot::Look {
        palette: plot::Palette { theme: plot::Theme::Dark, depth: Depth::Indexed, ..plot::Palette::default() },
        ..plot::Look::default()
    };
    let mut app = App::new(commands::keymap(&[]).0, Theme::new(false, Depth::Indexed), look, entries, size);
    let preview = Preview {
        title: "Firing patterns of the adaptive exponential model".into(),
        description: "Five neurons that differ only in their adaptation.".into(),
        tags: vec!["single neuron".into()],
        references: vec!["doi:10.1007/s00422-008-0264-7".into()],
        populations: vec![("tonic".into(), 1, "adex".into()), ("bursting".into(), 1, "adex".into())],
        facts: vec![("duration".into(), "500 ms in steps of 0.1 ms".into())],
        analyses: vec![("isi".into(), "isi_statistics".into())],
        variants: vec!["strong".into()],
    };
    update(&mut app, Message::Preview(0, Ok(preview)));
    app
}

/// A small recording with spikes that are known.
pub fn recording() -> Recording {
    let times: Vec<f64> = (1..=200).map(|k| f64::from(k) * 5.0).collect();
    let units = (0..200u32).map(|k| (k * 7) % 20).collect();
    Recording {
        time_base: TimeBase::Milliseconds,
        dt: 0.1,
        window: Window { start: 0.0, stop: 1000.0 },
        spikes: vec![Spikes { population: "exc".into(), size: 20, times, units }],
        ..Recording::default()
    }
}

/// A finished run with a raster, a trace, a spectrum with its peak at `peak` Hz, numbers and a matrix.
pub fn content(label: &str, peak: f64) -> Content {
    let mut recording = recording();
    let values = (0..=1000).map(|k| -65.0 + 10.0 * (f64::from(k) * 0.02).sin()).collect();
    recording.traces.push(Trace {
        population: "exc".into(),
        name: "slow".into(),
        variable: "V_m".into(),
        unit: "mV".into(),
        column: "V_m_mV".into(),
        units: vec![0],
        start: 0.0,
        interval: 1.0,
        values,
    });
    let x: Vec<f64> = (1..=100).map(f64::from).collect();
    let y = x.iter().map(|f| 1e-3 + 1.0 / (1.0 + (f - peak).powi(2))).collect();
    let spectrum = Series {
        x: Axis::new("frequency", "Hz"),
        y: Axis::new("density", "Hz²/Hz").log(),
        curves: vec![Curve { name: "exc.rate".into(), x, y, ..Curve::default() }],
        ..Series::default()
    };
    let mut metrics = vec![
        Metric::new("exc.rate", "peak", peak, "Hz", 100).interval(peak - 0.5, peak + 0.5),
        Metric::new("exc.rate", "power", peak * 2.0, "Hz²", 100).chance(0.1),
    ];
    for m in &mut metrics {
        m.analysis = "psd".into();
    }
    let te = Matrix {
        value: Axis::new("transfer entropy", "bits"),
        row_axis: "source".into(),
        column_axis: "target".into(),
        rows: vec!["exc".into(), "inh".into()],
        columns: vec!["exc".into(), "inh".into()],
        values: vec![f64::NAN, 0.12, 0.03, f64::NAN],
        ..Matrix::default()
    };
    let outcomes = vec![
        Outcome {
            name: "psd".into(),
            kind: "psd".into(),
            title: "Spectrum".into(),
            shapes: vec![
                NamedShape::new("spectrum", Shape::Series(spectrum)),
                NamedShape::new("numbers", Shape::Scalars(Scalars::from_metrics(&metrics))),
            ],
            metrics,
            summary: format!("the rate of exc has its peak at {peak} Hz"),
            ..Outcome::default()
        },
        Outcome {
            name: "te".into(),
            kind: "transfer_entropy".into(),
            title: "Transfer entropy".into(),
            shapes: vec![NamedShape::new("pairs", Shape::Matrix(te))],
            warnings: vec!["few spikes".into()],
            ..Outcome::default()
        },
    ];
    let finished = Finished {
        label: label.into(),
        spec: None,
        status: Status::Complete,
        failure: None,
        recording: Arc::new(recording),
        outcomes,
        checks: vec![Check {
            name: "peak".into(),
            metric: "psd.exc.rate.peak".into(),
            found: Some(peak),
            min: Some(8.0),
            max: Some(12.0),
            unit: "Hz".into(),
            passed: peak >= 8.0,
            note: String::new(),
            original: None,
            reason: String::new(),
        }],
        warnings: Vec::new(),
        facts: Facts { connections: 320_000, spikes: 200, threads: 2, simulate_seconds: 0.42, ..Facts::default() },
    };
    Content::of(&Arc::new(finished))
}

/// One column with a finished run.
pub fn running(size: (u16, u16)) -> App {
    let mut app = app(size);
    update(&mut app, key("enter"));
    let job = app.columns.list()[0].job;
    update(&mut app, Message::Job(job, JobEvent::Done(Arc::new(content("adex-patterns", 10.0)))));
    app
}

/// Two columns with finished runs.
pub fn comparing(size: (u16, u16)) -> App {
    let mut app = app(size);
    press(&mut app, "c c enter");
    for (i, peak) in [10.0, 14.0].into_iter().enumerate() {
        let (job, label) = (app.columns.list()[i].job, app.columns.list()[i].label.clone());
        update(&mut app, Message::Job(job, JobEvent::Done(Arc::new(content(&label, peak)))));
    }
    app
}

/// The state as a buffer.
pub fn buffer(app: &App) -> Buffer {
    let area = Rect::new(0, 0, app.size.0, app.size.1);
    let mut buf = Buffer::empty(area);
    paint(app, area, &mut buf);
    buf
}

/// The text of a buffer.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let row: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

/// Text and, below it, the styles of each line as runs: `x-x style`.
pub fn styled(buf: &Buffer) -> String {
    let mut out = text(buf);
    for y in 0..buf.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buf.area.width {
            let cell = &buf[(x, y)];
            let style = name(cell.fg, cell.bg, cell.modifier);
            match runs.last_mut() {
                Some(last) if last.2 == style => last.1 = x,
                _ => runs.push((x, x, style)),
            }
        }
        let told: Vec<String> =
            runs.iter().filter(|r| !r.2.is_empty()).map(|(a, b, s)| format!("{a}-{b} {{{s}}}")).collect();
        if !told.is_empty() {
            let _ = writeln!(out, "{y}: {}", told.join(" "));
        }
    }
    out
}

fn name(fg: Color, bg: Color, modifier: Modifier) -> String {
    let mut parts = Vec::new();
    if fg != Color::Reset {
        parts.push(format!("fg {}", nearest(Depth::Indexed, fg)));
    }
    if bg != Color::Reset {
        parts.push(format!("bg {}", nearest(Depth::Indexed, bg)));
    }
    if !modifier.is_empty() {
        parts.push(format!("{modifier:?}").to_lowercase());
    }
    parts.join(", ")
}
