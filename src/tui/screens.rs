//! Whole screens: what they look like with their styles, what they cost in bytes, and that no size or key breaks them.

use std::sync::Arc;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::layout::Size;

use crate::draw::draw;
use crate::input::panel_tests::values;
use crate::panes::pane::tests::scenes;
use crate::state::app::App;
use crate::state::message::{Effect, JobEvent, Message};
use crate::terminal::encoder::Encoder;
use crate::testing::{app, buffer, comparing, content, key, press, running, styled, text};
use crate::update::update;
use spikedeck_plot::Depth;
use spikedeck_run::Progress;

const SIZES: [(u16, u16); 6] = [(0, 0), (1, 1), (20, 5), (80, 24), (120, 40), (200, 60)];

fn shot(name: &str, app: &App) {
    let (w, h) = app.size;
    let content = if w <= 120 { styled(&buffer(app)) } else { text(&buffer(app)) };
    insta::assert_snapshot!(format!("{name}-{w}x{h}"), content);
}

#[test]
fn gallery() {
    for size in SIZES {
        shot("gallery", &app(size));
    }
}

#[test]
fn one_run() {
    for size in SIZES {
        shot("run", &running(size));
    }
}

#[test]
fn two_runs_side_by_side() {
    for size in SIZES {
        shot("compare", &comparing(size));
    }
}

/// A scenario of so many ms is understood.
fn resolved(stop: f64) -> JobEvent {
    let facts = vec![
        ("time".to_owned(), format!("{stop} ms in steps of 0.1 ms")),
        ("connections".to_owned(), "about 12,500,000".to_owned()),
    ];
    let label = "adex-patterns".to_owned();
    JobEvent::Resolved { label, path: None, beside: Vec::new(), time: Some((0.0, stop)), facts }
}

/// What takes long is named from the first frame on, whatever is run or opened and however small the screen is: before
/// anything was looked at, and with all that is known of it. How far it is stands there only where that is known.
#[test]
fn the_first_frame_says_what_is_slow() {
    use crate::state::jobs::doing;
    use crate::state::source::Source;
    for size in [(80, 24), (120, 40), (200, 60)] {
        let sources = [Source::Scenario("brunel".into()), Source::Finished("data/lfp.parquet".into())];
        for (source, words) in sources.into_iter().zip(["reading brunel", "reading lfp.parquet"]) {
            let mut app = app(size);
            crate::update::begin(&mut app, vec![source]);
            let first = text(&buffer(&app));
            assert!(first.contains(words) && !first.contains('%'), "{size:?}\n{first}");
            let job = app.columns.list()[0].job;
            update(&mut app, Message::Job(job, JobEvent::Progress(doing("reading 10,000,000 rows of lfp.parquet"))));
            assert!(text(&buffer(&app)).contains("reading 10,000,000 rows of lfp.parquet"));
            update(&mut app, Message::Job(job, resolved(500.0)));
            let progress = Progress { fraction: 0.34, ..doing("drawing connections of excitation") };
            update(&mut app, Message::Job(job, JobEvent::Progress(progress)));
            let shown = text(&buffer(&app));
            for told in ["drawing connections of excitation", " 34 %", "500 ms in steps of 0.1 ms", "about 12,500,000"]
            {
                assert!(shown.contains(told), "{size:?} {told}\n{shown}");
            }
            // With what there is on the screen, the head of the column says it.
            update(&mut app, Message::Job(job, JobEvent::Live(Arc::new(content("a", 10.0)))));
            update(&mut app, Message::Job(job, JobEvent::Progress(doing("analysing psd"))));
            let shown = text(&buffer(&app));
            assert!(shown.contains("analysing psd …") && !shown.contains("500 ms in steps"), "{shown}");
        }
    }
}

#[test]
fn while_it_runs() {
    let mut app = app((120, 40));
    update(&mut app, key("enter"));
    let job = app.columns.list()[0].job;
    update(&mut app, Message::Job(job, resolved(2000.0)));
    let eta = Some(std::time::Duration::from_secs(7));
    let progress = Progress { stage: "simulating".into(), fraction: 0.43, simulated: 860.0, rate: 1.31, eta };
    update(&mut app, Message::Job(job, JobEvent::Progress(progress)));
    shot("live", &app);
}

