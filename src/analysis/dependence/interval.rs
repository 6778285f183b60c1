//! How sure an estimate is: from what is left without each block of the data, or from blocks that are estimated alone.

use rayon::prelude::*;

use super::assess::{Assessed, Data, Resampling};
use spikedeck_core::statistics::mean_interval;
use spikedeck_core::surrogate::{jackknife_blocks, jackknife_interval};

/// Least length of a block of the jackknife in independent samples: blocks must be (nearly) independent.
const LEAST_BLOCK: f64 = 10.0;
/// Least samples of a block whose neighbours are sought in it alone.
const LEAST_PART: usize = 20;

/// The interval of the jackknife, or of blocks alone, where it can be believed, or why it cannot.
pub(super) fn trusted_interval(
    data: &Data,
    found: &Assessed,
    resampling: Resampling<'_>,
    alone: bool,
    again: impl Fn(&Data) -> f64 + Sync,
) -> Result<(f64, f64), String> {
    let block = data.len() as f64 / resampling.blocks as f64;
    if block < LEAST_BLOCK * resampling.correlated {
        return Err(format!(
            "no interval: blocks of {block:.0} samples hold {:.1} independent ones (samples depend on those before)",
            block / resampling.correlated
        ));
    }
    let bits = found.estimate.bits;
    let ends = if alone {
        interval_of_parts(data, bits, resampling.blocks, again)
    } else {
        interval(data, bits, resampling.blocks, again)
    };
    let Some((low, high)) = ends else {
        return Err("no interval: too few samples in a block, or a block has no value".into());
    };
    let half = (high - low) / 2.0;
    if half <= 1e-9 * found.estimate.bits.abs() {
        return Err("no interval: every part of the data gives this value".into());
    }
    // Information is not negative: the interval reaches below 0 no further than the value.
    Ok((low.max(found.estimate.bits.min(0.0)), high))
}

/// 95 % interval of a value of the data by a delete-a-block jackknife; none where blocks are fewer than 3, or too
/// short.
pub fn interval(data: &Data, whole: f64, blocks: usize, value: impl Fn(&Data) -> f64 + Sync) -> Option<(f64, f64)> {
    if blocks < 3 || data.len() < 2 * blocks {
        return None;
    }
    let left_out: Vec<f64> = jackknife_blocks(data.len(), blocks)
        .into_par_iter()
        .map(|block| value(&data.subset(|i| !block.contains(&i))))
        .collect();
    jackknife_interval(whole, &left_out)
}

/// 95 % interval of a value that is a mean over samples of what each finds near it: the scatter of blocks that are
/// estimated each alone, which falls as 1/n (Holmes and Nemenman 2019, doi:10.1103/PhysRevE.100.022404). Neighbours of
/// a sample change when a block is left out, so that the jackknife takes their chance for scatter of the value: its
/// intervals are up to twice too wide. None where blocks are fewer than 3, or too short.
fn interval_of_parts(
    data: &Data,
    whole: f64,
    blocks: usize,
    value: impl Fn(&Data) -> f64 + Sync,
) -> Option<(f64, f64)> {
    if blocks < 3 || data.len() < LEAST_PART * blocks {
        return None;
    }
    let parts: Vec<f64> = jackknife_blocks(data.len(), blocks)
        .into_par_iter()
        .map(|block| value(&data.subset(|i| block.contains(&i))))
        .collect();
    let (_, low, high) = mean_interval(&parts, 0.95);
    let half = (high - low) / 2.0;
    half.is_finite().then_some((whole - half, whole + half))
}
