//! Series of results and rankings of many sides.

use crate::random::Random;
use crate::table::{Table, percent, share};
use benchhost_stats::{Confidence, Direction, Series, change_points, rank};

pub(crate) fn tables() -> Vec<Table> {
    vec![histories(), rankings()]
}

fn histories() -> Table {
    let mut table = Table::new(
        "Change points",
        "Sixty results with a spread of 2 %, 2000 series each, level 0.001: share with any change point where there is \
         none, share that finds the step after the fortieth within two places, and mean number of change points.",
        &["step", "any", "found", "mean number"],
    );
    let mut random = Random::new(51);
    for step in [0.0, 0.02, 0.03, 0.05] {
        let (mut found, mut number) = (0_u32, 0_usize);
        let any = share(2000, || {
            let values: Vec<f64> = (0..60)
                .map(|i| (if i < 40 { 0.0 } else { step }) + 0.02 * random.normal())
                .map(|log| 100.0 * f64::exp(log))
                .collect();
            let points = change_points(&values, 0.001);
            found += u32::from(points.iter().any(|point| point.index.abs_diff(40) <= 2));
            number += points.len();
            !points.is_empty()
        });
        let (found, number) = (f64::from(found) / 2000.0, number as f64 / 2000.0);
        table.row(vec![percent(step), percent(any), percent(found), format!("{number:.2}")]);
        if step == 0.0 {
            table.promise("a series without a change has a change point in at most 6 %", any <= 0.06);
        }
        table.promise(
            "a step of 5 % is found within two places in at least 90 %",
            step < 0.04 || found >= 0.90,
        );
    }
    table
}

fn rankings() -> Table {
    let mut table = Table::new(
        "Ranking of many sides",
        "Sides of five runs with a spread of 3 %, 3000 rankings at 95 %: share in which any of equal sides is proved better \
         than another, and in which any interval misses its side's centre.",
        &["sides", "any false order", "any interval missed"],
    );
    let mut random = Random::new(52);
    for count in [2, 3, 5, 10] {
        let mut missed = 0_u32;
        let wrong = share(3000, || {
            let sides: Vec<Series> = (0..count)
                .map(|_| {
                    Series::new((0..5).map(|_| 100.0 * (0.03 * random.normal()).exp()).collect()).unwrap()
                })
                .collect();
            let order = rank(&sides, Direction::LowerIsBetter, Confidence::P95).unwrap();
            missed += u32::from(order.iter().any(|placed| !placed.interval.unwrap().contains(100.0)));
            order.iter().any(|placed| placed.best_rank > 1 || placed.worst_rank < count)
        });
        let missed = f64::from(missed) / 3000.0;
        table.row(vec![count.to_string(), percent(wrong), percent(missed)]);
        table.promise("any false order at all in at most 5 %, up to simulation error", wrong <= 0.062);
        table.promise("any missed interval in at most 5 %, up to simulation error", missed <= 0.062);
    }
    table
}
