//! `[stimuli.NAME]`: what acts on a population from outside, and when.

use std::sync::Arc;

use super::desk::Desk;
use super::projection::target;
use super::selector::{Units, unit_list};
use super::spec::{Generator, PopulationSpec, Port, StimulusKind, StimulusSpec, UnitName, Value};
use super::value::{Names, Wanted};
use spikedeck_core::units::{Dimension, parse_unit};
use spikedeck_model::document::{Entry, Fields, Item};
use spikedeck_model::name_of;
use spikedeck_signal::TimeBase;

/// Every kind of stimulus, with one line of meaning.
pub const STIMULUS_KINDS: [(&str, &str); 14] = [
    ("constant", "always the same"),
    ("step", "one value from `start` to `stop`"),
    ("ramp", "linear from one value to another, then held"),
    ("pulse_train", "rectangular pulses"),
    ("gaussian_pulse", "one Gaussian in time"),
    ("sine", "sine, or its absolute value (`rectified`)"),
    ("chirp", "sine whose frequency changes linearly or exponentially"),
    ("ou_noise", "Ornstein-Uhlenbeck process, independent for each unit"),
    (
        "white_noise",
        "white noise of a density (unit of the input times s**0.5); `scaling = \"per_sample\"`: not scaled with the step",
    ),
    ("gaussian_steps", "normal values redrawn every interval"),
    ("poisson", "Poisson spikes into a receptor"),
    ("spikes", "listed spikes into a receptor"),
    ("file", "a sampled signal from a Parquet or CSV file"),
    ("expression", "an expression in t, i, N and positions"),
];

/// Reads one stimulus.
pub(super) fn read(desk: &mut Desk<'_>, entry: &Entry, all: &[PopulationSpec], known: &[&str]) -> Option<StimulusSpec> {
    let before = desk.report.errors();
    let mut f = Fields::of(&mut desk.report, &entry.value, format!("stimulus `{}`", entry.key))?;
    let target_node = f.require(&mut desk.report, "target", "\"exc.I\"");
    let kind_node = f.require(&mut desk.report, "kind", "\"step\"");
    let words = STIMULUS_KINDS.map(|k| k.0);
    let word = kind_node.and_then(|n| desk.choice(n, "kind of stimulus", &words));
    let goal = target_node.and_then(|n| target(desk, n, "`target`", all, known));
    let units_node = f.get("units");
    let (word, goal) = (word?, goal?);
    let population = &all[goal.population.index()];
    let units = units_node.map(|n| unit_list(desk, n, Units::targets(population, goal.port))).unwrap_or_default();
    // Nodes of a tree have no membrane: what acts everywhere acts on compartments.
    let units = match (&population.tree, goal.port) {
        (Some(tree), Port::Input(_)) if units.is_empty() => tree.membranes(),
        _ => units,
    };
    let event = matches!(word, "poisson" | "spikes");
    match (&goal.port, event) {
        (Port::Event(_), false) => {
            let inputs: Vec<&str> = population.system.inputs().iter().map(|v| v.name.as_str()).collect();
            let have = if inputs.is_empty() { "none".to_owned() } else { inputs.join(", ") };
            desk.error_help(
                &target_node?.place,
                format!("a `{word}` stimulus acts on an input, not on a receptor"),
                format!("inputs of `{}`: {have}", population.name),
            );
            return None;
        }
        (Port::Input(_), true) => {
            let ports: Vec<&str> = population.system.event_ports().iter().map(|v| v.name.as_str()).collect();
            let have = if ports.is_empty() {
                "none; add one with `receptors.NAME = { kind = ... }`".to_owned()
            } else {
                ports.join(", ")
            };
            desk.error_help(
                &target_node?.place,
                format!("`{word}` spikes arrive at a receptor, not at an input"),
                format!("receptors of `{}`: {have}", population.name),
            );
            return None;
        }
        (Port::Event(_), true) | (Port::Input(_), false) => (),
    }
    let dimension = population.port_dimension(goal.port);
    let size = population.targets(goal.port);
    let mut reader = Reader { desk, f, dimension, population, size, name: &entry.key };
    let kind = reader.kind(word);
    let Reader { f, .. } = reader;
    f.finish(&mut desk.report);
    let kind = kind?;
    (desk.report.errors() == before).then(|| StimulusSpec { name: entry.key.clone(), target: goal, units, kind })
}

struct Reader<'d, 'l, 'a> {
    desk: &'d mut Desk<'l>,
    f: Fields<'a>,
    dimension: Dimension,
    population: &'a PopulationSpec,
    /// Number of places at which the target takes something in.
    size: usize,
    name: &'a str,
}

