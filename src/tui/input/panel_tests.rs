//! The panel of parameters, as keys and answers change the state.

use std::sync::Arc;

use crate::state::app::App;
use crate::state::message::{Effect, JobEvent, Message};
use crate::state::overlay::Overlay;
use crate::state::panel::Typing;
use crate::state::source::Settings;
use crate::state::stepping::tests::adjustable;
use crate::testing::{buffer, content, key, press, running, text};
use crate::update::update;
use spikedeck_scenario::Adjustable;
use spikedeck_scenario::language::Range;

/// Values as a scenario with these settings has them.
pub fn values(set: &Settings) -> Arc<Vec<Adjustable>> {
    let mut list = vec![
        adjustable("simulation.duration", "\"1 s\"", Range::Above(0.0)),
        adjustable("simulation.seed", "1", Range::From(0.0)),
        adjustable("populations.exc.model", "\"lif\"", Range::Any),
        adjustable("populations.exc.size", "20", Range::From(1.0)),
        adjustable("populations.exc.parameters.tau_m", "\"20 ms\"", Range::Within(1e-3, 1.0)),
        adjustable("sweep.seeds", "1", Range::From(1.0)),
    ];
    for value in &mut list {
        value.is_whole = value.path.ends_with("seed") || value.path.ends_with("size");
        if let Some((_, text)) = set.iter().rev().find(|(p, _)| *p == value.path) {
            value.value = Some(text.clone());
        }
    }
    Arc::new(list)
}

/// Gives every question that is asked its answer: what ends in `wrong` is refused.
fn answer(app: &mut App, effects: Vec<Effect>) -> Vec<Effect> {
    let mut others = Vec::new();
    let mut waiting = effects;
    while let Some(at) = waiting.iter().position(|e| matches!(e, Effect::Understand(..))) {
        let Effect::Understand(id, asked) = waiting.remove(at) else { unreachable!() };
        let wrong = asked.set.iter().find(|(_, v)| v.contains("wrong"));
        let answer = match wrong {
            Some((path, _)) => Err(format!("error: `{path}` cannot be that\n  {path}=wrong\n  ^^^^^")),
            None => Ok(values(&asked.set)),
        };
        waiting.extend(update(app, Message::Understood(id, answer)));
    }
    others.append(&mut waiting);
    others
}

/// Presses a key and answers what it asks.
fn go(app: &mut App, keys: &str) -> Vec<Effect> {
    keys.split(' ')
        .flat_map(|k| {
            let effects = update(app, key(k));
            answer(app, effects)
        })
        .collect()
}

fn typed(app: &mut App, words: &str) {
    for c in words.chars() {
        update(app, crate::state::keys::Key::char(c).into_message());
    }
}

/// A run that took so many seconds, with the panel open on `tau_m`.
fn open(size: (u16, u16), seconds: f64) -> App {
    let mut app = running(size);
    finish(&mut app, seconds);
    go(&mut app, "v down down down down");
    assert_eq!(chosen(&app), "populations.exc.parameters.tau_m");
    app
}

fn chosen(app: &App) -> String {
    app.panel.as_ref().unwrap().chosen(&app.columns.focused().unwrap().bench).unwrap().path.clone()
}

/// The job of the column is over after so many seconds.
fn finish(app: &mut App, seconds: f64) -> Vec<Effect> {
    let job = app.columns.list()[0].job;
    let mut done = content("adex-patterns", 10.0);
    let mut run = (**done.finished.as_ref().unwrap()).clone();
    run.facts.simulate_seconds = seconds;
    done.finished = Some(Arc::new(run));
    update(app, Message::Job(job, JobEvent::Done(Arc::new(done))))
}

fn set(app: &App) -> Settings {
    app.columns.list()[0].source.asked().unwrap().set.clone()
}

fn starts(effects: &[Effect]) -> usize {
    effects.iter().filter(|e| matches!(e, Effect::Start(..))).count()
}

