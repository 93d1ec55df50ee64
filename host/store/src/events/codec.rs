//! A block as bytes. All integers are LEB128 (seven bits a byte, lowest first; DWARF 5, section 7.6), so that a gap of some
//! milliseconds takes four bytes and a lag of some microseconds two; kinds and tokens, which rarely change, are runs.
//!
//! ```text
//! row · events · flags · gap × events · [kind, run]… · [tokens, run]… · lag+1 × events · sharing, 2 bits an event
//! flags: bits 0–1 source (0 user, 1 kernel, 2 mixed) · bit 2 kinds · 3 tokens · 4 lags · 5 sharing are there
//! ```
//!
//! Decoding trusts no length: an event takes at least one byte, so a block claims no more events than it has bytes.

use std::num::TryFromIntError;

use super::block::{EventBlock, Sharing, StampsFrom};

const KINDS: u8 = 1 << 2;
const TOKENS: u8 = 1 << 3;
const LAGS: u8 = 1 << 4;
const SHARING: u8 = 1 << 5;

/// Appends the bytes of `block`, whose lists fit together.
pub(super) fn encode(block: &EventBlock, out: &mut Vec<u8>) {
    put(out, block.row);
    put(out, block.len() as u64);
    let there = |flag: u8, yes: bool| if yes { flag } else { 0 };
    let shared = block.sharing.iter().any(|s| *s != Sharing::Alone);
    out.push(
        source_bits(block.stamps)
            | there(KINDS, !block.kinds.is_empty())
            | there(TOKENS, !block.tokens.is_empty())
            | there(LAGS, !block.lags.is_empty())
            | there(SHARING, shared),
    );
    block.gaps.iter().for_each(|gap| put(out, *gap));
    for run in block.kinds.as_bytes().chunk_by(|a, b| a == b) {
        out.push(run[0]);
        put(out, run.len() as u64);
    }
    for run in block.tokens.chunk_by(|a, b| a == b) {
        put(out, u64::from(run[0]));
        put(out, run.len() as u64);
    }
    block.lags.iter().for_each(|lag| put(out, lag.map_or(0, |ns| u64::from(ns) + 1)));
    if shared {
        out.extend(block.sharing.chunks(4).map(|four| {
            four.iter().enumerate().fold(0, |byte, (at, sharing)| byte | sharing_bits(*sharing) << (2 * at))
        }));
    }
}

/// The block in `bytes`; `None` if they are not exactly one.
pub(super) fn decode(bytes: &[u8]) -> Option<EventBlock> {
    let mut input = Input(bytes);
    let row = input.number()?;
    let events = usize::try_from(input.number()?).ok().filter(|n| *n <= input.0.len())?;
    let flags = input.byte()?;
    let stamps = match flags & 3 {
        0 => StampsFrom::User,
        1 => StampsFrom::Kernel,
        2 => StampsFrom::Mixed,
        _ => return None,
    };
    if flags & 0b1100_0000 != 0 {
        return None;
    }
    let has = |flag: u8| events > 0 && flags & flag != 0;
    let gaps = input.many(events, Input::number)?;
    let kinds = if has(KINDS) { input.runs(events, Input::byte)? } else { Vec::new() };
    let tokens = if has(TOKENS) {
        input.runs(events, |i| i.number().and_then(|n| u32::try_from(n).ok()))?
    } else {
        Vec::new()
    };
    let lags = if has(LAGS) {
        let numbers = input.many(events, Input::number)?;
        numbers.into_iter().map(lag).collect::<Result<_, _>>().ok()?
    } else {
        Vec::new()
    };
    let sharing = if has(SHARING) { input.sharing(events)? } else { Vec::new() };
    let kinds = String::from_utf8(kinds).ok().filter(|k| k.is_ascii())?;
    input.0.is_empty().then_some(EventBlock { row, gaps, kinds, tokens, lags, sharing, stamps })
}

/// 0 is none, anything else is one more than the lag.
fn lag(number: u64) -> Result<Option<u32>, TryFromIntError> {
    number.checked_sub(1).map(u32::try_from).transpose()
}

fn source_bits(stamps: StampsFrom) -> u8 {
    match stamps {
        StampsFrom::User => 0,
        StampsFrom::Kernel => 1,
        StampsFrom::Mixed => 2,
    }
}

