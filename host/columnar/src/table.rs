//! Any list of columns as a Parquet file, row group by row group. Knows what a file says about itself; not what its
//! columns mean.

use std::io::{self, Write};
use std::sync::Arc;

use benchhost_model::{Record, Target};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};

use crate::column::AnyColumn;

/// What a row group holds at most before it is written, in bytes; a single row that is larger makes one of its own. Lists
/// grow by doubling, so the memory behind it is at most twice that.
pub const ROW_GROUP_BYTES: usize = 32 << 20;
/// Rows of a row group at most: readers work on row groups in parallel.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum ColumnarError {
    /// The disk, or whoever reads.
    #[error("cannot write")]
    Write(#[source] io::Error),
    /// A number that Parquet's signed integers do not hold.
    #[error("row {row}: `{column}` is {value}, more than a signed 64-bit integer holds")]
    TooLarge {
        /// The row, from 1, as written.
        row: u64,
        /// The column.
        column: String,
        /// The number.
        value: u64,
    },
    /// What the library refuses otherwise.
    #[error("cannot make Parquet of the rows")]
    Format(#[source] ParquetError),
}

impl From<ParquetError> for ColumnarError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(cause) => Self::Write(*cause),
                Err(cause) => Self::Format(ParquetError::External(cause)),
            },
            other => Self::Format(other),
        }
    }
}

/// What a file says of where its rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Name and version of this program.
    pub exported_by: String,
    /// The run.
    pub run_id: String,
    /// Version of the form of the run's files.
    pub schema_version: u32,
    /// Seconds since 1970 at the run's epoch, from which `_ns` times count.
    pub started_unix_s: u64,
}

/// What is known only at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ending {
    /// Torn rows that were left out.
    pub rows_torn: u64,
}

/// A file in the making.
pub(crate) struct Table<R: ?Sized, W: Write + Send> {
    columns: Vec<AnyColumn<R>>,
    writer: SerializedFileWriter<W>,
    held: usize,
    held_bytes: usize,
    written: u64,
    /// Rows of the built-in simulator were seen, rows of other servers were.
    simulated: bool,
    real: bool,
}

impl<R: ?Sized, W: Write + Send> Table<R, W> {
    pub(crate) fn create(
        name: &str,
        columns: Vec<AnyColumn<R>>,
        out: W,
        about: &About,
    ) -> Result<Self, ColumnarError> {
        let fields = columns.iter().map(|c| c.schema()).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(Type::group_type_builder(name).with_fields(fields).build()?);
        let told = [
            ("table", name.to_owned()),
            ("exported_by", about.exported_by.clone()),
            ("run_id", about.run_id.clone()),
            ("schema_version", about.schema_version.to_string()),
            ("started_unix_s", about.started_unix_s.to_string()),
        ];
        let mut properties = WriterProperties::builder()
            .set_created_by(about.exported_by.clone())
            .set_compression(Compression::SNAPPY)
            // An index of pages would be held until the end, for all row groups.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_key_value_metadata(Some(told.map(|(key, value)| said(key, value)).into()));
        // Times rise, so their differences are small; words repeat, so a dictionary, which is the default, serves them.
        for column in columns.iter().filter(|c| c.is_whole_number()) {
            let path = ColumnPath::from(column.name());
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        Ok(Self { columns, writer, held: 0, held_bytes: 0, written: 0, simulated: false, real: false })
    }

    /// Notes who answered; for what the file says of itself.
    pub(crate) fn note(&mut self, record: &Record) {
        match record.target {
            Target::Simulated => self.simulated = true,
            Target::Real => self.real = true,
        }
    }

    pub(crate) fn push(&mut self, row: &R) -> Result<(), ColumnarError> {
        for column in &mut self.columns {
            self.held_bytes += column.push(row).map_err(|value| ColumnarError::TooLarge {
                row: self.written + self.held as u64 + 1,
                column: column.name().to_owned(),
                value,
            })?;
        }
        self.held += 1;
        if self.held >= ROW_GROUP_ROWS || self.held_bytes >= ROW_GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ColumnarError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else { break };
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        self.written += self.held as u64;
        (self.held, self.held_bytes) = (0, 0);
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self, ending: Ending) -> Result<(), ColumnarError> {
        if self.held > 0 {
            self.write_group()?;
        }
        let target = match (self.real, self.simulated) {
            (true, true) => "real,simulated",
            (false, true) => "simulated",
            (true, false) => "real",
            (false, false) => "",
        };
        for (key, value) in [
            ("target", target.to_owned()),
            ("simulated", self.simulated.to_string()),
            ("rows", self.written.to_string()),
            ("rows_torn", ending.rows_torn.to_string()),
        ] {
            self.writer.append_key_value_metadata(said(key, value));
        }
        self.writer.finish()?;
        self.writer.flush().map_err(ColumnarError::Write)
    }
}

fn said(key: &str, value: String) -> KeyValue {
    KeyValue::new(format!("benchhost.{key}"), value)
}
