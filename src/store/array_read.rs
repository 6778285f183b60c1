//! Arrow arrays → columns: what the pages of a Parquet file were decoded to.

use std::collections::HashMap;

use polars_arrow::array::{Array, BooleanArray, DictionaryArray, DictionaryKey, PrimitiveArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, IntegerType, TimeUnit};
use polars_arrow::types::NativeType;

use super::column::Column;

/// How a type is read.
pub(super) struct Reading {
    /// What the engine decodes it to.
    pub decoded: ArrowDataType,
    /// A unit that the type states.
    pub unit: Option<&'static str>,
    /// Digits behind the point, of whole numbers that stand for decimals.
    digits: usize,
    /// Whether texts are few different ones.
    pub few: bool,
    /// Whether the file lists the different texts in an order of its own, as files of ours do.
    pub listed: bool,
    /// Bytes of a value in memory.
    pub width: usize,
}

/// How a type is read, or what it is in words where it is not.
pub(super) fn reading(dtype: &ArrowDataType) -> Result<Reading, &'static str> {
    use ArrowDataType as T;
    let plain = |decoded: T, width| Reading { decoded, unit: None, digits: 0, few: false, listed: false, width };
    Ok(match dtype {
        T::Null
        | T::Boolean
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Float16
        | T::Float32
        | T::Float64 => plain(dtype.clone(), 16),
        T::Decimal(_, digits) | T::Decimal32(_, digits) | T::Decimal64(_, digits) => {
            Reading { digits: *digits, ..plain(T::Decimal(38, *digits), 32) }
        }
        T::Duration(unit) => Reading {
            unit: Some(match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            }),
            ..plain(dtype.clone(), 16)
        },
        T::Utf8 | T::LargeUtf8 | T::Utf8View => plain(T::Utf8View, 24),
        T::Dictionary(_, inner, _) if matches!(inner.as_ref(), T::Utf8 | T::LargeUtf8 | T::Utf8View) => {
            Reading { few: true, ..plain(T::Utf8View, 24) }
        }
        T::Timestamp(..) | T::Date32 | T::Date64 => return Err("dates"),
        T::Time32(_) | T::Time64(_) => return Err("times of day"),
        T::List(_) | T::LargeList(_) | T::FixedSizeList(..) => return Err("lists"),
        T::Struct(_) => return Err("structs"),
        T::Map(..) => return Err("maps"),
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => return Err("bytes"),
        T::Decimal256(..) | T::Int128 | T::UInt128 => return Err("numbers of more than 64 bits"),
        T::Interval(_) => return Err("calendar intervals"),
        _ => return Err("values of a type that is not known here"),
    })
}

/// The values of the arrays of one column.
pub(super) fn values(arrays: &[Box<dyn Array>], reading: &Reading) -> Result<Column, String> {
    use ArrowDataType as T;
    match &reading.decoded {
        T::Null => Ok(Column::OptF64(vec![None; arrays.iter().map(|a| a.len()).sum()])),
        T::Boolean => booleans(arrays),
        T::Int8 => whole::<i8>(arrays),
        T::Int16 => whole::<i16>(arrays),
        T::Int32 => whole::<i32>(arrays),
        T::Int64 | T::Duration(_) => whole::<i64>(arrays),
        T::UInt8 => narrow::<u8>(arrays),
        T::UInt16 => narrow::<u16>(arrays),
        T::UInt32 => narrow::<u32>(arrays),
        T::UInt64 => {
            let (values, missing) = natives::<u64>(arrays)?;
            Ok(match missing {
                None => Column::U64(values),
                Some(missing) => Column::OptU64(masked(values, &missing)),
            })
        }
        T::Float16 => {
            let (values, missing) = natives::<polars_utils::float16::pf16>(arrays)?;
            Ok(floats(values.into_iter().map(|v| f64::from(f32::from(v))).collect(), missing))
        }
        T::Float32 => {
            let (values, missing) = natives::<f32>(arrays)?;
            Ok(floats(values.into_iter().map(f64::from).collect(), missing))
        }
        T::Float64 => {
            let (values, missing) = natives::<f64>(arrays)?;
            Ok(floats(values, missing))
        }
        T::Decimal(..) => {
            let (values, missing) = natives::<i128>(arrays)?;
            let digits = i32::try_from(reading.digits).map_err(|e| e.to_string())?;
            // A whole number by a power of ten is rounded once.
            let one = 10_f64.powi(digits);
            Ok(floats(values.into_iter().map(|v| v as f64 / one).collect(), missing))
        }
        T::Utf8View => texts(arrays, reading.few),
        T::Dictionary(key, ..) if reading.listed => match key {
            IntegerType::UInt8 => listed::<u8>(arrays),
            IntegerType::UInt16 => listed::<u16>(arrays),
            IntegerType::UInt32 => listed::<u32>(arrays),
            _ => Err("its categories are numbered in a way that is not read".into()),
        },
        _ => Err("its type is not read".into()),
    }
}

/// Values of all arrays, and which of them are missing if any is.
type Values<T> = (Vec<T>, Option<Vec<bool>>);

fn natives<T: NativeType>(arrays: &[Box<dyn Array>]) -> Result<Values<T>, String> {
    let mut values = Vec::with_capacity(arrays.iter().map(|a| a.len()).sum());
    for array in arrays {
        let array = array.as_any().downcast_ref::<PrimitiveArray<T>>().ok_or("its pages are of another type")?;
        values.extend_from_slice(array.values().as_slice());
    }
    Ok((values, missing(arrays)))
}

