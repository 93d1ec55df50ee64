//! Bytes of a linear memory, laid out by the canonical ABI.

use std::fmt::Write as _;

/// A record; every field pads to its own alignment.
#[derive(Clone, Default)]
pub(super) struct Rec(Vec<u8>);

impl Rec {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn align(mut self, to: usize) -> Self {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
        self
    }

    pub(super) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(super) fn u32(self, value: u32) -> Self {
        let mut rec = self.align(4);
        rec.0.extend(value.to_le_bytes());
        rec
    }

    pub(super) fn f64(self, value: f64) -> Self {
        let mut rec = self.align(8);
        rec.0.extend(value.to_le_bytes());
        rec
    }

    /// A string or a list: address and length.
    pub(super) fn pair(self, (at, len): (u32, u32)) -> Self {
        self.u32(at).u32(len)
    }

    pub(super) fn zeros(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }
}

/// A piece of memory that grows.
#[derive(Clone)]
pub(super) struct Image {
    base: u32,
    bytes: Vec<u8>,
}

impl Image {
    pub(super) fn new(base: u32) -> Self {
        Self { base, bytes: Vec::new() }
    }

    pub(super) fn base(&self) -> u32 {
        self.base
    }

    /// As a WAT string.
    pub(super) fn wat(&self) -> String {
        let mut text = String::new();
        for byte in &self.bytes {
            let _ = write!(text, "\\{byte:02x}");
        }
        text
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> u32 {
        let at = self.base + u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend(bytes);
        at
    }

    pub(super) fn text(&mut self, text: &str) -> (u32, u32) {
        (self.bytes(text.as_bytes()), u32::try_from(text.len()).unwrap())
    }

    pub(super) fn record(&mut self, rec: Rec, align: usize) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
        self.bytes(&rec.align(align).0)
    }

    pub(super) fn list(&mut self, records: &[Rec], align: usize) -> (u32, u32) {
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
        let whole: Vec<u8> = records.iter().flat_map(|r| r.clone().align(align).0).collect();
        (self.bytes(&whole), u32::try_from(records.len()).unwrap())
    }
}
