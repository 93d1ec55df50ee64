//! What the workload says about itself: slots, options, scores. Text only.

use benchhost_sdk::{OptionSpec, ScoreSpec, Slot, SlotFormat, WorkloadDescription};

use crate::category::Category;

pub(crate) fn description() -> WorkloadDescription {
    WorkloadDescription {
        name: "mixed".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        summary: "Question answering, reasoning, chat and code in the proportions 200 : 120 : 120 : 80."
            .into(),
        categories: Category::ALL.iter().map(|c| c.name().to_owned()).collect(),
        slots: slots(),
        options: options(),
        scores: scores(),
        needs_tokens: false,
        extra: String::new(),
    }
}

fn slots() -> Vec<Slot> {
    let slot = |category: Category, format, licence: &str, origin: &str, help: &str| Slot {
        name: category.slot().into(),
        format,
        licence: licence.into(),
        origin: origin.into(),
        help: help.into(),
    };
    vec![
        slot(
            Category::Qa,
            SlotFormat::Json("/data".into()),
            "CC BY-SA 4.0",
            "https://rajpurkar.github.io/SQuAD-explorer/ (dev-v2.0.json)",
            "SQuAD 2.0 in its own JSON, for `qa`.",
        ),
        slot(
            Category::Reasoning,
            SlotFormat::Jsonl,
            "MIT",
            "https://github.com/openai/grade-school-math (grade_school_math/data/test.jsonl)",
            "GSM8K, for `reasoning`.",
        ),
        slot(
            Category::Chat,
            SlotFormat::Jsonl,
            "MIT",
            "https://github.com/anthropics/hh-rlhf (helpful-base/test.jsonl.gz)",
            "A `helpful` part of hh-rlhf, plain or gzip, for `chat`.",
        ),
        slot(
            Category::Code,
            SlotFormat::Jsonl,
            "MIT",
            "https://github.com/openai/human-eval (data/HumanEval.jsonl.gz)",
            "HumanEval, plain or gzip, for `code`.",
        ),
    ]
}

fn options() -> Vec<OptionSpec> {
    let mut options = vec![
        OptionSpec::text(
            "categories",
            "qa,reasoning,chat,code",
            "Which categories, with commas between them.",
        ),
        OptionSpec::count(
            "total",
            0,
            "Number of items, shared out 200 : 120 : 120 : 80 by largest remainders; 0: as many as the data allow, at most 520.",
        ),
        OptionSpec::toggle(
            "few-shot",
            false,
            "Show the first two examples of the category, solved, before each item; they are not sent as items.",
        ),
        OptionSpec::choice(
            "style",
            &["chat", "completion"],
            "`chat`: messages with an instruction; `completion`: one text to continue, with stop strings.",
        ),
    ];
    options.extend(Category::ALL.into_iter().map(|category| {
        let help = format!("Token limit for `{}`; the run's own limit wins when given.", category.name());
        OptionSpec::count(category.max_tokens_option(), u64::from(category.max_tokens()), &help)
    }));
    options
}

fn scores() -> Vec<ScoreSpec> {
    [
        ("qa_em", "1 when the answer equals an accepted one after SQuAD 2.0 normalisation."),
        ("qa_f1", "Token F1 with the nearest accepted answer after SQuAD 2.0 normalisation."),
        ("qa_em_mapped", "As qa_em, with a refusal from a declared list read as the empty answer."),
        ("qa_f1_mapped", "As qa_f1, with a refusal from a declared list read as the empty answer."),
        (
            "reasoning_correct",
            "1 when the number after the last `####`, else after the last `answer is`, else the last number, equals the right one within 1e-6.",
        ),
        ("reasoning_strict", "1 by the official GSM8K rule: the first `#### number`, equal as text."),
    ]
    .into_iter()
    .map(|(name, help)| ScoreSpec { name: name.into(), higher_is_better: true, help: help.into() })
    .collect()
}
