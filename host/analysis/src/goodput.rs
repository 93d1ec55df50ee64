//! How many requests kept all objectives, and how many a second. Knows rows, objectives and windows.

use benchhost_model::{ObjectiveCounts, Outcome, SummaryRow};

use crate::kept::Kept;
use crate::objective::{Objective, Standing};
use crate::point::Point;
use crate::window::Windows;

/// Fills in outcomes by objective, attainment and goodput; nothing where no objective was given.
///
/// The population of attainment is every measured request but those whose users left by plan: failures and what was
/// never sent are in it. Goodput counts good answers that ended in the window and tokens of good answers that arrived in
/// it, whenever they were due, as throughput does, so that it never exceeds it.
pub(crate) fn fill(row: &mut SummaryRow, point: &Point, windows: &Windows, objectives: &[Objective]) {
    if objectives.is_empty() {
        return;
    }
    let load = point.key().load;
    let mut counts: Vec<ObjectiveCounts> = objectives
        .iter()
        .map(|o| ObjectiveCounts {
            objective: o.to_string(),
            by: o.by(load).to_owned(),
            ..ObjectiveCounts::default()
        })
        .collect();
    let (mut population, mut good) = (0_u64, 0_u64);
    for request in point.rows.iter().filter(|r| r.measured() && r.outcome != Outcome::HungUp) {
        population += 1;
        let mut all = true;
        for (objective, counts) in objectives.iter().zip(&mut counts) {
            let standing = objective.standing(request, load);
            all &= kept(standing);
            *match standing {
                Standing::Met => &mut counts.met,
                Standing::Missed => &mut counts.missed,
                Standing::Vacuous => &mut counts.vacuous,
                Standing::Lost => &mut counts.lost,
            } += 1;
        }
        good += u64::from(all);
    }
    row.objectives = counts;
    row.slo_attainment = (population > 0).then(|| good as f64 / population as f64);
    if let Some(window) = windows.headline() {
        let declared = windows.declared.is_some();
        let good = |r: &&Kept| {
            r.completed()
                && (declared || r.measured())
                && objectives.iter().all(|o| kept(o.standing(r, load)))
        };
        let good: Vec<&Kept> = point.rows.iter().filter(good).collect();
        let answers =
            good.iter().filter(|r| !declared || r.last().is_some_and(|at| window.contains(at))).count();
        row.goodput_req_s = Some(answers as f64 / window.seconds());
        let tokens = if declared {
            (!point.flow.unknown).then(|| good.iter().map(|r| r.inside).sum::<f64>())
        } else {
            good.iter().map(|r| r.output().map(f64::from)).sum()
        };
        row.goodput_tok_s = tokens.map(|n| n / window.seconds());
    }
}

/// A latency that cannot exist is no reason to call a request bad; one that should exist and does not is.
const fn kept(standing: Standing) -> bool {
    matches!(standing, Standing::Met | Standing::Vacuous)
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{LoadPoint, Nanos, Phase, PointFacts, Record};

    const MS: u64 = 1_000_000;

    fn answered(send: u64, ttft: u64, tokens: u32) -> Record {
        let at = |ms: u64| Some(Nanos::new(ms * MS));
        Record {
            outcome: Outcome::Completed,
            t_sched_ns: Nanos::new(send * MS),
            t_send_ns: at(send),
            t_first_ns: at(send + ttft),
            t_last_ns: at(send + ttft + 10 * (u64::from(tokens) - 1)),
            output_tokens: Some(tokens),
            n_first_tokens: Some(1),
            events: tokens,
            ..Record::blank()
        }
    }

    fn filled(records: &[Record], objectives: &[&str], declared: bool) -> SummaryRow {
        let facts = PointFacts {
            measured_from_ns: declared.then_some(0),
            measured_until_ns: declared.then_some(1000 * MS),
            ..PointFacts::default()
        };
        let mut point = Point::new(&records[0], Some(facts));
        for record in records {
            point.push(record, None, 0);
        }
        let objectives: Vec<Objective> = objectives.iter().map(|o| o.parse().unwrap()).collect();
        let mut row = SummaryRow::blank(LoadPoint::Concurrency(1));
        fill(&mut row, &point, &Windows::of(&point), &objectives);
        row
    }

    #[test]
    fn the_four_outcomes_and_the_share_by_hand() {
        let records = [
            answered(0, 50, 11),
            answered(100, 150, 11),
            answered(200, 50, 1),
            Record { outcome: Outcome::Failed, ..answered(300, 50, 11) },
            Record { outcome: Outcome::Shed, t_send_ns: None, ..answered(400, 50, 11) },
            Record { outcome: Outcome::HungUp, ..answered(500, 50, 11) },
            Record { phase: Phase::Warmup, ..answered(600, 50, 11) },
        ];
        let row = filled(&records, &["ttft=100ms", "tpot=10ms"], true);
        let told: Vec<_> = row.objectives.iter().map(|o| (o.met, o.missed, o.vacuous, o.lost)).collect();
        assert_eq!(told, [(2, 1, 0, 2), (2, 0, 1, 2)]);
        // The first and the third of five; of them and the warm-up all ended within the second.
        assert_eq!(row.slo_attainment, Some(0.4));
        assert_eq!((row.goodput_req_s, row.goodput_tok_s), (Some(3.0), Some(23.0)));
    }

    #[test]
    fn without_a_window_measured_requests_over_the_makespan_count() {
        let records = [
            answered(0, 50, 11),
            answered(350, 50, 11),
            Record { phase: Phase::Warmup, ..answered(0, 5, 1) },
        ];
        let row = filled(&records, &["ttft=100ms"], false);
        assert_eq!(
            (row.slo_attainment, row.goodput_req_s, row.goodput_tok_s),
            (Some(1.0), Some(4.0), Some(44.0))
        );
    }

    #[test]
    fn no_objective_is_no_goodput() {
        let row = filled(&[answered(0, 50, 11)], &[], true);
        assert_eq!((row.slo_attainment, row.goodput_req_s, row.objectives.len()), (None, None, 0));
    }
}
