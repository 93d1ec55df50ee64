//! The host's side of a dialogue: what earlier turns and answers add up to, and in which form a route takes it.

use benchhost_model::{Message, Prompt, Route, TurnInput};

/// The history of one item.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conversation {
    messages: Vec<Message>,
}

impl Conversation {
    /// The prompt for a turn that adds `input`, in the form that `route` takes. Token ids and raw bodies stand for
    /// themselves: they cannot be mixed with a history.
    pub(crate) fn ask(&mut self, input: &TurnInput, route: Route) -> Prompt {
        match input {
            TurnInput::Tokens(ids) => return Prompt::Tokens(ids.clone()),
            TurnInput::Raw(json) => return Prompt::Raw(json.clone()),
            TurnInput::Messages(messages) => self.messages.extend(messages.iter().cloned()),
            TurnInput::Text(text) => self.messages.push(message("user", text)),
        }
        match route {
            Route::Chat => Prompt::Chat(self.messages.clone()),
            Route::Completions | Route::Native => Prompt::Text(self.as_text()),
        }
    }

    /// Adds the answer that later turns see.
    pub(crate) fn answered(&mut self, text: &str) {
        self.messages.push(message("assistant", text));
    }

    /// Routes without a template get the text of a lone message as it is; a dialogue is written with its roles, one
    /// paragraph a message, and ends where the assistant would begin.
    fn as_text(&self) -> String {
        if let [only] = &self.messages[..] {
            return only.content.clone();
        }
        let mut text = String::new();
        for message in &self.messages {
            let role = match message.role.as_str() {
                "system" => "System",
                "assistant" => "Assistant",
                _ => "User",
            };
            text.push_str(role);
            text.push_str(": ");
            text.push_str(&message.content);
            text.push_str("\n\n");
        }
        text.push_str("Assistant:");
        text
    }
}

fn message(role: &str, content: &str) -> Message {
    Message { role: role.into(), content: content.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_prompt_stays_as_it_is_and_a_dialogue_gets_roles() {
        let mut talk = Conversation::default();
        assert_eq!(talk.ask(&TurnInput::Text("Hi".into()), Route::Completions), Prompt::Text("Hi".into()));
        talk.answered("Hello");
        let Prompt::Text(text) = talk.ask(&TurnInput::Text("And?".into()), Route::Native) else {
            panic!("text expected")
        };
        assert_eq!(text, "User: Hi\n\nAssistant: Hello\n\nUser: And?\n\nAssistant:");
        let Prompt::Chat(messages) = talk.ask(&TurnInput::Text("So?".into()), Route::Chat) else {
            panic!("chat expected")
        };
        assert_eq!(messages.len(), 4);
    }
}
