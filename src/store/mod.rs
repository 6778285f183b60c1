//! Named, typed columns ↔ Parquet and CSV: the only room that knows them, by the crates of polars for files; and the
//! other files that recordings come in, HDF5 (NWB, SONATA) and NumPy's.
//!
//! A [`Table`] is a list of named [`Column`]s of one length with key-value metadata. [`write()`] puts one into a file
//! at once; a [`Writer`] takes tables larger than memory batch by batch, a row group (Parquet) each. Both write under a
//! temporary name in the same folder, sync, and rename: a reader never sees half a file. [`read()`] gives back all
//! columns or the named ones.
//!
//! [`file_table`] reads what people bring, [`bytes_table`] what comes to them through a pipe, [`recorded()`] the units
//! and signals of an HDF5 file.
//!
//! ```
//! use spikedeck_store::{Column, Format, Table, read, write};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("rates.parquet");
//! let table = Table::new().with("unit", Column::U32(vec![0, 1])).with("rate_Hz", Column::F64(vec![4.5, 12.0]));
//! assert_eq!(write(&path, &table, Format::Parquet)?, 2);
//! assert_eq!(read(&path, Some(&["rate_Hz"]))?.numbers("rate_Hz")?, [4.5, 12.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod array_read;
mod array_write;
mod column;
mod csv_read;
mod csv_write;
mod error;
mod guard;
mod hdf5;
mod input;
mod kind;
pub mod leftover;
mod npy;
mod parquet_read;
mod parquet_write;
mod read;
mod recorded;
mod write;

pub use column::{Column, ColumnType, Table};
pub use error::StoreError;
pub use guard::panics_are_caught;
pub use hdf5::write_sonata;
pub use input::{bytes_located, bytes_recorded, bytes_table, file_table, located, recorded};
pub use kind::FileKind;
pub use read::{Contents, describe, describe_bytes, needs, read};
pub use recorded::{Recorded, RecordedEvents, RecordedSignal, RecordedSpikes, RecordedUnits};
pub use write::{Writer, write, write_bytes, write_new, write_text};

use std::path::Path;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Parquet: zstd, statistics, dictionary text.
    #[default]
    Parquet,
    /// Comma-separated values with a header line; numbers with as many digits as they need to be read back the same.
    Csv,
}

impl Format {
    /// End of the file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }

