//! The painter as a whole: any size, any data, and pictures with their styles.

use std::fmt::Write as _;

use super::*;
use crate::colour::{Colour, Depth, Style, Theme};
use crate::grid::{Cell, CellGrid};
use crate::scene::{self, Pyramids};
use crate::view::View;
use crate::{Palette, samples};
use spikedeck_signal::{
    Axis, Curve, CurveStyle, Distribution, FixedPoint, GraphEdge, Image, Matrix, Metric, NamedShape, PhasePortrait,
    Raster, RasterGroup, ReferenceLine, ScalarRow, Scalars, Series, Shape, Stability,
};

/// Text of the grid, then under each row the runs of its styles (`3-7 fg:…`): small enough to read in a review.
fn styled(grid: &CellGrid) -> String {
    let colour = |c: Colour| match c {
        Colour::Default => "-".to_owned(),
        Colour::Ansi(n) => format!("a{n}"),
        Colour::Indexed(n) => format!("i{n}"),
        Colour::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    };
    let name = |s: Style| {
        let flags: String = [(s.bold, 'B'), (s.dim, 'D'), (s.underline, 'U'), (s.reverse, 'R')]
            .iter()
            .filter(|f| f.0)
            .map(|f| f.1)
            .collect();
        format!("{}/{}{flags}", colour(s.fg), colour(s.bg))
    };
    let mut out = String::new();
    for row in grid.cells.chunks(grid.width.max(1)) {
        let text: String = row.iter().filter(|c| c.ch != Cell::WIDE_REST).map(|c| c.ch).collect();
        let _ = writeln!(out, "|{text}|");
        let mut runs = Vec::new();
        let mut from = 0;
        for k in 1..=row.len() {
            if k == row.len() || row[k].style != row[from].style {
                if row[from].style != Style::default() {
                    runs.push(format!("{from}-{} {}", k - 1, name(row[from].style)));
                }
                from = k;
            }
        }
        let _ = writeln!(out, "  {}", runs.join(", "));
    }
    out
}

fn look(depth: Depth, marker: Marker) -> Look {
    Look { palette: Palette { depth, ..Palette::default() }, marker, title: false }
}

fn paint(shape: &NamedShape, view: &View, size: (usize, usize), look: &Look) -> Picture {
    render(&scene::of(shape, view), size.0, size.1, look)
}

fn line(name: &str, x: Vec<f64>, y: Vec<f64>, style: CurveStyle) -> Curve {
    Curve { name: name.into(), x, y, band: None, style }
}

