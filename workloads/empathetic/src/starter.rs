//! The starter set: 64 dialogues written for this project, two an emotion, so that the workload runs without a download.
//! Must not know prompts.

use benchhost_sdk::Refusal;
use serde_json::Value;

use crate::Dialogue;

const TEXT: &str = include_str!("../data/starter.jsonl");

/// All of them, in the order of the file.
pub(crate) fn dialogues() -> Result<Vec<Dialogue>, Refusal> {
    TEXT.lines().enumerate().map(|(n, line)| dialogue(line).ok_or_else(|| damaged(n + 1))).collect()
}

fn damaged(line: usize) -> Refusal {
    Refusal::Internal(format!("line {line} of the starter set is damaged"))
}

fn dialogue(line: &str) -> Option<Dialogue> {
    let record: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| record[key].as_str().map(str::to_owned);
    let turns = record["turns"].as_array()?.iter().map(|t| t.as_str().map(str::to_owned));
    Some(Dialogue {
        id: format!("starter:{}", text("id")?),
        emotion: text("emotion")?,
        situation: text("situation")?,
        turns: turns.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::EMOTIONS;

    #[test]
    fn every_emotion_has_two_dialogues_of_four_turns() {
        let all = dialogues().unwrap();
        let mut by_emotion: BTreeMap<&str, u32> = BTreeMap::new();
        for d in &all {
            *by_emotion.entry(&d.emotion).or_default() += 1;
            assert_eq!(d.turns.len(), 4, "{}", d.id);
            assert!(d.turns.iter().chain([&d.situation]).all(|t| t.len() > 15 && t.trim() == t), "{}", d.id);
        }
        assert_eq!(by_emotion, EMOTIONS.iter().map(|e| (*e, 2)).collect());
        let ids: BTreeSet<&str> = all.iter().map(|d| d.id.as_str()).collect();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn a_damaged_line_is_no_dialogue() {
        for line in ["", "{}", "[1]", r#"{"id":"a","emotion":"sad","situation":"s","turns":[1]}"#] {
            assert_eq!(dialogue(line), None, "{line}");
        }
    }
}
