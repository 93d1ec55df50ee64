//! Lengths and checksums around the blocks of `events.bin`, all integers little-endian:
//!
//! ```text
//! file:  magic (8 bytes) · version u32 · CRC-32 of those 12 bytes
//! frame: length of the body u32 · check of the length u16 · CRC-32 of the body u32 · body
//! ```
//!
//! The length has a check of its own (the low half of its CRC-32), so that a damaged body costs its block alone: the next
//! frame is still found. CRC-32 is that of ISO 3309 (`crc32fast`).

use super::block::EventBlock;
use super::codec;

/// First bytes of the file. Not text, and broken by a transfer that changes line ends.
const MAGIC: [u8; 8] = *b"\x89BHEV\r\n\x1a";
/// Version of the form of frames and blocks.
pub(super) const VERSION: u32 = 1;
/// Bytes of the file's head.
pub(super) const FILE_HEAD: usize = 16;
/// Bytes before a body.
pub(super) const FRAME_HEAD: usize = 10;

/// The file's head.
pub(crate) fn file_head() -> [u8; FILE_HEAD] {
    head_of(VERSION)
}

fn head_of(version: u32) -> [u8; FILE_HEAD] {
    let mut head = [0; FILE_HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&version.to_le_bytes());
    let check = crc32fast::hash(&head[..12]);
    head[12..].copy_from_slice(&check.to_le_bytes());
    head
}

/// The version in a whole head; `None` if it is no such head.
pub(super) fn version_in(head: [u8; FILE_HEAD]) -> Option<u32> {
    let version = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    (head == head_of(version)).then_some(version)
}

/// Appends `block` with what goes around it; `false`, and nothing, when its lists do not fit together or it passes the
/// 4 GiB that a length can say.
pub(crate) fn framed(block: &EventBlock, out: &mut Vec<u8>) -> bool {
    if !block.fits_together() {
        return false;
    }
    let from = out.len();
    out.extend_from_slice(&[0; FRAME_HEAD]);
    codec::encode(block, out);
    let body = &out[from + FRAME_HEAD..];
    let Ok(length) = u32::try_from(body.len()) else {
        out.truncate(from);
        return false;
    };
    let check = crc32fast::hash(body);
    let head = &mut out[from..from + FRAME_HEAD];
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..6].copy_from_slice(&length_check(length));
    head[6..].copy_from_slice(&check.to_le_bytes());
    true
}

/// The body's length and checksum; `None` if the length's own check fails.
pub(super) fn frame_head(head: [u8; FRAME_HEAD]) -> Option<(u32, u32)> {
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let check = u32::from_le_bytes([head[6], head[7], head[8], head[9]]);
    (head[4..6] == length_check(length) && length > 0).then_some((length, check))
}

fn length_check(length: u32) -> [u8; 2] {
    let [low, high, ..] = crc32fast::hash(&length.to_le_bytes()).to_le_bytes();
    [low, high]
}

/// The block in a body whose checksum is `check`; `None` if it is damaged.
pub(super) fn block_in(body: &[u8], check: u32) -> Option<EventBlock> {
    if crc32fast::hash(body) == check { codec::decode(body) } else { None }
}
