//! Workload `trace`: sends requests when a recorded trace had them, with as many tokens in and out.
//!
//! Traces hold times and lengths, not texts: prompts are made of words that are one token each. Must not know engines;
//! counts tokens only through the host.

mod choice;
mod format;
mod lines;
mod prompts;
mod rows;
mod time;

use benchhost_sdk::{
    Host, Item, LogLevel, Refusal, Settings, Slot, SlotFormat, Turn, TurnInput, Workload,
    WorkloadDescription, export_workload,
};
use serde_json::json;

use choice::Choice;
use lines::Lines;
use prompts::Prompts;
use rows::{CATEGORIES, Trace};

const SLOT: &str = "trace";
/// Used when the user names no file.
const STARTER: &str = include_str!("../data/starter.csv");

/// The workload after `open`.
#[derive(Debug)]
pub struct Replay {
    trace: Trace,
    prompts: Prompts,
}

impl Workload for Replay {
    fn describe() -> WorkloadDescription {
        WorkloadDescription {
            name: "trace".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Replays the arrivals and lengths of a recorded trace: Azure, BurstGPT, Mooncake, or timestamp,input,output.".into(),
            categories: CATEGORIES.iter().map(|c| (*c).to_owned()).collect(),
            slots: vec![Slot {
                name: SLOT.into(),
                // Read in pieces by this workload: a trace of a million rows is never whole in memory.
                format: SlotFormat::Lines,
                licence: "as published: Azure and BurstGPT CC BY 4.0, Mooncake Apache-2.0".into(),
                origin: "https://github.com/Azure/AzurePublicDataset, https://github.com/HPMLL/BurstGPT, https://github.com/kvcache-ai/Mooncake".into(),
                help: "A CSV file told by its columns, or Mooncake's JSON lines; without it a made-up minute of 60 requests is replayed.".into(),
            }],
            options: Choice::options(),
            needs_tokens: true,
            ..WorkloadDescription::default()
        }
    }

    fn open(settings: &Settings, seed: u64, host: &dyn Host) -> Result<Self, Refusal> {
        let choice = Choice::from_settings(settings)?;
        let file = host.slot(SLOT);
        let name = match &file {
            Some(file) => format!("slot `{SLOT}`, file `{}`", file.name),
            None => "starter trace".to_owned(),
        };
        let lines = || match &file {
            Some(_) => Lines::of_slot(host, SLOT),
            None => Lines::of_text(STARTER),
        };
        let bytes = file.as_ref().map_or(STARTER.len() as u64, |file| file.bytes);
        let trace =
            Trace::read(lines, bytes, &choice).map_err(|e| Refusal::Invalid(format!("{name}: {e}")))?;
        if trace.rows.is_empty() {
            return Err(Refusal::Invalid(format!("{name}: no row is left to send; {}", trace.summary())));
        }
        let level = if trace.is_changed() { LogLevel::Warn } else { LogLevel::Info };
        host.log(level, &format!("{name}: {}", trace.summary()));
        let longest = trace.rows.iter().map(|row| row.input).max().unwrap_or(1);
        let rows = u32::try_from(trace.rows.len()).unwrap_or(u32::MAX);
        let prompts = Prompts::new(seed, choice.reseed, rows, longest, choice.block, host)?;
        host.log(LogLevel::Info, &prompts.summary());
        Ok(Self { trace, prompts })
    }

    fn count(&self) -> u32 {
        u32::try_from(self.trace.rows.len()).unwrap_or(u32::MAX)
    }

    fn item(&self, index: u32, host: &dyn Host) -> Result<Item, Refusal> {
        let row = self.trace.rows.get(index as usize).ok_or_else(|| {
            Refusal::Invalid(format!("there are {} items; there is no item {index}", self.count()))
        })?;
        let hashes = self.trace.hashes(row);
        let prompt = self.prompts.write(index, row.input, hashes, host)?;
        Ok(Item {
            id: format!("line{}-in{}-out{}", row.line, row.input, row.output),
            category: self.trace.category(row).to_owned(),
            turns: vec![Turn {
                input: TurnInput::Text(prompt.text),
                max_tokens: Some(row.output),
                exact: true,
                input_tokens: Some(prompt.tokens),
                ..Turn::default()
            }],
            reference: json!({ "kind": "trace", "line": row.line, "blocks": hashes.len() }).to_string(),
            arrival_us: Some(self.trace.arrival_us(row)),
            ..Item::default()
        })
    }
}

export_workload!(Replay);
