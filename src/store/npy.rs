//! Arrays of NumPy: a header in the notation of Python, then numbers.

use std::path::Path;

use super::error::StoreError;
use spikedeck_signal::data::Cells;

/// An array of one or two dimensions, its columns side by side.
pub(super) struct Array {
    /// Numbers of each column; an array of one dimension is one. Whole numbers of eight bytes are kept as such.
    pub columns: Vec<Cells>,
    /// Whether it has two dimensions.
    pub two: bool,
}

/// A kind of number.
#[derive(Clone, Copy)]
struct Kind {
    letter: u8,
    size: usize,
    big: bool,
}

/// Reads an array, of which at most `most` bytes may be held.
///
/// # Errors
/// When it is no array of numbers of one or two dimensions, cut short, or does not fit.
pub(super) fn read(path: &Path, bytes: &[u8], most: u64) -> Result<Array, StoreError> {
    let refused = |message: String| StoreError::Malformed { path: path.to_owned(), message };
    let (header, data) = parts(bytes).map_err(refused)?;
    let kind = kind(entry(header, "descr").unwrap_or_default()).map_err(refused)?;
    let fortran = match entry(header, "fortran_order") {
        Some("True") => true,
        Some("False") => false,
        other => return Err(refused(format!("`fortran_order` is {}", other.unwrap_or("missing")))),
    };
    let shape = shape(entry(header, "shape").unwrap_or_default()).map_err(refused)?;
    let (rows, count) = match shape[..] {
        [rows] => (rows, 1),
        [rows, count] => (rows, count),
        _ => return Err(refused(format!("it is an array of {} dimensions; one or two are read", shape.len()))),
    };
    let needed = rows.checked_mul(count).and_then(|n| n.checked_mul(kind.size));
    if needed != Some(data.len()) {
        return Err(refused(format!(
            "it is an array of {rows} x {count} numbers of {} bytes, and {} bytes follow its header",
            kind.size,
            data.len()
        )));
    }
    let held = ((rows * count) as u64).saturating_mul(8);
    if held > most {
        return Err(StoreError::OverBudget { path: path.to_owned(), needed: held, most });
    }
    let place = |row: usize, column: usize| if fortran { column * rows + row } else { row * count + column };
    let bytes = |row, column| {
        let at = place(row, column);
        &data[at * kind.size..(at + 1) * kind.size]
    };
    let column = |column| {
        let whole = || (0..rows).map(|row| whole(bytes(row, column), kind)).collect::<Option<Vec<i64>>>();
        whole().map_or_else(
            || Cells::Numbers((0..rows).map(|row| number(bytes(row, column), kind)).collect()),
            Cells::Whole,
        )
    };
    let columns = (0..count).map(column).collect();
    Ok(Array { columns, two: shape.len() == 2 })
}

