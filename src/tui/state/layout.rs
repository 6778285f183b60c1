//! Where everything stands: pure functions of sizes and counts, used by drawing and by the mouse alike.
//!
//! Splits are computed here with saturating whole numbers; nothing is left to a constraint solver.

use crate::panes::pane::Pane;
use ratatui::layout::Rect;

/// How much of the run view one pane takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// Its place among the others.
    #[default]
    Shared,
    /// The whole height, in every column.
    Row,
    /// The whole screen.
    Whole,
}

/// How much can be shown at a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Nothing at all.
    None,
    /// One line.
    Line,
    /// One pane and a status line.
    Pane,
    /// Everything.
    Full,
}

/// How much can be shown.
pub fn detail(width: u16, height: u16) -> Detail {
    match (width, height) {
        (0, _) | (_, 0) => Detail::None,
        (w, h) if w < 10 || h < 3 => Detail::Line,
        (w, h) if w < 40 || h < 10 => Detail::Pane,
        _ => Detail::Full,
    }
}

/// A part of `r`, clipped to it.
pub fn part(r: Rect, x: u16, y: u16, width: u16, height: u16) -> Rect {
    let (x, y) = (x.min(r.width), y.min(r.height));
    Rect { x: r.x + x, y: r.y + y, width: width.min(r.width - x), height: height.min(r.height - y) }
}

/// The piece `i` of `n` when `length` with gaps of one cell is split evenly: start and length. Left-over cells go to
/// the first pieces.
pub fn share(length: u16, n: usize, i: usize, gap: u16) -> (u16, u16) {
    let n16 = u16::try_from(n.max(1)).unwrap_or(u16::MAX);
    let i16 = u16::try_from(i).unwrap_or(u16::MAX).min(n16 - 1);
    let usable = length.saturating_sub(gap.saturating_mul(n16 - 1));
    let (each, rest) = (usable / n16, usable % n16);
    let start = i16.saturating_mul(each.saturating_add(gap)).saturating_add(i16.min(rest));
    let own = each + u16::from(i16 < rest);
    (start.min(length), own.min(length.saturating_sub(start)))
}

/// A pane of a column on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedPane {
    /// Index into the list of panes.
    pub pane: usize,
    /// Title line and content.
    pub area: Rect,
}

impl PlacedPane {
    /// Below the title line.
    pub fn inner(&self) -> Rect {
        part(self.area, 0, 1, self.area.width, self.area.height.saturating_sub(1))
    }

    /// Where its picture is: below the title, and below the line of its warnings where there is room for both.
    pub fn figure(&self, pane: &Pane) -> Rect {
        let inner = self.inner();
        let below = u16::from(!pane.warnings.is_empty() && inner.height >= WARNED);
        part(inner, 0, below, inner.width, inner.height - below)
    }
}

/// A column on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlacedColumn {
    /// Index into the columns.
    pub column: usize,
    /// All of it.
    pub area: Rect,
    /// Its heading (status, progress).
    pub head: Rect,
    /// Its panes.
    pub panes: Vec<PlacedPane>,
}

/// The run view on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunLayout {
    /// List of panes.
    pub tabs: Rect,
    /// Columns.
    pub columns: Vec<PlacedColumn>,
    /// The panel of parameters; empty where it is not open.
    pub panel: Rect,
    /// Hints.
    pub footer: Rect,
    /// Page shown, of how many.
    pub page: usize,
    /// Pages.
    pub pages: usize,
}

/// Least height below its title at which a pane has a line for its warnings.
const WARNED: u16 = 6;

/// Least comfortable width and height of a pane.
const COMFORTABLE: (u16, u16) = (52, 10);

/// What the run view needs to know to be laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunQuery {
    /// Screen.
    pub size: (u16, u16),
    /// Number of columns.
    pub columns: usize,
    /// Number of panes.
    pub panes: usize,
    /// Focused column and pane.
    pub focus: (usize, usize),
    /// How much the focused pane takes.
    pub extent: Extent,
    /// Whether the panel of parameters is open.
    pub panel: bool,
    /// Rows that the second pane would fill: the numbers, of which none that is expected is to be hidden.
    pub second: u16,
    /// Whether the first pane keeps its proportions: a plane from above, of which a flat pane would be empty.
    pub plane: bool,
}

