//! The studies as a table.

use benchhost_model::Findings;

use super::words::shape;
use crate::lines::clean;
use crate::numbers::{NOTHING, exact, figure, percent};

/// A cell: its text, and its number where it has one to sort by.
pub(crate) type Cell = (String, Option<f64>);

/// Heads and rows: one row a configuration, workload and axis.
pub(crate) fn findings_table(findings: &Findings) -> (Vec<&'static str>, Vec<Vec<Cell>>) {
    let heads = vec![
        "Configuration",
        "Experiment",
        "Axis",
        "Range",
        "Throughput",
        "Optimal point",
        "Gain per doubling falls below 50 %",
        "Shape",
        "Stands out",
    ];
    let text = |t: String| (t, None);
    let rows = findings.studies.iter().map(|s| {
        let step =
            s.bend.map(|b| format!("{} → {} ({})", exact(b.from), exact(b.to), percent(b.per_doubling)));
        let dents = s.dents.as_ref().map(|d| match d.as_slice() {
            [] => "none".to_owned(),
            all => all.iter().map(|d| exact(d.at)).collect::<Vec<_>>().join(", "),
        });
        vec![
            text(clean(&s.subject)),
            text(clean(&s.workload)),
            text(clean(&s.axis)),
            (format!("{}–{}", exact(s.range[0]), exact(s.range[1])), Some(s.range[1])),
            (
                format!("{}–{} {}", figure(s.lowest.value), figure(s.highest.value), s.unit),
                Some(s.highest.value),
            ),
            (
                format!(
                    "{} ({}{})",
                    exact(s.optimal.at),
                    figure(s.optimal.value),
                    if s.by_goodput { " requests/s goodput" } else { "" }
                ),
                Some(s.optimal.at),
            ),
            (step.unwrap_or_else(|| NOTHING.to_owned()), s.bend.map(|b| b.from)),
            text(shape(s.shape).to_owned()),
            text(dents.unwrap_or_else(|| "not resolved".to_owned())),
        ]
    });
    (heads, rows.collect())
}
