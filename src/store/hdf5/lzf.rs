//! The compression that h5py calls `lzf` (liblzf): literal runs and repeats of what was decoded before.

/// Its number among HDF5's filters.
pub(super) const ID: u16 = 32_000;
/// Control bytes below it begin literal runs.
const LITERAL: usize = 32;

/// The bytes that were compressed, at most `most`.
///
/// # Errors
/// When the stream is cut short, repeats what is not there, or is longer than `most`.
pub(super) fn decoded(data: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let cut = || "a piece that is compressed with lzf is cut short".to_owned();
    let mut out: Vec<u8> = Vec::with_capacity(data.len().saturating_mul(2).min(most));
    let mut rest = data;
    while let Some((&control, after)) = rest.split_first() {
        let control = usize::from(control);
        rest = after;
        if control < LITERAL {
            let (run, after) = rest.split_at_checked(control + 1).ok_or_else(cut)?;
            out.extend_from_slice(run);
            rest = after;
        } else {
            let mut length = control >> 5;
            if length == 7 {
                let (&more, after) = rest.split_first().ok_or_else(cut)?;
                (length, rest) = (length + usize::from(more), after);
            }
            let (&low, after) = rest.split_first().ok_or_else(cut)?;
            rest = after;
            let back = ((control & 31) << 8 | usize::from(low)) + 1;
            let from = out.len().checked_sub(back).ok_or("a piece compressed with lzf repeats what is not there")?;
            // What is repeated may reach into itself.
            for k in 0..length + 2 {
                out.push(out[from + k]);
            }
        }
        if out.len() > most {
            return Err(format!("a piece compressed with lzf is longer than {most} bytes"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_repeats_come_back() {
        // Three letters, then six bytes from three before: the repeat reaches into itself.
        assert_eq!(decoded(&[2, b'a', b'b', b'c', 4 << 5, 2], 100).unwrap(), b"abcabcabc");
        // A long repeat has its length in a byte of its own: 7 + 10 + 2.
        let long = decoded(&[0, b'x', 7 << 5, 10, 0], 100).unwrap();
        assert_eq!(long, vec![b'x'; 20]);
        assert_eq!(decoded(&[], 0).unwrap(), b"");
    }

    #[test]
    fn what_is_damaged_is_refused() {
        for bad in [&[5, 1][..], &[7 << 5], &[7 << 5, 1], &[1 << 5], &[1 << 5, 0], &[0, 1, 1 << 5, 9]] {
            assert!(decoded(bad, 1000).is_err(), "{bad:?}");
        }
        assert!(decoded(&[0, 1, 7 << 5, 255, 0], 100).unwrap_err().contains("longer than 100"));
    }
}