/// Splits the panel of parameters off: beside the panes, or below them on a narrow screen.
fn beside(body: Rect) -> (Rect, Rect) {
    if body.width >= 104 {
        let width = (body.width * 2 / 5).clamp(46, 64);
        let rest = body.width - width - 2;
        (part(body, 0, 0, rest, body.height), part(body, rest + 2, 0, width, body.height))
    } else {
        let height = (body.height / 2).clamp(4, 14);
        let rest = body.height.saturating_sub(height);
        (part(body, 0, 0, body.width, rest), part(body, 0, rest, body.width, height))
    }
}

/// The parts of the panel of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelLayout {
    /// Its title.
    pub title: Rect,
    /// What is looked for or typed.
    pub line: Rect,
    /// The values.
    pub list: Rect,
    /// What is known of the chosen one.
    pub detail: Rect,
}

/// Places the parts of the panel: the chosen value below the list, or beside it where the panel is flat.
pub fn panel(area: Rect) -> PanelLayout {
    let title = part(area, 0, 0, area.width, 1);
    let below = part(area, 1, 1, area.width.saturating_sub(1), area.height.saturating_sub(1));
    if area.height < 18 && area.width >= 60 {
        let list = below.width / 2;
        return PanelLayout {
            title,
            line: part(below, 0, 0, list, 1),
            list: part(below, 0, 1, list, below.height.saturating_sub(1)),
            detail: part(below, list + 2, 0, below.width.saturating_sub(list + 2), below.height),
        };
    }
    let detail = (area.height / 3).clamp(2, 13).min(below.height.saturating_sub(4));
    let list = below.height.saturating_sub(detail + 1);
    PanelLayout {
        title,
        line: part(below, 0, 0, below.width, 1),
        list: part(below, 0, 1, below.width, list),
        detail: part(below, 0, list + 1, below.width, detail),
    }
}

/// Places the run view.
pub fn run(q: RunQuery) -> RunLayout {
    let all = Rect::new(0, 0, q.size.0, q.size.1);
    let mut out = RunLayout { pages: 1, ..RunLayout::default() };
    match detail(q.size.0, q.size.1) {
        Detail::None | Detail::Line => return out,
        Detail::Pane => {
            out.footer = part(all, 0, all.height - 1, all.width, 1);
            let body = part(all, 0, 0, all.width, all.height - 1);
            if q.panel {
                // There is room for one of them.
                out.panel = body;
                return out;
            }
            let panes = if q.panes == 0 { Vec::new() } else { vec![PlacedPane { pane: q.focus.1, area: body }] };
            out.columns = vec![PlacedColumn { column: q.focus.0, area: body, head: Rect { height: 0, ..body }, panes }];
            return out;
        }
        Detail::Full => {}
    }
    out.footer = part(all, 0, all.height - 1, all.width, 1);
    out.tabs = part(all, 0, 0, all.width, 1);
    let mut body = part(all, 0, 1, all.width, all.height - 2);
    if q.panel {
        (body, out.panel) = beside(body);
    }
    // Columns that would be too narrow to read are left out, those about the focus stay.
    let fitting = usize::from(body.width / 30).clamp(1, q.columns.max(1));
    let shown = if q.extent == Extent::Whole { 1 } else { fitting };
    let first = (q.focus.0 + 1).saturating_sub(shown).min(q.columns.saturating_sub(shown));
    for i in 0..shown.min(q.columns) {
        let (x, width) = share(body.width, shown, i, 3);
        let area = part(body, x, 0, width, body.height);
        let head = part(area, 0, 0, area.width, 1);
        let rest = part(area, 0, 1, area.width, area.height.saturating_sub(1));
        let (panes, page, pages) = grid(rest, q);
        (out.page, out.pages) = (page, pages);
        let column = if q.extent == Extent::Whole { q.focus.0 } else { first + i };
        out.columns.push(PlacedColumn { column, area, head, panes });
    }
    out
}