#[test]
fn what_lies_over_the_screen() {
    for (name, keys) in
        [("help", "?"), ("palette", ":"), ("difference", "d"), ("jobs", "J"), ("log", "G"), ("export", "e")]
    {
        for size in [(80, 24), (120, 40)] {
            let mut app = comparing(size);
            press(&mut app, keys);
            shot(name, &app);
        }
    }
}

#[test]
fn parameters_beside_and_below_the_panes() {
    for size in [(0, 0), (20, 5), (80, 24), (120, 40), (200, 60)] {
        for (name, app) in crate::input::panel_tests::screens(size) {
            shot(name, &app);
        }
    }
}

#[test]
fn the_crosshair_tells_values_in_every_linked_pane() {
    let mut app = running((120, 40));
    press(&mut app, "c right right right");
    shot("crosshair", &app);
}

#[test]
fn without_colours() {
    let mut app = running((80, 24));
    app.theme = crate::state::theme::Theme::new(false, Depth::None);
    app.look.palette.depth = Depth::None;
    shot("plain", &app);
    let buf = buffer(&app);
    let coloured = |c: ratatui::style::Color| c != ratatui::style::Color::Reset;
    assert!(buf.content.iter().all(|c| !coloured(c.fg) && !coloured(c.bg)), "no cell has a colour");
}

/// A terminal that counts.
fn counting(size: (u16, u16)) -> Terminal<Encoder<std::io::Sink>> {
    Terminal::new(Encoder::new(std::io::sink(), Size::new(size.0, size.1), Depth::Indexed)).unwrap()
}

/// Bytes of one frame.
fn frame(terminal: &mut Terminal<Encoder<std::io::Sink>>, app: &App) -> u64 {
    let before = terminal.backend_mut().link().total;
    terminal.draw(|f| draw(app, f)).unwrap();
    terminal.backend_mut().commit("").unwrap();
    terminal.backend_mut().link().total - before
}

#[test]
fn byte_budgets() {
    let mut app = comparing((120, 40));
    let mut terminal = counting((120, 40));
    let first = frame(&mut terminal, &app);
    assert!(first <= 60_000, "first frame {first}");
    assert_eq!(frame(&mut terminal, &app), 0, "an unchanged state costs nothing");
    press(&mut app, "c");
    frame(&mut terminal, &app);
    for k in ["right", "right", "left"] {
        press(&mut app, k);
        let cursor = frame(&mut terminal, &app);
        assert!(cursor > 0 && cursor <= 2_000, "crosshair {cursor}");
    }
    let mut app = crate::testing::app((120, 40));
    let mut terminal = counting((120, 40));
    frame(&mut terminal, &app);
    press(&mut app, "down");
    let cursor = frame(&mut terminal, &app);
    assert!(cursor > 0 && cursor <= 2_000, "gallery {cursor}");
}

/// Scenes are what a frame costs: one a pane that is on the screen, one more where columns share their scales, and none
/// for what was drawn before.
#[test]
fn no_scene_is_built_twice() {
    for (mut app, most) in [(running((200, 60)), 1), (comparing((200, 60)), 2)] {
        let panes: usize = app.layout().columns.iter().map(|c| c.panes.len()).sum();
        let first = scenes(|| drop(buffer(&app)));
        assert!(first >= panes && first <= panes * most, "{first} for {panes} panes");
        assert_eq!(scenes(|| drop(buffer(&app))), 0, "the same again");
        update(&mut app, key("c"));
        let crosshair = scenes(|| drop(buffer(&app)));
        assert!(crosshair >= 1 && crosshair <= panes, "the crosshair moves no range: {crosshair} for {panes} panes");
        update(&mut app, key("c"));
        assert_eq!(scenes(|| drop(buffer(&app))), 0, "as it was before the crosshair");
        let moved = scenes(|| drop(update(&mut app, key("tab"))));
        assert_eq!(moved, 0, "focus asks for no scene");
    }
}

