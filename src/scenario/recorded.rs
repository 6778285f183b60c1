//! Analyses that are asked for when a recording is there: read against what it holds, and not against a scenario.

use super::analysis::{self, Places};
use super::catalog::Catalog;
use super::files::NoFiles;
use super::resolver::{Resolver, suggest};
use super::selector::{Units, Written, range, written};
use super::spec::{AnalysisSpec, Integrator, Observable, Place, PopulationId, SpikeTimes, Subject};
use spikedeck_model::document::{Entry, Item, Node, parse_value};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Report, library};
use spikedeck_signal::TimeBase;

/// A population of a recording, as analyses ask for it; the first is the recording's first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordedPlace {
    /// Its name.
    pub name: String,
    /// Number of units.
    pub size: usize,
    /// What its units are called, where they have names; else empty.
    pub names: Vec<String>,
    /// Number of what spikes, if spikes were recorded.
    pub spiking: Option<usize>,
    /// Names of the variables that were recorded.
    pub variables: Vec<String>,
}

impl RecordedPlace {
    /// What can be looked at of it.
    pub fn subjects(&self) -> Vec<String> {
        let spikes = self.spiking.iter().flat_map(|_| ["spikes", "rate"]);
        spikes.chain(self.variables.iter().map(String::as_str)).map(|what| format!("{}.{what}", self.name)).collect()
    }
}

/// An analysis as it is asked for on the command line: `KIND:key=value,key=value`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskedAnalysis {
    /// Which.
    pub kind: String,
    /// Its other keys, with their values as TOML (quotes may be left out).
    pub keys: Vec<(String, String)>,
}

/// Reads analyses of a recording that holds `places`. Each has the name of its kind, numbered from the second of a kind
/// on.
///
/// # Errors
/// Everything that is wrong with them.
pub fn analyses_of(
    asked: &[AskedAnalysis],
    places: &[RecordedPlace],
    time_base: TimeBase,
    catalog: &Catalog,
) -> Result<Vec<AnalysisSpec>, Report> {
    let mut resolver = Resolver {
        names: places.iter().map(|p| p.name.clone()).collect(),
        report: Report::new(),
        library: library(),
        catalog,
        files: &NoFiles,
        used: Vec::new(),
        folder: None,
        time_base,
        dt: 0.0,
        duration: 0.0,
        transient: 0.0,
        integrator: Integrator::Auto,
        spike_times: SpikeTimes::Grid,
    };
    let mut read = Vec::new();
    for (k, wanted) in asked.iter().enumerate() {
        let number = 1 + asked[..k].iter().filter(|a| a.kind == wanted.kind).count();
        let name = if number == 1 { wanted.kind.clone() } else { format!("{}-{number}", wanted.kind) };
        let entry = entry(&mut resolver.report, &name, wanted);
        read.extend(analysis::read_with(&mut resolver, &entry, (&[], &[]), &Recorded(places)));
    }
    if resolver.report.failed() { Err(resolver.report) } else { Ok(read) }
}

/// What was recorded.
struct Recorded<'a>(&'a [RecordedPlace]);

impl Places for Recorded<'_> {
    fn subjects(&self, resolver: &mut Resolver<'_>, node: &Node, equations: bool) -> Vec<Subject> {
        match &node.item {
            Item::List(list) => list.iter().filter_map(|n| subject(resolver, n, self.0, equations)).collect(),
            _ => subject(resolver, node, self.0, equations).into_iter().collect(),
        }
    }

    fn has_variable(&self, resolver: &mut Resolver<'_>, node: &Node, subject: &Subject, name: &str) -> bool {
        let place = subject.place.population().map(|id| &self.0[id.index()]);
        place.is_none_or(|p| has_variable(resolver, node, p, name))
    }
}

/// Whether a variable of this name was recorded at a place; if not, that is said.
pub(super) fn has_variable(resolver: &mut Resolver<'_>, node: &Node, place: &RecordedPlace, name: &str) -> bool {
    if place.variables.iter().any(|v| v == name) {
        return true;
    }
    let help = suggest(name, place.variables.iter().map(String::as_str));
    resolver.error_help(&node.place, format!("no `{name}` of `{}` was recorded", place.name), help);
    false
}