/// Panes of one column: the first pane of all spans the width and is taller, the others stand in a grid; what does not
/// fit is on further pages.
fn grid(area: Rect, q: RunQuery) -> (Vec<PlacedPane>, usize, usize) {
    if q.panes == 0 {
        return (Vec::new(), 0, 1);
    }
    if q.extent != Extent::Shared {
        return (vec![PlacedPane { pane: q.focus.1, area }], 0, 1);
    }
    let across = usize::from(area.width / COMFORTABLE.0).clamp(1, 3);
    let rows = usize::from(area.height / COMFORTABLE.1).clamp(1, 6);
    let lead = rows > 1 && q.panes > 1;
    let first_page = if lead { 1 + across * (rows - 1) } else { across * rows };
    // A plane and two panes beside it take two rows, and of three columns the plane has two.
    let is_beside = q.plane && across > 1 && rows > 2 && q.panes > PLANE_BESIDE;
    let first_page = if is_beside { 1 + PLANE_BESIDE + across * (rows - 2) } else { first_page };
    let later = across * rows;
    let pages = 1 + q.panes.saturating_sub(first_page).div_ceil(later);
    let page = if q.focus.1 < first_page { 0 } else { 1 + (q.focus.1 - first_page) / later };
    let (from, to) = if page == 0 {
        (0, first_page.min(q.panes))
    } else {
        let from = first_page + (page - 1) * later;
        (from, (from + later).min(q.panes))
    };
    let mut placed = Vec::with_capacity(to - from);
    let (mut top, mut second) = (0, 0);
    let mut next = from;
    if page == 0 && is_beside {
        return (beside_plane(area, to, across, q.second), page, pages);
    }
    if lead && page == 0 {
        let below = (to - 1).div_ceil(across) as u16;
        let height = if below == 0 {
            area.height
        } else {
            (area.height * 4 / (3 * below + 4)).max(COMFORTABLE.1.min(area.height))
        };
        // What the second pane wants beyond an even share is taken from the first.
        let even = if below == 0 { 0 } else { (area.height - height).div_ceil(below) };
        let wanted = q.second.saturating_sub(even).min(height.saturating_sub(COMFORTABLE.1));
        placed.push(PlacedPane { pane: 0, area: part(area, 0, 0, area.width, height - wanted) });
        top = height - wanted;
        second = even + wanted;
        next = 1;
    }
    let rest = part(area, 0, top, area.width, area.height.saturating_sub(top));
    placed.extend(rows_of(rest, next..to, across, second));
    (placed, page, pages)
}

/// Panes beside a plane.
const PLANE_BESIDE: usize = 2;
/// Cells that the axes of a plane take beside it.
const AXES: u16 = 10;

/// The first page where the first pane is a plane: it is about as high as wide, with two panes beside it, one above the
/// other, and the others in rows below.
fn beside_plane(area: Rect, count: usize, across: usize, second: u16) -> Vec<PlacedPane> {
    let below = (count - 1 - PLANE_BESIDE).div_ceil(across);
    let height = match u16::try_from(below).unwrap_or(u16::MAX) {
        0 => area.height,
        rows => {
            let each = (area.height / rows.saturating_add(2)).max(COMFORTABLE.1);
            area.height.saturating_sub(each.saturating_mul(rows))
        }
    };
    let (_, narrow) = share(area.width, across, across - 1, 2);
    // A cell is two pixels high; beside and below the picture stand its axes.
    let square = height.saturating_mul(2).saturating_add(AXES);
    let wide = area.width.saturating_sub(narrow + 2).min(square).max(narrow);
    let narrow = area.width.saturating_sub(wide + 2);
    let mut placed = vec![PlacedPane { pane: 0, area: part(area, 0, 0, wide, height) }];
    for k in 0..PLANE_BESIDE {
        let even = height.div_ceil(2);
        let (y, own) = shared(height, PLANE_BESIDE, k, even.max(second.min(height.saturating_sub(COMFORTABLE.1))));
        placed.push(PlacedPane { pane: 1 + k, area: part(area, wide + 2, y, narrow, own) });
    }
    let rest = part(area, 0, height, area.width, area.height - height);
    placed.extend(rows_of(rest, 1 + PLANE_BESIDE..count, across, 0));
    placed
}

