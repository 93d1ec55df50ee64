//! Workloads that differ in one number of their labels: a sweep of sequence lengths, for instance.

use benchhost_model::{LoadPoint, SummaryRow, WorkloadFamily, workload_families};

use super::{Series, Spread, loads};
use crate::lines::clean;
use crate::metric::Metric;
use crate::numbers;

/// Why there is no heat map.
pub(crate) const NO_GRID: &str = "heat map of length by load: the runs do not cross the two";

/// Rows of a family, with their number.
pub(crate) struct Family<'a> {
    pub(crate) of: WorkloadFamily,
    pub(crate) rows: Vec<(f64, &'a SummaryRow)>,
}

/// One measured cell of number and load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FamilyCell {
    /// Place among the loads.
    pub(crate) column: usize,
    /// Place among the numbers.
    pub(crate) row: usize,
    /// Mean over repeats; `None`: measured, and nothing was completed.
    pub(crate) value: Option<f64>,
}

impl Family<'_> {
    /// `Over length`, `synthetic: over input tokens`.
    pub(crate) fn title(&self) -> String {
        clean(&self.of.title())
    }

    /// `length`, `synthetic: input tokens`.
    pub(crate) fn name(&self) -> String {
        if self.of.name == self.of.axis {
            clean(&self.of.axis)
        } else {
            clean(&format!("{}: {}", self.of.name, self.of.axis))
        }
    }

    /// What the number counts.
    pub(crate) fn axis(&self) -> String {
        clean(&self.of.axis)
    }

    /// The different numbers, rising.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        let mut numbers: Vec<f64> = self.rows.iter().map(|(n, _)| *n).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        numbers
    }

    /// The different loads, rising.
    pub(crate) fn loads(&self) -> Vec<LoadPoint> {
        loads(&self.rows.iter().map(|(_, r)| *r).collect::<Vec<_>>())
    }

    /// Labels such as `128x64` where they differ in more than the number.
    pub(crate) fn label(&self, number: f64) -> String {
        let member = self.of.members.iter().find(|(n, _)| n.total_cmp(&number).is_eq());
        let rest = member.and_then(|(_, label)| label.rsplit_once('-')).map(|(_, rest)| rest);
        rest.filter(|r| r.starts_with(|c: char| c.is_ascii_digit()))
            .map_or_else(|| numbers::exact(number), clean)
    }

    /// The rows of one configuration at one cell.
    pub(crate) fn at<'r>(
        &self,
        series: &Series<'r>,
        load: LoadPoint,
        number: f64,
    ) -> impl Iterator<Item = &'r SummaryRow> {
        series
            .at(load)
            .filter(move |r| self.of.number(&r.workload).is_some_and(|n| n.total_cmp(&number).is_eq()))
    }

    /// Every measured cell of one configuration.
    pub(crate) fn cells(&self, series: &Series<'_>, metric: Metric) -> Vec<FamilyCell> {
        let mut cells = Vec::new();
        for (row, number) in self.numbers().into_iter().enumerate() {
            for (column, load) in self.loads().into_iter().enumerate() {
                let mut own = self.at(series, load, number).peekable();
                if own.peek().is_some() {
                    let value = Spread::of(own.map(metric.pick)).map(|s| s.mean);
                    cells.push(FamilyCell { column, row, value });
                }
            }
        }
        cells
    }
}

/// The families of `rows` with at least two members.
pub(crate) fn families<'a>(rows: &[&'a SummaryRow]) -> Vec<Family<'a>> {
    workload_families(rows.iter().map(|r| r.workload.as_str()))
        .into_iter()
        .map(|of| Family {
            rows: rows.iter().filter_map(|r| Some((of.number(&r.workload)?, *r))).collect(),
            of,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{all_failed, row};
    use crate::metric::OUT_TOK_S;
    use crate::series::series_of;

    #[test]
    fn a_cell_that_was_not_measured_is_none_and_one_without_answers_is_empty() {
        let of = |workload: &str, row: SummaryRow| SummaryRow { workload: workload.into(), ..row };
        let rows = [
            of("in-64x8", row("vllm", "a", 1)),
            of("in-64x8", row("vllm", "a", 8)),
            of("in-128x8", all_failed("vllm", "a", 8)),
            of("other", row("vllm", "a", 8)),
        ];
        let rows: Vec<&SummaryRow> = rows.iter().collect();
        let families = families(&rows);
        assert_eq!(families.len(), 1);
        let cells = families[0].cells(&series_of(&rows)[0], OUT_TOK_S);
        let places: Vec<(usize, usize, bool)> =
            cells.iter().map(|c| (c.column, c.row, c.value.is_some())).collect();
        assert_eq!(places, [(0, 0, true), (1, 0, true), (1, 1, false)]);
        assert_eq!(families[0].label(128.0), "128x8");
    }
}