/// What was asked for as an entry of `[analyses]`.
fn entry(report: &mut Report, name: &str, asked: &AskedAnalysis) -> Entry {
    let text = report.text("--with", asked.kind.clone());
    let place = SourceSpan { text, span: 0..asked.kind.len() };
    let kind = Node { place: place.clone(), item: Item::Text(asked.kind.clone()) };
    let mut entries = vec![Entry { key: "kind".into(), place: place.clone(), value: kind }];
    for (key, value) in &asked.keys {
        let text = report.text("--with", format!("{key}={value}"));
        let node = parse_value(report, text, key.len() + 1);
        entries.push(Entry { key: key.clone(), place: SourceSpan { text, span: 0..key.len() }, value: node });
    }
    Entry { key: name.to_owned(), place: place.clone(), value: Node { place, item: Item::Table(entries) } }
}

fn subject(resolver: &mut Resolver<'_>, node: &Node, places: &[RecordedPlace], equations: bool) -> Option<Subject> {
    let written = written(resolver, node)?;
    subject_of(resolver, node, written, places, 0, equations)
}

/// The place that a path begins with, and its number. Names of files hold dots: it is that with the longest name.
pub(super) fn found<'p>(path: &str, places: &'p [RecordedPlace]) -> Option<(usize, &'p RecordedPlace)> {
    let fits =
        |p: &RecordedPlace| path.strip_prefix(&p.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    places.iter().enumerate().filter(|(_, p)| fits(p)).max_by_key(|(_, p)| p.name.len())
}

/// What is written, of `places`, the first of which is the population of number `first`.
pub(super) fn subject_of(
    resolver: &mut Resolver<'_>,
    node: &Node,
    written: Written,
    places: &[RecordedPlace],
    first: usize,
    equations: bool,
) -> Option<Subject> {
    let Written { text, path, bracket, mean } = written;
    let Some((index, p)) = found(&path, places) else {
        let all: Vec<String> = places.iter().flat_map(RecordedPlace::subjects).collect();
        let help = suggest(&path, all.iter().map(String::as_str));
        resolver.error_help(&node.place, format!("nothing that was recorded is called `{path}`"), help);
        return None;
    };
    let what = path[p.name.len()..].trim_start_matches('.');
    if equations {
        let help = "it looks at equations: write it into a scenario".to_owned();
        resolver.error_help(&node.place, format!("a recording has no equations of `{}`", p.name), help);
        return None;
    }
    let spikes = p.spiking.filter(|_| matches!(what, "spikes" | "rate"));
    let of = Units::called(spikes.unwrap_or(p.size), &p.names);
    let units = bracket.map(|b| range(&b, of)).transpose().map_err(|m| resolver.error(&node.place, m)).ok()?;
    let what = match what {
        "spikes" if spikes.is_some() => Observable::Spikes,
        "rate" if spikes.is_some() => Observable::Rate,
        name if p.variables.iter().any(|v| v == name) => Observable::Variable(name.to_owned()),
        name => {
            let all = p.subjects();
            let said = if name.is_empty() {
                format!("`{text}` names a population, but not what of it")
            } else {
                format!("no `{name}` of `{}` was recorded", p.name)
            };
            resolver.error_help(&node.place, said, format!("there are: {}", all.join(", ")));
            return None;
        }
    };
    let place = Place::Population(PopulationId::of_recording(first + index));
    Some(Subject { text, place, what, units: units.unwrap_or_default(), mean })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{AnalysisDeclaration, OptionKind, OptionValue, ParamSpec, Subjects, TimeRole, Together};
    use std::collections::BTreeMap;

    fn read(asked: &[(&str, &[(&str, &str)])]) -> Result<Vec<AnalysisSpec>, String> {
        let options = vec![ParamSpec {
            key: "bin",
            kind: OptionKind::Time,
            default: Some("1 ms"),
            range: None,
            time: TimeRole::Other,
            about: "width",
        }];
        let declaration = AnalysisDeclaration {
            kind: "rates",
            synonyms: &[],
            subjects: Subjects::Of,
            options,
            without_units: vec![],
            together: Together::any(),
        };
        let catalog = Catalog { analyses: BTreeMap::from([("rates", declaration)]) };
        let places = [
            RecordedPlace {
                name: "a".into(),
                size: 3,
                names: ["u7", "u12, left", "40"].map(str::to_owned).to_vec(),
                spiking: Some(3),
                variables: vec![],
            },
            RecordedPlace {
                name: "a.b".into(),
                size: 2,
                names: vec![],
                spiking: None,
                variables: vec!["v".into(), "w.g".into()],
            },
        ];
        let asked: Vec<AskedAnalysis> = asked
            .iter()
            .map(|(kind, keys)| AskedAnalysis {
                kind: (*kind).into(),
                keys: keys.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            })
            .collect();
        analyses_of(&asked, &places, TimeBase::Milliseconds, &catalog).map_err(|report| report.render(false))
    }

    #[test]
    fn subjects_are_those_of_the_recording_whatever_its_names() {
        let read = read(&[
            ("rates", &[("of", "a.spikes[0, 2]"), ("bin", "5 ms")]),
            ("rates", &[("of", "[\"a.b.v\", \"mean(a.b.w.g)\"]")]),
        ])
        .unwrap();
        assert_eq!(read.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["rates", "rates-2"]);
        assert_eq!((read[0].of[0].units.as_slice(), &read[0].of[0].what), (&[0, 2][..], &Observable::Spikes));
        assert_eq!(read[0].options["bin"], OptionValue::Number(0.005));
        assert_eq!(read[1].of[0].what, Observable::Variable("v".into()));
        assert!(read[1].of[1].mean && read[1].of[1].what == Observable::Variable("w.g".into()));
        let second = Place::Population(PopulationId::of_recording(1));
        assert!(read[1].of.iter().all(|s| s.place == second));
    }

    #[test]
    fn units_are_named_by_their_names_and_by_their_numbers() {
        let of = |text: &str| read(&[("rates", &[("of", text)])]).map(|all| all[0].of[0].units.clone());
        for (text, units) in [
            ("a.spikes[u7]", vec![0]),
            ("'a.spikes[\"u12, left\", u7]'", vec![1, 0]),
            ("a.spikes[2, u7]", vec![2, 0]),
            ("'a.spikes[\"40\"]'", vec![2]),
            ("a.spikes[0..2]", vec![0, 1]),
            ("a.rate[u7]", vec![0]),
        ] {
            assert_eq!(of(text).unwrap(), units, "{text}");
        }
        for (text, words) in [
            ("a.spikes[u8]", "there is no unit called `u8`"),
            ("a.spikes[40]", "[\"40\"]"),
            ("a.b.v[x]", "`x` is no unit"),
            ("a.spikes[u7", "does not close"),
        ] {
            let told = of(text).unwrap_err();
            assert!(told.contains(words), "{text}: {told}");
        }
    }

    /// What a unit is called in what is told is what it is asked for by.
    #[test]
    fn the_name_of_a_unit_is_read_as_this_unit() {
        let names = ["7", "u 1", "0", "a, b", "3", "1..4", "x\"", "007", " y", "-2", "1.5", "2"];
        let names = names.map(str::to_owned).to_vec();
        let of = spikedeck_signal::Population { name: "p".into(), size: names.len(), names, ..Default::default() };
        for unit in 0..of.size as u32 {
            let text = of.unit_written(unit);
            let found = range(&text, Units::called(of.size, &of.names));
            assert!(found.is_ok_and(|units| units == [unit]) || text.contains("x\""), "{unit} {text}");
        }
        let bare = |text: &str| range(text, Units::called(of.size, &of.names));
        assert_eq!(bare("5"), Ok(vec![5]), "no unit is called so");
        assert!(bare("0").is_err_and(|e| e.contains("[\"0\"]")), "the third is");
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let wrong = |keys: &[(&str, &str)], words: &str| {
            let told = read(&[("rates", keys)]).unwrap_err();
            assert!(told.contains(words), "{told}");
        };
        wrong(&[("of", "b.spikes")], "nothing that was recorded is called `b.spikes`");
        wrong(&[("of", "a.v")], "there are: a.spikes, a.rate");
        wrong(&[("of", "a.b.spikes")], "there are: a.b.v, a.b.w.g");
        wrong(&[("of", "a.spikes[3]")], "there is no unit 3");
        wrong(&[("of", "a.spikes"), ("bin", "5 mV")], "bin");
        wrong(&[("of", "a.spikes"), ("bim", "5 ms")], "bim");
        wrong(&[], "of");
        assert!(read(&[("rats", &[])]).unwrap_err().contains("rates"));
    }
}
