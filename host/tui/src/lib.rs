//! What a run looks like on a terminal while it is measured: a plain line, two rows, or the whole screen, all drawn from
//! snapshots that somebody else makes. Knows how to draw and what keys mean; knows no files, sockets, statistics or rules
//! of measuring.
//!
//! [`mod@line`] is text and nothing else. [`View`] draws a [`Snapshot`] into a frame and keeps what only drawing needs: the
//! last minutes of figures and what the user chose to see. [`Screen`] owns the terminal: it enters the alternate screen,
//! draws at most four times a second and tells its [`Source`] what the user wants. [`leave`] gives the terminal back from
//! any thread, in a panic too.

#![forbid(unsafe_code)]

mod charts;
mod current;
mod edges;
mod help;
mod history;
pub mod line;
mod log;
mod palette;
mod screen;
mod show;
mod snapshot;
mod table;
mod view;
pub mod words;

pub use screen::{is_up, leave};
pub use show::{Screen, Source, TICK};
pub use snapshot::{Current, Figures, Finished, Goal, Kind, Lag, Points, Recent, Said, Snapshot};
pub use view::{LEAST, View};
