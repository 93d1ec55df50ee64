//! Workload `mixed`: question answering, reasoning, chat and code in the proportions 200 : 120 : 120 : 80.
//!
//! Each category reads its data set's own file when the user names it, else a starter set written for this project. Must
//! not know engines; scores only what can be scored from the text alone.

mod category;
mod chat;
mod code;
mod describe;
mod example;
mod mix;
mod number;
mod pick;
mod qa;
mod reasoning;
mod records;
mod share;

pub use category::Category;
pub use number::{Found, Rule, equal, flexible, official};
pub use qa::{REFUSALS, without_refusal};

use benchhost_sdk::{
    Answer, Host, Item, Refusal, Score, Settings, Workload, WorkloadDescription, export_workload,
};

use mix::Mix;

/// The workload after `open`.
#[derive(Debug)]
pub struct Mixed {
    mix: Mix,
}

impl Workload for Mixed {
    fn describe() -> WorkloadDescription {
        describe::description()
    }

    fn open(settings: &Settings, seed: u64, host: &dyn Host) -> Result<Self, Refusal> {
        Ok(Self { mix: Mix::new(&mix::Options::from_settings(settings)?, seed, host)? })
    }

    fn count(&self) -> u32 {
        u32::try_from(self.mix.entries.len()).unwrap_or(u32::MAX)
    }

    fn item(&self, index: u32, _host: &dyn Host) -> Result<Item, Refusal> {
        let (category, example) = self.entry(index)?;
        let style = self.mix.style;
        let shots = self.mix.shots.get(category).map_or(&[][..], Vec::as_slice);
        let mut turn = example::turn(*category, style, shots, example.as_ref());
        turn.max_tokens = self.mix.max_tokens.get(category).copied();
        let mut reference = example.reference();
        reference["style"] = style.name().into();
        Ok(Item {
            id: example.id().to_owned(),
            category: category.name().into(),
            turns: vec![turn],
            reference: reference.to_string(),
            ..Item::default()
        })
    }

    fn score(&self, index: u32, answer: &Answer) -> Result<Vec<Score>, Refusal> {
        if answer.turn != 0 {
            return Err(Refusal::Invalid(format!("items have one turn; there is no turn {}", answer.turn)));
        }
        Ok(self.entry(index)?.1.score(&answer.text))
    }
}

impl Mixed {
    fn entry(&self, index: u32) -> Result<&mix::Entry, Refusal> {
        let missing =
            || Refusal::Invalid(format!("there are {} items; there is no item {index}", self.count()));
        self.mix.entries.get(index as usize).ok_or_else(missing)
    }
}

export_workload!(Mixed);