/// Which values are missing; none if none are.
fn missing(arrays: &[Box<dyn Array>]) -> Option<Vec<bool>> {
    arrays.iter().any(|a| a.null_count() > 0).then(|| {
        let mut missing = Vec::new();
        for array in arrays {
            match array.validity() {
                None => missing.resize(missing.len() + array.len(), false),
                Some(valid) => missing.extend(Bitmap::iter(valid).map(|valid| !valid)),
            }
        }
        missing
    })
}

fn masked<T>(values: Vec<T>, missing: &[bool]) -> Vec<Option<T>> {
    values.into_iter().zip(missing).map(|(v, missing)| (!missing).then_some(v)).collect()
}

fn floats(values: Vec<f64>, missing: Option<Vec<bool>>) -> Column {
    match missing {
        None => Column::F64(values),
        Some(missing) => Column::OptF64(masked(values, &missing)),
    }
}

fn whole<T: NativeType + Into<i64>>(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let (values, missing) = natives::<T>(arrays)?;
    let values: Vec<i64> = values.into_iter().map(Into::into).collect();
    let there = |k: usize| missing.as_ref().is_none_or(|m| !m[k]);
    if values.iter().enumerate().any(|(k, v)| *v < 0 && there(k)) {
        return Ok(floats(values.into_iter().map(|v| v as f64).collect(), missing));
    }
    let values: Vec<u64> = values.into_iter().map(|v| v as u64).collect();
    Ok(match missing {
        None => Column::U64(values),
        Some(missing) => Column::OptU64(masked(values, &missing)),
    })
}

fn narrow<T: NativeType + Into<u32>>(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let (values, missing) = natives::<T>(arrays)?;
    Ok(match missing {
        None => Column::U32(values.into_iter().map(Into::into).collect()),
        Some(missing) => Column::OptU64(masked(values.into_iter().map(|v| u64::from(v.into())).collect(), &missing)),
    })
}

fn booleans(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let mut values = Vec::new();
    for array in arrays {
        let array = array.as_any().downcast_ref::<BooleanArray>().ok_or("its pages are of another type")?;
        values.extend(array.values_iter());
    }
    Ok(match missing(arrays) {
        None => Column::Bool(values),
        Some(missing) => Column::OptU64(masked(values.into_iter().map(u64::from).collect(), &missing)),
    })
}

/// Texts; missing ones are empty.
fn texts(arrays: &[Box<dyn Array>], few: bool) -> Result<Column, String> {
    let mut all: Vec<&Utf8ViewArray> = Vec::with_capacity(arrays.len());
    for array in arrays {
        all.push(array.as_any().downcast_ref().ok_or("its pages are of another type")?);
    }
    if !few {
        let values = all.iter().flat_map(|a| a.iter()).map(Option::unwrap_or_default);
        return Ok(Column::Text(values.map(str::to_owned).collect()));
    }
    let (mut names, mut index) = (Vec::new(), HashMap::new());
    let mut code_of = |text: &str| {
        *index.entry(text.to_owned()).or_insert_with(|| {
            names.push(text.to_owned());
            names.len() as u32 - 1
        })
    };
    let mut codes = Vec::with_capacity(all.iter().map(|a| a.len()).sum());
    for array in all {
        // Rows of one text have one view (its place in the dictionary page, or itself where it is short), so that texts
        // are compared once for each array and not once for each row.
        let mut seen: HashMap<Option<u128>, u32> = HashMap::new();
        let mut last = None;
        for (row, view) in array.views().iter().enumerate() {
            let view = array.is_valid(row).then(|| view.as_u128());
            let code = match last {
                Some((before, code)) if before == view => code,
                _ => *seen.entry(view).or_insert_with(|| code_of(array.get(row).unwrap_or_default())),
            };
            last = Some((view, code));
            codes.push(code);
        }
    }
    Ok(Column::Category { names: names.into(), codes })
}

/// Texts by their place in the list of the file.
fn listed<K: DictionaryKey + Into<u32>>(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let mut names: Vec<String> = Vec::new();
    let mut codes = Vec::with_capacity(arrays.iter().map(|a| a.len()).sum());
    let mut gap = None;
    for array in arrays {
        let array = array.as_any().downcast_ref::<DictionaryArray<K>>().ok_or("its pages are of another type")?;
        let values = array.values().as_any().downcast_ref::<Utf8ViewArray>().ok_or("its categories are no text")?;
        let own: Vec<&str> = values.iter().map(Option::unwrap_or_default).collect();
        if names.is_empty() {
            names = own.iter().map(ToString::to_string).collect();
        } else if own != names {
            return Err("its categories change from one row group to the next".into());
        }
        for key in array.keys() {
            let code = match key {
                Some(key) => (*key).into(),
                None => *gap.get_or_insert(u32::MAX),
            };
            if code as usize >= names.len() && code != u32::MAX {
                return Err("a row has a category that is not listed".into());
            }
            codes.push(code);
        }
    }
    if gap.is_some() {
        let missing = names.len() as u32;
        names.push(String::new());
        codes.iter_mut().filter(|c| **c == u32::MAX).for_each(|c| *c = missing);
    }
    Ok(Column::Category { names: names.into(), codes })
}
