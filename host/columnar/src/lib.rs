//! Request rows and output events as Parquet files, for those who ask their questions in SQL or with data frames. Knows the
//! nouns and the file format; not where rows come from, and no statistics.
//!
//! | room | what it does |
//! |---|---|
//! | `column` | the cells of one column until its row group is written |
//! | `table` | any list of columns as a file, row group by row group |
//! | `requests` | the columns of `requests.csv` |
//! | `events` | the columns of a row an output event |
//!
//! A row group is held in memory until it is full: at most [`ROW_GROUP_BYTES`], however long the run.

#![forbid(unsafe_code)]

mod column;
mod events;
mod requests;
mod table;

pub use events::{Event, EventsFile};
pub use requests::RequestsFile;
pub use table::{About, ColumnarError, Ending, ROW_GROUP_BYTES};