impl<'a> Reader<'_, '_, 'a> {
    fn kind(&mut self, word: &str) -> Option<StimulusKind> {
        let d = self.dimension;
        Some(match word {
            "constant" => StimulusKind::Constant { amplitude: self.value("amplitude", d)? },
            "step" => {
                let amplitude = self.value("amplitude", d);
                let (start, stop) = self.span();
                StimulusKind::Step { amplitude: amplitude?, start, stop }
            }
            "ramp" => {
                let from = self.optional("from", d);
                let to = self.value("to", d);
                let (start, stop) = self.span();
                StimulusKind::Ramp { from, to: to?, start, stop }
            }
            "pulse_train" => {
                let amplitude = self.value("amplitude", d);
                let (start, stop) = self.span();
                let period = self.positive_time("period", "\"100 ms\"");
                let width = self.positive_time("width", "\"5 ms\"");
                let (period, width) = (period?, width?);
                if width > period {
                    let place = self.f.get("width")?.place.clone();
                    self.desk.error(&place, "a pulse is not wider than the period");
                    return None;
                }
                StimulusKind::PulseTrain { amplitude: amplitude?, start, stop, period, width }
            }
            "gaussian_pulse" => {
                let amplitude = self.value("amplitude", d);
                let center = self.time("center", "\"100 ms\"");
                let sigma = self.positive_time("sigma", "\"10 ms\"");
                StimulusKind::GaussianPulse { amplitude: amplitude?, center: center?, sigma: sigma? }
            }
            "sine" => {
                let amplitude = self.value("amplitude", d);
                let frequency = self.frequency("frequency");
                let phase = match self.f.get("phase") {
                    Some(n) => self.desk.quantity(n, Dimension::NONE, "`phase` (in radians)")?,
                    None => 0.0,
                };
                let offset = self.optional("offset", d);
                let rectified = self.flag("rectified");
                let (start, stop) = self.span();
                StimulusKind::Sine {
                    amplitude: amplitude?,
                    frequency: frequency?,
                    phase,
                    offset,
                    rectified,
                    start,
                    stop,
                }
            }
            "chirp" => {
                let amplitude = self.value("amplitude", d);
                let f_start = self.frequency("f_start");
                let f_stop = self.frequency("f_stop");
                let (start, stop) = self.span();
                let offset = self.optional("offset", d);
                let exponential = self.flag("exponential");
                StimulusKind::Chirp {
                    amplitude: amplitude?,
                    f_start: f_start?,
                    f_stop: f_stop?,
                    start,
                    stop,
                    offset,
                    exponential,
                }
            }
            "ou_noise" => {
                let mean = self.optional("mean", d);
                let sigma = self.value("sigma", d);
                let tau = self.positive_time("tau", "\"5 ms\"");
                StimulusKind::OuNoise { mean, sigma: sigma?, tau: tau? }
            }
            "white_noise" => {
                let mean = self.optional("mean", d);
                let scaling =
                    self.f.get("scaling").and_then(|n| self.desk.choice(n, "scaling", &["density", "per_sample"]));
                let generator = self.generator();
                if scaling == Some("per_sample") {
                    // Drawn anew in every step and not scaled with it: the power of such noise depends on the step.
                    let sigma = self.value("amplitude", d)?;
                    return Some(StimulusKind::GaussianSteps { mean, sigma, interval: self.desk.dt, generator });
                }
                let root = self.desk.time_dimension().power(0.5).unwrap_or(Dimension::NONE);
                StimulusKind::WhiteNoise { mean, amplitude: self.value("amplitude", d.times(root))?, generator }
            }
            "gaussian_steps" => {
                let mean = self.optional("mean", d);
                let sigma = self.value("sigma", d);
                let interval = self.positive_time("interval", "\"1 ms\"")?;
                let place = self.f.get("interval")?.place.clone();
                self.desk.multiple(&place, interval, "`interval`")?;
                StimulusKind::GaussianSteps { mean, sigma: sigma?, interval, generator: self.generator() }
            }
            "poisson" => {
                let rate_dimension = self.desk.rate_dimension();
                let rate = self.value("rate", rate_dimension);
                let sources = match self.f.get("sources") {
                    Some(n) => self.desk.whole(n, "`sources`", 1)?,
                    None => 1,
                };
                let weight = self.weight();
                let (start, stop) = self.span();
                if let Some(Value::Constant(r)) = &rate
                    && *r < 0.0
                {
                    let place = self.f.get("rate")?.place.clone();
                    self.desk.error(&place, "a rate is not negative");
                }
                StimulusKind::Poisson { rate: rate?, sources, weight: weight?, start, stop }
            }
            "spikes" => self.spikes()?,
            "file" => self.signal()?,
            _ => {
                let node = self.f.require(&mut self.desk.report, "value", "\"[1 nA]*sin(t/[10 ms])\"")?;
                let text = self.desk.text(node, "`value`")?.to_owned();
                let names = Names::of_cells(self.population).with([("t", self.desk.time_dimension(), UnitName::Time)]);
                StimulusKind::Expression { value: self.desk.expression(node, &text, d, &names)? }
            }
        })
    }

