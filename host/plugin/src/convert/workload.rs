//! The types of the `workload` interface.

use benchhost_model::{Answer, Item, Score, ScoreSpec, Slot, SlotFormat, Turn, TurnInput, WorkloadInfo};

use crate::bindings::workload::exports::benchhost::plugin::workload as wit;
use crate::text::one_line;

/// Longest note of a score, in bytes.
const NOTE_BYTES: usize = 2 << 10;

impl From<wit::Description> for WorkloadInfo {
    fn from(d: wit::Description) -> Self {
        Self {
            name: d.name,
            version: d.version,
            summary: d.summary,
            categories: d.categories,
            slots: d.slots.into_iter().map(Into::into).collect(),
            options: d.options.into_iter().map(Into::into).collect(),
            scores: d.scores.into_iter().map(Into::into).collect(),
            needs_tokens: d.needs_tokens,
        }
    }
}

impl From<wit::Slot> for Slot {
    fn from(slot: wit::Slot) -> Self {
        let format = match slot.format {
            wit::SlotFormat::Csv => SlotFormat::Csv,
            wit::SlotFormat::Jsonl => SlotFormat::Jsonl,
            wit::SlotFormat::Json(pointer) => SlotFormat::Json(pointer),
            wit::SlotFormat::Lines => SlotFormat::Lines,
        };
        Self { name: slot.name, format, licence: slot.licence, origin: slot.origin, help: slot.help }
    }
}

impl From<wit::ScoreSpec> for ScoreSpec {
    fn from(spec: wit::ScoreSpec) -> Self {
        Self { name: spec.name, higher_is_better: spec.higher_is_better, help: spec.help }
    }
}

impl From<wit::Turn> for Turn {
    fn from(turn: wit::Turn) -> Self {
        let input = match turn.input {
            wit::TurnInput::Messages(messages) => {
                TurnInput::Messages(messages.into_iter().map(Into::into).collect())
            }
            wit::TurnInput::Text(text) => TurnInput::Text(text),
            wit::TurnInput::Tokens(ids) => TurnInput::Tokens(ids),
            wit::TurnInput::Raw(body) => TurnInput::Raw(body),
        };
        Self {
            input,
            recorded_answer: turn.recorded_answer,
            delay_ms: turn.delay_ms,
            max_tokens: turn.max_tokens,
            exact: turn.exact,
            stop: turn.stop,
            input_tokens: turn.input_tokens,
        }
    }
}

impl From<wit::Item> for Item {
    fn from(item: wit::Item) -> Self {
        Self {
            id: item.id,
            category: item.category,
            turns: item.turns.into_iter().map(Into::into).collect(),
            reference: item.reference,
            arrival_us: item.arrival_us,
        }
    }
}

impl From<&Answer> for wit::Answer {
    fn from(answer: &Answer) -> Self {
        Self {
            turn: answer.turn,
            text: answer.text.clone(),
            reasoning: answer.reasoning.clone(),
            finish: answer.finish.into(),
            extra: String::new(),
        }
    }
}

impl From<wit::Score> for Score {
    fn from(score: wit::Score) -> Self {
        Self { name: score.name, value: score.value, note: one_line(&score.note, NOTE_BYTES) }
    }
}
