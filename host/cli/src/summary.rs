//! From the files of a run to its summary: streams rows into the analysis, and answers what it asks of the GPUs. `run` and
//! `report` both come here, so a figure can always be recomputed. Every figure itself is the analysis's.

use benchhost_analysis::{Collector, EventTimes, GpuFigures, Objective, Options, PointFacts};
use benchhost_model::{Record, SummaryRow};
use benchhost_telemetry::gpu::{self, GpuSample};

use crate::store::{EventBlock, Layout, TelemetryRow};

/// The rows of a run on their way to figures; holds no row itself.
#[derive(Debug)]
pub(crate) struct Summing {
    collector: Collector,
    /// Of one row, kept for its memory.
    censored: Vec<bool>,
}

impl Summing {
    /// `facts` are the journal's.
    pub(crate) fn new(options: Options, facts: Vec<PointFacts>) -> Self {
        Self { collector: Collector::new(options, facts), censored: Vec::new() }
    }

    /// Takes a row, and its output events if they were kept.
    pub(crate) fn push(&mut self, record: &Record, events: Option<&EventBlock>) {
        self.censored.clear();
        if let Some(block) = events {
            self.censored.extend(block.sharing.iter().map(|s| s.is_doubtful()));
        }
        let times = events.map(|block| EventTimes {
            at: &block.gaps,
            tokens: &block.tokens,
            censored: &self.censored,
        });
        self.collector.push(record, times);
    }

    /// One row for each engine, variant, workload, load point and repeat, in order of appearance.
    pub(crate) fn finish(self, telemetry: &[TelemetryRow]) -> Vec<SummaryRow> {
        let samples = gpu_samples(telemetry);
        let mut rows = self.collector.finish(&mut |from, to| gpu_figures(&samples, from, to));
        crate::gauges::fill(&mut rows, telemetry);
        rows
    }
}

/// The objectives of a run, as its stored plan has them; none where it has none or is not there.
pub(crate) fn objectives(layout: &Layout) -> Vec<Objective> {
    let plan = std::fs::read_to_string(layout.plan()).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let list = plan.as_ref().and_then(|p| p.get("slo")).and_then(toml::Value::as_array);
    let texts = list.into_iter().flatten().filter_map(toml::Value::as_str);
    texts.filter_map(|text| text.parse().ok()).collect()
}

/// What the GPUs did between two times, by their samples.
pub(crate) fn gpu_figures(samples: &[GpuSample], from: u64, to: u64) -> GpuFigures {
    GpuFigures {
        peak_mib: gpu::peak_memory_bytes(samples, from, to).total.map(|b| b as f64 / 1_048_576.0),
        power_w: gpu::mean_power_watts(samples, from, to).total.map(|p| p.watts),
        energy_j: gpu::energy_joules(samples, from, to).total.map(|e| e.joules),
    }
}

/// The samples of GPUs among the rows of telemetry.
pub(crate) fn gpu_samples(rows: &[TelemetryRow]) -> Vec<GpuSample> {
    rows.iter()
        .filter_map(|row| {
            let gpu = row.source.strip_prefix("gpu")?.parse().ok()?;
            Some(GpuSample {
                t_ns: row.t_ns,
                gpu,
                memory_used_bytes: row.memory_used_bytes,
                utilization_percent: row.utilization_percent,
                power_milliwatts: row.power_milliwatts,
                energy_millijoules: row.energy_millijoules,
                temperature_celsius: row.temperature_celsius,
                ..GpuSample::default()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sharing;
    use benchhost_model::Outcome;

    #[test]
    fn censored_events_reach_the_analysis() {
        let record =
            Record { row: 1, outcome: Outcome::Completed, output_tokens: Some(4), ..Record::blank() };
        let block = EventBlock {
            row: 1,
            gaps: vec![5, 1, 2, 3],
            kinds: "aaaa".into(),
            sharing: vec![Sharing::Alone, Sharing::Together, Sharing::Censored, Sharing::Alone],
            ..EventBlock::default()
        };
        let mut summing = Summing::new(Options::default(), Vec::new());
        summing.push(&record, Some(&block));
        let row = summing.finish(&[]).remove(0);
        assert_eq!((row.icl.n, row.icl.censored), (1, Some(2)));
    }

    #[test]
    fn objectives_stand_in_the_stored_plan() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        assert!(objectives(&layout).is_empty());
        std::fs::write(layout.plan(), "slo = [\"ttft=500ms\", \"tpot=0.05s\"]\n").unwrap();
        let told: Vec<String> = objectives(&layout).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["ttft=500ms", "tpot=50ms"]);
    }
}