/// The header as text, and what follows it.
fn parts(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let cut = || "its header is cut short".to_owned();
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("it is no array of NumPy")?;
    let (&[version, _], rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let (length, rest) = match version {
        1 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => return Err(format!("its header is of version {other}, and 1 to 3 are read")),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    Ok((std::str::from_utf8(header).map_err(|_| "its header is no text")?, data))
}

/// The value of a key of a Python dictionary as it is written: a text without quotes, a word, what brackets hold.
fn entry<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let at = [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|k| Some(header.find(k)? + k.len()))?;
    let rest = header[at..].trim_start().strip_prefix(':')?.trim_start();
    match rest.chars().next()? {
        quote @ ('\'' | '"') => rest[1..].split(quote).next(),
        '(' => rest[1..].split(')').next(),
        // A list of fields: a structured array.
        '[' => Some("["),
        _ => rest.split([',', '}']).next().map(str::trim),
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    let read = || {
        let (&[order, letter], size) = text.as_bytes().split_first_chunk()?;
        let size: usize = std::str::from_utf8(size).ok()?.parse().ok()?;
        let known = match letter {
            b'f' => matches!(size, 2 | 4 | 8),
            b'i' | b'u' => matches!(size, 1 | 2 | 4 | 8),
            b'b' => size == 1,
            _ => false,
        };
        let big = match order {
            b'>' => true,
            b'<' | b'|' | b'=' => false,
            _ => return None,
        };
        known.then_some(Kind { letter, size, big })
    };
    read().ok_or_else(|| match text {
        "[" => "it is a structured array; numbers are read".to_owned(),
        _ => format!("its numbers are of kind `{text}`; f2, f4, f8, i1 to i8 and u1 to u8 are read"),
    })
}

fn shape(text: &str) -> Result<Vec<usize>, String> {
    let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    parts.map(|p| p.trim_end_matches('L').parse().map_err(|_| format!("its shape is ({text})"))).collect()
}

/// The bits of a number, the lowest byte first in its bytes or last.
fn bits(bytes: &[u8], kind: Kind) -> u64 {
    let mut wide = [0_u8; 8];
    let n = bytes.len();
    for (k, &byte) in bytes.iter().enumerate() {
        wide[if kind.big { n - 1 - k } else { k }] = byte;
    }
    u64::from_le_bytes(wide)
}

/// A whole number of eight bytes, which a double may not hold to the last digit; none where it is another kind or
/// larger than 63 bits hold.
fn whole(bytes: &[u8], kind: Kind) -> Option<i64> {
    match (kind.letter, kind.size) {
        (b'i', 8) => Some(bits(bytes, kind).cast_signed()),
        (b'u', 8) => i64::try_from(bits(bytes, kind)).ok(),
        _ => None,
    }
}

/// A number as bytes have it.
fn number(bytes: &[u8], kind: Kind) -> f64 {
    let (raw, n) = (bits(bytes, kind), bytes.len());
    match (kind.letter, n) {
        (b'f', 8) => f64::from_bits(raw),
        (b'f', 4) => f64::from(f32::from_bits(raw as u32)),
        (b'f', _) => half(raw as u16),
        (b'i', _) => {
            let unused = 64 - 8 * n as u32;
            ((raw << unused).cast_signed() >> unused) as f64
        }
        _ => raw as f64,
    }
}

/// A number of 16 bits.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An array as NumPy writes it.
    fn array(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    }

    fn columns(bytes: &[u8]) -> Result<Vec<Vec<f64>>, String> {
        let read = read(Path::new("a.npy"), bytes, 1 << 20).map_err(|e| e.to_string())?;
        let numbers = |cells| match cells {
            Cells::Numbers(values) => values,
            Cells::Whole(values) => values.into_iter().map(|v| v as f64).collect(),
            other => unreachable!("arrays hold numbers: {other:?}"),
        };
        Ok(read.columns.into_iter().map(numbers).collect())
    }

    #[test]
    fn kinds_orders_and_ends_of_numbers_are_one_table() {
        let values = [[1.0, -2.0, 3.0], [-4.0, 5.0, 100.0]];
        let wanted: Vec<Vec<f64>> = (0..3).map(|c| vec![values[0][c], values[1][c]]).collect();
        for fortran in [false, true] {
            let flat: Vec<f64> = if fortran { wanted.concat() } else { values.iter().flatten().copied().collect() };
            let of = |write: &dyn Fn(f64) -> Vec<u8>| flat.iter().flat_map(|v| write(*v)).collect::<Vec<u8>>();
            for (descr, data) in [
                ("<f8", of(&|v| v.to_le_bytes().to_vec())),
                (">f8", of(&|v| v.to_be_bytes().to_vec())),
                ("<f4", of(&|v| (v as f32).to_le_bytes().to_vec())),
                (">f4", of(&|v| (v as f32).to_be_bytes().to_vec())),
                ("<i2", of(&|v| (v as i16).to_le_bytes().to_vec())),
                (">i2", of(&|v| (v as i16).to_be_bytes().to_vec())),
                ("<i4", of(&|v| (v as i32).to_le_bytes().to_vec())),
                (">i8", of(&|v| (v as i64).to_be_bytes().to_vec())),
                ("|i1", of(&|v| (v as i8).to_le_bytes().to_vec())),
            ] {
                assert_eq!(columns(&array(descr, fortran, "2, 3", &data)).unwrap(), wanted, "{descr} {fortran}");
            }
        }
        let one = array("<u2", false, "3,", &[1, 0, 255, 255, 0, 1]);
        assert_eq!(columns(&one).unwrap(), [[1.0, 65535.0, 256.0]]);
        // Whole numbers of eight bytes keep their last digit, but for those beyond 63 bits.
        let large = |v: u64| read(Path::new("a.npy"), &array("<u8", false, "1,", &v.to_le_bytes()), 1 << 20);
        assert_eq!(large((1 << 60) + 1).unwrap().columns, [Cells::Whole(vec![(1 << 60) + 1])]);
        assert_eq!(large(1 << 63).unwrap().columns, [Cells::Numbers(vec![2_f64.powi(63)])]);
        let halves: Vec<u8> =
            [0x3c00_u16, 0xc000, 0x7bff, 0x0001, 0x8000].iter().flat_map(|h| h.to_le_bytes()).collect();
        assert_eq!(
            columns(&array("<f2", false, "5,", &halves)).unwrap(),
            [[1.0, -2.0, 65504.0, 2_f64.powi(-24), -0.0]]
        );
    }

    #[test]
    fn what_is_no_array_of_numbers_says_what_it_is() {
        for (bytes, says) in [
            (array("<c16", false, "1,", &[0; 16]), "kind `<c16`"),
            (array("<f8", false, "2, 2, 2", &[0; 64]), "3 dimensions"),
            (array("<f8", false, "3,", &[0; 16]), "16 bytes follow"),
            (array("<f8", false, "4611686018427387904, 16", &[]), "0 bytes follow"),
            (array("<f8", false, "-3,", &[0; 16]), "its shape is (-3,)"),
            (b"\x93NUMPY\x09\x00".to_vec(), "version 9"),
            (b"\x93NUM".to_vec(), "no array"),
            (b"\x93NUMPY\x01\x00\xff\xff{".to_vec(), "cut short"),
        ] {
            let told = columns(&bytes).unwrap_err();
            assert!(told.contains(says), "{told}");
        }
    }

    /// Any byte changed and any length: an array or a refusal.
    #[test]
    fn a_damaged_array_is_an_array_or_a_refusal() {
        let whole = array("<f4", false, "2, 2", &[7; 16]);
        for cut in 0..whole.len() {
            assert!(columns(&whole[..cut]).is_err(), "{cut}");
        }
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            drop(columns(&changed));
        }
    }
}