#[test]
fn a_held_key_runs_along_and_the_newest_value_is_run_last() {
    let mut app = open((120, 40), 0.05);
    let effects = go(&mut app, "right");
    assert_eq!(set(&app), [("populations.exc.parameters.tau_m".to_owned(), "\"21 ms\"".to_owned())]);
    assert_eq!(starts(&effects), 1);
    // What runs goes on to its end; then the newest is run, and nothing between.
    assert_eq!(starts(&go(&mut app, "right right right")), 0);
    let effects = finish(&mut app, 0.05);
    let [Effect::Start(_, source)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(source.asked().unwrap().set[0].1, "\"24 ms\"");
    assert_eq!(starts(&finish(&mut app, 0.05)), 0, "nothing waits any more");
}

#[test]
fn keys_that_come_before_the_answer_ask_for_the_newest_alone() {
    let mut app = open((120, 40), 0.05);
    let first = update(&mut app, key("right"));
    for _ in 0..5 {
        assert!(update(&mut app, key("right")).is_empty(), "one question is under way at a time");
    }
    assert!(text(&buffer(&app)).contains("26 ms"), "what is asked for is shown at once");
    let effects = answer(&mut app, first);
    assert_eq!(set(&app)[0].1, "\"26 ms\"");
    assert_eq!(starts(&effects), 1);
}

#[test]
fn what_takes_long_waits_for_enter_and_is_dimmed() {
    let mut app = open((120, 40), 20.0);
    assert_eq!(starts(&go(&mut app, "right")), 0);
    assert!(text(&buffer(&app)).contains("Enter runs it"));
    assert!(app.columns.list()[0].is_of_before());
    assert_eq!(starts(&go(&mut app, "enter")), 1);
    assert!(app.columns.list()[0].is_of_before(), "old panes stay until the new are there");
    finish(&mut app, 20.0);
    assert!(!app.columns.list()[0].is_of_before());
}

#[test]
fn a_wrong_value_is_refused_at_its_place_and_changes_nothing() {
    for size in [(120, 40), (80, 24)] {
        let mut app = open(size, 0.05);
        go(&mut app, "right");
        finish(&mut app, 0.05);
        let before = set(&app);
        go(&mut app, "enter ctrl-u");
        typed(&mut app, "9 wrong");
        let effects = go(&mut app, "enter");
        assert_eq!((set(&app), starts(&effects)), (before.clone(), 0));
        let shown = text(&buffer(&app));
        assert!(shown.contains("cannot be that") && shown.contains("^^^^^"), "{shown}");
        assert!(app.panel.as_ref().unwrap().typing.is_some(), "it can be mended");
        go(&mut app, "ctrl-u 9 enter");
        assert_eq!(set(&app)[0].1, "9");
        assert!(app.panel.as_ref().unwrap().typing.is_none());
    }
}

/// A value that waits behind a refused one is asked for without it.
#[test]
fn what_was_refused_is_in_nothing_that_follows() {
    let mut app = open((120, 40), 0.05);
    update(&mut app, key("enter"));
    update(&mut app, key("ctrl-u"));
    typed(&mut app, "wrong");
    let first = update(&mut app, key("enter"));
    update(&mut app, key("esc"));
    update(&mut app, key("up"));
    assert!(update(&mut app, key("right")).is_empty());
    answer(&mut app, first);
    assert_eq!(set(&app), [("populations.exc.size".to_owned(), "21".to_owned())]);
}

/// A reset that waits behind a refused change holds: of the value, and of all.
#[test]
fn a_reset_that_waits_behind_a_refused_change_is_not_lost() {
    for reset in ["backspace", "R"] {
        let mut app = open((120, 40), 0.05);
        go(&mut app, "right");
        assert_eq!(set(&app).len(), 1);
        update(&mut app, key("enter"));
        update(&mut app, key("ctrl-u"));
        typed(&mut app, "wrong");
        let first = update(&mut app, key("enter"));
        update(&mut app, key("esc"));
        assert!(update(&mut app, key(reset)).is_empty(), "{reset} waits");
        answer(&mut app, first);
        assert!(set(&app).is_empty(), "{reset}: {:?}", set(&app));
    }
}

/// The panel shows why the chosen value was refused; of another path, such as an axis of the sweep, a notice says it.
#[test]
fn a_refusal_that_the_panel_does_not_show_is_said() {
    let said = |app: &App| app.log.notice().is_some_and(|l| l.bad && l.text.contains("cannot be that"));
    for (keys, words, is_said) in [("enter ctrl-u", "9 wrong", false), ("s ctrl-u", "1 ms, wrong", true)] {
        let mut app = open((120, 40), 20.0);
        go(&mut app, keys);
        typed(&mut app, words);
        go(&mut app, "enter");
        assert_eq!(said(&app), is_said, "{words}: {:?}", app.log.notice());
    }
}

#[test]
fn undo_redo_and_reset() {
    let mut app = open((120, 40), 0.05);
    let tau = |app: &App| set(app).into_iter().find(|(p, _)| p.ends_with("tau_m")).map(|(_, v)| v);
    go(&mut app, "right right right");
    go(&mut app, "up right");
    assert_eq!(set(&app).len(), 2);
    go(&mut app, "u");
    assert_eq!(set(&app).len(), 1);
    go(&mut app, "u");
    assert!(set(&app).is_empty(), "a held key is one change");
    go(&mut app, "U");
    assert_eq!(tau(&app).as_deref(), Some("\"23 ms\""));
    go(&mut app, "U");
    assert_eq!(set(&app).len(), 2);
    go(&mut app, "backspace");
    assert_eq!((set(&app).len(), tau(&app).is_some()), (1, true), "the chosen value alone");
    go(&mut app, "R");
    assert!(set(&app).is_empty());
    go(&mut app, "u");
    assert_eq!(set(&app).len(), 1, "a reset is a change too");
    assert!(!text(&buffer(&app)).contains("2 changed"));
}

#[test]
fn values_are_searched_by_path_and_meaning() {
    let mut app = open((120, 40), 0.05);
    go(&mut app, "/");
    typed(&mut app, "tau");
    assert_eq!(chosen(&app), "populations.exc.parameters.tau_m");
    go(&mut app, "enter");
    assert_eq!(app.panel.as_ref().unwrap().typing, None);
    go(&mut app, "esc esc");
    assert_eq!(app.panel, None, "first what was looked for, then the panel");
}

#[test]
fn a_sweep_and_seeds_are_typed() {
    let mut app = open((120, 40), 20.0);
    go(&mut app, "s");
    let typing = app.panel.as_ref().unwrap().typing.clone();
    assert_eq!(typing, Some((Typing::Sweep, "10 ms .. 30 ms / 5".to_owned())));
    assert_eq!(starts(&go(&mut app, "enter")), 1, "what was typed is run, whatever it takes");
    let axis = ("sweep.axes.\"populations.exc.parameters.tau_m\"", "{ from = \"10 ms\", to = \"30 ms\", steps = 5 }");
    assert_eq!(set(&app), [(axis.0.to_owned(), axis.1.to_owned())]);
    go(&mut app, "n ctrl-u 8 enter");
    assert_eq!(set(&app)[1], ("sweep.seeds".to_owned(), "8".to_owned()));
    // It is typed again as it was.
    go(&mut app, "s");
    let typing = app.panel.as_ref().unwrap().typing.clone();
    assert_eq!(typing, Some((Typing::Sweep, "10 ms .. 30 ms / 5".to_owned())));
    go(&mut app, "ctrl-u");
    typed(&mut app, "5 ms, 7 ms");
    go(&mut app, "enter");
    assert!(set(&app).contains(&(axis.0.to_owned(), "[\"5 ms\", \"7 ms\"]".to_owned())), "{:?}", set(&app));
    go(&mut app, "s ctrl-u enter");
    assert_eq!(set(&app).len(), 1, "without values it is no axis");
}

#[test]
fn twice_the_time_is_one_key() {
    let mut app = running((120, 40));
    let effects = go(&mut app, "D");
    assert_eq!(set(&app), [("simulation.duration".to_owned(), "\"2 s\"".to_owned())]);
    assert_eq!((starts(&effects), app.panel), (1, None));
}

#[test]
fn the_command_line_is_shown_and_copied() {
    let mut app = open((120, 40), 0.05);
    go(&mut app, "right");
    let line = "spikedeck run adex-patterns --set 'populations.exc.parameters.tau_m=21 ms'";
    let effects = go(&mut app, "y");
    assert!(matches!(&effects[..], [Effect::Copy(text)] if text == line), "{effects:?}");
    assert!(text(&buffer(&app)).contains("spikedeck run adex-patterns --set"));
}

#[test]
fn what_is_saved_is_the_scenario_from_then_on() {
    let mut app = open((120, 40), 0.05);
    go(&mut app, "right S");
    let effects = go(&mut app, "enter");
    let [Effect::Save { asked, path, edit: false }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((path.to_str(), asked.set.len()), (Some("adex-patterns.toml"), 1));
    let failed = Message::Saved { asked: asked.clone(), file: Err("it is there already".into()), edit: false };
    update(&mut app, failed);
    assert!(app.panel.as_ref().unwrap().typing.is_some(), "another name can be typed");
    let saved = Message::Saved { asked: asked.clone(), file: Ok(path.clone()), edit: true };
    let effects = update(&mut app, saved);
    assert!(matches!(&effects[..], [Effect::Watch(watched), Effect::Edit(_)] if watched == std::slice::from_ref(path)));
    assert_eq!((app.columns.list()[0].label.as_str(), set(&app).len()), ("adex-patterns", 0));
    assert_eq!(app.panel.as_ref().unwrap().typing, None);
}

#[test]
fn a_saved_file_reloads_itself_and_a_wrong_one_keeps_what_is_shown() {
    let mut app = open((120, 40), 0.05);
    let path = std::path::PathBuf::from("/tmp/a.toml");
    app.columns.get_mut(0).unwrap().path = Some(path.clone());
    let effects = update(&mut app, Message::FileChanged(path.clone()));
    let [Effect::Understand(id, _)] = &effects[..] else { panic!("{effects:?}") };
    let why = "error: no\n  dt = 1\n       ^ a unit is missing";
    assert_eq!(starts(&update(&mut app, Message::Understood(*id, Err(why.into())))), 0);
    let shown = text(&buffer(&app));
    assert!(shown.contains("^ a unit is missing") && shown.contains("what is shown is of before"), "{shown}");
    assert!(shown.contains("1 Spikes"), "the old panes stay");
    let effects = update(&mut app, Message::FileChanged(path));
    assert_eq!(starts(&answer(&mut app, effects)), 1);
    assert!(!text(&buffer(&app)).contains("a unit is missing"));
}

#[test]
fn a_rerun_that_fails_keeps_the_panes_with_the_reason() {
    let mut app = open((120, 40), 0.05);
    go(&mut app, "right");
    let job = app.columns.list()[0].job;
    update(&mut app, Message::Job(job, JobEvent::Failed("memory: 9 TB are needed".into())));
    let shown = text(&buffer(&app));
    assert!(shown.contains("9 TB") && shown.contains("1 Spikes"), "{shown}");
    go(&mut app, "u");
    finish(&mut app, 0.05);
    assert!(!text(&buffer(&app)).contains("what is shown is of before"));
}

#[test]
fn a_finished_run_has_no_panel() {
    let mut app = running((120, 40));
    app.columns.get_mut(0).unwrap().source = crate::state::source::Source::Finished("runs/a".into());
    for keys in ["v", "S", "D", "ctrl-e"] {
        assert!(go(&mut app, keys).is_empty());
        assert!(app.panel.is_none() && app.log.notice().is_some(), "{keys}");
    }
}

#[test]
fn help_lists_the_keys_of_the_panel_first() {
    let mut app = open((120, 40), 0.05);
    press(&mut app, "?");
    assert!(matches!(app.overlay, Some(Overlay::Help { .. })));
    let shown = text(&buffer(&app));
    let first = shown.lines().position(|l| l.contains("Parameters (v)"));
    assert!(first.is_some_and(|at| at < 8), "{shown}");
}

/// Screens of the panel, for the snapshots.
pub fn screens(size: (u16, u16)) -> Vec<(&'static str, App)> {
    let mut changed = open(size, 20.0);
    go(&mut changed, "right right");
    let mut refused = open(size, 0.05);
    go(&mut refused, "enter ctrl-u");
    typed(&mut refused, "9 wrong");
    go(&mut refused, "enter");
    vec![("panel", changed), ("panel-refused", refused)]
}