    fn wanted(&self, key: &str, dimension: Dimension) -> Wanted<'a> {
        Wanted {
            dimension,
            what: format!("`{key}`"),
            count: Some(self.size),
            names: Some(Names::of_cells(self.population)),
        }
    }

    fn value(&mut self, key: &str, dimension: Dimension) -> Option<Value> {
        let unit = super::desk::unit_example(dimension);
        let example = if unit.is_empty() { "1.0".to_owned() } else { format!("\"1 {unit}\"") };
        let node = self.f.require(&mut self.desk.report, key, &example)?;
        let wanted = self.wanted(key, dimension);
        self.desk.value(node, &wanted)
    }

    fn optional(&mut self, key: &str, dimension: Dimension) -> Value {
        match self.f.get(key) {
            Some(node) => {
                let wanted = self.wanted(key, dimension);
                self.desk.value(node, &wanted).unwrap_or(Value::Constant(0.0))
            }
            None => Value::Constant(0.0),
        }
    }

    /// `generator`: where normal numbers come from.
    fn generator(&mut self) -> Generator {
        let words = Generator::LIST.map(|g| g.0);
        let word = self.f.get("generator").and_then(|n| self.desk.choice(n, "generator", &words));
        Generator::LIST.iter().find(|g| Some(g.0) == word).map_or_else(Generator::default, |g| g.1)
    }

    fn flag(&mut self, key: &str) -> bool {
        self.f.get(key).and_then(|n| self.desk.flag(n, &format!("`{key}`"))).unwrap_or(false)
    }

    fn time(&mut self, key: &str, example: &str) -> Option<f64> {
        let node = self.f.require(&mut self.desk.report, key, example)?;
        self.desk.time(node, &format!("`{key}`"))
    }

    fn positive_time(&mut self, key: &str, example: &str) -> Option<f64> {
        let v = self.time(key, example)?;
        if v <= 0.0 {
            let place = self.f.get(key)?.place.clone();
            self.desk.error(&place, format!("`{key}` is above zero"));
            return None;
        }
        Some(v)
    }

    fn frequency(&mut self, key: &str) -> Option<f64> {
        let node = self.f.require(&mut self.desk.report, key, "\"10 Hz\"")?;
        let dimension = self.desk.rate_dimension();
        self.desk.spread(node, dimension, &format!("`{key}`"))
    }

    /// `start` and `stop`; from the beginning to the end where they are not given.
    fn span(&mut self) -> (f64, f64) {
        let start_node = self.f.get("start");
        let start = start_node.and_then(|n| self.desk.time(n, "`start`")).unwrap_or(0.0);
        let stop_node = self.f.get("stop");
        let stop = stop_node.and_then(|n| self.desk.time(n, "`stop`"));
        if let (Some(n), Some(stop)) = (stop_node, stop)
            && stop <= start
        {
            self.desk.error(&n.place, "`stop` is not after `start`");
        }
        if let Some(n) = start_node.filter(|_| self.desk.duration > 0.0 && start >= self.desk.duration) {
            self.desk.warn(
                &n.place,
                format!("stimulus `{}` starts after the end of the run", self.name),
                "it has no effect",
            );
        }
        (start, stop.unwrap_or(self.desk.duration))
    }

    /// The weight of what arrives at a receptor.
    fn weight(&mut self) -> Option<Value> {
        let weight = self.value("weight", self.dimension)?;
        if let Some(node) = self.f.get("weight") {
            self.desk.conductance(node, self.dimension, &weight);
        }
        Some(weight)
    }

    fn spikes(&mut self) -> Option<StimulusKind> {
        let weight = self.weight();
        let size = self.size;
        if let Some(node) = self.f.get("file") {
            let table = self.desk.file_table(node, "`file`")?;
            let Some(times) = table.column(&["time_ms", "time"]) else {
                self.desk.error_help(
                    &node.place,
                    "this file has no column `time_ms`",
                    "listed spikes have the columns `time_ms` and optionally `unit`",
                );
                return None;
            };
            let scale = if self.desk.time_base == TimeBase::Milliseconds { 1e-3 } else { 1.0 };
            let units = table.column(&["unit"]);
            if let Some(bad) = units.into_iter().flatten().find(|u| **u < 0.0 || u.fract() != 0.0 || **u >= size as f64)
            {
                self.desk.error(
                    &node.place,
                    format!(
                        "this file names unit {bad}; units of `{}` are numbered from 0 to {}",
                        self.population.name,
                        size - 1
                    ),
                );
                return None;
            }
            let mut order: Vec<usize> = (0..times.len()).collect();
            order.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
            return Some(StimulusKind::Spikes {
                times: order.iter().map(|i| times[*i] * scale).collect(),
                units: units.map(|u| order.iter().map(|i| u[*i] as u32).collect()),
                weight: weight?,
            });
        }
        let node = self.f.require(&mut self.desk.report, "times", "[\"10 ms\", \"20 ms\"]")?;
        let Item::List(list) = &node.item else {
            self.desk.error(&node.place, format!("`times` is a list, not {}", node.what()));
            return None;
        };
        let mut times: Vec<f64> = list.iter().filter_map(|n| self.desk.time(n, "a spike time")).collect();
        times.sort_by(f64::total_cmp);
        Some(StimulusKind::Spikes { times: Arc::from(times), units: None, weight: weight? })
    }

    fn signal(&mut self) -> Option<StimulusKind> {
        let node = self.f.require(&mut self.desk.report, "file", "\"signal.parquet\"")?;
        let unit_node = if self.dimension.is_none() {
            self.f.get("unit")
        } else {
            self.f.require(&mut self.desk.report, "unit", "\"pA\"")
        };
        let mut scale = 1.0;
        if let Some(n) = unit_node {
            match parse_unit(self.desk.text(n, "`unit`")?) {
                Ok((s, dimension)) if dimension == self.dimension => scale = s,
                Ok((_, dimension)) => {
                    self.desk.error(
                        &n.place,
                        format!(
                            "the input is {}, but this is the unit of {}",
                            name_of(self.dimension),
                            name_of(dimension)
                        ),
                    );
                    return None;
                }
                Err(d) => {
                    self.desk.report.put_inside(n, d);
                    return None;
                }
            }
        }
        let gain = match self.f.get("gain") {
            Some(n) => self.desk.quantity(n, Dimension::NONE, "`gain`")?,
            None => 1.0,
        };
        let linear = matches!(
            self.f.get("interpolation").and_then(|n| self.desk.choice(n, "interpolation", &["hold", "linear"])),
            Some("linear")
        );
        let table = self.desk.file_table(node, "`file`")?;
        let Some(times) = table.column(&["time_ms", "time"]) else {
            self.desk.error_help(
                &node.place,
                "this file has no column `time_ms`",
                "a signal has the column `time_ms` and one column for all units, or one each",
            );
            return None;
        };
        if times.len() < 2 {
            self.desk.error(&node.place, "a signal has at least two samples");
            return None;
        }
        let interval = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
        if interval <= 0.0 || times.windows(2).any(|w| ((w[1] - w[0]) - interval).abs() > 1e-6 * interval) {
            self.desk.error_help(
                &node.place,
                "the samples of this file are not evenly spaced in time",
                "resample the signal to one interval",
            );
            return None;
        }
        let wanted: Option<Vec<String>> =
            self.f.get("columns").map(|n| spikedeck_model::strings(&mut self.desk.report, n));
        let columns: Vec<Vec<f64>> = table
            .columns
            .iter()
            .filter(|(name, _)| {
                !matches!(name.as_str(), "time_ms" | "time") && wanted.as_ref().is_none_or(|w| w.contains(name))
            })
            .map(|(_, v)| v.iter().map(|x| x * scale).collect())
            .collect();
        if columns.len() != 1 && columns.len() != self.size {
            self.desk.error_help(
                &node.place,
                format!("this file has {} columns of values for {} units", columns.len(), self.size),
                "one column acts on all units; otherwise there is one each; choose with `columns = [...]`",
            );
            return None;
        }
        let base = if self.desk.time_base == TimeBase::Milliseconds { 1e-3 } else { 1.0 };
        Some(StimulusKind::Signal {
            start: times[0] * base,
            interval: interval * base,
            columns: Arc::from(columns),
            linear,
            gain,
        })
    }
}
