//! Where measurements lie on disk: append-only rows, framed events, torn tails, the mark of completion. Knows the nouns and
//! files; not sockets, plugins or statistics.
//!
//! | room | what it does |
//! |---|---|
//! | `layout` | names of the files in a run's directory |
//! | `rows` | the form of each row file |
//! | `events` | the form of `events.bin`: one framed, checksummed block a request |
//! | `append` | one append-only file |
//! | `queue` | the writer thread and what waits for it |
//! | `writer` | all files of a run that is being made |
//! | `requests`, `lines`, `events::read`, `joined` | reading back as streams, torn tails dropped and counted |
//! | `journal` | which load points are finished |
//! | `complete` | the mark of completion: counts and digests |
//! | `mend` | takes torn tails off a killed run, keeping their bytes |
//! | `resume` | moves what belongs to unfinished points aside, so that a run goes on |
//! | `replace` | whole files, written under another name and renamed |
//!
//! Reading holds one row at a time; writing holds at most a few megabytes that wait for the disk. A run of a million
//! requests needs no more memory than one of ten.

#![forbid(unsafe_code)]

mod append;
mod complete;
mod error;
mod events;
mod joined;
mod journal;
mod layout;
mod lines;
mod mend;
mod queue;
mod replace;
mod requests;
mod resume;
mod rows;
mod writer;

pub use complete::{Completion, Counts, FileFacts, Mismatch, digest_file, digest_hex};
pub use error::StoreError;
pub use events::{Damage, EventBlock, EventsReader, Sharing, StampsFrom};
pub use joined::Joined;
pub use journal::Journal;
pub use layout::{Layout, new_run_id};
pub use lines::JsonLines;
pub use mend::{Mended, TornFile, mend};
pub use replace::write_atomic;
pub use requests::RequestsReader;
pub use resume::{Abandoned, Prepared, ResumeState};
pub use rows::{OutputRow, TelemetryRow, read_telemetry};
pub use writer::RunWriter;

/// Version of the files' form. 2: `events.bin` in place of `events.jsonl`, `journal.jsonl`, digests in `COMPLETE`.
pub const SCHEMA_VERSION: u32 = 2;