/// Panes in rows; those of the last row share its width. The first row is at least so high.
fn rows_of(area: Rect, panes: std::ops::Range<usize>, across: usize, first: u16) -> impl Iterator<Item = PlacedPane> {
    let count = panes.len();
    let rows = count.div_ceil(across);
    panes.enumerate().map(move |(k, pane)| {
        let (row, col) = (k / across, k % across);
        let in_row = if row + 1 == rows { count - row * across } else { across };
        let (y, height) = shared(area.height, rows, row, first);
        let (x, width) = share(area.width, in_row, col, 2);
        PlacedPane { pane, area: part(area, x, y, width, height) }
    })
}

/// The height of a row of panes and where it begins; the first of several is at least so high.
fn shared(height: u16, rows: usize, row: usize, first: u16) -> (u16, u16) {
    if first == 0 || rows < 2 {
        return share(height, rows, row, 0);
    }
    let first = first.min(height);
    if row == 0 {
        return (0, first);
    }
    let (y, own) = share(height - first, rows - 1, row - 1, 0);
    (first + y, own)
}

/// The gallery on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GalleryLayout {
    /// Name of the program and search line.
    pub head: Rect,
    /// List.
    pub list: Rect,
    /// Preview (empty if there is no room).
    pub preview: Rect,
    /// Hints.
    pub footer: Rect,
}

/// Places the gallery.
pub fn gallery(width: u16, height: u16) -> GalleryLayout {
    let all = Rect::new(0, 0, width, height);
    match detail(width, height) {
        Detail::None | Detail::Line => GalleryLayout::default(),
        Detail::Pane => GalleryLayout {
            list: part(all, 0, 0, width, height - 1),
            footer: part(all, 0, height - 1, width, 1),
            ..GalleryLayout::default()
        },
        Detail::Full => {
            let body = part(all, 0, 2, width, height - 3);
            let (head, footer) = (part(all, 0, 0, width, 2), part(all, 0, height - 1, width, 1));
            if width < 72 {
                return GalleryLayout { head, list: body, preview: Rect::default(), footer };
            }
            let list = if width >= 110 { (width * 11 / 20).min(96) } else { (width * 2 / 5).clamp(32, 72) };
            GalleryLayout {
                head,
                list: part(body, 0, 0, list, body.height),
                preview: part(body, list + 2, 0, width - list - 2, body.height),
                footer,
            }
        }
    }
}

/// A box in the middle for a list or a question.
pub fn dialog(size: (u16, u16), width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(size.0), height.min(size.1.saturating_sub(1)));
    Rect { x: (size.0 - width) / 2, y: (size.1 - height) / 3, width, height }
}

