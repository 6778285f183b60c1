//! Changing a scenario from the dashboard, in a real pseudo-terminal: the panel, reruns, files and the editor.

use std::time::Duration;

use super::pty::{Dashboard, SMALL};

/// The number of spikes that the title of the raster says.
fn spikes(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.windows(2).position(|w| w[0].parse::<u64>().is_ok() && w[1].starts_with("spikes"))?;
    words[at].parse().ok()
}

/// Opens the small scenario with the panel on the amplitude of its drive.
fn on_the_drive(size: (u16, u16)) -> (Dashboard, u64) {
    let mut d = Dashboard::start(&["small.toml"], size);
    d.wait("the end of the run", |s| s.contains("done") && spikes(s).is_some());
    let before = spikes(&d.text()).unwrap();
    d.press("v");
    d.shows("simulation");
    d.press("/amplitude\r");
    d.shows("1 nA");
    (d, before)
}

/// Waits for so many spikes. On a machine that is so busy that this run takes a second, a change waits for Enter.
fn run_where_slow(d: &mut Dashboard, what: &str, is_so: impl Fn(Option<u64>) -> bool) {
    const WAITS: &str = "Enter runs it";
    d.wait(what, |s| is_so(spikes(s)) || s.contains(WAITS));
    // A run may be about to end: Enter, which then opens the field, is pressed where the change goes on waiting.
    let start = std::time::Instant::now();
    while start.elapsed() < std::time::Duration::from_secs(1) && d.text().contains(WAITS) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    if d.text().contains(WAITS) {
        d.press("\r");
    }
    d.wait(what, |s| is_so(spikes(s)));
}

#[test]
fn a_value_that_is_changed_runs_at_once() {
    for size in [(120, 40), (80, 24)] {
        let (mut d, before) = on_the_drive(size);
        d.press("\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C");
        d.shows("1.5 nA");
        run_where_slow(&mut d, "more spikes", |s| s.is_some_and(|n| n > before));
        d.shows("1 changed");
        d.press("u");
        d.wait("no change", |s| !s.contains("1 changed"));
        run_where_slow(&mut d, "as before", |s| s == Some(before));
        assert!(!d.text().contains("1 changed"));
        // A run that is still under way on a busy machine is asked about.
        d.press("q");
        d.press("y");
        assert!(d.ended().success());
    }
}

#[test]
fn a_wrong_value_gets_the_error_of_the_file_and_changes_nothing() {
    let (mut d, before) = on_the_drive((120, 40));
    d.press("2 mV\r");
    d.wait("the error", |s| s.contains("a voltage (V)") && s.contains("amplitude=2 mV") && s.contains("write it in"));
    assert_eq!(spikes(&d.text()), Some(before));
    d.press("\x15");
    d.press("2 nA\r");
    d.wait("more spikes", |s| spikes(s).is_some_and(|n| n > before));
    d.press("q");
    assert!(d.ended().success());
}

#[test]
fn what_is_saved_keeps_its_comments_and_is_what_is_shown() {
    let (mut d, before) = on_the_drive((120, 40));
    d.press("2 nA\r");
    d.wait("more spikes", |s| spikes(s).is_some_and(|n| n > before));
    d.press("S");
    d.shows("small-2.toml");
    d.press("\r");
    d.shows("written:");
    let saved = std::fs::read_to_string(d.home.path().join("small-2.toml")).unwrap();
    assert_eq!(saved, SMALL.replace("\"1 nA\"", "\"2 nA\""));
    // A second time it is there, and stays as it is.
    d.press("S");
    d.press("\x15small.toml\r");
    d.shows("is there already");
    assert_eq!(std::fs::read_to_string(d.home.path().join("small.toml")).unwrap(), SMALL);
    // Escape and a letter that come together are another key.
    d.press("\x1b");
    d.wait("the end of the question", |s| !s.contains("file small.toml"));
    d.press("q");
    assert!(d.ended().success());
}

#[test]
fn a_saved_file_is_read_by_itself_and_a_wrong_one_is_told_in_place() {
    let mut d = Dashboard::start(&["small.toml"], (120, 40));
    d.wait("the end of the run", |s| s.contains("done") && spikes(s).is_some());
    let before = spikes(&d.text()).unwrap();
    let path = d.home.path().join("small.toml");
    // Past the clock of the file system, so that it is another file.
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(&path, SMALL.replace("\"1 nA\"", "\"1 mV\"")).unwrap();
    d.shows("what is shown is of before");
    d.shows("amplitude = \"1 mV\"");
    assert_eq!(spikes(&d.text()), Some(before), "the old result stays");
    std::fs::write(&path, SMALL.replace("\"1 nA\"", "\"2 nA\"")).unwrap();
    d.wait("more spikes", |s| spikes(s).is_some_and(|n| n > before) && !s.contains("of before"));
    d.press("q");
    assert!(d.ended().success());
}

/// The terminal is the editor's while it runs: what is typed goes to it, and the dashboard is there again afterwards.
#[test]
fn the_editor_has_the_terminal_and_gives_it_back() {
    let editor = "sh -c 'read word; sed -i s/1.nA/$word.nA/ \"$0\"; echo edited'";
    let mut d = Dashboard::start_with(&["small.toml"], (120, 40), &[("EDITOR", editor)]);
    d.wait("the end of the run", |s| s.contains("done") && spikes(s).is_some());
    let before = spikes(&d.text()).unwrap();
    d.press("\x05");
    d.wait("the terminal is given", |s| !s.contains("Spikes"));
    d.press("2\r");
    d.wait("more spikes", |s| spikes(s).is_some_and(|n| n > before));
    assert!(d.alternate());
    d.press("q");
    assert!(d.ended().success());
    d.restored();
}

#[test]
fn settings_of_the_command_line_are_what_the_panel_begins_with() {
    let args = ["small.toml", "--set", "stimuli.drive.amplitude=2 nA", "--seed", "7"];
    let mut d = Dashboard::start(&args, (120, 40));
    d.wait("the end of the run", |s| s.contains("done"));
    d.press("v");
    d.press("/amplitude\r");
    d.shows("2 nA");
    d.wait("the command line", |s| s.contains("--set") && s.contains("amplitude=2 nA"));
    assert!(!d.text().contains("1 changed"), "nothing was changed since");
    d.press("q");
    assert!(d.ended().success());
}