/// Shapes that are empty, broken or extreme.
pub(crate) fn hostile() -> Vec<NamedShape> {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let bad = vec![nan, inf, -inf, 0.0, -1.0, 1e308, -1e308, 5e-324];
    let mut shapes = vec![
        Shape::Scalars(Scalars::default()),
        Shape::Series(Series::default()),
        Shape::Distribution(Distribution::default()),
        Shape::Matrix(Matrix::default()),
        Shape::Raster(Raster::default()),
        Shape::Image(Image::default()),
        Shape::Phase(PhasePortrait::default()),
        Shape::Graph { nodes: Vec::new(), edges: Vec::new() },
        Shape::Card(spikedeck_signal::Card::default()),
    ];
    let row = ScalarRow {
        name: "膜電位 a".into(),
        measured: Metric {
            value: Some(nan),
            ci_low: Some(inf),
            ci_high: Some(nan),
            chance: Some(-inf),
            p_value: Some(nan),
            ..Metric::default()
        },
    };
    shapes.push(Shape::Scalars(Scalars { rows: vec![row] }));
    for style in [CurveStyle::Line, CurveStyle::Points, CurveStyle::Steps, CurveStyle::Theory, CurveStyle::Chance] {
        for (x, y) in [
            (bad.clone(), bad.clone()),
            ((0..8).map(f64::from).collect(), bad.clone()),
            (vec![1.0], vec![2.0]),
            (vec![0.0, 1.0, 2.0], vec![5.0]),
        ] {
            let mut c = line("c", x, y.clone(), style);
            c.band = Some((y.clone(), bad.clone()));
            let references = vec![
                ReferenceLine { name: "r".into(), at: nan, vertical: true },
                ReferenceLine { name: "s".into(), at: 1.0, vertical: false },
            ];
            for log in [false, true] {
                let axis = |n: &str| if log { Axis::new(n, "").log() } else { Axis::new(n, "") };
                shapes.push(Shape::Series(Series {
                    x: axis("x"),
                    y: axis("y"),
                    curves: vec![c.clone()],
                    references: references.clone(),
                }));
            }
        }
    }
    let heights = vec![("a".into(), bad.clone()), ("b".into(), vec![1.0])];
    shapes.push(Shape::Distribution(Distribution {
        edges: (0..9).map(f64::from).collect(),
        heights: heights.clone(),
        ..Distribution::default()
    }));
    shapes.push(Shape::Distribution(Distribution { edges: bad.clone(), heights, ..Distribution::default() }));
    let names = vec!["a".to_owned(), "b".to_owned()];
    shapes.push(Shape::Matrix(Matrix {
        rows: names.clone(),
        columns: names.clone(),
        values: vec![nan, inf, 1.0],
        ..Matrix::default()
    }));
    let group = RasterGroup { name: "g".into(), size: 1, times: vec![0.0, 1.0, nan], units: vec![0, 9, 0, 3] };
    shapes.push(Shape::Raster(Raster {
        extent: (0.0, 0.0),
        groups: vec![group.clone(), RasterGroup::default()],
        ..Raster::default()
    }));
    shapes.push(Shape::Raster(Raster { extent: (nan, inf), groups: vec![group], ..Raster::default() }));
    shapes.push(Shape::Image(Image {
        width: 3,
        height: 2,
        values: vec![nan, inf],
        x_range: (nan, 1.0),
        y_range: (2.0, 2.0),
        diverging: true,
        ..Image::default()
    }));
    let fixed = FixedPoint { x: nan, y: inf, stability: Stability::Saddle, spiral: true, eigenvalues: Vec::new() };
    let trajectories = vec![line("t", bad.clone(), bad.clone(), CurveStyle::Line)];
    let nullclines = vec![("n".into(), vec![[nan, inf, 0.0, 1e308]])];
    let field = vec![[nan; 4], [0.0, 0.0, inf, 0.0], [0.0; 4]];
    shapes.push(Shape::Phase(PhasePortrait {
        trajectories,
        nullclines,
        fixed_points: vec![fixed],
        field,
        ..PhasePortrait::default()
    }));
    let edges = vec![
        GraphEdge { from: 0, to: 9, weight: nan },
        GraphEdge { from: 1, to: 0, weight: inf },
        GraphEdge { from: 0, to: 0, weight: 1.0 },
    ];
    shapes.push(Shape::Graph { nodes: names, edges });
    shapes.into_iter().map(|s| NamedShape::new("hostile", s)).collect()
}

#[test]
fn no_size_and_no_data_panics() {
    let sizes: Vec<(usize, usize)> = (0..9)
        .flat_map(|w| (0..9).map(move |h| (w, h)))
        .chain([(5, 2), (20, 5), (16, 5), (24, 3), (41, 9), (80, 24), (200, 60)])
        .collect();
    let views = [
        View::default(),
        View {
            x_log: Some(true),
            y_log: Some(true),
            cursor: Some(1.0),
            focus: Some(0),
            sweep: Some(0.3),
            ..View::default()
        },
        View {
            x: Some((-5.0, 1e9)),
            y: Some((f64::NAN, 1.0)),
            z: Some((0.5, 0.5)),
            cursor: Some(f64::NAN),
            focus: Some(99),
            scroll: 99,
            ..View::default()
        },
        View { x: Some((0.25, 0.250_000_1)), y: Some((7.0, -7.0)), sweep: Some(f64::INFINITY), ..View::default() },
    ];
    for shape in hostile().iter().chain(&samples::all()) {
        for view in &views {
            for &size in &sizes {
                let depth = [Depth::True, Depth::Indexed, Depth::Sixteen, Depth::None][(size.0 + size.1) % 4];
                let p = paint(shape, view, size, &look(depth, Marker::ALL[size.0 % 5]));
                assert_eq!(p.grid.cells.len(), size.0 * size.1);
                for panel in &p.panels {
                    assert!(
                        panel.area.x + panel.area.width <= size.0 && panel.area.y + panel.area.height <= size.1,
                        "{} {size:?} {panel:?}",
                        shape.name
                    );
                }
            }
        }
    }
}