fn sharing_bits(sharing: Sharing) -> u8 {
    match sharing {
        Sharing::Alone => 0,
        Sharing::Together => 1,
        Sharing::Censored => 2,
        Sharing::Unknown => 3,
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// What is left to decode.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// `count` values of at least a byte each, so that a count that lies ends before it is believed.
    fn many<T>(&mut self, count: usize, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        if count > self.0.len() {
            return None;
        }
        (0..count).map(|_| one(self)).collect()
    }

    /// Runs that make up exactly `count` values.
    fn runs<T: Clone>(&mut self, count: usize, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut values = Vec::new();
        while values.len() < count {
            let value = one(self)?;
            let run =
                usize::try_from(self.number()?).ok().filter(|n| *n > 0 && *n <= count - values.len())?;
            values.resize(values.len() + run, value);
        }
        Some(values)
    }

    fn sharing(&mut self, events: usize) -> Option<Vec<Sharing>> {
        let bytes = self.0.get(..events.div_ceil(4))?;
        self.0 = &self.0[bytes.len()..];
        let of = |at: usize| match bytes[at / 4] >> (2 * (at % 4)) & 3 {
            0 => Sharing::Alone,
            1 => Sharing::Together,
            2 => Sharing::Censored,
            _ => Sharing::Unknown,
        };
        Some((0..events).map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn any_block() -> impl Strategy<Value = EventBlock> {
        let event = (
            prop_oneof![0_u64..100_000_000, any::<u64>()],
            prop::sample::select(vec!['a', 'r', 't', 'f', 'n']),
            prop_oneof![Just(1_u32), any::<u32>()],
            prop::option::of(prop_oneof![0_u32..2_000_000, any::<u32>()]),
            prop::sample::select(vec![
                Sharing::Alone,
                Sharing::Together,
                Sharing::Censored,
                Sharing::Unknown,
            ]),
        );
        let stamps = prop::sample::select(vec![StampsFrom::User, StampsFrom::Kernel, StampsFrom::Mixed]);
        let there = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
        (any::<u64>(), prop::collection::vec(event, 0..40), stamps, there).prop_map(
            |(row, events, stamps, (kinds, tokens, lags, sharing))| {
                let shared = sharing && events.iter().any(|e| e.4 != Sharing::Alone);
                EventBlock {
                    row,
                    gaps: events.iter().map(|e| e.0).collect(),
                    kinds: events.iter().filter(|_| kinds).map(|e| e.1).collect(),
                    tokens: events.iter().filter(|_| tokens).map(|e| e.2).collect(),
                    lags: events.iter().filter(|_| lags).map(|e| e.3).collect(),
                    sharing: events.iter().filter(|_| shared).map(|e| e.4).collect(),
                    stamps,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same(block in any_block()) {
            let mut bytes = Vec::new();
            encode(&block, &mut bytes);
            prop_assert_eq!(decode(&bytes), Some(block));
        }

        #[test]
        fn a_block_cut_short_or_longer_is_none(block in any_block(), extra in any::<u8>()) {
            let mut bytes = Vec::new();
            encode(&block, &mut bytes);
            for cut in 0..bytes.len() {
                prop_assert_eq!(decode(&bytes[..cut]), None);
            }
            bytes.push(extra);
            prop_assert_eq!(decode(&bytes), None);
        }

        #[test]
        fn any_bytes_decode_to_no_more_than_their_size(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(block) = decode(&bytes) {
                prop_assert!(block.len() <= bytes.len());
            }
        }
    }

    #[test]
    fn counts_and_runs_that_lie_are_refused_before_anything_is_allocated() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let claim = [&[1][..], &huge, &[0]].concat();
        assert_eq!(decode(&claim), None, "events beyond the bytes");
        // One event, then a run of 2^64 − 1 kinds.
        let run = [&[1, 1, KINDS, 5, b'a'][..], &huge].concat();
        assert_eq!(decode(&run), None, "a run beyond the events");
        let overlong = [&[1, 1, 0][..], &[0xff; 11]].concat();
        assert_eq!(decode(&overlong), None, "a number beyond 64 bits");
    }

    #[test]
    fn a_token_stream_takes_a_few_bytes_an_event() {
        let n = 256;
        let block = EventBlock {
            row: 1_000_000,
            gaps: (0..n).map(|i| if i == 0 { 60_000_000_000 } else { 20_000_000 + i * 1000 }).collect(),
            kinds: "a".repeat(256),
            tokens: vec![1; 256],
            lags: (0..n).map(|i| Some(u32::try_from(20_000 + i * 37).unwrap())).collect(),
            sharing: vec![Sharing::Alone; 256],
            stamps: StampsFrom::Kernel,
        };
        let mut bytes = Vec::new();
        encode(&block, &mut bytes);
        assert!(bytes.len() <= 8 * 256, "{} bytes for 256 events", bytes.len());
    }
}
