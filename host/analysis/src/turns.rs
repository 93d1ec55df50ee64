//! Figures by turn of dialogues: later turns find more of their prompt in the cache. Knows rows.

use benchhost_model::TurnFigures;

use crate::distribution::of_requests;
use crate::kept::Kept;
use crate::latencies::values;

/// Turns told one by one; a dialogue may have any number.
const MOST_TURNS: u32 = 64;

/// One entry for each turn; empty where all requests are first turns. `rows` in the order of their sending.
pub(crate) fn turns(rows: &[Kept]) -> Vec<TurnFigures> {
    let last = rows.iter().filter(|r| r.measured()).map(|r| r.turn).max().unwrap_or(0);
    if last == 0 {
        return Vec::new();
    }
    (0..=last.min(MOST_TURNS - 1)).map(|turn| of_turn(rows, turn)).collect()
}

fn of_turn(rows: &[Kept], turn: u32) -> TurnFigures {
    let done = |get: fn(&Kept) -> Option<f64>| values(rows, |r| r.turn == turn && r.completed(), get);
    let mean =
        |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    TurnFigures {
        turn,
        requests: rows.iter().filter(|r| r.measured() && r.turn == turn).count() as u64,
        ttft: of_requests(done(Kept::ttft), None),
        e2e: of_requests(done(Kept::e2e), None),
        input_tokens_mean: mean(&done(|r| r.input().map(f64::from))),
        cached_tokens_mean: mean(&done(|r| r.cached().map(f64::from))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{Nanos, Outcome, Record};

    #[test]
    fn turns_are_told_apart_and_lone_requests_are_not_dialogues() {
        let row = |turn: u32, ttft: u64| {
            Kept::of(&Record {
                outcome: Outcome::Completed,
                turn,
                t_send_ns: Some(Nanos::ZERO),
                t_first_ns: Some(Nanos::new(ttft * 1_000_000)),
                input_tokens: Some(100 * (turn + 1)),
                cached_tokens: Some(90 * turn),
                ..Record::blank()
            })
        };
        let rows: Vec<Kept> = (0..20).map(|i| row(i % 2, 50 - 30 * u64::from(i % 2))).collect();
        let turns = turns(&rows);
        let told: Vec<_> = turns
            .iter()
            .map(|t| (t.turn, t.requests, t.ttft.p50, t.input_tokens_mean, t.cached_tokens_mean))
            .collect();
        assert_eq!(
            told,
            [(0, 10, Some(50.0), Some(100.0), Some(0.0)), (1, 10, Some(20.0), Some(200.0), Some(90.0))]
        );
        assert!(super::turns(&[row(0, 1)]).is_empty());
        assert_eq!(super::turns(&[row(u32::MAX, 1)]).len(), 64);
    }
}