#[test]
fn one_spike_in_a_million_samples_is_painted_at_every_width() {
    let n = 1_000_000u32;
    let x: Vec<f64> = (0..n).map(f64::from).collect();
    let mut y = vec![-65.0; n as usize];
    y[654_321] = 30.0;
    let shape = NamedShape::new(
        "v",
        Shape::Series(Series { curves: vec![line("", x, y, CurveStyle::Line)], ..Series::default() }),
    );
    let pyramids = Pyramids::of(&shape);
    for width in [12, 40, 80, 200] {
        let scene = scene::with_pyramids(&shape, &View::default(), &pyramids);
        let p = render(&scene, width, 20, &look(Depth::True, Marker::Braille));
        let area = p.panels[0].area;
        let column = p.panels[0].column_of(654_321.0).unwrap();
        let inked =
            (area.y..area.y + area.height).filter(|&r| p.grid.get(column, r).is_some_and(|c| c.ch != ' ')).count();
        assert!(inked + 2 >= area.height, "width {width}: {inked} of {}", area.height);
        let plain = paint(&shape, &View::default(), (width, 20), &look(Depth::True, Marker::Braille));
        assert_eq!(plain.grid, p.grid, "the pyramid changes nothing but the time");
    }
}

/// The longest run of full cells in a row of a picture.
pub(crate) fn solid(grid: &CellGrid) -> usize {
    let is_full = |c: char| matches!(c, '⣿' | '█');
    let longest = |line: &str| line.split(|c| !is_full(c)).map(|run| run.chars().count()).max().unwrap_or(0);
    grid.to_plain().lines().map(longest).max().unwrap_or(0)
}

