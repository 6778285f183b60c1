//! `spikedeck explain` of the parts of the scenario language: sections, and kinds of stimuli, rules, distributions and
//! boundaries, from their declarations.

use super::output::{Align, Grid, Tone};
use spikedeck_scenario::language::{Family, Key, Section, Takes, WordOf};
use spikedeck_scenario::{Boundary, DISTRIBUTIONS, RULES, SCENARIO, STIMULI, Words, families, sections};
use spikedeck_signal::Card;

/// The heading of a table of keys.
pub(super) const KEYS: &str = "Keys";
/// The heading of a line to copy.
pub(super) const WRITE: &str = "Write it";

/// Everything of the language that is called `name`, where `wants` says whether a kind of thing is asked for.
pub(super) fn found(name: &str, wants: &dyn Fn(&str) -> bool) -> Vec<(String, Card)> {
    let mut found = Vec::new();
    let titled = |kind: &str| format!("{name}  {kind}");
    if wants("stimulus")
        && let Some(kind) = STIMULI.kind(name)
    {
        found.push((titled("stimulus"), kind_card(&STIMULI, kind, "[stimuli.NAME]\n")));
    }
    if wants("rule")
        && let Some(kind) = RULES.kind(name)
    {
        found.push((titled("connection rule"), kind_card(&RULES, kind, "connect = ")));
    }
    if wants("distribution")
        && let Some(key) = DISTRIBUTIONS.key(name)
    {
        found.push((titled("distribution"), distribution(key)));
    }
    if wants("boundary")
        && let Some(word) = Boundary::WORDS.iter().find(|w| w.name == name)
    {
        let line = format!("grid = {{ shape = [200], spacing = \"50 um\", boundary = \"{name}\" }}");
        found.push((titled("boundary of a grid"), Card { sections: vec![what(word.about), (WRITE.to_owned(), line)] }));
    }
    if wants("section") {
        for section in sections().into_iter().chain([&SCENARIO, &DISTRIBUTIONS]).filter(|s| s.name == name) {
            found.push((titled("section of a scenario"), section_card(section)));
        }
        let table = |f: &Family| f.name == name || (f.name == STIMULI.name && name == "stimuli");
        for family in families().into_iter().filter(|f| table(f)) {
            found.push((titled("section of a scenario"), family_card(family)));
        }
    }
    found
}

/// Names that [`found`] knows.
pub(super) fn names() -> Vec<&'static str> {
    let kinds = |f: &'static Family| f.kinds.iter().chain(f.others).map(|k| k.name);
    let words = |w: &'static [WordOf]| w.iter().map(|w| w.name);
    kinds(&STIMULI)
        .chain(kinds(&RULES))
        .chain(DISTRIBUTIONS.keys.iter().map(|k| k.name))
        .chain(words(Boundary::WORDS))
        .chain(sections().into_iter().map(|s| s.name))
        .chain([SCENARIO.name, DISTRIBUTIONS.name])
        .chain(families().into_iter().map(|f| f.name))
        .collect()
}

fn what(about: &str) -> (String, String) {
    ("What it is".to_owned(), about.to_owned())
}

fn kind_card(family: &Family, kind: &Section, before: &str) -> Card {
    let mut sections = vec![what(kind.about)];
    let named = family.kinds.iter().any(|k| k.name == kind.name);
    let common = family.common.iter().filter(|_| named);
    sections.extend(table(&common.chain(kind.keys).collect::<Vec<_>>()));
    let example = family.example(kind);
    let line = if before.ends_with('\n') {
        format!("{before}{}", example.join("\n"))
    } else {
        format!("{before}{{ {} }}", example.join(", "))
    };
    sections.push((WRITE.to_owned(), line));
    Card { sections }
}

fn distribution(key: &Key) -> Card {
    let mut sections = vec![what(key.about)];
    let example = match key.takes {
        Takes::Table(section) => {
            sections.extend(table(&section.keys.iter().collect::<Vec<_>>()));
            format!("{{ {} }}", section.example().join(", ").replace(" nA", " mV"))
        }
        _ => "[\"1 mV\", \"2 mV\"]".to_owned(),
    };
    sections.push((WRITE.to_owned(), format!("V_m = {{ {} = {example} }}", key.name)));
    Card { sections }
}

fn section_card(section: &Section) -> Card {
    let mut sections = vec![what(section.about)];
    sections.extend(table(&section.keys.iter().collect::<Vec<_>>()));
    if let Some(others) = section.others {
        sections.push(("Further keys".to_owned(), format!("{}: {}", others.about, others.takes.words())));
    }
    Card { sections }
}

fn family_card(family: &Family) -> Card {
    let mut sections = vec![what(family.about)];
    sections.extend(table(&family.common.iter().collect::<Vec<_>>()));
    let mut grid = Grid::new(&[Align::Left; 2]);
    for kind in family.kinds.iter().chain(family.others) {
        grid.row([kind.name, kind.about], Tone::Plain);
    }
    sections.push(("Kinds".to_owned(), text(&grid)));
    Card { sections }
}

/// One line a key: what it takes, what holds without it, its bounds, its meaning.
fn table(keys: &[&Key]) -> Option<(String, String)> {
    if keys.is_empty() {
        return None;
    }
    let mut grid = Grid::new(&[Align::Left; 4]);
    for key in keys {
        let bounds = key.bounds_in_words();
        let takes = key.takes.words();
        let takes = if bounds.is_empty() { takes } else { format!("{takes}, {bounds}") };
        grid.row([key.name.to_owned(), takes, key.without(), key.about.to_owned()], Tone::Plain);
    }
    Some((KEYS.to_owned(), text(&grid)))
}

fn text(grid: &Grid) -> String {
    let mut text = Vec::new();
    match grid.write(&mut text, "", false, false) {
        Ok(()) => String::from_utf8_lossy(&text).trim_end().to_owned(),
        Err(_) => String::new(),
    }
}
