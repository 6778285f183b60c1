//! Pictures that the dashboard makes of itself: the one in README, and what each scenario shows first, small, in the
//! gallery. `.ci/tour` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use spikedeck::plot::thumbnail::{HEIGHT, WIDTH, read};
use spikedeck::scenario;
use spikedeck::tui::tour::{Tour, thumbnail};

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Thumbnails by scenario, as they are kept.
fn kept(text: &str) -> BTreeMap<String, String> {
    let parts = text.split("# ").filter(|part| !part.is_empty());
    parts
        .filter_map(|part| part.split_once('\n').map(|(name, picture)| (name.to_owned(), picture.to_owned())))
        .collect()
}

/// Makes the thumbnails of scenarios, two at a time, and writes each as soon as it is there: a tour that is ended goes
/// on where it was. Gives what went wrong.
fn make(names: Vec<String>, pictures: &mut BTreeMap<String, String>, path: &Path) -> Vec<String> {
    let queue = Mutex::new(names.into_iter());
    let kept = Mutex::new((pictures, Vec::new()));
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                loop {
                    let Some(name) = queue.lock().unwrap().next() else { break };
                    let made = thumbnail(&name);
                    let (pictures, wrong) = &mut *kept.lock().unwrap();
                    match made {
                        Ok(picture) => drop(pictures.insert(name, picture.unwrap_or_default())),
                        Err(why) => wrong.push(format!("{name}: {why}")),
                    }
                    let text: String = pictures.iter().map(|(name, picture)| format!("# {name}\n{picture}")).collect();
                    fs::write(path, text).unwrap();
                }
            });
        }
    });
    kept.into_inner().unwrap().1
}

/// Makes the pictures of scenarios that have none; of circuits that take minutes where they are asked for
/// (`TOUR=large`), and all others anew where all are (`TOUR=all`).
#[test]
#[ignore = "runs all scenarios; `.ci/tour` does"]
fn make_thumbnails() {
    let path = at("data/thumbnails.txt");
    let mut pictures = kept(&fs::read_to_string(&path).unwrap());
    let wish = std::env::var("TOUR").unwrap_or_default();
    let is_large =
        |name: &str| scenario::built_in().iter().any(|b| b.name == name && b.tags.iter().any(|t| t == "large"));
    let names: Vec<String> = scenario::built_in().iter().map(|b| b.name.clone()).collect();
    let is_due = |name: &String| wish == "all" || !pictures.contains_key(name);
    let due = names.iter().filter(|name| is_due(name) && (wish == "large" || !is_large(name))).cloned().collect();
    pictures.retain(|name, _| names.contains(name));
    let wrong = make(due, &mut pictures, &path);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is kept are pictures of scenarios that are built in, of the size for which the gallery has room.
#[test]
fn thumbnails_are_pictures_of_scenarios() {
    let pictures = kept(&fs::read_to_string(at("data/thumbnails.txt")).unwrap());
    let names: Vec<&str> = scenario::built_in().iter().map(|b| b.name.as_str()).collect();
    for (name, picture) in &pictures {
        assert!(
            names.contains(&name.as_str()),
            "{name} is no scenario any more: `.ci/tour` writes data/thumbnails.txt anew"
        );
        if !picture.is_empty() {
            let grid = read(picture.trim_end()).unwrap_or_else(|| panic!("{name}: no picture\n{picture}"));
            assert_eq!((grid.width, grid.height), (WIDTH, HEIGHT), "{name}");
        }
    }
}

/// README shows the dashboard as it is: what a newcomer has after the first command.
#[test]
fn the_picture_in_readme_is_the_dashboard_as_it_is() {
    let path = at("data/pictures/dashboard.svg");
    let mut tour = Tour::start(&["balanced-cuba"], (140, 44)).unwrap();
    // The third pane has the focus, and the crosshair reads all panes of time at once.
    tour.press("tab tab c").unwrap();
    let picture = tour.picture();
    if crate::update_pages() {
        fs::write(&path, &picture).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == picture, "`.ci/tour` draws {} anew", path.display());
}