/// Noise, oscillations faster than the columns, and both on a drift are no solid block at any size, with any marker;
/// their mean is a line, and single spikes are still lines themselves.
#[test]
fn dense_traces_are_a_range_with_a_mean_and_no_block() {
    let n = 60_000;
    let x: Vec<f64> = (0..n).map(f64::from).collect();
    let noise = |k: u32| f64::from((k.wrapping_mul(2_654_435_761)) >> 8) / f64::from(1 << 24) - 0.5;
    let traces: Vec<Vec<f64>> = vec![
        (0..n).map(noise).collect(),
        (0..n).map(|k| (f64::from(k) * 0.7).sin()).collect(),
        (0..n).map(|k| f64::from(k) / 20_000.0 + noise(k)).collect(),
        (0..n).map(|k| if k % 30 == 0 { 40.0 } else { -65.0 }).collect(),
        (0..n).map(|k| if (k / 5000) % 2 == 0 { noise(k) } else { 0.0 }).collect(),
    ];
    for (k, y) in traces.iter().enumerate() {
        let series = Series { curves: vec![line("", x.clone(), y.clone(), CurveStyle::Line)], ..Series::default() };
        let shape = NamedShape::new("trace", Shape::Series(series));
        for (size, depth, marker) in [
            ((120, 12), Depth::True, Marker::Braille),
            ((59, 10), Depth::Indexed, Marker::Braille),
            ((200, 30), Depth::Sixteen, Marker::Braille),
            ((80, 24), Depth::None, Marker::Quadrant),
            ((120, 12), Depth::Indexed, Marker::Half),
            ((80, 20), Depth::None, Marker::Ascii),
        ] {
            let picture = paint(&shape, &View::default(), size, &look(depth, marker));
            assert!(solid(&picture.grid) < 30, "{k} {size:?}\n{}", picture.grid.to_plain());
            // The mean is there in nearly every column.
            let area = picture.panels[0].area;
            let drawn = |x: &usize| {
                (area.y..area.y + area.height)
                    .any(|y| picture.grid.get(*x, y).is_some_and(|c| !matches!(c.ch, ' ' | '▀' | '▄' | '░' | ':')))
            };
            let columns = (area.x..area.x + area.width).filter(drawn).count();
            // Blocks have no glyph of their own for a line.
            let blocks = matches!(marker, Marker::Half | Marker::Quadrant);
            assert!(blocks || columns + 2 >= area.width, "{k} {size:?}\n{}", picture.grid.to_plain());
        }
    }
    let mut spikes = vec![-65.0; n as usize];
    (0..12).for_each(|k| spikes[2000 + k * 4800] = 40.0);
    let series = Series { curves: vec![line("", x, spikes, CurveStyle::Line)], ..Series::default() };
    let shape = NamedShape::new("trace", Shape::Series(series));
    let picture = paint(&shape, &View::default(), (120, 12), &look(Depth::True, Marker::Braille));
    let area = picture.panels[0].area;
    let upright = (area.x..area.x + area.width)
        .filter(|x| {
            (area.y + 1..area.y + area.height - 2).all(|y| picture.grid.get(*x, y).is_some_and(|c| c.ch != ' '))
        })
        .count();
    assert_eq!(upright, 12, "{}", picture.grid.to_plain());
}

/// A part of a trace has the whole below it, with the part marked where it is; the whole itself has not.
#[test]
fn a_part_of_a_trace_stands_over_the_whole() {
    let x: Vec<f64> = (0..2000).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|t| if (1500.0..1520.0).contains(t) { 9.0 } else { (t * 0.3).sin() }).collect();
    let axis = Axis { is_time: true, ..Axis::new("time", "ms") };
    let series = Series { x: axis, curves: vec![line("", x, y, CurveStyle::Line)], ..Series::default() };
    let shape = NamedShape::new("trace", Shape::Series(series));
    for (depth, marker) in [(Depth::Indexed, Marker::Braille), (Depth::None, Marker::Ascii)] {
        let look = look(depth, marker);
        let view = View { x: Some((400.0, 600.0)), ..View::default() };
        let picture = paint(&shape, &view, (100, 12), &look);
        let area = picture.panels[0].area;
        let last = |column: usize| picture.grid.get(column, 11).copied().unwrap();
        let seen: Vec<usize> = (area.x..area.x + area.width).filter(|c| last(*c).style.underline).collect();
        let place = |t: f64| area.x as f64 + t / 2000.0 * area.width as f64;
        assert!(seen.is_sorted() && seen[seen.len() - 1] - seen[0] + 1 == seen.len(), "{seen:?}");
        assert!(
            (seen[0] as f64 - place(400.0)).abs() <= 1.0
                && (seen[seen.len() - 1] as f64 + 1.0 - place(600.0)).abs() <= 1.5
        );
        let high = if marker == Marker::Ascii { '!' } else { '▇' };
        let peaks: Vec<usize> = (area.x..area.x + area.width).filter(|c| last(*c).ch == high).collect();
        assert!(!peaks.is_empty() && peaks.iter().all(|c| (*c as f64 - place(1510.0)).abs() <= 2.0), "{peaks:?}");
        let whole = paint(&shape, &View::default(), (100, 12), &look);
        assert!((0..100).all(|c| whole.grid.get(c, 11).is_none_or(|cell| !cell.style.underline)));
        assert!(area.height < whole.panels[0].area.height);
    }
}

