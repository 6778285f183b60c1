//! Which key calls which command. Commands are known here by name, keys and context only.

use std::collections::{BTreeMap, HashMap};

use crate::state::keys::Key;
use spikedeck_core::diagnostic::did_you_mean;

/// Where a command applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// On every screen.
    Everywhere,
    /// In the list of scenarios.
    Gallery,
    /// In the view of runs.
    Run,
    /// In the view of runs, while the panel of parameters is open.
    Panel,
}

impl Context {
    /// Heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Gallery => "Gallery",
            Self::Run => "Runs",
            Self::Panel => "Parameters (v)",
        }
    }

    /// Whether a command of this context applies on the screen of another one.
    pub fn applies_in(self, screen: Self) -> bool {
        self == screen || self == Self::Everywhere || (self == Self::Run && screen == Self::Panel)
    }

    /// Whether a key cannot be claimed in both. Beside the panel keys of runs still work, and its own go first.
    fn shares_keys_with(self, other: Self) -> bool {
        self == other || self == Self::Everywhere || other == Self::Everywhere
    }
}

/// What the configuration knows of a command.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Name in the configuration (`zoom-in`).
    pub id: &'static str,
    /// Where it applies.
    pub context: Context,
    /// Default keys.
    pub keys: &'static [&'static str],
    /// It takes a number: the first key gives 1, the second 2, and so on.
    pub numbered: bool,
}

impl Binding {
    /// The number in `pane-3`, which is the third key of the numbered command `pane`.
    fn number_in(&self, id: &str) -> Option<usize> {
        let number = id.strip_prefix(self.id)?.strip_prefix('-')?.parse().ok()?;
        (self.numbered && (1..=self.keys.len()).contains(&number)).then_some(number)
    }
}

/// A command that is called: its row in the table, and its number if it takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Row in the table of commands.
    pub row: usize,
    /// Number that it was called with.
    pub number: Option<usize>,
}

/// A key that a command claims.
struct Claim {
    row: usize,
    number: Option<usize>,
    key: Key,
    /// The configuration says so.
    asked: bool,
}

/// Which key does what, in each context.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    calls: HashMap<(Context, Key), Call>,
    /// Keys of each command, in the order of their numbers.
    keys: BTreeMap<&'static str, Vec<Key>>,
    numbered: Vec<&'static str>,
}

impl Keymap {
    /// The keys of commands with `overrides` (command id, keys) applied, and everything that is wrong with them:
    /// unknown ids, unreadable keys, keys that two commands claim.
    pub fn new(table: &[Binding], overrides: &[(String, Vec<String>)]) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        for (id, _) in overrides {
            if !table.iter().any(|b| b.id == id || b.number_in(id).is_some()) {
                problems.push(format!("keys.{id}: there is no such command{}", what_would_be_right(table, id)));
            }
        }
        let mut claims = Vec::new();
        for (row, binding) in table.iter().enumerate() {
            claims.extend(claimed(row, binding, overrides, &mut problems));
        }
        // What the user asked for goes first, so that a default gives way to it and the conflict is reported.
        claims.sort_by_key(|c| !c.asked);
        let mut map = Self::default();
        let mut owner: HashMap<(Context, Key), &'static str> = HashMap::new();
        let mut kept: Vec<&Claim> = Vec::new();
        for claim in &claims {
            let Binding { id, context, .. } = table[claim.row];
            let clash = [Context::Everywhere, Context::Gallery, Context::Run, Context::Panel]
                .into_iter()
                .filter(|c| c.shares_keys_with(context))
                .find_map(|c| owner.get(&(c, claim.key)));
            if let Some(other) = clash {
                let key = claim.key;
                problems.push(format!("key {key} is claimed by `{other}` and `{id}`; `{other}` keeps it"));
            } else {
                owner.insert((context, claim.key), id);
                map.calls.insert((context, claim.key), Call { row: claim.row, number: claim.number });
                kept.push(claim);
            }
        }
        kept.sort_by_key(|c| (c.row, c.number));
        for claim in kept {
            map.keys.entry(table[claim.row].id).or_default().push(claim.key);
        }
        map.numbered = table.iter().filter(|b| b.numbered).map(|b| b.id).collect();
        (map, problems)
    }

    /// What a key calls here.
    pub fn call(&self, context: Context, key: Key) -> Option<Call> {
        let under = (context == Context::Panel).then_some(Context::Run);
        [Some(context), under, Some(Context::Everywhere)]
            .into_iter()
            .flatten()
            .find_map(|c| self.calls.get(&(c, key)))
            .copied()
    }

    /// Keys of a command, the first being the one to show.
    pub fn keys(&self, id: &str) -> &[Key] {
        self.keys.get(id).map_or(&[], Vec::as_slice)
    }

    /// Keys of a command as text: `: Ctrl-P`; of one that takes a number: `1 … 9`.
    pub fn keys_text(&self, id: &str) -> String {
        match self.keys(id) {
            [first, .., last] if self.numbered.contains(&id) => format!("{first} … {last}"),
            keys => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        }
    }
}