#[test]
fn a_live_frame_is_a_sweep() {
    // The time axis is the whole run's from the start, so that new data appear on the right of the old and nothing
    // scrolls.
    let mut app = app((120, 40));
    update(&mut app, key("enter"));
    let job = app.columns.list()[0].job;
    update(&mut app, Message::Job(job, resolved(1000.0)));
    let mut terminal = counting((120, 40));
    let mut worst = 0;
    for k in 1..=40 {
        let snapshot = snapshot(f64::from(k) * 25.0);
        let live = crate::panes::content::Content::live("x", &snapshot, None, Some((0.0, 1000.0)));
        update(&mut app, Message::Job(job, JobEvent::Live(Arc::new(live))));
        let bytes = frame(&mut terminal, &app);
        if k > 1 {
            worst = worst.max(bytes);
        }
    }
    assert!(worst > 0 && worst <= 6_000, "sweep frame {worst}");
}

/// What a run that lasts has at `until`: a dense raster and two traces.
fn snapshot(until: f64) -> spikedeck_run::Snapshot {
    use spikedeck_signal::{Recording, Spikes, Trace, Window};
    let times: Vec<f64> = (1..=20_000).map(|k| f64::from(k) * 0.05).take_while(|t| *t <= until).collect();
    let units = (0..times.len() as u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 8) % 400).collect();
    let samples = (until / 0.5) as usize;
    let wave = |f: f64| (0..samples).map(move |k| -60.0 + 8.0 * (k as f64 * 0.5 * f).sin());
    let trace = |name: &str, f: f64| Trace {
        population: "exc".into(),
        name: name.into(),
        variable: name.into(),
        unit: "mV".into(),
        column: format!("{name}_mV"),
        units: vec![0],
        start: 0.0,
        interval: 0.5,
        values: wave(f).collect(),
    };
    let recording = Recording {
        dt: 0.1,
        window: Window { start: 0.0, stop: until },
        spikes: vec![Spikes { population: "exc".into(), size: 400, times, units }],
        traces: vec![trace("V_m", 0.11), trace("w", 0.023)],
        ..Recording::default()
    };
    spikedeck_run::Snapshot { recording: Arc::new(recording), outcomes: Vec::new() }
}

#[test]
fn a_resize_is_one_frame_of_the_new_size() {
    let mut app = running((80, 24));
    update(&mut app, Message::Resize(100, 30));
    assert_eq!(buffer(&app).area.width, 100);
    assert!(app.dirty);
}

const KEYS: [&str; 60] = [
    "?",
    ":",
    "q",
    "n",
    "esc",
    "m",
    "J",
    "G",
    "up",
    "down",
    "left",
    "right",
    "pageup",
    "pagedown",
    "home",
    "end",
    "enter",
    "/",
    "c",
    "tab",
    "shift-tab",
    "w",
    "1",
    "5",
    "9",
    "z",
    "+",
    "-",
    "0",
    "u",
    "]",
    "[",
    "L",
    "=",
    "space",
    "r",
    "R",
    "x",
    "d",
    "e",
    "y",
    "g",
    "backspace",
    "s",
    "k",
    "ctrl-l",
    "v",
    "v",
    "S",
    "n",
    ">",
    "D",
    "H",
    "shift-right",
    "U",
    "ctrl-u",
    "ctrl-e",
    "7",
    "delete",
    "<",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_size_and_no_keys_panic(
        w in 0u16..210, h in 0u16..70, keys in proptest::collection::vec(0..KEYS.len(), 0..24), which in 0..3usize,
        later in (0u16..90, 0u16..30), refuses in any::<bool>(),
    ) {
        let mut app = match which {
            0 => app((w, h)),
            1 => running((w, h)),
            _ => comparing((w, h)),
        };
        for k in keys {
            let effects = update(&mut app, key(KEYS[k]));
            for effect in effects {
                match effect {
                    Effect::Start(job, _) => {
                        update(&mut app, Message::Job(job, JobEvent::Done(Arc::new(content("x", 9.0)))));
                    }
                    Effect::Understand(id, asked) => {
                        let answer = if refuses { Err("no".into()) } else { Ok(values(&asked.set)) };
                        update(&mut app, Message::Understood(id, answer));
                    }
                    _ => {}
                }
            }
            for column in app.columns.list() {
                let set = column.source.asked().map(|a| a.set.clone()).unwrap_or_default();
                prop_assert!(!refuses || set == column.bench.begun, "what is refused changes nothing");
                let paths: std::collections::BTreeSet<&String> = set.iter().map(|s| &s.0).collect();
                prop_assert_eq!(paths.len(), set.len(), "a value is set once");
            }
            buffer(&app);
        }
        update(&mut app, Message::Resize(later.0, later.1));
        buffer(&app);
    }
}