/// Two cells that burst in turns are no block together either.
#[test]
fn curves_in_turns_are_no_block() {
    let n = 40_000_u32;
    let x: Vec<f64> = (0..n).map(f64::from).collect();
    let burst = |first: u32| -> Vec<f64> {
        let at = |k: u32| if (k / 1500) % 2 == first && k % 20 < 10 { 30.0 } else { -65.0 };
        (0..n).map(at).collect()
    };
    let curves =
        vec![line("left", x.clone(), burst(0), CurveStyle::Line), line("right", x.clone(), burst(1), CurveStyle::Line)];
    let shape = NamedShape::new("V_m", Shape::Series(Series { curves, ..Series::default() }));
    for marker in [Marker::Braille, Marker::Half, Marker::Quadrant] {
        let picture = paint(&shape, &View::default(), (120, 12), &look(Depth::Indexed, marker));
        assert!(solid(&picture.grid) < 30, "{}", picture.grid.to_plain());
    }
}

/// Paths that cross themselves everywhere and clouds of points are no solid block either.
#[test]
fn dense_paths_and_clouds_are_a_ground() {
    let n = 200_000_u32;
    let random = |k: u32| f64::from(k.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24);
    let cloud =
        |style| line("", (0..n).map(|k| random(2 * k)).collect(), (0..n).map(|k| random(2 * k + 1)).collect(), style);
    let phase = PhasePortrait { trajectories: vec![cloud(CurveStyle::Line)], ..PhasePortrait::default() };
    let points = Series { curves: vec![cloud(CurveStyle::Points)], ..Series::default() };
    for shape in [Shape::Phase(phase), Shape::Series(points)] {
        for marker in [Marker::Braille, Marker::Half, Marker::Quadrant] {
            let shape = NamedShape::new("cloud", shape.clone());
            let picture = paint(&shape, &View::default(), (120, 12), &look(Depth::Indexed, marker));
            assert!(solid(&picture.grid) < 30, "{}", picture.grid.to_plain());
        }
    }
}

/// However little values differ, no two neighbouring labels say the same, and what differs by rounding is constant.
#[test]
fn labels_of_an_axis_differ() {
    for exponent in -16..=0 {
        for size in [1.199_408_035_2, 64.9, 5e-7, 3e8] {
            let span = size * 10f64.powi(exponent) * 0.9;
            let y: Vec<f64> = (0..50).map(|k| -size + span * f64::from(k % 7) / 6.0).collect();
            let x: Vec<f64> = (0..50).map(f64::from).collect();
            let series = Series { curves: vec![line("", x, y, CurveStyle::Line)], ..Series::default() };
            let shape = NamedShape::new("trace", Shape::Series(series));
            let picture = paint(&shape, &View::default(), (59, 10), &look(Depth::True, Marker::Braille));
            let area = picture.panels[0].area;
            let label = |y: usize| -> String {
                let row = (0..area.x).filter_map(|x| picture.grid.get(x, y));
                row.map(|c| c.ch).filter(|c| !matches!(c, ' ' | '┤' | '│' | '▲' | '▼')).collect()
            };
            let labels: Vec<String> = (area.y..area.y + area.height).map(label).filter(|l| !l.is_empty()).collect();
            assert!(labels.windows(2).all(|w| w[0] != w[1]), "{size} {exponent}: {labels:?}");
            let shown = picture.panels[0].y;
            assert!(exponent > -8 || shown.1 - shown.0 > 0.1 * size, "{size} {exponent}: {shown:?}");
        }
    }
}

