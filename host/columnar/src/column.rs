//! The cells of one column until its row group is written. Knows Parquet's types; not what a column means.

use std::borrow::Cow;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::{Type, TypePtr};

/// A column of rows `R`, whatever its type.
pub(crate) trait Column<R: ?Sized>: Send {
    /// Its name.
    fn name(&self) -> &str;

    /// Whether it is a count or a time, whose neighbours are near one another.
    fn is_whole_number(&self) -> bool;

    /// Its place in the schema.
    fn schema(&self) -> Result<TypePtr, ParquetError>;

    /// Takes the cell of a row; how many bytes it holds on to, or the number that does not fit.
    fn push(&mut self, row: &R) -> Result<usize, u64>;

    /// Writes what it holds and lets it go.
    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError>;
}

/// A column, boxed.
pub(crate) type AnyColumn<R> = Box<dyn Column<R>>;

/// From a row to a cell, with the bytes that lie elsewhere; the number is one that does not fit.
type Read<R, V> = Box<dyn FnMut(&R) -> Result<(Option<V>, usize), u64> + Send>;

struct Typed<R: ?Sized, T: DataType> {
    name: Cow<'static, str>,
    /// Every row has a value.
    always: bool,
    read: Read<R, T::T>,
    values: Vec<T::T>,
    /// 1 where there is a value, 0 where there is none; unused if there always is one.
    levels: Vec<i16>,
}

impl<R: ?Sized, T: DataType> Column<R> for Typed<R, T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_whole_number(&self) -> bool {
        T::get_physical_type() == Int64Type::get_physical_type()
    }

    fn schema(&self) -> Result<TypePtr, ParquetError> {
        let text = T::get_physical_type() == ByteArrayType::get_physical_type();
        let repetition = if self.always { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        Type::primitive_type_builder(&self.name, T::get_physical_type())
            .with_repetition(repetition)
            .with_logical_type(text.then_some(LogicalType::String))
            .build()
            .map(Arc::new)
    }

    fn push(&mut self, row: &R) -> Result<usize, u64> {
        let (value, elsewhere) = (self.read)(row)?;
        let mut bytes = elsewhere;
        if !self.always {
            self.levels.push(i16::from(value.is_some()));
            bytes += size_of::<i16>();
        }
        if let Some(value) = value {
            self.values.push(value);
            bytes += size_of::<T::T>();
        }
        Ok(bytes)
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = (!self.always).then_some(self.levels.as_slice());
        writer.typed::<T>().write_batch(&self.values, levels, None)?;
        self.values.clear();
        self.levels.clear();
        Ok(())
    }
}

fn typed<R: ?Sized + 'static, T: DataType>(
    name: impl Into<Cow<'static, str>>,
    always: bool,
    read: impl FnMut(&R) -> Result<(Option<T::T>, usize), u64> + Send + 'static,
) -> AnyColumn<R> {
    let (values, levels) = (Vec::new(), Vec::new());
    Box::new(Typed::<R, T> { name: name.into(), always, read: Box::new(read), values, levels })
}

fn signed(value: u64) -> Result<i64, u64> {
    i64::try_from(value).map_err(|_| value)
}

/// A whole number that every row has.
pub(crate) fn whole<R: ?Sized + 'static>(
    name: &'static str,
    read: impl Fn(&R) -> u64 + Send + 'static,
) -> AnyColumn<R> {
    typed::<R, Int64Type>(name, true, move |row| Ok((Some(signed(read(row))?), 0)))
}

/// A whole number that a row may lack.
pub(crate) fn maybe_whole<R: ?Sized + 'static>(
    name: &'static str,
    read: impl Fn(&R) -> Option<u64> + Send + 'static,
) -> AnyColumn<R> {
    typed::<R, Int64Type>(name, false, move |row| Ok((read(row).map(signed).transpose()?, 0)))
}

/// A real number that a row may lack.
pub(crate) fn maybe_real<R: ?Sized + 'static>(
    name: impl Into<Cow<'static, str>>,
    read: impl Fn(&R) -> Option<f64> + Send + 'static,
) -> AnyColumn<R> {
    typed::<R, DoubleType>(name, false, move |row| Ok((read(row), 0)))
}

/// A yes or no that every row has.
pub(crate) fn flag<R: ?Sized + 'static>(
    name: &'static str,
    read: impl Fn(&R) -> bool + Send + 'static,
) -> AnyColumn<R> {
    typed::<R, BoolType>(name, true, move |row| Ok((Some(read(row)), 0)))
}

/// A word that every row has.
pub(crate) fn word<R: ?Sized + 'static>(
    name: &'static str,
    read: impl Fn(&R) -> Cow<'_, str> + Send + 'static,
) -> AnyColumn<R> {
    let mut last = ByteArray::from("");
    typed::<R, ByteArrayType>(name, true, move |row| {
        let (cell, bytes) = shared(&read(row), &mut last);
        Ok((Some(cell), bytes))
    })
}

/// A text; null where it is empty, as an empty cell of a CSV cannot tell the two apart.
pub(crate) fn text<R: ?Sized + 'static>(
    name: &'static str,
    read: impl Fn(&R) -> Cow<'_, str> + Send + 'static,
) -> AnyColumn<R> {
    let mut last = ByteArray::from("");
    typed::<R, ByteArrayType>(name, false, move |row| {
        let text = read(row);
        if text.is_empty() {
            return Ok((None, 0));
        }
        let (cell, bytes) = shared(&text, &mut last);
        Ok((Some(cell), bytes))
    })
}

/// The text as a cell. Neighbours are mostly equal (run, model, load) and then share their bytes.
fn shared(text: &str, last: &mut ByteArray) -> (ByteArray, usize) {
    if last.data() == text.as_bytes() {
        return (last.clone(), 0);
    }
    *last = ByteArray::from(text);
    (last.clone(), text.len())
}
