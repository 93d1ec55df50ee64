//! Conversations in the hh-rlhf format. Their answers are not scored here: the preferred and the rejected answer travel as
//! the reference. Must not know how conversations are sampled.

use benchhost_sdk::Message;
use serde_json::{Value, json};

use crate::example::Example;

/// A conversation up to a question, and two answers to it.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    id: String,
    /// Ends with what the human says.
    history: Vec<Message>,
    chosen: String,
    rejected: String,
}

/// Reads one record; `None` when the two transcripts do not alternate, are not the same up to the last answer, or have an
/// empty turn.
pub(crate) fn pair(label: &str, index: u32, record: &Value) -> Result<Option<Pair>, String> {
    let text = |key: &str| record[key].as_str().ok_or_else(|| format!("record {index} has no text `{key}`"));
    let (chosen, rejected) = (transcript(text("chosen")?), transcript(text("rejected")?));
    let (Some((history, chosen)), Some((other, rejected))) = (chosen, rejected) else { return Ok(None) };
    if history != other {
        return Ok(None);
    }
    Ok(Some(Pair { id: format!("{label}:{index}"), history, chosen, rejected }))
}

/// Cuts `\n\nHuman: …\n\nAssistant: …` into the history and the last answer. `None` unless the two alternate, the human
/// begins, the assistant ends and nobody is silent.
fn transcript(text: &str) -> Option<(Vec<Message>, String)> {
    let mut messages: Vec<Message> = Vec::new();
    let mut rest = text.strip_prefix("\n\nHuman:")?;
    let mut role = "user";
    loop {
        let human = rest.find("\n\nHuman:").unwrap_or(rest.len());
        let assistant = rest.find("\n\nAssistant:").unwrap_or(rest.len());
        let end = human.min(assistant);
        let said = rest[..end].trim();
        if said.is_empty() {
            return None;
        }
        messages.push(Message::new(role, said));
        if end == rest.len() {
            break;
        }
        role = if role == "user" { "assistant" } else { "user" };
        // The next turn must be the other one's.
        let marker = if role == "user" { "\n\nHuman:" } else { "\n\nAssistant:" };
        rest = rest[end..].strip_prefix(marker)?;
    }
    let last = messages.pop().filter(|last| last.role == "assistant")?;
    Some((messages, last.content))
}

impl Example for Pair {
    fn id(&self) -> &str {
        &self.id
    }

    fn messages(&self) -> Vec<Message> {
        self.history.clone()
    }

    fn answer(&self) -> String {
        self.chosen.clone()
    }

    fn prompt(&self) -> String {
        let mut text = String::new();
        for message in &self.history {
            let speaker = if message.role == "user" { "Human" } else { "Assistant" };
            text.push_str(speaker);
            text.push_str(": ");
            text.push_str(&message.content);
            text.push_str("\n\n");
        }
        text.push_str("Assistant:");
        text
    }

    fn continuation(&self) -> String {
        format!(" {}", self.chosen)
    }

    fn reference(&self) -> Value {
        json!({ "kind": "chat", "answers": [self.chosen], "rejected": [self.rejected] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chosen: &str, rejected: &str) -> Option<Pair> {
        pair("hh", 0, &json!({ "chosen": chosen, "rejected": rejected })).unwrap()
    }

    #[test]
    fn the_last_answer_is_the_reference_and_the_rest_is_the_history() {
        let start = "\n\nHuman: Hi\n\nthere\n\nAssistant: Hello\n\nHuman: How?";
        let p =
            read(&format!("{start}\n\nAssistant: So."), &format!("{start}\n\nAssistant: No idea.")).unwrap();
        let history: Vec<(&str, &str)> =
            p.history.iter().map(|m| (m.role.as_str(), m.content.as_str())).collect();
        assert_eq!(history, [("user", "Hi\n\nthere"), ("assistant", "Hello"), ("user", "How?")]);
        assert_eq!(p.reference()["answers"], json!(["So."]));
        assert_eq!(p.prompt(), "Human: Hi\n\nthere\n\nAssistant: Hello\n\nHuman: How?\n\nAssistant:");
    }

    #[test]
    fn pairs_that_do_not_alternate_or_do_not_agree_are_not_used() {
        let good = "\n\nHuman: a\n\nAssistant: b";
        for bad in [
            "",
            "a",
            "\n\nHuman: a",
            "\n\nAssistant: a\n\nHuman: b",
            "\n\nHuman: a\n\nHuman: b\n\nAssistant: c",
            "\n\nHuman: a\n\nAssistant: b\n\nAssistant: c",
            "\n\nHuman: a\n\nAssistant: ",
            "\n\nHuman: \n\nAssistant: b",
            "\n\nHuman: other\n\nAssistant: b",
        ] {
            assert!(read(good, bad).is_none(), "{bad:?}");
        }
        assert!(read(good, good).is_some());
        assert!(pair("hh", 5, &json!({ "chosen": good })).unwrap_err().contains("record 5"));
    }
}
