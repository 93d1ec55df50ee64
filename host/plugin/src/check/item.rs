//! Items and scores of workloads.

use benchhost_model::{Item, Score, Turn, TurnInput, WorkloadInfo};

use crate::check::names::{distinct, quoted};
use crate::check::{Checked, ensure, json};

/// Most turns of an item.
const TURNS: usize = 1024;
/// Longest id of an item, in bytes; it becomes a cell of every row.
const ID_BYTES: usize = 256;

/// Checks one item of the workload `info`.
pub(crate) fn item(item: &Item, info: &WorkloadInfo) -> Checked {
    ensure(
        !item.id.is_empty() && item.id.len() <= ID_BYTES && !item.id.chars().any(char::is_control),
        || {
            format!(
                "id {} is empty, longer than {ID_BYTES} bytes or has control characters",
                quoted(&item.id)
            )
        },
    )?;
    ensure(item.category.is_empty() || info.categories.contains(&item.category), || {
        format!("category {} was not declared", quoted(&item.category))
    })?;
    ensure(!item.turns.is_empty(), || "there are no turns".to_owned())?;
    ensure(item.turns.len() <= TURNS, || format!("there are more than {TURNS} turns"))?;
    json("reference", &item.reference)?;
    for (index, turn) in item.turns.iter().enumerate() {
        check_turn(turn).map_err(|e| format!("turn {index}: {e}"))?;
    }
    Ok(())
}

fn check_turn(turn: &Turn) -> Checked {
    let filled = match &turn.input {
        TurnInput::Messages(messages) => !messages.is_empty(),
        TurnInput::Text(text) => !text.is_empty(),
        TurnInput::Tokens(ids) => !ids.is_empty(),
        TurnInput::Raw(body) => {
            json("raw input", body)?;
            !body.is_empty()
        }
    };
    ensure(filled, || "it adds nothing to the conversation".to_owned())?;
    ensure(turn.max_tokens != Some(0), || "max-tokens is 0".to_owned())?;
    ensure(!turn.exact || turn.max_tokens.is_some(), || "an exact length without max-tokens".to_owned())?;
    ensure(turn.stop.iter().all(|s| !s.is_empty()), || "an empty stop text".to_owned())
}

/// Checks the scores of one answer.
pub(crate) fn scores(scores: &[Score], info: &WorkloadInfo) -> Checked {
    distinct("score", scores.iter().map(|s| s.name.as_str()))?;
    for score in scores {
        ensure(info.scores.iter().any(|s| s.name == score.name), || {
            format!("score {} was not declared", quoted(&score.name))
        })?;
        ensure(score.value.is_finite(), || format!("score {} is {}", quoted(&score.name), score.value))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use benchhost_model::{Message, ScoreSpec};

    use super::*;

    fn info() -> WorkloadInfo {
        WorkloadInfo {
            name: "w".into(),
            version: "0.1.0".into(),
            summary: "Items.".into(),
            categories: vec!["maths".into()],
            slots: vec![],
            options: vec![],
            scores: vec![ScoreSpec { name: "exact".into(), higher_is_better: true, help: String::new() }],
            needs_tokens: false,
        }
    }

    fn turn() -> Turn {
        Turn {
            input: TurnInput::Messages(vec![Message { role: "user".into(), content: "hi".into() }]),
            recorded_answer: None,
            delay_ms: 0,
            max_tokens: None,
            exact: false,
            stop: vec![],
            input_tokens: None,
        }
    }

    fn good() -> Item {
        Item {
            id: "1".into(),
            category: "maths".into(),
            turns: vec![turn()],
            reference: String::new(),
            arrival_us: None,
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        assert_eq!(item(&good(), &info()), Ok(()));
        let turns = |change: fn(&mut Turn)| {
            let mut turn = turn();
            change(&mut turn);
            vec![turn]
        };
        let cases = vec![
            ("id", Item { id: String::new(), ..good() }),
            ("category `chemistry`", Item { category: "chemistry".into(), ..good() }),
            ("no turns", Item { turns: vec![], ..good() }),
            ("reference is not JSON", Item { reference: "42,".into(), ..good() }),
            (
                "turn 0: it adds nothing",
                Item { turns: turns(|t| t.input = TurnInput::Tokens(vec![])), ..good() },
            ),
            ("turn 0: max-tokens", Item { turns: turns(|t| t.max_tokens = Some(0)), ..good() }),
            ("turn 0: an exact length", Item { turns: turns(|t| t.exact = true), ..good() }),
            ("turn 0: an empty stop", Item { turns: turns(|t| t.stop = vec![String::new()]), ..good() }),
            (
                "raw input is not JSON",
                Item { turns: turns(|t| t.input = TurnInput::Raw("x".into())), ..good() },
            ),
        ];
        for (message, bad) in cases {
            let error = item(&bad, &info()).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn scores_are_declared_finite_and_single() {
        let score = |name: &str, value| Score { name: name.into(), value, note: String::new() };
        assert_eq!(scores(&[score("exact", 1.0)], &info()), Ok(()));
        assert!(scores(&[score("other", 1.0)], &info()).unwrap_err().contains("was not declared"));
        assert!(scores(&[score("exact", f64::NAN)], &info()).unwrap_err().contains("NaN"));
        assert!(scores(&[score("exact", 1.0), score("exact", 0.0)], &info()).unwrap_err().contains("twice"));
    }
}