/// The end of a message about an unknown command.
fn what_would_be_right(table: &[Binding], id: &str) -> String {
    let stem = id.rsplit_once('-').map_or("", |(stem, _)| stem);
    if let Some(numbered) = table.iter().find(|b| b.numbered && b.id == stem) {
        return format!("; `{stem}` has the numbers 1 to {}", numbered.keys.len());
    }
    did_you_mean(id, table.iter().map(|b| b.id)).map_or_else(String::new, |n| format!("; did you mean `{n}`?"))
}

/// The keys that a command claims, by default or by the configuration; what cannot be read is a problem.
fn claimed(
    row: usize,
    binding: &Binding,
    overrides: &[(String, Vec<String>)],
    problems: &mut Vec<String>,
) -> Vec<Claim> {
    let number = |k: usize| binding.numbered.then_some(k + 1);
    let given = overrides.iter().rev().find(|(id, _)| id == binding.id);
    let mut texts: Vec<(&str, Option<usize>, bool)> = match given {
        Some((_, keys)) => keys.iter().enumerate().map(|(k, text)| (text.as_str(), number(k), true)).collect(),
        None => binding.keys.iter().enumerate().map(|(k, text)| (*text, number(k), false)).collect(),
    };
    for (id, keys) in overrides {
        if let Some(one) = binding.number_in(id) {
            texts.retain(|t| t.1 != Some(one));
            texts.extend(keys.iter().map(|text| (text.as_str(), Some(one), true)));
        }
    }
    let mut claims = Vec::new();
    for (text, number, asked) in texts {
        match Key::parse(text) {
            Ok(key) => claims.push(Claim { row, number, key, asked }),
            Err(why) => problems.push(format!("keys.{}: {why}", binding.id)),
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::commands::{COMMANDS, keymap};

    /// The id of the command that a key calls in the run view, with its number.
    fn called(map: &Keymap, key: &str) -> Option<(&'static str, Option<usize>)> {
        map.call(Context::Run, Key::parse(key).unwrap()).map(|c| (COMMANDS[c.row].binding.id, c.number))
    }

    fn overridden(overrides: &[(&str, &[&str])]) -> (Keymap, Vec<String>) {
        let owned: Vec<(String, Vec<String>)> = overrides
            .iter()
            .map(|(id, keys)| ((*id).to_owned(), keys.iter().map(|k| (*k).to_owned()).collect()))
            .collect();
        keymap(&owned)
    }

    #[test]
    fn a_rebound_key_wins_and_the_conflict_is_said() {
        let (map, problems) = overridden(&[("zoom-in", &["u"])]);
        assert_eq!(called(&map, "u"), Some(("zoom-in", None)));
        assert_eq!(problems, ["key u is claimed by `zoom-in` and `undo-zoom`; `zoom-in` keeps it"]);
        assert!(map.keys("undo-zoom").is_empty());
    }

    #[test]
    fn unknown_commands_and_keys_are_answered() {
        let (_, problems) = overridden(&[("zoomin", &["x"]), ("fit", &["spcae"])]);
        assert_eq!(problems[0], "keys.zoomin: there is no such command; did you mean `zoom-in`?");
        assert_eq!(problems[1], "keys.fit: `spcae` is no key: did you mean `space`?");
    }

    #[test]
    fn arrows_always_work() {
        let (map, _) = overridden(&[("left", &["left", "a"])]);
        for context in [Context::Gallery, Context::Run] {
            let call = map.call(context, Key::parse("left").unwrap()).unwrap();
            assert_eq!(COMMANDS[call.row].binding.id, "left");
        }
    }

    #[test]
    fn the_place_of_a_key_is_the_number_of_a_pane() {
        let (map, problems) = overridden(&[("pane", &["a", "b", "3"])]);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(called(&map, "b"), Some(("pane", Some(2))));
        assert_eq!(called(&map, "3"), Some(("pane", Some(3))));
        assert_eq!(called(&map, "4"), None, "it has three keys now");
        assert_eq!(map.keys_text("pane"), "a … 3");
    }

    /// Configurations of earlier versions named nine commands.
    #[test]
    fn one_pane_can_be_rebound_by_its_own_name() {
        let (map, problems) = overridden(&[("pane-2", &["a", "f2"]), ("zoom-in", &["5"])]);
        assert_eq!(called(&map, "a"), Some(("pane", Some(2))));
        assert_eq!(called(&map, "f2"), Some(("pane", Some(2))));
        assert_eq!((called(&map, "1"), called(&map, "2")), (Some(("pane", Some(1))), None));
        assert_eq!(called(&map, "5"), Some(("zoom-in", None)), "what was asked for goes before a default");
        assert_eq!(problems, ["key 5 is claimed by `zoom-in` and `pane`; `zoom-in` keeps it"]);
        let (_, problems) = overridden(&[("pane-10", &["a"]), ("fit-1", &["a"])]);
        assert_eq!(problems[0], "keys.pane-10: there is no such command; `pane` has the numbers 1 to 9");
        assert!(problems[1].starts_with("keys.fit-1: there is no such command"), "{problems:?}");
    }
}
