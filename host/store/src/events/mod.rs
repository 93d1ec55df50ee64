//! The output events of one request, and their form in `events.bin`: `block` is what is kept, `codec` its bytes, `frame`
//! the lengths and checksums around them, `read` the file as a stream, `old` the form of schema 1.

mod block;
mod codec;
mod frame;
mod old;
mod read;

pub use block::{EventBlock, Sharing, StampsFrom};
pub use read::{Damage, EventsReader};

pub(crate) use frame::{file_head, framed};
pub(crate) use read::Frames;
