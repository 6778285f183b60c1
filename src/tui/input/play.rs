//! Playing a plane: a finished run goes through its frames as it did while it lasted. Time passes only while it plays.

use std::sync::Arc;

use crate::panes::movie::Movie;
use crate::state::app::App;

/// A whole run takes about this many steps to play.
const STEPS: usize = 120;

/// What would be played: the focused plane, else the first one.
pub fn movie(app: &App) -> Option<Arc<Movie>> {
    let focused = app.columns.pane().and_then(|p| p.movie.clone());
    focused.or_else(|| {
        let contents = app.columns.list().iter().filter_map(|c| c.content());
        contents.flat_map(|c| &c.panes).find_map(|p| p.movie.clone())
    })
}

/// Starts, from the first frame when the last one is shown, or stops.
pub fn toggle(app: &mut App) {
    if std::mem::take(&mut app.playing) {
        return;
    }
    let Some(movie) = movie(app) else {
        app.say("nothing here can be played: that is for planes (grids of two axes) of a run that is over", false);
        return;
    };
    if at(app, &movie) + 1 >= movie.frames() {
        show(app, movie.time(0));
    }
    app.playing = true;
}

/// One frame on; stops playing.
pub fn step_on(app: &mut App) {
    step(app, 1);
}

/// One frame back; stops playing.
pub fn step_back(app: &mut App) {
    step(app, -1);
}

fn step(app: &mut App, by: isize) {
    app.playing = false;
    if let Some(movie) = movie(app) {
        let frame = at(app, &movie).saturating_add_signed(by).min(movie.frames() - 1);
        show(app, movie.time(frame));
    } else {
        app.say(
            "nothing here can be stepped through: that is for planes (grids of two axes) of a run that is over",
            false,
        );
    }
}

/// A moment has passed.
pub fn tick(app: &mut App) {
    let Some(movie) = movie(app).filter(|_| app.playing) else {
        app.playing = false;
        app.dirty = false;
        return;
    };
    let last = movie.frames() - 1;
    let frame = (at(app, &movie) + movie.frames().div_ceil(STEPS)).min(last);
    show(app, movie.time(frame));
    app.playing = frame < last;
}

/// Back to the end of the run.
pub fn end(app: &mut App) {
    if let Some(movie) = movie(app) {
        show(app, movie.time(movie.frames() - 1));
    }
    (app.playing, app.moment) = (false, None);
}

/// The frame that is shown.
fn at(app: &App, movie: &Movie) -> usize {
    app.moment.map_or(movie.frames() - 1, |t| movie.frame_at(t))
}

fn show(app: &mut App, time: f64) {
    app.moment = Some(time);
    app.columns.show_moment(time);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panes::content::{Content, Pane};
    use crate::state::app::App;
    use crate::state::message::{JobEvent, Message};
    use crate::testing::{app, content, key, press};
    use crate::update::update;
    use spikedeck_signal::{Axis, Image, Recording, Shape, Trace};

    /// A plane of 2 by 2 cells whose value is the number of the frame.
    fn plane() -> Arc<Content> {
        let values = (0..240).map(|k| f64::from(k / 4)).collect();
        let trace = Trace { units: (0..4).collect(), interval: 0.5, values, ..Trace::default() };
        let recording = Arc::new(Recording { traces: vec![trace], ..Recording::default() });
        let image = Image {
            width: 2,
            height: 2,
            x_range: (0.0, 1.0),
            y_range: (0.0, 1.0),
            values: vec![59.0; 4],
            ..Image::default()
        };
        let mut pane =
            Pane::new("plane", "Plane", Shape::Image(Image { value: Axis::new("u", ""), ..image }), "at the end");
        pane.movie = Movie::of(&recording, &recording.traces[0], false).map(Arc::new);
        let mut content = content("x", 10.0);
        content.panes.insert(0, pane);
        Arc::new(content)
    }

    fn playing() -> App {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        let job = app.columns.list()[0].job;
        update(&mut app, Message::Job(job, JobEvent::Done(plane())));
        app
    }

    fn seen(app: &App) -> f64 {
        let Shape::Image(image) = &app.columns.pane().unwrap().shape.shape else { panic!() };
        assert!(image.values.iter().all(|v| *v == image.values[0]));
        image.values[0]
    }

    #[test]
    fn a_plane_plays_from_its_start_to_its_end_and_then_nothing_ticks() {
        let mut app = playing();
        assert_eq!((seen(&app), app.playing), (59.0, false));
        update(&mut app, key("p"));
        assert_eq!((seen(&app), app.playing), (0.0, true));
        let mut steps = 0;
        while app.playing {
            update(&mut app, Message::Tick);
            steps += 1;
            assert!(app.dirty && steps < 1000);
        }
        assert_eq!((seen(&app), steps), (59.0, 59));
        app.dirty = false;
        update(&mut app, Message::Tick);
        assert!(!app.dirty, "a tick that comes late draws nothing");
    }

    #[test]
    fn stepping_stops_it_and_stays_inside() {
        let mut app = playing();
        update(&mut app, key("p"));
        for (k, frame) in [(".", 1.0), (".", 2.0), (",", 1.0), (",", 0.0), (",", 0.0)] {
            update(&mut app, key(k));
            assert_eq!((seen(&app), app.playing), (frame, false));
        }
        assert_eq!(app.columns.pane().unwrap().summary, "at 0 ms");
    }

    /// A run beside it that is still going on does not stop it; a new plane in its place does.
    #[test]
    fn what_arrives_in_another_column_leaves_it_playing() {
        let mut app = app((120, 40));
        press(&mut app, "c");
        press(&mut app, "c");
        update(&mut app, key("enter"));
        let [first, second] = [app.columns.list()[0].job, app.columns.list()[1].job];
        update(&mut app, Message::Job(first, JobEvent::Done(plane())));
        update(&mut app, key("p"));
        update(&mut app, Message::Tick);
        let moment = app.moment;
        update(&mut app, Message::Job(second, JobEvent::Done(Arc::new(content("y", 20.0)))));
        assert_eq!((app.playing, app.moment, seen(&app)), (true, moment, 1.0));
        update(&mut app, Message::Job(first, JobEvent::Done(plane())));
        assert_eq!((app.playing, app.moment, seen(&app)), (false, None, 59.0));
    }

    /// With a scale of its own each frame would look like any other.
    #[test]
    fn all_frames_have_the_same_colours() {
        let mut app = playing();
        update(&mut app, key(","));
        let pane = app.columns.pane().unwrap();
        assert_eq!(app.view_of(pane).z, Some((0.0, 59.0)));
    }
}
