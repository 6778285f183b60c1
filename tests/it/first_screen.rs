//! What the dashboard shows first of a finished scenario: the picture that the scenario is about.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use spikedeck::run;
use spikedeck::signal::Shape;
use spikedeck::tui::content::{Content, Pane};

fn panes(reference: &str) -> Vec<Pane> {
    let (spec, _) = run::load(reference, &[]).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let options = run::Options { threads: 1, ..run::Options::default() };
    let finished =
        run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &(Arc::new(|_| {}) as run::Tell)).unwrap();
    Content::of(&Arc::new(finished)).panes
}

#[test]
fn the_first_pane_is_what_a_scenario_is_about() {
    for (reference, lead) in [
        // Fields and trees in space, planes from above.
        ("amari-bump", "field.u in space and time"),
        ("cable-passive", "fibre.V_m in space and time"),
        ("gray-scott", "plane.v in the plane"),
        // Units without an order in space, all of them.
        ("competitive-network", "row.rate over units and time"),
        // What is learnt, where the expectations are about connections, and not the clocks that drive it.
        ("stdp-window", "synapses.w by unit"),
        ("bcm-selectivity", "weights.w"),
        // Networks that fire.
        ("balanced-cuba", "Spikes"),
        // Two cells side by side.
        ("gap-junction", "V_m of a and b"),
        // What most is expected of, where there is neither space nor a network.
        ("lorenz", "Lyapunov spectrum: convergence"),
    ] {
        let panes = panes(reference);
        assert_eq!(
            panes[0].title.to_lowercase(),
            lead.to_lowercase(),
            "{reference}: {:?}",
            panes.iter().map(|p| &p.title).collect::<Vec<_>>()
        );
        assert_eq!(panes[1].title, "Numbers", "{reference}");
    }
}

/// `unit 9` says nothing about where on a cell that is.
#[test]
fn traces_of_trees_are_named_by_their_places() {
    let panes = panes("three-compartments");
    let pane = panes.iter().find(|p| p.key == "trace/cell.V_m").unwrap();
    let Shape::Series(series) = &pane.shape.shape else { panic!("{:?}", pane.shape) };
    let names: Vec<&str> = series.curves.iter().map(|c| c.name.as_str()).collect();
    assert!(
        !names.is_empty() && names.iter().all(|n| n.starts_with(char::is_alphabetic) && !n.starts_with("unit")),
        "{names:?}"
    );
}

#[test]
fn a_plane_of_a_finished_run_has_all_its_frames() {
    let panes = panes("gray-scott");
    let planes: Vec<&Pane> = panes.iter().filter(|p| p.movie.is_some()).collect();
    assert_eq!(planes.len(), 1, "the plane that the analysis shows is not shown twice");
    let movie = planes[0].movie.as_ref().unwrap();
    assert!(movie.frames() > 10);
    let values = |pane: &Pane| match &pane.shape.shape {
        Shape::Image(image) => image.values.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(values(&planes[0].at_frame(movie.frames() - 1)), values(planes[0]), "the last frame is what was shown");
    assert_ne!(values(&planes[0].at_frame(0)), values(planes[0]));
}
