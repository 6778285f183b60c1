//! Colour maps: perceptually uniform, readable with every colour vision, and quantised so that a stream of frames
//! compresses well over SSH.
//!
//! Sources: viridis (Smith and van der Walt, 2015, CC0); cividis (Nuñez, Anderton and Renslow, 2018,
//! doi:10.1371/journal.pone.0199239); vik and berlin (Crameri, Shephard and Heron, 2020,
//! doi:10.1038/s41467-020-19160-7, MIT).

const VIRIDIS: [u32; 33] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453781, 0x424086, 0x3e4989, 0x3b528b, 0x375b8d, 0x33638d,
    0x2f6b8e, 0x2c728e, 0x297a8e, 0x26828e, 0x23898e, 0x21918c, 0x1f988b, 0x1fa088, 0x22a785, 0x28ae80, 0x32b67a,
    0x3fbc73, 0x4ec36b, 0x5ec962, 0x70cf57, 0x84d44b, 0x98d83e, 0xaddc30, 0xc2df23, 0xd8e219, 0xece51b, 0xfde725,
];
const CIVIDIS: [u32; 33] = [
    0x00224e, 0x00285b, 0x002e6a, 0x053371, 0x1a386f, 0x273e6e, 0x32436d, 0x3b496c, 0x434e6c, 0x4b546c, 0x535a6d,
    0x5a5f6e, 0x61656f, 0x686a71, 0x6f7073, 0x767676, 0x7d7c78, 0x848279, 0x8c8878, 0x938e78, 0x9b9476, 0xa39a74,
    0xaba072, 0xb4a76f, 0xbcae6c, 0xc4b468, 0xcdbb63, 0xd5c25e, 0xdec958, 0xe7d150, 0xf0d846, 0xf9e03a, 0xfee838,
];
const VIK: [u32; 33] = [
    0x001261, 0x021f69, 0x022b71, 0x023779, 0x034481, 0x055189, 0x0c5e92, 0x1c6d9c, 0x307da6, 0x488db2, 0x619ebd,
    0x7aaec8, 0x94bed2, 0xadcddd, 0xc6dbe6, 0xdee6e9, 0xece5e0, 0xeed9cd, 0xe9cab8, 0xe2baa2, 0xdbaa8d, 0xd59b79,
    0xcf8c66, 0xc97e53, 0xc27041, 0xbc622f, 0xb2511d, 0xa33e0d, 0x912d06, 0x811f06, 0x731406, 0x650907, 0x590008,
];
const BERLIN: [u32; 33] = [
    0x9eb0ff, 0x8caef6, 0x79abed, 0x65a7e2, 0x519fd3, 0x4194c1, 0x3685ad, 0x2e7699, 0x286886, 0x225973, 0x1d4b61,
    0x183d4f, 0x14303e, 0x11242e, 0x111a20, 0x121214, 0x190c09, 0x220c02, 0x2b0e01, 0x351000, 0x411201, 0x4d1602,
    0x5b1d08, 0x6c2711, 0x7d341e, 0x8e422e, 0x9e513f, 0xae6051, 0xbe6f63, 0xce7f76, 0xdf8f89, 0xf09f9c, 0xffadad,
];

/// The maps among the 256 colours: each step lighter than the one before. The nearest colours would go through
/// magenta and grey, forth and back.
const VIRIDIS_256: [u8; 10] = [53, 54, 55, 25, 31, 36, 78, 149, 185, 227];
const CIVIDIS_256: [u8; 9] = [17, 24, 60, 242, 102, 246, 144, 186, 228];
/// Pale in the middle, for light ground.
const VIK_256: [u8; 11] = [17, 25, 67, 110, 152, 255, 223, 180, 173, 130, 88];
/// Dark in the middle, for dark ground.
const BERLIN_256: [u8; 11] = [153, 111, 68, 24, 236, 233, 52, 88, 131, 174, 217];

/// A colour map for images and matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourMap {
    /// Dark blue to yellow.
    #[default]
    Viridis,
    /// Blue to yellow, made for colour-vision deficiencies.
    Cividis,
}

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Splits `0xRRGGBB`.
pub(crate) const fn rgb(hex: u32) -> Rgb {
    ((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

fn interpolate(anchors: &[u32; 33], t: f64) -> Rgb {
    let at = t.clamp(0.0, 1.0) * 32.0;
    let low = (at as usize).min(31);
    let part = at - low as f64;
    let (a, b) = (rgb(anchors[low]), rgb(anchors[low + 1]));
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Number of colours of a map: enough to see every step, few enough to compress.
pub const LEVELS: usize = 48;

/// The middle of the level that `t` (0 to 1) falls into.
pub fn quantise(t: f64, levels: usize) -> f64 {
    let levels = levels.max(2) as f64;
    ((t.clamp(0.0, 1.0) * levels).floor().min(levels - 1.0) + 0.5) / levels
}

impl ColourMap {
    /// The colour of `t` (0 to 1) for values that grow.
    pub fn sequential(self, t: f64) -> Rgb {
        interpolate(if self == Self::Cividis { &CIVIDIS } else { &VIRIDIS }, t)
    }

    /// The number among the 256 colours of `t` (0 to 1).
    pub(crate) fn indexed(self, dark: bool, t: f64, diverging: bool) -> u8 {
        let ladder: &[u8] = match (diverging, self) {
            (true, _) if dark => &BERLIN_256,
            (true, _) => &VIK_256,
            (false, Self::Viridis) => &VIRIDIS_256,
            (false, Self::Cividis) => &CIVIDIS_256,
        };
        ladder[((t.clamp(0.0, 1.0) * ladder.len() as f64) as usize).min(ladder.len() - 1)]
    }

    /// The colour of `t` (0 to 1, 0.5 is the natural middle): pale in the middle on light ground (vik), dark in the
    /// middle on dark ground (berlin).
    pub fn diverging(dark: bool, t: f64) -> Rgb {
        interpolate(if dark { &BERLIN } else { &VIK }, t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_monotone_lightness() {
        assert_eq!(ColourMap::Viridis.sequential(0.0), (0x44, 0x01, 0x54));
        assert_eq!(ColourMap::Viridis.sequential(1.0), (0xfd, 0xe7, 0x25));
        assert_eq!(ColourMap::Viridis.sequential(f64::INFINITY), (0xfd, 0xe7, 0x25));
        for map in [ColourMap::Viridis, ColourMap::Cividis] {
            let light = |t: f64| {
                let (r, g, b) = map.sequential(t);
                0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
            };
            let ramp: Vec<f64> = (0..=20).map(|k| light(f64::from(k) / 20.0)).collect();
            assert!(ramp.windows(2).all(|w| w[1] > w[0]), "{map:?} {ramp:?}");
        }
    }

    #[test]
    fn quantised_levels_are_few() {
        let mut seen: Vec<_> =
            (0..1000).map(|k| ColourMap::Viridis.sequential(quantise(f64::from(k) / 999.0, LEVELS))).collect();
        seen.dedup();
        assert_eq!(seen.len(), LEVELS);
    }
}