#[test]
fn a_sweep_changes_few_cells_and_marks_the_head() {
    let make = |n: i32| {
        let x: Vec<f64> = (0..n).map(|k| f64::from(k) * 0.5).collect();
        let y = x.iter().map(|t| (t * 0.31).sin() + (t * 0.07).cos()).collect();
        let references = vec![
            ReferenceLine { name: "a".into(), at: 2.0, vertical: false },
            ReferenceLine { name: "b".into(), at: -2.0, vertical: false },
        ];
        NamedShape::new(
            "v",
            Shape::Series(Series { curves: vec![line("", x, y, CurveStyle::Line)], references, ..Series::default() }),
        )
    };
    let view = View { sweep: Some(200.0), y: Some((-2.5, 2.5)), ..View::default() };
    let (a, b) = (make(1300), make(1304));
    let (a, b) = (paint(&a, &view, (100, 30), &Look::default()), paint(&b, &view, (100, 30), &Look::default()));
    let changed = a.grid.cells.iter().zip(&b.grid.cells).filter(|(a, b)| a != b).count();
    assert!(changed > 0 && changed < 30 * 6, "{changed} cells changed");
    assert!(a.grid.cells.iter().any(|c| c.ch == '▏'), "the head is marked");
    let left = a.panels[0].area.x;
    let ink = |c: usize| {
        (0..30).filter(|&r| a.grid.get(left + c, r).is_some_and(|c| ('\u{2801}'..='\u{28ff}').contains(&c.ch))).count()
    };
    assert!(ink(10) > 0 && ink(90) > 0, "both the new and the old sweep show");
}

#[test]
fn the_focused_curve_wins_shared_cells() {
    let x: Vec<f64> = (0..50).map(f64::from).collect();
    let curves =
        vec![line("a", x.clone(), vec![1.0; 50], CurveStyle::Line), line("b", x, vec![1.0; 50], CurveStyle::Line)];
    let shape = NamedShape::new("v", Shape::Series(Series { curves, ..Series::default() }));
    for focus in [0usize, 1] {
        let look = look(Depth::True, Marker::Braille);
        let p = paint(&shape, &View { focus: Some(focus), ..View::default() }, (40, 10), &look);
        let wanted = look.palette.colour(Role::Series(focus as u16));
        let area = p.panels[0].area;
        let dots: Vec<Colour> = p
            .grid
            .cells
            .iter()
            .enumerate()
            .filter(|(k, _)| area.contains(k % 40, k / 40))
            .map(|(_, c)| *c)
            .filter(|c| c.ch >= '\u{2801}')
            .map(|c| c.style.fg)
            .collect();
        assert!(!dots.is_empty() && dots.iter().all(|c| *c == wanted), "{focus}: {dots:?}");
    }
}

#[test]
fn cells_lead_back_to_data() {
    let p = paint(&samples::spectrum(), &View::default(), (100, 30), &Look::default());
    let panel = &p.panels[0];
    for column in panel.area.x..panel.area.x + panel.area.width {
        assert_eq!(panel.column_of(panel.x_at(column)), Some(column));
    }
    for row in panel.area.y..panel.area.y + panel.area.height {
        assert_eq!(panel.row_of(panel.y_at(row)), Some(row));
    }
    assert_eq!(p.panel_at(panel.area.x, panel.area.y), Some(0));
    assert_eq!(panel.column_of(0.5), None);
}

#[test]
fn clipping_is_marked() {
    let p = paint(
        &samples::trace(),
        &View { y: Some((-60.0, 0.0)), x: Some((100.0, 300.0)), ..View::default() },
        (60, 14),
        &Look::default(),
    );
    let text = p.grid.to_plain();
    for mark in ['▲', '▼', '◀', '▶'] {
        assert!(text.contains(mark), "{mark} missing in\n{text}");
    }
    let bar =
        paint(&samples::image(), &View { z: Some((-80.0, -70.0)), ..View::default() }, (80, 14), &Look::default())
            .grid
            .to_plain();
    assert!(bar.lines().next().unwrap().contains('◀') && bar.lines().next().unwrap().contains('▶'), "{bar}");
}

#[test]
fn narrow_tables_drop_columns_but_keep_values() {
    let wide = paint(&samples::scalars(), &View::default(), (140, 8), &Look::default()).grid.to_plain();
    for word in ["95 % CI", "chance", "note", "├", "●", "[0.015, 0.027]", "<0.001"] {
        assert!(wide.contains(word), "{word} missing in\n{wide}");
    }
    for width in [20, 30, 40, 60] {
        let text = paint(&samples::scalars(), &View::default(), (width, 8), &Look::default()).grid.to_plain();
        assert!(text.contains("12.34") && text.contains("0.0213"), "{width}\n{text}");
        assert!(width > 30 || !text.contains("95 % CI"));
    }
}

