//! Recorded answers, replayed through a component: what each event meant must be what the fixture says, however the
//! events are divided into batches and wherever the bytes of the body are cut.

mod fixture;

use std::collections::BTreeSet;
use std::sync::Arc;

use benchhost_framing::{Framed, Framer};
use benchhost_model::{Closing, Event, Meaning};
use benchhost_plugin::{CallError, DecodeInput, Decoded, EnginePlugin, Silent};
pub use fixture::{Fixture, FixtureError};

/// Batch sizes every answer is decoded with, besides "all at once".
pub const BATCHES: [usize; 5] = [1, 2, 3, 7, 64];

/// Up to this many events an answer is cut between any two of them.
const EVERY_CUT: usize = 256;

/// What a replay showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplayReport {
    /// Names of the fixtures that were replayed.
    pub fixtures: Vec<String>,
    /// Decodings made in all.
    pub decodings: usize,
    /// One line for each fixture that failed; empty: all is well.
    pub failures: Vec<String>,
}

/// Replays `fixtures` through instances of `engine`.
pub fn replay(engine: &EnginePlugin, fixtures: &[Fixture]) -> ReplayReport {
    let mut report = ReplayReport::default();
    for fixture in fixtures {
        report.fixtures.push(fixture.name.clone());
        if let Err(cause) = one(engine, fixture, &mut report.decodings) {
            report.failures.push(format!("fixture `{}`: {cause}", fixture.name));
        }
    }
    report
}

fn one(engine: &EnginePlugin, fixture: &Fixture, decodings: &mut usize) -> Result<(), String> {
    let events = cut_everywhere(fixture)?;
    let input = DecodeInput {
        ctx: &fixture.ctx,
        status: fixture.status,
        headers: &fixture.headers,
        events: &events,
        ending: fixture.ending,
    };
    for size in batch_sizes(events.len()) {
        let decoded = decode(engine, &input, size).map_err(|e| e.to_string())?;
        *decodings += 1;
        compare(&decoded, &fixture.meanings, &fixture.closing)
            .map_err(|cause| format!("{cause} (batches of {size})"))?;
    }
    Ok(())
}

/// Batch sizes for `events` events: [`BATCHES`], all at once, and for answers of up to [`EVERY_CUT`] events each k that
/// divides them into k and the rest.
pub(crate) fn batch_sizes(events: usize) -> BTreeSet<usize> {
    let mut sizes: BTreeSet<usize> = BATCHES.into_iter().filter(|size| *size < events).collect();
    sizes.insert(events.max(1));
    if events <= EVERY_CUT {
        sizes.extend(events.div_ceil(2).max(1)..events);
    }
    sizes
}

/// Decodes with batches of `size` events, in a fresh instance.
pub(crate) fn decode(
    engine: &EnginePlugin,
    input: &DecodeInput<'_>,
    size: usize,
) -> Result<Decoded, CallError> {
    engine.instance(Arc::new(Silent))?.with_batch(size).decode(input)
}

/// The events of a body, the same for every division of its bytes into two reads.
fn cut_everywhere(fixture: &Fixture) -> Result<Vec<Event>, String> {
    let body = &fixture.body;
    let whole = frame(fixture.framing, &[body]);
    for cut in 1..body.len() {
        let (head, tail) = body.split_at(cut);
        if frame(fixture.framing, &[head, tail]) != whole {
            return Err(format!("cut at byte {cut} the body gives other events: a bug of the framing"));
        }
    }
    Ok(whole.into_iter().map(event).collect())
}

/// Cuts the pieces of a body into events.
pub(crate) fn frame(framing: benchhost_framing::Framing, pieces: &[&[u8]]) -> Vec<Framed> {
    let mut framer = Framer::new(framing);
    let mut events = Vec::new();
    for piece in pieces {
        framer.push(piece, &mut events);
    }
    framer.finish(&mut events);
    events
}

/// What a plugin sees of an event.
pub(crate) fn event(framed: Framed) -> Event {
    Event { name: framed.name, data: framed.data }
}

fn compare(decoded: &Decoded, meanings: &[Meaning], closing: &Closing) -> Result<(), String> {
    if decoded.meanings.len() != meanings.len() {
        return Err(format!("{} meanings instead of {}", decoded.meanings.len(), meanings.len()));
    }
    for (index, (got, wanted)) in decoded.meanings.iter().zip(meanings).enumerate() {
        if got != wanted {
            return Err(format!("event {index} means {} instead of {}", shown(got), shown(wanted)));
        }
    }
    if decoded.closing != *closing {
        return Err(format!("the end means {:?} instead of {closing:?}", decoded.closing));
    }
    Ok(())
}

/// The fields of a meaning that say something.
pub(crate) fn shown(meaning: &Meaning) -> String {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::to_value(meaning) else {
        return format!("{meaning:?}");
    };
    fields.retain(|_, value| match value {
        serde_json::Value::Null | serde_json::Value::Bool(false) => false,
        serde_json::Value::String(text) => !text.is_empty(),
        serde_json::Value::Array(list) => !list.is_empty(),
        serde_json::Value::Number(n) => n.as_u64() != Some(0),
        _ => true,
    });
    serde_json::Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_answers_are_cut_between_any_two_events() {
        assert_eq!(batch_sizes(0).into_iter().collect::<Vec<_>>(), [1]);
        assert_eq!(batch_sizes(1).into_iter().collect::<Vec<_>>(), [1]);
        assert_eq!(batch_sizes(6).into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(batch_sizes(1000).into_iter().collect::<Vec<_>>(), [1, 2, 3, 7, 64, 1000]);
    }

    #[test]
    fn a_difference_is_told_with_its_event_and_only_what_matters() {
        let meaning = |text: &str| Meaning { text: text.into(), ..Meaning::default() };
        let closing = Closing { whole: true, last: None };
        let decoded = Decoded { meanings: vec![meaning("a"), meaning("b")], closing: closing.clone() };
        assert_eq!(compare(&decoded, &[meaning("a"), meaning("b")], &closing), Ok(()));
        let other = compare(&decoded, &[meaning("a"), meaning("c")], &closing).unwrap_err();
        assert_eq!(other, r#"event 1 means {"text":"b"} instead of {"text":"c"}"#);
        assert!(
            compare(&decoded, &[meaning("a")], &closing).unwrap_err().contains("2 meanings instead of 1")
        );
        assert!(
            compare(&decoded, &[meaning("a"), meaning("b")], &Closing::default())
                .unwrap_err()
                .contains("the end")
        );
    }
}
