//! Questions on a passage: the SQuAD 2.0 format and its scores. Must not know how questions are sampled.

use std::rc::Rc;

use benchhost_sdk::{Message, Score, squad};
use serde_json::{Value, json};

use crate::example::{Example, score};

/// A question, its passage and the accepted answers.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    id: String,
    passage: Rc<str>,
    asked: String,
    /// Empty: the passage does not hold the answer.
    golds: Vec<String>,
}

/// Answers that say there is none, normalised. An answer that begins with the word `unanswerable` counts as well.
pub const REFUSALS: [&str; 24] = [
    "unanswerable",
    "answer is unanswerable",
    "question is unanswerable",
    "this question is unanswerable",
    "not answerable",
    "no answer",
    "there is no answer",
    "unknown",
    "na",
    "i dont know",
    "i do not know",
    "cannot be answered",
    "question cannot be answered",
    "this question cannot be answered",
    "passage does not say",
    "passage doesnt say",
    "passage does not contain answer",
    "passage does not hold answer",
    "passage does not mention this",
    "not mentioned",
    "not mentioned in passage",
    "not stated",
    "not stated in passage",
    "not in passage",
];

/// The answer with a refusal read as the empty answer.
pub fn without_refusal(answer: &str) -> &str {
    let begins =
        answer.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase().starts_with("unanswerable");
    let refuses = begins || REFUSALS.contains(&squad::normalise(answer).as_str());
    if refuses { "" } else { answer }
}

/// Reads one entry of `qas`. The official script takes a question for unanswerable when `answers` is empty, whatever
/// `is_impossible` says; `plausible_answers` are never right.
pub(crate) fn question(label: &str, passage: &Rc<str>, entry: &Value) -> Option<Question> {
    let id = entry["id"].as_str()?;
    let golds = entry["answers"].as_array()?.iter().map(|a| a["text"].as_str().map(str::to_owned));
    Some(Question {
        id: format!("{label}:{id}"),
        passage: Rc::clone(passage),
        asked: entry["question"].as_str()?.trim().to_owned(),
        golds: golds.collect::<Option<_>>()?,
    })
}

impl Example for Question {
    fn id(&self) -> &str {
        &self.id
    }

    fn messages(&self) -> Vec<Message> {
        vec![Message::user(format!(
            "Answer the question with words copied from the passage, as few as possible and nothing else. If the passage \
             does not hold the answer, reply with exactly: unanswerable\n\nPassage: {}\n\nQuestion: {}",
            self.passage, self.asked
        ))]
    }

    fn answer(&self) -> String {
        self.golds.first().map_or("unanswerable", String::as_str).to_owned()
    }

    fn prompt(&self) -> String {
        format!("Passage: {}\nQuestion: {}\nAnswer:", self.passage, self.asked)
    }

    fn continuation(&self) -> String {
        format!(" {}", self.answer())
    }

    fn reference(&self) -> Value {
        json!({ "kind": "qa", "question": self.asked, "golds": self.golds })
    }

    fn score(&self, answer: &str) -> Vec<Score> {
        let (em, f1) = squad::best(&self.golds, answer);
        let mapped = without_refusal(answer);
        let (em_mapped, f1_mapped) = squad::best(&self.golds, mapped);
        let note = if mapped == answer { "" } else { "a refusal, read as no answer" };
        vec![
            score("qa_em", em, ""),
            score("qa_f1", f1, ""),
            score("qa_em_mapped", em_mapped, note),
            score("qa_f1_mapped", f1_mapped, note),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(golds: &[&str]) -> Question {
        let answers: Vec<Value> = golds.iter().map(|g| json!({ "text": g, "answer_start": 0 })).collect();
        let entry = json!({ "id": "1", "question": " Who? ", "answers": answers, "is_impossible": golds.is_empty(),
                            "plausible_answers": [{ "text": "Otto", "answer_start": 0 }] });
        question("squad", &Rc::from("Anna did."), &entry).unwrap()
    }

    fn values(q: &Question, answer: &str) -> Vec<f64> {
        q.score(answer).iter().map(|s| s.value).collect()
    }

    #[test]
    fn raw_and_mapped_scores_differ_only_for_refusals() {
        let unanswerable = asked(&[]);
        assert_eq!(values(&unanswerable, "Unanswerable."), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(values(&unanswerable, ""), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(values(&unanswerable, "Otto"), [0.0, 0.0, 0.0, 0.0], "a plausible answer is wrong");
        let answerable = asked(&["Anna", "the smith Anna"]);
        assert_eq!(values(&answerable, "the smith Anna"), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(values(&answerable, "I don't know."), [0.0; 4]);
    }

    #[test]
    fn refusals_are_whole_answers_or_begin_with_the_word_asked_for() {
        for refusal in [
            "unanswerable",
            "**Unanswerable**",
            "N/A",
            "The passage does not say.",
            "Unanswerable. It says nothing.",
        ] {
            assert_eq!(without_refusal(refusal), "", "{refusal}");
        }
        for answer in
            ["No answer came from the king", "an unanswerable riddle", "Unknown Pleasures", "none", "no"]
        {
            assert_eq!(without_refusal(answer), answer);
        }
        assert!(REFUSALS.iter().all(|r| squad::normalise(r) == *r), "the list holds normalised texts");
    }

    #[test]
    fn an_entry_without_its_fields_is_no_question() {
        let passage = Rc::from("p");
        for entry in [
            json!({}),
            json!({ "id": "1", "question": "q" }),
            json!({ "id": "1", "question": "q", "answers": [{}] }),
        ] {
            assert!(question("squad", &passage, &entry).is_none(), "{entry}");
        }
    }
}
