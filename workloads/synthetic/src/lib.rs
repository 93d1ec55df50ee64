//! Workload `synthetic`: prompts with an exact number of input tokens and a fixed number of output tokens.
//!
//! Measures speed against length with nothing else in play. The answers are noise and are not scored. Must not know
//! engines; counts tokens only through the host.

mod length;
mod prompt;

pub use length::{Length, MOST};

use benchhost_sdk::filler::Filler;
use benchhost_sdk::{
    Host, Item, LogLevel, OptionSpec, Refusal, Rng, Settings, Turn, TurnInput, Workload, WorkloadDescription,
    export_workload,
};
use serde_json::json;

const ITEMS: u64 = 64;

/// The workload after `open`.
#[derive(Debug)]
pub struct Synthetic {
    seed: u64,
    items: u32,
    input: Length,
    output: Length,
    /// In 0 to 1.
    shared_prefix: f64,
    filler: Filler,
}

impl Workload for Synthetic {
    fn describe() -> WorkloadDescription {
        WorkloadDescription {
            name: "synthetic".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary:
                "Random words with an exact number of input tokens, and a fixed number of output tokens."
                    .into(),
            options: vec![
                OptionSpec::text(
                    "input-tokens",
                    "128",
                    "Prompt tokens without the server's template: `128`, `uniform:100,200` (both ends included) or `normal:1000,100` (mean, deviation).",
                ),
                OptionSpec::text(
                    "output-tokens",
                    "64",
                    "Tokens to generate, exactly where the engine can; written as `input-tokens`.",
                ),
                OptionSpec::number(
                    "shared-prefix",
                    0.0,
                    "Share of each prompt, 0 to 1, that is the same in all prompts; 0: no two prompts begin alike.",
                ),
                OptionSpec::count("items", ITEMS, "Number of different prompts."),
            ],
            needs_tokens: true,
            ..WorkloadDescription::default()
        }
    }

    fn open(settings: &Settings, seed: u64, host: &dyn Host) -> Result<Self, Refusal> {
        let length = |name: &str, default: &str| {
            let text = Some(settings.text(name)).filter(|text| !text.is_empty()).unwrap_or(default);
            text.parse::<Length>().map_err(|e| Refusal::Invalid(format!("option `{name}` is `{text}`: {e}")))
        };
        let (input, output) = (length("input-tokens", "128")?, length("output-tokens", "64")?);
        let shared_prefix = settings.number("shared-prefix")?.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&shared_prefix) {
            return Err(Refusal::Invalid(format!(
                "option `shared-prefix` is {shared_prefix}, not a number from 0 to 1"
            )));
        }
        let items = u32::try_from(settings.count("items")?.unwrap_or(ITEMS)).ok().filter(|n| *n > 0);
        let items = items.ok_or_else(|| {
            Refusal::Invalid(format!("option `items` is `{}`, not 1 to {}", settings.text("items"), u32::MAX))
        })?;
        let filler = Filler::new(seed, items, host)?;
        host.log(LogLevel::Info, &filler.summary());
        Ok(Self { seed, items, input, output, shared_prefix, filler })
    }

    fn count(&self) -> u32 {
        self.items
    }

    fn item(&self, index: u32, host: &dyn Host) -> Result<Item, Refusal> {
        if index >= self.items {
            return Err(Refusal::Invalid(format!(
                "there are {} items; there is no item {index}",
                self.items
            )));
        }
        let mut rng = Rng::for_index(self.seed, u64::from(index));
        let (wanted, output) = (self.input.draw(&mut rng), self.output.draw(&mut rng));
        let shared = share_of(self.shared_prefix, wanted);
        let prompt = self.prompt(wanted, shared, index, &mut rng, host)?;
        Ok(Item {
            id: format!("in{wanted}-out{output}-seed{}-{index}", self.seed),
            turns: vec![Turn {
                input: TurnInput::Text(prompt.text),
                max_tokens: Some(output),
                exact: true,
                input_tokens: Some(prompt.tokens),
                ..Turn::default()
            }],
            reference: json!({ "kind": "synthetic", "shared_tokens": shared }).to_string(),
            ..Item::default()
        })
    }
}

/// Tokens of the common beginning, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share in 0 to 1 of a `u32` is one"
)]
fn share_of(share: f64, tokens: u32) -> u32 {
    (share * f64::from(tokens)) as u32
}

export_workload!(Synthetic);
