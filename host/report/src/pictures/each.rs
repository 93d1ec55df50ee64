//! Which figures a kind of picture comes in: one a workload, or one a workload and kind of load. Knows rows and names; draws
//! nothing.

use benchhost_model::SummaryRow;

use super::{Picture, Svg, file_name};
use crate::series::distinct;

/// One figure, named `WHAT-WORKLOAD`, for each workload for whose rows `draw` makes one.
pub(super) fn each_workload<'r>(
    rows: &[&'r SummaryRow],
    what: &str,
    draw: impl Fn(&[&'r SummaryRow]) -> Option<Svg>,
) -> Vec<Picture> {
    let mut made: Vec<Picture> = Vec::new();
    for workload in distinct(rows, |r| r.workload.as_str()) {
        let own: Vec<&SummaryRow> = rows.iter().copied().filter(|r| r.workload == workload).collect();
        if let Some(svg) = draw(&own) {
            made.push(Picture { name: file_name(&format!("{what} {workload}"), &made), svg });
        }
    }
    made
}

/// The same for each kind of load of each workload, which stands in the name where a workload has several.
pub(super) fn each_kind_of_load<'r>(
    rows: &[&'r SummaryRow],
    what: &str,
    draw: impl Fn(&[&'r SummaryRow]) -> Option<Svg>,
) -> Vec<Picture> {
    let mut made: Vec<Picture> = Vec::new();
    for workload in distinct(rows, |r| r.workload.as_str()) {
        let of_workload: Vec<&SummaryRow> = rows.iter().copied().filter(|r| r.workload == workload).collect();
        let kinds = distinct(&of_workload, |r| r.load.kind());
        for kind in &kinds {
            let own: Vec<&SummaryRow> =
                of_workload.iter().copied().filter(|r| r.load.kind() == *kind).collect();
            let suffix = if kinds.len() > 1 { *kind } else { "" };
            if let Some(svg) = draw(&own) {
                made.push(Picture { name: file_name(&format!("{what} {workload} {suffix}"), &made), svg });
            }
        }
    }
    made
}