#[test]
fn without_colour_matrices_and_images_still_show_values() {
    let p = paint(&samples::image(), &View::default(), (60, 16), &look(Depth::None, Marker::Braille));
    let text = p.grid.to_plain();
    assert!(text.contains('█') && text.contains('░'), "{text}");
    assert!(p.grid.cells.iter().all(|c| c.style.fg == Colour::Default && c.style.bg == Colour::Default));
}

#[test]
fn small_pictures_with_styles() {
    let x: Vec<f64> = (0..60).map(f64::from).collect();
    let curves = vec![
        line("sine", x.clone(), x.iter().map(|v| (v * 0.2).sin()).collect(), CurveStyle::Line),
        line("theory", x.clone(), x.iter().map(|v| (v * 0.1).cos()).collect(), CurveStyle::Theory),
    ];
    let references = vec![ReferenceLine { name: "zero".into(), at: 0.0, vertical: false }];
    let shape = NamedShape::new(
        "s",
        Shape::Series(Series { x: Axis::new("t", "s"), y: Axis::new("V_m", "mV"), curves, references }),
    );
    insta::assert_snapshot!(
        "series_true",
        styled(&paint(&shape, &View { cursor: Some(30.0), ..View::default() }, (44, 10), &Look::default()).grid)
    );
    insta::assert_snapshot!(
        "series_none",
        styled(&paint(&shape, &View::default(), (44, 10), &look(Depth::None, Marker::Braille)).grid)
    );
    insta::assert_snapshot!(
        "series_ascii",
        styled(&paint(&shape, &View::default(), (44, 10), &look(Depth::Sixteen, Marker::Ascii)).grid)
    );
    let light = Look {
        palette: Palette { theme: Theme::Light, depth: Depth::Indexed, ..Palette::default() },
        ..Look::default()
    };
    insta::assert_snapshot!(
        "matrix_light",
        styled(&paint(&samples::matrix(), &View::default(), (50, 12), &light).grid)
    );
    insta::assert_snapshot!(
        "raster",
        styled(&paint(&samples::raster(), &View::default(), (50, 16), &look(Depth::Sixteen, Marker::Braille)).grid)
    );
    insta::assert_snapshot!(
        "scalars",
        styled(&paint(&samples::scalars(), &View::default(), (70, 7), &look(Depth::Sixteen, Marker::Braille)).grid)
    );
    insta::assert_snapshot!(
        "image_none",
        styled(&paint(&samples::image(), &View::default(), (44, 10), &look(Depth::None, Marker::Ascii)).grid)
    );
    insta::assert_snapshot!(
        "phase",
        styled(&paint(&samples::phase(), &View::default(), (50, 16), &look(Depth::Sixteen, Marker::Braille)).grid)
    );
}

/// A square field that is drawn twice as wide as high would turn circles into ellipses.
#[test]
fn a_plane_from_above_keeps_its_proportions() {
    let plane = |across: f64, down: f64, is_time: bool| {
        let mut x = Axis::new("x", "um");
        x.is_time = is_time;
        let (width, height) = (across as usize, down as usize);
        let values = vec![1.0; width * height];
        let image = Image {
            x,
            y: Axis::new("y", "um"),
            x_range: (0.5, across - 0.5),
            y_range: (0.5, down - 0.5),
            width,
            height,
            values,
            ..Image::default()
        };
        let shape = NamedShape::new("plane", Shape::Image(image));
        paint(&shape, &View::default(), (120, 40), &Look::default()).panels[0].area
    };
    let square = plane(10.0, 10.0, false);
    assert_eq!(square.width, 2 * square.height, "a cell is twice as high as wide");
    let wide = plane(80.0, 10.0, false);
    assert!((wide.width as f64 / (16.0 * wide.height as f64) - 1.0).abs() < 0.1 && wide.width > 100, "{wide:?}");
    assert!(plane(10.0, 10.0, true).width > 100, "time is no length");
    assert!(plane(100.0, 2.0, false).height > 20, "a strip is stretched");
}

