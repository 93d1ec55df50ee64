//! What all examples can do, and how one becomes a request in either style, with shots or without. Must not know the
//! categories' formats.

use std::fmt::Debug;

use benchhost_sdk::{Message, Score, Turn, TurnInput};
use serde_json::Value;

use crate::category::Category;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Messages, for models that follow instructions.
    Chat,
    /// One text to continue, for the completions route and for base models.
    Completion,
}

impl Style {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
        }
    }
}

/// An example: a task, its right answer, and how an answer is scored.
pub(crate) trait Example: Debug {
    /// Unique and stable.
    fn id(&self) -> &str;
    /// The task as messages, the last from the user.
    fn messages(&self) -> Vec<Message>;
    /// The right answer to `messages`, as a shot shows it.
    fn answer(&self) -> String;
    /// The task as a text to continue.
    fn prompt(&self) -> String;
    /// The right continuation, as a shot shows it.
    fn continuation(&self) -> String;
    /// What scoring needs later.
    fn reference(&self) -> Value;
    /// Scores that need nothing but the text.
    fn score(&self, _answer: &str) -> Vec<Score> {
        Vec::new()
    }
}

/// A score with a note.
pub(crate) fn score(name: &str, value: f64, note: impl Into<String>) -> Score {
    Score { name: name.into(), value, note: note.into() }
}

/// The request for an example, after its shots.
pub(crate) fn turn(
    category: Category,
    style: Style,
    shots: &[Box<dyn Example>],
    example: &dyn Example,
) -> Turn {
    let stop = |stops: &[&str]| stops.iter().map(|s| (*s).to_owned()).collect();
    match style {
        Style::Chat => Turn {
            input: TurnInput::Messages(
                shots
                    .iter()
                    .flat_map(|shot| {
                        let answer = Message::new("assistant", shot.answer());
                        shot.messages().into_iter().chain([answer])
                    })
                    .chain(example.messages())
                    .collect(),
            ),
            recorded_answer: Some(example.answer()),
            ..Turn::default()
        },
        Style::Completion => {
            let (preamble, gap) = frame(category);
            let mut text = preamble.to_owned();
            for shot in shots {
                text.push_str(&shot.prompt());
                text.push_str(&shot.continuation());
                text.push_str(gap);
            }
            text.push_str(&example.prompt());
            Turn {
                input: TurnInput::Text(text),
                recorded_answer: Some(example.continuation()),
                stop: stop(category.stops()),
                ..Turn::default()
            }
        }
    }
}

/// What stands before the first shot, and between shots.
const fn frame(category: Category) -> (&'static str, &'static str) {
    match category {
        Category::Qa => (
            "Answer each question with words copied from its passage. If the passage does not hold the answer, write: \
             unanswerable\n\n",
            "\n\n",
        ),
        Category::Reasoning => {
            ("Solve each problem step by step. End with a line of the form `#### number`.\n\n", "\n\n")
        }
        Category::Chat => ("", "\n\n---\n\n"),
        Category::Code => ("", "\n\n"),
    }
}
