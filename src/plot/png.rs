//! SVG → PNG with fonts that are part of the program, so that pictures are the same on every machine.
//!
//! Fonts: Ubuntu Light (Ubuntu Font Licence 1.0) and Hack (MIT and Bitstream Vera), both of which may be embedded.

use std::sync::{Arc, OnceLock};

use resvg::{tiny_skia, usvg};

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The SVG is not one.
    #[error("the figure is not valid SVG: {0}")]
    Svg(#[from] usvg::Error),
    /// Too large or empty.
    #[error("a picture of {width} x {height} pixels cannot be made; choose a smaller scale")]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The encoder failed.
    #[error("PNG encoding failed: {0}")]
    Encode(String),
}

fn fonts() -> Arc<usvg::fontdb::Database> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let make = || {
        let mut db = usvg::fontdb::Database::new();
        db.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
        db.load_font_data(epaint_default_fonts::HACK_REGULAR.to_vec());
        db.set_sans_serif_family("Ubuntu");
        db.set_serif_family("Ubuntu");
        db.set_monospace_family("Hack");
        Arc::new(db)
    };
    Arc::clone(FONTS.get_or_init(make))
}

/// Parses an SVG with the embedded fonts.
///
/// # Errors
/// When it is not well-formed SVG.
pub fn parse(svg: &str) -> Result<usvg::Tree, PngError> {
    // Characters that the text face lacks stand in spans of the monospaced face (see `svg`); a fallback for one of them
    // would change the face of the whole line.
    let fallback = usvg::FontResolver::default_fallback_selector();
    let select_fallback: usvg::FallbackSelectionFn<'_> =
        Box::new(
            move |c, used, db| if super::svg::foreign(c) && used.len() < 2 { None } else { fallback(c, used, db) },
        );
    let font_resolver = usvg::FontResolver { select_fallback, ..usvg::FontResolver::default() };
    let options = usvg::Options { fontdb: fonts(), font_resolver, ..usvg::Options::default() };
    Ok(usvg::Tree::from_str(svg, &options)?)
}

/// PNG bytes of an SVG at `scale` pixels a CSS pixel (2 is good for screens, 4 for print at 400 dots an inch).
///
/// # Errors
/// When it is not SVG, or the picture would be empty or larger than 20,000 pixels a side.
pub fn from_svg(svg: &str, scale: f32) -> Result<Vec<u8>, PngError> {
    let tree = parse(svg)?;
    let size = tree.size();
    let (width, height) = ((size.width() * scale).round() as u32, (size.height() * scale).round() as u32);
    let fits = (1..=20_000).contains(&width) && (1..=20_000).contains(&height);
    let pixmap = if fits { tiny_skia::Pixmap::new(width, height) } else { None };
    let mut pixmap = pixmap.ok_or(PngError::Size { width, height })?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|e| PngError::Encode(e.to_string()))
}
