//! From a dialogue to requests: which listener turns are asked for, and what the model is told. Must not know where
//! dialogues come from.

use benchhost_sdk::{Item, Message, Refusal, Settings, Turn, TurnInput};
use serde_json::json;

use crate::Dialogue;

/// References are short (about 75 characters in the data set's test part); a longer answer is not what is asked for.
const MAX_TOKENS: u32 = 96;

/// How dialogues become items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    every_turn: bool,
    grounded: bool,
    system: String,
}

impl Style {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Refusal> {
        let every_turn = match settings.text("turns") {
            "" | "last" => false,
            "every" => true,
            other => {
                return Err(Refusal::Invalid(format!("option `turns` is `{other}`, not `last` or `every`")));
            }
        };
        let grounded = settings.toggle("grounded")?;
        Ok(Self { every_turn, grounded, system: settings.text("system").trim().to_owned() })
    }

    pub(crate) fn item(&self, dialogue: &Dialogue) -> Item {
        let pairs: Vec<&[String]> = dialogue.turns.chunks_exact(2).collect();
        let mut opening = self.system_message(dialogue);
        let turns = if self.every_turn {
            pairs.iter().map(|pair| turn(std::mem::take(&mut opening), &pair[0], &pair[1])).collect()
        } else {
            let (last, before) =
                pairs.split_last().map_or((&[][..], &[][..]), |(last, before)| (*last, before));
            for pair in before {
                opening.push(Message::user(pair[0].clone()));
                opening.push(Message::new("assistant", pair[1].clone()));
            }
            match last {
                [said, answer] => vec![turn(opening, said, answer)],
                _ => Vec::new(),
            }
        };
        Item {
            id: dialogue.id.clone(),
            category: dialogue.emotion.clone(),
            turns,
            reference: json!({
                "kind": "dialogue",
                "emotion": dialogue.emotion,
                "situation": dialogue.situation,
                "answers": self.references(dialogue),
            })
            .to_string(),
            ..Item::default()
        }
    }

    /// The recorded listener turns, one for each turn of the item.
    pub(crate) fn references<'d>(&self, dialogue: &'d Dialogue) -> Vec<&'d str> {
        let mut listener = dialogue.turns.chunks_exact(2).map(|pair| pair[1].as_str());
        if self.every_turn { listener.collect() } else { listener.next_back().into_iter().collect() }
    }

    fn system_message(&self, dialogue: &Dialogue) -> Vec<Message> {
        let mut text = self.system.clone();
        if self.grounded {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            let told = format!("The speaker feels {}. Situation: {}", dialogue.emotion, dialogue.situation);
            text = [text.as_str(), gap, &told].concat();
        }
        if text.is_empty() { Vec::new() } else { vec![Message::new("system", text)] }
    }
}

fn turn(mut messages: Vec<Message>, said: &str, answer: &str) -> Turn {
    messages.push(Message::user(said));
    Turn {
        input: TurnInput::Messages(messages),
        recorded_answer: Some(answer.to_owned()),
        max_tokens: Some(MAX_TOKENS),
        ..Turn::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five_turns() -> Dialogue {
        Dialogue {
            id: "c".into(),
            emotion: "proud".into(),
            situation: "I won.".into(),
            turns: ["s1", "l1", "s2", "l2", "s3"].map(str::to_owned).to_vec(),
        }
    }

    fn style(every_turn: bool, grounded: bool, system: &str) -> Style {
        Style { every_turn, grounded, system: system.into() }
    }

    fn said(turn: &Turn) -> Vec<String> {
        let TurnInput::Messages(messages) = &turn.input else { panic!("messages expected") };
        messages.iter().map(|m| format!("{}: {}", m.role, m.content)).collect()
    }

    #[test]
    fn last_is_one_request_for_the_last_listener_turn_with_the_turns_before_it() {
        let item = style(false, false, "Listen.").item(&five_turns());
        assert_eq!(item.turns.len(), 1);
        assert_eq!(said(&item.turns[0]), ["system: Listen.", "user: s1", "assistant: l1", "user: s2"]);
        assert_eq!(item.turns[0].recorded_answer.as_deref(), Some("l2"));
        assert_eq!(item.turns[0].max_tokens, Some(96));
        assert_eq!((item.id.as_str(), item.category.as_str()), ("c", "proud"));
    }

    #[test]
    fn every_gives_each_listener_turn_and_leaves_the_history_to_the_host() {
        let item = style(true, false, "Listen.").item(&five_turns());
        assert_eq!(
            item.turns.iter().map(said).collect::<Vec<_>>(),
            [vec!["system: Listen.", "user: s1"], vec!["user: s2"]]
        );
        let recorded: Vec<_> = item.turns.iter().map(|t| t.recorded_answer.as_deref()).collect();
        assert_eq!(recorded, [Some("l1"), Some("l2")]);
    }

    #[test]
    fn the_emotion_and_the_situation_are_told_only_when_grounded() {
        let plain = style(false, false, "").item(&five_turns());
        assert_eq!(said(&plain.turns[0])[0], "user: s1", "no system message when its text is empty");
        let grounded = style(false, true, "").item(&five_turns());
        assert_eq!(said(&grounded.turns[0])[0], "system: The speaker feels proud. Situation: I won.");
        let both = style(false, true, "Listen.").item(&five_turns());
        assert_eq!(said(&both.turns[0])[0], "system: Listen.\n\nThe speaker feels proud. Situation: I won.");
    }

    #[test]
    fn the_reference_travels_with_one_answer_for_each_turn() {
        let reference =
            |s: Style| serde_json::from_str::<serde_json::Value>(&s.item(&five_turns()).reference).unwrap();
        let last = reference(style(false, false, ""));
        assert_eq!(last["answers"], json!(["l2"]));
        assert_eq!((&last["emotion"], &last["situation"]), (&json!("proud"), &json!("I won.")));
        assert_eq!(reference(style(true, false, ""))["answers"], json!(["l1", "l2"]));
    }
}