/// A bin of a rate stands over its own stretch, which ends at its time.
#[test]
fn steps_stand_over_their_bins() {
    for peak in 0..10 {
        let x: Vec<f64> = (1..=10).map(|k| f64::from(k) * 10.0).collect();
        let y: Vec<f64> = (0..10).map(|k| if k == peak { 5.0 } else { 0.0 }).collect();
        let curves = vec![line("", x, y, CurveStyle::Steps)];
        let (x, y) = (Axis::new("x", ""), Axis::new("y", ""));
        let shape = NamedShape::new("s", Shape::Series(Series { x, y, curves, references: Vec::new() }));
        let picture = paint(&shape, &View::default(), (120, 12), &look(Depth::None, Marker::Braille));
        let placed = &picture.panels[0];
        let high = (0..placed.area.height / 2).flat_map(|row| {
            let row = placed.area.y + row;
            (placed.area.x..placed.area.x + placed.area.width).map(move |column| (column, row))
        });
        let drawn = high.filter(|&(c, r)| ('\u{2801}'..='\u{28ff}').contains(&picture.grid.get(c, r).unwrap().ch));
        let columns: Vec<usize> = drawn.map(|(c, _)| c - placed.area.x).collect();
        let (low, high) = (columns.iter().min().unwrap(), columns.iter().max().unwrap());
        let cell = 100.0 / placed.area.width as f64;
        let (begin, end) = (*low as f64 * cell, (*high + 1) as f64 * cell);
        let wanted = (f64::from(peak) * 10.0, f64::from(peak + 1) * 10.0);
        assert!(
            (begin - wanted.0).abs() <= 1.5 * cell && (end - wanted.1).abs() <= 1.5 * cell,
            "{wanted:?}: {begin} {end}"
        );
    }
}

/// Decades have labels, what lies between them marks without, on both axes and in figures too, whatever is drawn with.
#[test]
fn logarithmic_axes_mark_their_decades() {
    for (marker, [labelled, minor, left]) in [(Marker::Braille, ['┬', '┴', '├']), (Marker::Ascii, ['+', '\'', '-'])]
    {
        let picture = paint(&samples::spectrum(), &View::default(), (120, 40), &look(Depth::True, marker));
        let placed = &picture.panels[0];
        let (axis, column) = (placed.area.y + placed.area.height, placed.area.x - 1);
        let at = |x: f64| picture.grid.get(placed.column_of(x).unwrap(), axis).unwrap().ch;
        assert!([10.0, 100.0].iter().all(|x| at(*x) == labelled), "{}", picture.grid.to_plain());
        assert!([20.0, 30.0, 200.0, 300.0].iter().all(|x| at(*x) == minor), "{}", picture.grid.to_plain());
        let marks = (placed.area.y..axis).filter(|y| picture.grid.get(column, *y).unwrap().ch == left).count();
        assert!(marks > 3, "{}", picture.grid.to_plain());
        let linear = View { x_log: Some(false), y_log: Some(false), ..View::default() };
        let text = paint(&samples::spectrum(), &linear, (120, 40), &look(Depth::True, Marker::Braille)).grid.to_plain();
        assert!(!text.contains(['┴', '├']), "{text}");
    }
    let lines = |view: &View| {
        let figure = crate::svg::figure(&scene::of(&samples::spectrum(), view), &crate::svg::Figure::default());
        figure.matches("<line").count()
    };
    let linear = View { x_log: Some(false), y_log: Some(false), ..View::default() };
    assert!(lines(&View::default()) > lines(&linear) + 15, "{} {}", lines(&View::default()), lines(&linear));
}