/// The first line to show so that `selected` is visible in `height` lines.
pub fn scroll_to(selected: usize, height: usize, total: usize) -> usize {
    let margin = (height / 4).min(3);
    (selected + 1 + margin).saturating_sub(height).min(total.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(size: (u16, u16), columns: usize, panes: usize) -> RunQuery {
        RunQuery { size, columns, panes, focus: (0, 0), extent: Extent::Shared, panel: false, second: 0, plane: false }
    }

    #[test]
    fn one_column_leads_with_its_first_pane() {
        let l = run(query((120, 40), 1, 5));
        assert_eq!(l.columns[0].panes.len(), 5);
        assert_eq!(l.columns[0].panes[0].area.width, 120);
        assert!(l.columns[0].panes[0].area.height >= 12);
        assert_eq!(l.columns[0].panes[1].area.width, 59);
        assert_eq!(l.pages, 1);
    }

    /// Numbers that are expected take rows from the first pane, which stays comfortable, and from no other.
    #[test]
    fn the_second_pane_gets_the_rows_that_it_wants() {
        let heights = |second: u16| -> Vec<u16> {
            let l = run(RunQuery { second, ..query((120, 40), 1, 5) });
            l.columns[0].panes.iter().map(|p| p.area.height).collect()
        };
        let even = heights(0);
        let wanted = heights(even[1] + 3);
        assert_eq!((wanted[0], wanted[1], wanted[2]), (even[0] - 3, even[1] + 3, even[2] + 3));
        assert_eq!(wanted[3..], even[3..]);
        let most = heights(100);
        assert!(most[0] >= COMFORTABLE.1 && most[1] > wanted[1], "{most:?}");
    }

    /// A plane is about as high as wide (a cell is two pixels high), and every pane that was on the page still is.
    #[test]
    fn a_plane_has_room_for_its_proportions() {
        for (size, panes) in [((120, 40), 5), ((120, 40), 9), ((200, 60), 5), ((200, 60), 14), ((160, 50), 6)] {
            let flat = run(query(size, 1, panes));
            let l = run(RunQuery { plane: true, ..query(size, 1, panes) });
            let (before, now) = (flat.columns[0].panes[0].area, l.columns[0].panes[0].area);
            let side = |a: Rect| a.width.min(a.height.saturating_sub(3) * 2);
            assert!(side(now) * 10 >= side(before) * 15, "{size:?} {panes}: {now:?} for {before:?}");
            assert!(l.columns[0].panes.len() + 1 >= flat.columns[0].panes.len(), "{size:?} {panes}");
            assert!(l.columns[0].panes.iter().all(|p| p.area.height >= 9 && p.area.width >= 50), "{:?}", l.columns[0]);
        }
        let narrow = RunQuery { plane: true, ..query((80, 24), 1, 5) };
        assert_eq!(run(narrow), run(query((80, 24), 1, 5)));
    }

    #[test]
    fn two_columns_show_the_same_panes_at_the_same_height() {
        let l = run(query((120, 40), 2, 3));
        assert_eq!(l.columns.len(), 2);
        for (a, b) in l.columns[0].panes.iter().zip(&l.columns[1].panes) {
            assert_eq!((a.pane, a.area.y, a.area.height), (b.pane, b.area.y, b.area.height));
        }
    }

    #[test]
    fn small_screens_show_one_pane_or_one_line() {
        assert_eq!(detail(20, 5), Detail::Pane);
        assert_eq!(detail(9, 30), Detail::Line);
        assert_eq!(detail(0, 30), Detail::None);
        assert_eq!(run(query((20, 5), 2, 4)).columns[0].panes.len(), 1);
    }

    proptest! {
        #[test]
        fn panes_never_overlap_nor_leave_the_screen(
            w in 0u16..400, h in 0u16..120, c in 0usize..5, p in 0usize..30, f in 0usize..30, e in 0usize..3,
            panel in any::<bool>(), plane in any::<bool>(), second in 0u16..60,
        ) {
            let extent = [Extent::Shared, Extent::Row, Extent::Whole][e];
            let focus = (if c == 0 { 0 } else { f % c }, if p == 0 { 0 } else { f % p });
            let l = run(RunQuery { size: (w, h), columns: c, panes: p, focus, extent, panel, second, plane });
            let mut rects: Vec<Rect> = l.columns.iter().flat_map(|c| c.panes.iter().map(|p| p.area)).collect();
            rects.push(l.panel);
            for (i, r) in rects.iter().enumerate() {
                prop_assert!(r.right() <= w && r.bottom() <= h);
                for s in &rects[i + 1..] {
                    prop_assert!(r.intersection(*s).area() == 0, "{r:?} {s:?}");
                }
            }
            let drawn = !matches!(detail(w, h), Detail::None | Detail::Line);
            if p > 0 && c > 0 && drawn && l.panel.height < h - 1 {
                let has_focus = |c: &PlacedColumn| c.column == focus.0 && c.panes.iter().any(|x| x.pane == focus.1);
                prop_assert!(l.columns.iter().any(has_focus));
            }
            let g = gallery(w, h);
            prop_assert!(g.list.right() <= w && g.preview.right() <= w && g.footer.bottom() <= h);
        }
    }
}
