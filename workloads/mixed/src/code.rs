//! Functions to complete, in the HumanEval format. Answers are not run here: the tests travel as the reference. Must not
//! know how tasks are sampled.

use benchhost_sdk::Message;
use serde_json::{Value, json};

use crate::example::Example;

/// A function with its head and its doc string, a solution and tests.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    id: String,
    prompt: String,
    entry_point: String,
    solution: String,
    test: String,
}

/// Reads one record.
pub(crate) fn task(label: &str, index: u32, record: &Value) -> Result<Task, String> {
    let text = |key: &str| {
        record[key].as_str().map(str::to_owned).ok_or_else(|| format!("record {index} has no text `{key}`"))
    };
    Ok(Task {
        id: format!("{label}:{}", text("task_id")?),
        prompt: text("prompt")?,
        entry_point: text("entry_point")?,
        solution: text("canonical_solution")?,
        test: text("test")?,
    })
}

impl Example for Task {
    fn id(&self) -> &str {
        &self.id
    }

    fn messages(&self) -> Vec<Message> {
        vec![Message::user(format!(
            "Complete this Python function. Reply with the whole function and its imports in one fenced code block, and \
             nothing else.\n\n```python\n{}\n```",
            self.prompt.trim_end()
        ))]
    }

    fn answer(&self) -> String {
        format!("```python\n{}{}\n```", self.prompt, self.solution.trim_end())
    }

    fn prompt(&self) -> String {
        self.prompt.clone()
    }

    fn continuation(&self) -> String {
        self.solution.clone()
    }

    fn reference(&self) -> Value {
        json!({
            "kind": "code",
            "prompt": self.prompt,
            "entry_point": self.entry_point,
            "test": self.test,
            "canonical_solution": self.solution,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_travel_and_the_prompt_is_sent_as_it_is() {
        let record = json!({ "task_id": "T/1", "prompt": "def f():\n    \"\"\"One.\"\"\"\n", "entry_point": "f",
                             "canonical_solution": "    return 1\n", "test": "def check(c):\n    assert c() == 1\n" });
        let t = task("humaneval", 0, &record).unwrap();
        assert_eq!(t.id(), "humaneval:T/1");
        assert_eq!(t.prompt(), record["prompt"].as_str().unwrap());
        assert_eq!(t.reference()["test"], record["test"]);
        assert_eq!(t.answer(), "```python\ndef f():\n    \"\"\"One.\"\"\"\n    return 1\n```");
        assert!(task("humaneval", 2, &json!({ "task_id": "T/2" })).unwrap_err().contains("`prompt`"));
    }
}
