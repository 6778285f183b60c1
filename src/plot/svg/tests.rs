//! Figures parse, say what they show, and stay small.

use super::*;
use crate::cells::{self, Look, tests::hostile};
use crate::view::View;
use crate::{Depth, png, samples, scene};

fn texts(node: &resvg::usvg::Group, out: &mut Vec<String>) {
    for child in node.children() {
        match child {
            resvg::usvg::Node::Group(g) => texts(g, out),
            resvg::usvg::Node::Text(t) => out.push(t.chunks().iter().map(resvg::usvg::TextChunk::text).collect()),
            _ => {}
        }
    }
}

#[test]
fn every_figure_is_well_formed_whatever_the_data_and_size() {
    for shape in hostile().iter().chain(&samples::all()) {
        for (width, height) in [(0, 0), (200, 90)] {
            let view = View { x: if width == 200 { Some((0.2, 50.0)) } else { None }, ..View::default() };
            let text = figure(&scene::of(shape, &view), &Figure { width, height, ..Figure::default() });
            let tree = png::parse(&text);
            assert!(tree.is_ok(), "{} {width}x{height}: {:?}\n{text}", shape.name, tree.err());
            assert!(!text.contains("NaN") && !text.contains("inf "), "{}\n{text}", shape.name);
        }
    }
}

#[test]
fn figures_carry_axes_units_and_legends_as_text() {
    let all = [
        (samples::spectrum(), vec!["frequency (Hz)", "power (Hz²/Hz)", "psd", "gamma 42 Hz", "0.01", "100"]),
        (samples::trace(), vec!["time (ms)", "V_m (mV)", "exc[0]", "V_th", "−60"]),
        (samples::image(), vec!["power (dB)", "frequency (Hz)", "−70"]),
        (samples::phase(), vec!["unstable spiral", "dw/dt = 0", "trajectory"]),
        (samples::scalars(), vec!["exc→inh transfer entropy", "[0.015, 0.027]", "<0.001"]),
    ];
    for (shape, wanted) in all {
        let tree = png::parse(&figure(&scene::of(&shape, &View::default()), &Figure::default())).unwrap();
        let mut found = Vec::new();
        texts(tree.root(), &mut found);
        for text in wanted {
            assert!(found.iter().any(|f| f == text), "{}: {text:?} not in {found:?}", shape.name);
        }
    }
}

#[test]
fn large_rasters_stay_small_and_names_are_escaped() {
    let n = 400_000u32;
    let mut shape = samples::raster();
    if let spikedeck_signal::Shape::Raster(r) = &mut shape.shape {
        r.groups[0].times = (0..n).map(|k| 1000.0 * f64::from(k) / f64::from(n)).collect();
        r.groups[0].units = (0..n).map(|k| k.wrapping_mul(2_654_435_761) % 320).collect();
        r.groups[0].name = "<a & \"b\">".into();
    }
    let text = figure(&scene::of(&shape, &View::default()), &Figure::default());
    assert!(text.len() < 8_000_000, "{} bytes", text.len());
    assert!(text.contains("&lt;a &amp; &quot;b&quot;&gt;"));
}

#[test]
fn screens_become_pictures() {
    for (depth, shape) in
        [(Depth::True, samples::matrix()), (Depth::None, samples::scalars()), (Depth::Indexed, samples::raster())]
    {
        let look = Look { palette: Palette { depth, ..Palette::default() }, ..Look::default() };
        let grid = cells::render(&scene::of(&shape, &View::default()), 60, 16, &look).grid;
        let text = of_grid(&grid, look.palette);
        assert!(png::parse(&text).is_ok(), "{text}");
    }
    assert!(png::parse(&of_grid(&CellGrid::default(), Palette::default())).is_ok());
    let bytes = png::from_svg(&of_grid(&CellGrid::new(10, 3), Palette::default()), 2.0).unwrap();
    assert_eq!(&bytes[1..4], b"PNG");
    // Width and height stand big-endian at 16: (10 + 2) * 8 * 2 by (3 * 17 + 2 * 8) * 2.
    assert_eq!((&bytes[16..20], &bytes[20..24]), (&192u32.to_be_bytes()[..], &134u32.to_be_bytes()[..]));
    let mut dotted = CellGrid::new(1, 1);
    dotted.set(0, 0, '⣿', crate::colour::Style::default());
    let text = of_grid(&dotted, Palette::default());
    assert_eq!(text.matches("h0").count(), 8, "a braille cell has eight dots");
    let empty = png::from_svg(&of_grid(&CellGrid::new(1, 1), Palette::default()), 1.0).unwrap();
    assert_ne!(png::from_svg(&text, 1.0).unwrap(), empty, "points without length are drawn");
    assert!(png::from_svg("<svg", 1.0).is_err());
    assert!(matches!(
        png::from_svg(&of_grid(&CellGrid::new(10, 3), Palette::default()), 1e6),
        Err(png::PngError::Size { .. })
    ));
}

/// A bin is drawn over its own stretch, which ends at its time: of every bin that stands out among others.
#[test]
fn steps_are_drawn_over_their_bins() {
    use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, Series, Shape};
    for peak in 0..20 {
        let x: Vec<f64> = (1..=20).map(|k| f64::from(k) * 5.0).collect();
        let y: Vec<f64> = (0..20).map(|k| if k == peak { 40.0 } else { 0.0 }).collect();
        let curve = Curve { name: "rate".into(), x, y, style: CurveStyle::Steps, ..Curve::default() };
        let (x, y) = (Axis::new("time", "ms"), Axis::new("rate", "Hz"));
        let shape = NamedShape::new("r", Shape::Series(Series { x, y, curves: vec![curve], references: Vec::new() }));
        let text = figure(&scene::of(&shape, &View::default()), &Figure::default());
        let clip = text.split("<clipPath id=\"panel0\"><rect x=\"").nth(1).unwrap();
        let left: f64 = clip.split('"').next().unwrap().parse().unwrap();
        let width: f64 = clip.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        let path = text.split(" d=\"M").find(|d| d.matches('L').count() > 20).unwrap().split('"').next().unwrap();
        let places: Vec<(f64, f64)> = path
            .split('L')
            .map(|p| p.split_once(' ').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap())
            .collect();
        let top = places.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let at: Vec<f64> =
            places.iter().filter(|p| p.1 < top + 0.5).map(|p| (p.0 - left) / (width - 1.0) * 100.0).collect();
        let end = f64::from(peak + 1) * 5.0;
        assert!((at[0] - (end - 5.0)).abs() < 0.2 && (at[at.len() - 1] - end).abs() < 0.2, "{end}: {at:?}");
    }
}