    /// The format that a file's name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "parquet" | "pq" => Some(Self::Parquet),
            "csv" | "tsv" | "txt" | "dat" => Some(Self::Csv),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        Table::new()
            .with("population", Column::categories(["exc", "inh", "exc"]))
            .with("unit", Column::U32(vec![0, 7, u32::MAX]))
            .with("time_ms", Column::F64(vec![0.1, 0.2 + 0.1, 1e-300]))
            .with("value", Column::OptF64(vec![None, Some(1.5), None]))
            .with("n", Column::OptU64(vec![Some(3), None, Some(1 << 53)]))
            .with("passed", Column::Bool(vec![true, false, true]))
            .with("note", Column::Text(vec!["a, \"b\"".into(), String::new(), "µ\nline".into()]))
            .meta("spikedeck", "{\"a\":1}")
    }

    #[test]
    fn a_table_comes_back_from_parquet_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        assert_eq!(write(&path, &sample(), Format::Parquet).unwrap(), 3);
        assert_eq!(read(&path, None).unwrap(), sample());
        let picked = read(&path, Some(&["time_ms", "unit"])).unwrap();
        assert_eq!(picked.columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(), ["time_ms", "unit"]);
        assert_eq!(picked.unit_numbers("unit").unwrap(), [0, 7, u32::MAX]);
        let contents = describe(&path).unwrap();
        assert_eq!((contents.rows, contents.metadata), (3, vec![("spikedeck".into(), "{\"a\":1}".into())]));
    }

    #[test]
    fn a_table_comes_back_from_csv_with_the_same_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        write(&path, &sample(), Format::Csv).unwrap();
        let back = read(&path, None).unwrap();
        assert_eq!(back.numbers("time_ms").unwrap(), [0.1, 0.2 + 0.1, 1e-300]);
        assert_eq!(back.unit_numbers("unit").unwrap(), [0, 7, u32::MAX]);
        assert_eq!(back.optional_numbers("value").unwrap(), [None, Some(1.5), None]);
        assert_eq!(back.optional_whole_numbers("n").unwrap(), [Some(3), None, Some(1 << 53)]);
        assert_eq!(back.texts("population").unwrap(), ["exc", "inh", "exc"]);
        assert_eq!(back.texts("note").unwrap(), ["a, \"b\"", "", "µ\nline"]);
    }

    #[test]
    fn empty_tables_and_batches_are_tables() {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Parquet, Format::Csv] {
            let path = folder.path().join(format!("e.{}", format.extension()));
            let empty = Table::new()
                .with("population", Column::Category { names: std::sync::Arc::from(["a".to_owned()]), codes: vec![] })
                .with("time_ms", Column::F64(vec![]));
            write(&path, &empty, format).unwrap();
            let back = read(&path, None).unwrap();
            assert_eq!((back.rows(), back.columns.len()), (0, 2), "{format:?}");
        }
    }

    #[test]
    fn batches_make_one_table_and_an_unfinished_one_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.parquet");
        let batch = |from: u32, n: u32| Table::new().with("unit", Column::U32((from..from + n).collect()));
        let mut writer = Writer::create(&path, &batch(0, 0).schema(), &[], Format::Parquet).unwrap();
        writer.write(&batch(0, 300_000)).unwrap();
        writer.write(&batch(300_000, 5)).unwrap();
        assert!(!path.exists(), "the real name appears only at the end");
        assert!(writer.write(&sample()).is_err());
        assert_eq!(writer.finish().unwrap(), 300_005);
        let back = read(&path, None).unwrap().unit_numbers("unit").unwrap();
        assert!(back.iter().enumerate().all(|(i, &u)| i as u32 == u) && back.len() == 300_005);
        let unfinished =
            Writer::create(&folder.path().join("u.parquet"), &batch(0, 0).schema(), &[], Format::Parquet).unwrap();
        drop(unfinished);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// A text column is text to whoever reads two runs as one table, though few different ones are stored as a list.
    #[test]
    fn few_texts_and_many_are_declared_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        write(&path, &sample(), Format::Parquet).unwrap();
        let mut file = std::fs::File::open(&path).unwrap();
        let metadata = polars_parquet::read::read_metadata(&mut file).unwrap();
        let schema = polars_parquet::read::infer_schema(&metadata).unwrap();
        for name in ["population", "note"] {
            assert_eq!(schema.get(name).unwrap().dtype, polars_arrow::datatypes::ArrowDataType::Utf8View);
        }
        let dictionary = |k: usize| metadata.row_groups[0].parquet_columns()[k].dictionary_page_offset().is_some();
        assert!(dictionary(0) && !dictionary(6));
    }

    /// What is read of few texts over several row groups, of which each has its own list, is what was written.
    #[test]
    fn codes_of_few_texts_are_right_over_row_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let names: Vec<String> = (0..300).map(|k| format!("a name that is longer than a view holds {k}")).collect();
        let codes: Vec<u32> =
            (0..600_000_u32).map(|row| row.wrapping_mul(2_654_435_761) >> 8).map(|c| c % 300).collect();
        let column = Column::Category { names: names.clone().into(), codes: codes.clone() };
        write(&path, &Table::new().with("name", column), Format::Parquet).unwrap();
        let (found, places) = read(&path, None).unwrap().categories("name").unwrap();
        assert!(codes.iter().zip(places).all(|(code, place)| names[*code as usize] == found[place as usize]));
    }

    #[test]
    fn a_batch_of_another_type_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let numbers = Table::new().with("x", Column::F64(vec![1.0]));
        let mut writer = Writer::create(&path, &numbers.schema(), &[], Format::Parquet).unwrap();
        let error = writer.write(&Table::new().with("x", Column::U32(vec![1]))).unwrap_err();
        assert!(error.to_string().contains("`x`"), "{error}");
        writer.write(&Table::new().with("x", Column::OptF64(vec![None]))).unwrap();
        assert_eq!(writer.finish().unwrap(), 1);
    }

    /// Files that other programs wrote, and one of ours.
    fn small_tables() -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        write(&path, &sample(), Format::Parquet).unwrap();
        let others = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tables");
        let of = |name: &str| std::fs::read(others.join(name)).unwrap();
        vec![std::fs::read(&path).unwrap(), of("int64.parquet"), of("decimal.parquet"), of("dictionary.parquet")]
    }

    /// A bit of nearly every byte of a table changed, one at a time, and the table cut at many lengths: what is read is
    /// a table or a refusal that names the file, and never the end of the process.
    #[test]
    fn a_damaged_table_is_a_refusal_or_a_table_and_nothing_else() {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !panics_are_caught() {
                before(info);
            }
        }));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let mut refused = 0;
        let mut look = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            if let Err(error) = read(&path, None) {
                assert!(
                    error.to_string().contains("t.parquet") || matches!(error, StoreError::WrongKind { .. }),
                    "{error}"
                );
                refused += 1;
            }
        };
        for whole in small_tables() {
            for cut in (0..whole.len()).step_by(3) {
                look(&whole[..cut]);
            }
            for bit in (0..whole.len() * 8).step_by(7) {
                let mut changed = whole.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                look(&changed);
            }
        }
        assert!(refused > 1_000, "{refused}");
    }

    /// `/dev/full` refuses every write as a full disk does.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_so() {
        let error = std::fs::write("/dev/full", "x").unwrap_err();
        let error = StoreError::io(Path::new("spikes.parquet"), error);
        assert!(matches!(error, StoreError::Full { .. }) && error.to_string().contains("disk is full"), "{error}");
    }
}
