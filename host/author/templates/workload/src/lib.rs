//! A benchhost workload: items to send to a model, and a score for each answer.
//!
//! A workload has no clock, no network and no randomness of its own: everything comes from the options, the seed and the
//! files the user named, so the same seed gives the same items on every machine. It is plain functions; `cargo test` runs
//! them natively.
//!
//! This one asks for sums and checks them. To read a data set instead, declare a `Slot` in `describe` and take its
//! records with `host.records` and `host.record` in `open`: benchhost has parsed the file.

mod answer;

use benchhost_sdk::{
    Answer, Host, Item, Message, OptionSpec, Refusal, Rng, Score, ScoreSpec, Settings, Turn,
    TurnInput, Workload, WorkloadDescription,
};

/// The most digits a number may have; their sum fits into 64 bits.
const MOST_DIGITS: u64 = 18;

/// What `open` prepared.
pub struct MyWorkload {
    seed: u64,
    items: u32,
    digits: u32,
}

impl Workload for MyWorkload {
    fn describe() -> WorkloadDescription {
        WorkloadDescription {
            name: "my-workload".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Sums of two numbers, scored by the last number of the answer.".into(),
            categories: vec!["sum".into()],
            // Users set these with `--workload-option name=value`; benchhost checks the value against the kind.
            options: vec![
                OptionSpec::count("items", 100, "How many different sums there are."),
                OptionSpec::count("digits", 3, "Digits of each number, 1 to 18."),
            ],
            // Each becomes a column `score_<name>`. Say the rule, so that a reader can repeat it.
            scores: vec![ScoreSpec {
                name: "correct".into(),
                higher_is_better: true,
                help: "1 when the last whole number in the answer is the sum, else 0.".into(),
            }],
            ..WorkloadDescription::default()
        }
    }

    fn open(settings: &Settings, seed: u64, _host: &dyn Host) -> Result<Self, Refusal> {
        let invalid = |text: &str| Refusal::Invalid(text.to_owned());
        let items = settings.count("items")?.unwrap_or(100);
        let digits = settings.count("digits")?.unwrap_or(3);
        let items = u32::try_from(items)
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| invalid("option `items` must be between 1 and 4294967295"))?;
        let digits = Some(digits)
            .filter(|d| (1..=MOST_DIGITS).contains(d))
            .and_then(|d| u32::try_from(d).ok());
        let digits = digits.ok_or_else(|| invalid("option `digits` must be between 1 and 18"))?;
        Ok(Self {
            seed,
            items,
            digits,
        })
    }

    fn count(&self) -> u32 {
        self.items
    }

    fn item(&self, index: u32, _host: &dyn Host) -> Result<Item, Refusal> {
        let (a, b) = self.numbers(index);
        let question = format!("What is {a} + {b}? Answer with the number only.");
        Ok(Item {
            // The id names the item in every file; it must not depend on how many items were asked for.
            id: format!("sum-{index}"),
            category: "sum".into(),
            turns: vec![Turn {
                input: TurnInput::Messages(vec![Message {
                    role: "user".into(),
                    content: question,
                }]),
                max_tokens: Some(32),
                ..Turn::default()
            }],
            // benchhost keeps it beside the answer, so that a score can be checked by hand.
            reference: (a + b).to_string(),
            ..Item::default()
        })
    }

    fn score(&self, index: u32, answer: &Answer) -> Result<Vec<Score>, Refusal> {
        let (a, b) = self.numbers(index);
        let found = answer::last_number(&answer.text);
        let note = match found {
            Some(number) => format!("found {number}"),
            None => "no number in the answer".into(),
        };
        let value = if found == Some(a + b) { 1.0 } else { 0.0 };
        Ok(vec![Score {
            name: "correct".into(),
            value,
            note,
        }])
    }
}

impl MyWorkload {
    /// The two numbers of an item. Each item has a generator of its own, so it does not depend on the others.
    fn numbers(&self, index: u32) -> (u64, u64) {
        let mut rng = Rng::for_index(self.seed, index.into());
        let bound = 10_u64.pow(self.digits);
        (rng.below(bound), rng.below(bound))
    }
}

// Makes the component's exports. Once per crate.
benchhost_sdk::export_workload!(MyWorkload);
