//! Workload `empathetic`: a speaker tells of a situation, the model answers as the listener.
//!
//! Reads EmpatheticDialogues (Rashkin and others, ACL 2019) when the user names its file, else a starter set written for
//! this project. Must not know engines or how answers are judged beyond word overlap.

mod dialogue;
mod emotion;
mod rows;
mod sample;
mod starter;
mod turns;

pub use dialogue::{Dialogue, Rebuilt, rebuild};
pub use emotion::EMOTIONS;
pub use rows::{HEADER, Row, parse_row};

use benchhost_sdk::{
    Answer, Host, Item, LogLevel, OptionSpec, Refusal, Score, ScoreSpec, Settings, Slot, SlotFormat,
    Workload, WorkloadDescription, export_workload, squad,
};

use turns::Style;

const SLOT: &str = "dialogues";
const SYSTEM: &str = "You are talking with someone who tells you about something in their life. Answer as a warm, \
                      attentive listener, in one or two short sentences.";

/// The workload after `open`: the dialogues in the order in which they are sent.
#[derive(Debug)]
pub struct Empathetic {
    dialogues: Vec<Dialogue>,
    style: Style,
}

impl Workload for Empathetic {
    fn describe() -> WorkloadDescription {
        WorkloadDescription {
            name: "empathetic".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Short dialogues in 32 emotions; the model answers as the listener.".into(),
            categories: EMOTIONS.iter().map(|e| (*e).to_owned()).collect(),
            slots: vec![Slot {
                name: SLOT.into(),
                format: SlotFormat::Lines,
                licence: "CC BY-NC 4.0".into(),
                origin: "https://github.com/facebookresearch/EmpatheticDialogues (test.csv in the data archive)".into(),
                help: "EmpatheticDialogues in its own format; without it the starter set of 64 dialogues is used.".into(),
            }],
            options: vec![
                OptionSpec::choice("turns", &["last", "every"], "`last`: one request, the last listener turn, with the turns before it as history; `every`: one request for each listener turn."),
                OptionSpec::choice("sample", &["stratified", "in-order"], "`stratified`: emotions in turn, in an order drawn from the seed; `in-order`: as in the file."),
                OptionSpec::count("limit", 0, "Number of dialogues; 0: all."),
                OptionSpec::text("system", SYSTEM, "System message; empty: none."),
                OptionSpec::toggle("grounded", false, "Tell the model the emotion and the situation in the system message."),
            ],
            scores: vec![ScoreSpec {
                name: "token_f1".into(),
                higher_is_better: true,
                help: "Word overlap with the recorded listener turn (SQuAD token F1, 0 to 1): a check for regressions, not a measure of quality.".into(),
            }],
            needs_tokens: false,
            extra: String::new(),
        }
    }

    fn open(settings: &Settings, seed: u64, host: &dyn Host) -> Result<Self, Refusal> {
        let style = Style::from_settings(settings)?;
        let mut dialogues = match host.slot(SLOT) {
            Some(file) => from_file(host, &file.name)?,
            None => starter::dialogues()?,
        };
        match settings.text("sample") {
            "" | "stratified" => dialogues = sample::stratified(dialogues, seed),
            "in-order" => {}
            other => {
                return Err(Refusal::Invalid(format!(
                    "option `sample` is `{other}`, not `stratified` or `in-order`"
                )));
            }
        }
        let limit = settings.count("limit")?.unwrap_or(0);
        if limit > 0 {
            dialogues.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(Self { dialogues, style })
    }

    fn count(&self) -> u32 {
        u32::try_from(self.dialogues.len()).unwrap_or(u32::MAX)
    }

    fn item(&self, index: u32, _host: &dyn Host) -> Result<Item, Refusal> {
        Ok(self.style.item(self.dialogue(index)?))
    }

    fn score(&self, index: u32, answer: &Answer) -> Result<Vec<Score>, Refusal> {
        let references = self.style.references(self.dialogue(index)?);
        let reference = references.get(answer.turn as usize).ok_or_else(|| {
            Refusal::Invalid(format!(
                "item {index} has {} turns; there is no turn {}",
                references.len(),
                answer.turn
            ))
        })?;
        let value = squad::f1(reference, &answer.text);
        Ok(vec![Score { name: "token_f1".into(), value, note: String::new() }])
    }
}

impl Empathetic {
    fn dialogue(&self, index: u32) -> Result<&Dialogue, Refusal> {
        let missing =
            || Refusal::Invalid(format!("there are {} items; there is no item {index}", self.count()));
        self.dialogues.get(index as usize).ok_or_else(missing)
    }
}

/// Reads the named file and tells what could not be used.
fn from_file(host: &dyn Host, name: &str) -> Result<Vec<Dialogue>, Refusal> {
    let in_file = |what: String| Refusal::Invalid(format!("slot `{SLOT}`, file `{name}`: {what}"));
    let lines = (0..host.records(SLOT).map_err(&in_file)?).map(|index| {
        let record = host.record(SLOT, index)?;
        serde_json::from_str::<String>(&record).map_err(|e| format!("line {} is not a text: {e}", index + 1))
    });
    let rebuilt = rebuild(lines).map_err(&in_file)?;
    let summary = rebuilt.summary();
    if rebuilt.dialogues.is_empty() {
        return Err(in_file(format!("no dialogue with a listener turn; {summary}")));
    }
    let level = if rebuilt.left_out() > 0 { LogLevel::Warn } else { LogLevel::Info };
    host.log(level, &format!("{name}: {summary}"));
    Ok(rebuilt.dialogues)
}

export_workload!(Empathetic);
