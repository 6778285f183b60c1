//! What a report consists of, however it is written.

/// A title and blocks below it.
#[derive(Debug, Default)]
pub struct Document {
    /// Heading of all.
    pub title: String,
    /// From top to bottom.
    pub blocks: Vec<Block>,
}

impl Document {
    /// A heading with blocks below it; nothing where there are none.
    pub fn section(&mut self, title: &str, blocks: Vec<Block>) {
        if !blocks.is_empty() {
            self.blocks.push(Block::Heading(title.to_owned()));
            self.blocks.extend(blocks);
        }
    }
}

/// A part of a report.
#[derive(Debug)]
pub enum Block {
    /// Heading of a section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// What a reader should know before believing it.
    Warning(String),
    /// A table.
    Grid(Grid),
    /// A figure.
    Figure(Figure),
    /// Text as it was written.
    Code(String),
}

/// A figure with what is said below it.
#[derive(Debug)]
pub struct Figure {
    /// An SVG element.
    pub svg: String,
    /// What it shows.
    pub caption: String,
    /// What a reader should know before believing it.
    pub warnings: Vec<String>,
}

impl Figure {
    /// The element without blank lines, its names made the only ones of the report by a number.
    pub fn element(&self, number: usize) -> String {
        let own = |text: &str| text.replace("id=\"panel", &format!("id=\"f{number}-panel"));
        let own = own(&self.svg).replace("url(#panel", &format!("url(#f{number}-panel"));
        own.lines().filter(|l| !l.trim().is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// A table of text.
#[derive(Debug)]
pub struct Grid {
    /// Headings.
    pub heads: Vec<String>,
    /// Whether each column is set flush right.
    pub right: Vec<bool>,
    /// Cells, row by row, as many as headings.
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table whose columns of these numbers are set flush right; columns that are empty in all rows are left out.
    pub fn new(heads: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> Self {
        let used: Vec<usize> =
            (0..heads.len()).filter(|k| rows.iter().any(|r| r.get(*k).is_some_and(|c| !c.is_empty()))).collect();
        let kept = |row: &Vec<String>| used.iter().map(|k| row.get(*k).cloned().unwrap_or_default()).collect();
        Self {
            heads: used.iter().map(|k| heads[*k].to_owned()).collect(),
            right: used.iter().map(|k| right.contains(k)).collect(),
            rows: rows.iter().map(kept).collect(),
        }
    }
}
