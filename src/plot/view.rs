//! How a reader looks at a scene: which stretch, which scale, where the crosshair stands.

/// Ranges, scales, crosshair and focus of one pane. The default shows everything as the analysis chose.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Stretch of the x axis; `None` fits the data.
    pub x: Option<(f64, f64)>,
    /// Stretch of the y axis of the first panel; `None` fits what is visible. For rasters: rows from the top.
    pub y: Option<(f64, f64)>,
    /// Stretch of the y axis of the panel below the first (rates below a raster); `None` fits.
    pub y_below: Option<(f64, f64)>,
    /// Range of the colours of images and matrices; `None` fits. Set it to share a scale between panes.
    pub z: Option<(f64, f64)>,
    /// Logarithmic x axis; `None` as the analysis chose.
    pub x_log: Option<bool>,
    /// Logarithmic y axis; `None` as the analysis chose.
    pub y_log: Option<bool>,
    /// x of the crosshair.
    pub cursor: Option<f64>,
    /// Which curve or population is painted last and wins every cell that it shares.
    pub focus: Option<usize>,
    /// Length of an oscilloscope sweep along x: new data overwrite the oldest in place, with a gap after the write
    /// head, because over SSH a scrolled picture costs up to fifty times the bytes. `None` draws the data as they lie.
    pub sweep: Option<f64>,
    /// First row of tables and cards.
    pub scroll: usize,
}

/// The range that shows `factor` of `now`, with `centre` at the same place on the screen. Ranges below the resolution
/// of numbers are refused: `now` comes back.
pub fn zoom(now: (f64, f64), is_log: bool, centre: f64, factor: f64) -> (f64, f64) {
    if is_log && now.0 > 0.0 && now.1 > 0.0 && centre > 0.0 {
        let (low, high) = zoom((now.0.ln(), now.1.ln()), false, centre.ln(), factor);
        return (low.exp(), high.exp());
    }
    let new = (centre + (now.0 - centre) * factor, centre + (now.1 - centre) * factor);
    let size = new.0.abs().max(new.1.abs()).max(f64::MIN_POSITIVE);
    if (new.1 - new.0).abs() > size * 1e-12 && new.0.is_finite() && new.1.is_finite() { new } else { now }
}

/// The range moved by `part` of its length.
pub fn pan(now: (f64, f64), is_log: bool, part: f64) -> (f64, f64) {
    if is_log && now.0 > 0.0 && now.1 > 0.0 {
        let (low, high) = pan((now.0.ln(), now.1.ln()), false, part);
        return (low.exp(), high.exp());
    }
    let step = (now.1 - now.0) * part;
    (now.0 + step, now.1 + step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zoom_keeps_the_centre_in_place() {
        assert_eq!(zoom((0.0, 10.0), false, 2.0, 0.5), (1.0, 6.0));
        let (low, high) = zoom((1.0, 100.0), true, 10.0, 0.5);
        assert!((low - 10f64.sqrt()).abs() < 1e-9 && (high - 10f64.powf(1.5)).abs() < 1e-9);
        assert_eq!(zoom((1.0, 1.0 + 1e-12), false, 1.0, 0.5), (1.0, 1.0 + 1e-12));
        assert_eq!(pan((0.0, 10.0), false, 0.5), (5.0, 15.0));
    }
}
