//! From the generated workload bindings to [`Workload`], and the imports as a [`Host`].

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;

use super::workload::benchhost::plugin::{data, log, tokens};
use super::workload::exports::benchhost::plugin::workload as wit;
use super::{all, panic};
use crate::{
    Answer, Host, Item, LogLevel, ScoreSpec, Settings, Slot, SlotFormat, SlotInfo, TokensSource, Turn,
    TurnInput, Workload,
};

super::shared_conversions!(workload);

/// Exports a [`Workload`].
#[derive(Debug)]
pub struct WorkloadExport<W>(PhantomData<W>);

thread_local! {
    /// What `open` made. A component runs on one thread, and a `static` cannot be generic over the workload.
    static OPEN: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

fn ready() {
    panic::report_through(|line| log::log(log::Level::Error, line));
}

fn with_open<W: Workload, T>(act: impl FnOnce(&W) -> Result<T, Refusal>) -> Result<T, wit::Refusal> {
    ready();
    OPEN.with_borrow(|slot| match slot.as_ref().and_then(|open| open.downcast_ref::<W>()) {
        Some(workload) => act(workload),
        None => Err(Refusal::Other("`open` was not called, or failed".into())),
    })
    .map_err(refusal)
}

impl<W: Workload> wit::Guest for WorkloadExport<W> {
    fn describe() -> wit::Description {
        ready();
        let d = W::describe();
        wit::Description {
            name: d.name,
            version: d.version,
            summary: d.summary,
            categories: d.categories,
            slots: all(d.slots, slot),
            options: all(d.options, option),
            scores: all(d.scores, score_spec),
            needs_tokens: d.needs_tokens,
            extra: d.extra,
        }
    }

    fn open(settings: Vec<wit::Setting>, seed: u64) -> Result<u32, wit::Refusal> {
        ready();
        // A failed `open` must not leave the items of the one before.
        OPEN.set(None);
        let settings = Settings::new(all(settings, setting));
        let workload = W::open(&settings, seed, &Imports).map_err(refusal)?;
        let count = workload.count();
        OPEN.set(Some(Box::new(workload)));
        Ok(count)
    }

    fn item_at(index: u32) -> Result<wit::Item, wit::Refusal> {
        with_open::<W, _>(|workload| workload.item(index, &Imports)).map(item)
    }

    fn score_answer(index: u32, answer: wit::Answer) -> Result<Vec<wit::Score>, wit::Refusal> {
        let answer = Answer {
            turn: answer.turn,
            text: answer.text,
            reasoning: answer.reasoning,
            finish: finish_in(answer.finish),
            extra: answer.extra,
        };
        let scores = with_open::<W, _>(|workload| workload.score(index, &answer))?;
        Ok(all(scores, |s| wit::Score { name: s.name, value: s.value, note: s.note }))
    }
}

/// The component's imports.
struct Imports;

impl Host for Imports {
    fn log(&self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Info => log::Level::Info,
            LogLevel::Warn => log::Level::Warn,
            LogLevel::Error => log::Level::Error,
        };
        log::log(level, message);
    }

    fn slot(&self, slot: &str) -> Option<SlotInfo> {
        data::info(slot).map(|i| SlotInfo { name: i.name, bytes: i.bytes, digest: i.digest })
    }

    fn read(&self, slot: &str, offset: u64, len: u32) -> Result<Vec<u8>, String> {
        data::read(slot, offset, len)
    }

    fn records(&self, slot: &str) -> Result<u32, String> {
        data::count(slot)
    }

    fn record(&self, slot: &str, index: u32) -> Result<String, String> {
        data::record_at(slot, index)
    }

    fn tokens_source(&self) -> TokensSource {
        match tokens::source_of() {
            tokens::Source::File => TokensSource::File,
            tokens::Source::Server => TokensSource::Server,
            tokens::Source::Approximate => TokensSource::Approximate,
        }
    }

    fn count_tokens(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        tokens::count(texts)
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        tokens::encode(text)
    }
}

fn slot(slot: Slot) -> wit::Slot {
    wit::Slot {
        name: slot.name,
        format: match slot.format {
            SlotFormat::Csv => wit::SlotFormat::Csv,
            SlotFormat::Jsonl => wit::SlotFormat::Jsonl,
            SlotFormat::Json(pointer) => wit::SlotFormat::Json(pointer),
            SlotFormat::Lines => wit::SlotFormat::Lines,
        },
        licence: slot.licence,
        origin: slot.origin,
        help: slot.help,
    }
}

fn score_spec(spec: ScoreSpec) -> wit::ScoreSpec {
    wit::ScoreSpec { name: spec.name, higher_is_better: spec.higher_is_better, help: spec.help }
}

fn item(item: Item) -> wit::Item {
    wit::Item {
        id: item.id,
        category: item.category,
        turns: all(item.turns, turn),
        reference: item.reference,
        arrival_us: item.arrival_us,
        extra: item.extra,
    }
}

fn turn(turn: Turn) -> wit::Turn {
    wit::Turn {
        input: match turn.input {
            TurnInput::Messages(messages) => wit::TurnInput::Messages(all(messages, message)),
            TurnInput::Text(text) => wit::TurnInput::Text(text),
            TurnInput::Tokens(ids) => wit::TurnInput::Tokens(ids),
            TurnInput::Raw(json) => wit::TurnInput::Raw(json),
        },
        recorded_answer: turn.recorded_answer,
        delay_ms: turn.delay_ms,
        max_tokens: turn.max_tokens,
        exact: turn.exact,
        stop: turn.stop,
        input_tokens: turn.input_tokens,
        extra: turn.extra,
    }
}

fn message(message: Message) -> wire::Message {
    wire::Message { role: message.role, content: message.content }
}

fn finish_in(finish: wit::Finish) -> Finish {
    match finish {
        wit::Finish::Stop => Finish::Stop,
        wit::Finish::Length => Finish::Length,
        wit::Finish::ToolCalls => Finish::ToolCalls,
        wit::Finish::ContentFilter => Finish::ContentFilter,
        wit::Finish::Aborted => Finish::Aborted,
        wit::Finish::Error => Finish::Error,
        wit::Finish::Other => Finish::Other,
    }
}
