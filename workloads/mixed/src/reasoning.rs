//! Word problems in the GSM8K format and their scores. Must not know how problems are sampled.

use benchhost_sdk::{Message, Score};
use serde_json::{Value, json};

use crate::example::{Example, score};
use crate::number;

/// A problem and its worked solution.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    id: String,
    question: String,
    /// With the calculator marks taken out; ends with `#### <number>`.
    solution: String,
    /// As the official rule extracts it.
    gold: String,
}

/// Reads one record.
pub(crate) fn problem(label: &str, index: u32, record: &Value) -> Result<Problem, String> {
    let text = |key: &str| record[key].as_str().ok_or_else(|| format!("record {index} has no text `{key}`"));
    let solution = without_marks(text("answer")?);
    let gold = number::official(&solution)
        .filter(|gold| gold.parse::<f64>().is_ok())
        .ok_or_else(|| format!("record {index}: `answer` does not end with `#### ` and a number"))?;
    Ok(Problem {
        id: format!("{label}:{index}"),
        question: text("question")?.trim().to_owned(),
        solution,
        gold,
    })
}

/// Takes out `<<16-3-4=9>>`, which a model would copy from a shot.
fn without_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<<") {
        let Some((_, tail)) = after.split_once(">>") else { break };
        out.push_str(before);
        rest = tail;
    }
    out.push_str(rest);
    out.trim().to_owned()
}

impl Example for Problem {
    fn id(&self) -> &str {
        &self.id
    }

    fn messages(&self) -> Vec<Message> {
        vec![Message::user(format!(
            "Solve the problem step by step. End with a line of the form `#### number`.\n\n{}",
            self.question
        ))]
    }

    fn answer(&self) -> String {
        self.solution.clone()
    }

    fn prompt(&self) -> String {
        format!("Question: {}\nAnswer:", self.question)
    }

    fn continuation(&self) -> String {
        format!(" {}", self.solution)
    }

    fn reference(&self) -> Value {
        json!({ "kind": "reasoning", "question": self.question, "answer": self.gold, "solution": self.solution })
    }

    fn score(&self, answer: &str) -> Vec<Score> {
        let found = number::flexible(answer);
        let correct = found.as_ref().is_some_and(|found| number::equal(&found.number, &self.gold));
        let note =
            found.map_or("no number in the answer".into(), |f| format!("{} by {}", f.number, f.rule.name()));
        let strict = number::official(answer);
        let is_strict = strict.as_ref() == Some(&self.gold);
        vec![
            score("reasoning_correct", f64::from(u8::from(correct)), note),
            score(
                "reasoning_strict",
                f64::from(u8::from(is_strict)),
                strict.unwrap_or_else(|| "no `#### number`".into()),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_with(answer: &str) -> Result<Problem, String> {
        problem("gsm8k", 3, &json!({ "question": "How many?", "answer": answer }))
    }

    #[test]
    fn calculator_marks_are_taken_out_and_a_lone_one_is_left() {
        assert_eq!(without_marks("2*3=<<2*3=6>>6, 6+1=<<6+1=7>>7\n#### 7"), "2*3=6, 6+1=7\n#### 7");
        assert_eq!(without_marks("a << b"), "a << b");
    }

    #[test]
    fn correct_is_numeric_and_strict_is_the_official_equality() {
        let p = problem_with("so\n#### 2,125").unwrap();
        let values = |answer: &str| p.score(answer).iter().map(|s| s.value).collect::<Vec<_>>();
        assert_eq!(values("#### 2125"), [1.0, 1.0]);
        assert_eq!(values("#### 2,125.00"), [1.0, 0.0]);
        assert_eq!(values("The answer is $2,125."), [1.0, 0.0]);
        assert_eq!(values("I found 2125 apples and then 3"), [0.0, 0.0]);
        assert_eq!(values(""), [0.0, 0.0]);
        assert_eq!(p.score("The answer is $2,125.")[0].note, "2125 by `answer is`");
    }

    #[test]
    fn a_record_without_a_gold_number_is_refused_by_name() {
        assert!(problem_with("seven").unwrap_err().contains("record 3"));
        assert!(problem_with("#### .,").is_err());
        assert!(problem("gsm8k", 0, &json!({ "answer": "#### 1" })).unwrap_err().contains("`question`"));
    }
}
