//! Summary rows from recorded rows alone: `run` and `report` both come here, so a figure can always be recomputed.

use std::collections::{BTreeMap, HashMap};

use benchhost_model::{Distribution, Nanos, Outcome, OutcomeCounts, Phase, Record, SummaryRow};
use benchhost_stats::{Quantile, Sample, WeightedSample};
use benchhost_telemetry::gpu::{self, GpuSample};

use crate::store::{EventsRow, TelemetryRow};

/// What a summary is made of.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) records: &'a [Record],
    pub(crate) events: &'a HashMap<u64, EventsRow>,
    pub(crate) telemetry: &'a [TelemetryRow],
    pub(crate) gpu_price_usd_per_hour: Option<f64>,
}

/// One row for each engine, variant, workload, load point and repeat, in order of appearance.
pub(crate) fn summarize(evidence: &Evidence<'_>) -> Vec<SummaryRow> {
    let mut order: Vec<Key<'_>> = Vec::new();
    let mut groups: HashMap<Key<'_>, Vec<&Record>> = HashMap::new();
    for record in evidence.records.iter().filter(|r| r.phase == Phase::Measured) {
        let key = Key::of(record);
        let group = groups.entry(key).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(record);
    }
    let samples = gpu_samples(evidence.telemetry);
    order
        .iter()
        .filter_map(|key| groups.get(key).map(|group| summarize_group(group, evidence, &samples)))
        .collect()
}

/// What tells points apart. The load is compared by its text: rates are written, not computed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    run_id: &'a str,
    engine: &'a str,
    variant: &'a str,
    model: &'a str,
    workload: &'a str,
    load: (u8, u64),
    repeat: u32,
}

impl<'a> Key<'a> {
    fn of(r: &'a Record) -> Self {
        Self {
            run_id: &r.run_id,
            engine: &r.engine,
            variant: &r.variant,
            model: &r.model,
            workload: &r.workload,
            load: r.load.key(),
            repeat: r.repeat,
        }
    }
}

fn summarize_group(group: &[&Record], evidence: &Evidence<'_>, samples: &[GpuSample]) -> SummaryRow {
    let first = group[0];
    let done: Vec<&Record> = group.iter().copied().filter(|r| r.outcome == Outcome::Completed).collect();
    let window = makespan(&done);
    let seconds = window.map(|(from, to)| (to - from).as_secs()).filter(|s| *s > 0.0);
    let sum = |get: fn(&Record) -> Option<u32>| -> Option<u64> {
        if done.is_empty() {
            return None;
        }
        done.iter().map(|r| get(r).map(u64::from)).sum()
    };
    let (input_tokens, output_tokens) = (sum(|r| r.input_tokens), sum(|r| r.output_tokens));
    let rate = |count: Option<u64>| Some(count? as f64 / seconds?);
    let over = |get: fn(&Record) -> Option<f64>| distribution(done.iter().filter_map(|r| get(r)).collect());
    let (failures, failure_examples) = failures(group);
    let gpu = GpuFigures::over(samples, span(group));
    SummaryRow {
        run_id: first.run_id.clone(),
        engine: first.engine.clone(),
        variant: first.variant.clone(),
        model: first.model.clone(),
        target: first.target,
        workload: first.workload.clone(),
        load: first.load,
        repeat: first.repeat,
        counts: counts(group),
        failures,
        failure_examples,
        duration_s: seconds,
        req_s: rate(Some(done.len() as u64).filter(|n| *n > 0)),
        out_tok_s: rate(output_tokens),
        total_tok_s: rate(input_tokens.zip(output_tokens).map(|(i, o)| i.saturating_add(o))),
        input_tokens,
        output_tokens,
        ttft: over(|r| r.ttft_ms),
        ttft_sched: over(|r| r.ttft_sched_ms),
        tpot: over(|r| r.tpot_ms),
        itl: itl(&done, evidence.events),
        e2e: over(|r| r.e2e_ms),
        decode_tok_s_p50: over(decode_rate).p50,
        retried: group.iter().filter(|r| r.attempts > 1).count() as u64,
        length_mismatches: done.iter().filter(|r| is_mismatch(r)).count() as u64,
        gpu_mem_peak_mib: gpu.peak_mib,
        gpu_power_mean_w: gpu.power_w,
        gpu_energy_j: gpu.energy_j,
        usd_per_mtok_out: cost(evidence.gpu_price_usd_per_hour, rate(output_tokens)),
        scores: mean_scores(&done),
    }
}

/// First send to last output event of completed requests.
fn makespan(done: &[&Record]) -> Option<(Nanos, Nanos)> {
    let from = done.iter().filter_map(|r| r.t_send_ns).min()?;
    let to = done.iter().filter_map(|r| r.t_last_ns).max()?;
    Some((from, to))
}

/// From the first schedule to the last end of all requests, failed ones included: the GPU worked for those too.
fn span(group: &[&Record]) -> (u64, u64) {
    let from = group.iter().map(|r| r.t_sched_ns.get()).min().unwrap_or(0);
    let to = group.iter().filter_map(|r| r.t_end_ns).map(Nanos::get).max().unwrap_or(from);
    (from, to)
}

fn counts(group: &[&Record]) -> OutcomeCounts {
    let of = |outcome| group.iter().filter(|r| r.outcome == outcome).count() as u64;
    OutcomeCounts {
        scheduled: group.len() as u64,
        completed: of(Outcome::Completed),
        failed: of(Outcome::Failed),
        cut: of(Outcome::Cut),
        shed: of(Outcome::Shed),
        unbuildable: of(Outcome::Unbuildable),
    }
}

fn failures(group: &[&Record]) -> (BTreeMap<String, u64>, BTreeMap<String, String>) {
    let mut counts = BTreeMap::new();
    let mut examples = BTreeMap::new();
    for record in group {
        let kind = match (record.outcome, record.failure) {
            (_, Some(failure)) => failure.to_string(),
            (Outcome::Unbuildable, None) => "unbuildable".to_owned(),
            _ => continue,
        };
        examples.entry(kind.clone()).or_insert_with(|| record.failure_detail.clone());
        *counts.entry(kind).or_insert(0) += 1;
    }
    (counts, examples)
}

/// Mean and the quantiles that the number of values supports.
fn distribution(values: Vec<f64>) -> Distribution {
    let Ok(sample) = Sample::new(values) else { return Distribution::default() };
    let at = |q: Quantile| sample.quantile(q).ok();
    Distribution {
        n: sample.len() as u64,
        mean: Some(sample.mean()),
        p50: at(Quantile::P50),
        p90: at(Quantile::P90),
        p99: at(Quantile::P99),
    }
}

/// Inter-token latency over tokens: each gap between output events counts once for each token it brought. Needs the
/// tokens of every event, or one token an event; requests without either are left out, and if none is left there is no
/// figure. Token counts are the server's word, so they stay weights: a claim of a billion tokens costs nothing, and
/// which quantiles are supported is decided by the gaps that were seen.
fn itl(done: &[&Record], events: &HashMap<u64, EventsRow>) -> Distribution {
    let mut gaps = Vec::new();
    for record in done {
        let Some(row) = events.get(&record.row) else { continue };
        let one_each = record.output_tokens.is_some_and(|n| n as usize == row.t.len());
        for (index, gap) in row.t.iter().enumerate().skip(1) {
            let tokens = match row.n.get(index) {
                Some(n) => *n,
                None if one_each => 1,
                None => break,
            };
            let each = *gap as f64 / benchhost_model::NS_PER_MS / f64::from(tokens.max(1));
            gaps.push((each, u64::from(tokens)));
        }
    }
    let Ok(sample) = WeightedSample::new(gaps) else { return Distribution::default() };
    let at = |q: Quantile| sample.quantile(q).ok();
    Distribution {
        n: sample.total(),
        mean: Some(sample.mean()),
        p50: at(Quantile::P50),
        p90: at(Quantile::P90),
        p99: at(Quantile::P99),
    }
}

fn decode_rate(r: &Record) -> Option<f64> {
    let seconds = (r.e2e_ms? - r.ttft_ms?) / 1000.0;
    (seconds > 0.0).then(|| f64::from(r.output_tokens.unwrap_or(0)) / seconds).filter(|v| *v > 0.0)
}

fn is_mismatch(r: &Record) -> bool {
    let output = r.output_exact && r.output_tokens.is_some() && r.output_tokens != r.output_tokens_asked;
    // Two of the three are the server's numbers: their sum may pass 32 bits.
    let wide = |n: Option<u32>| n.map(u64::from);
    let made =
        wide(r.input_tokens_asked).zip(wide(r.template_tokens)).map(|(asked, template)| asked + template);
    output || made.zip(wide(r.input_tokens)).is_some_and(|(made, got)| got != made)
}

/// Dollars an hour over million tokens an hour.
fn cost(price: Option<f64>, tokens_per_second: Option<f64>) -> Option<f64> {
    let per_hour = tokens_per_second? * 3600.0;
    (per_hour > 0.0).then_some(price? / per_hour * 1e6)
}

fn mean_scores(done: &[&Record]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (name, value) in done.iter().flat_map(|r| &r.scores) {
        let sum = sums.entry(name).or_default();
        sum.0 += value;
        sum.1 += 1.0;
    }
    sums.into_iter().map(|(name, (sum, n))| (name.to_owned(), sum / n)).collect()
}

struct GpuFigures {
    peak_mib: Option<f64>,
    power_w: Option<f64>,
    energy_j: Option<f64>,
}

impl GpuFigures {
    fn over(samples: &[GpuSample], (from, to): (u64, u64)) -> Self {
        Self {
            peak_mib: gpu::peak_memory_bytes(samples, from, to).total.map(|b| b as f64 / 1_048_576.0),
            power_w: gpu::mean_power_watts(samples, from, to).total.map(|p| p.watts),
            energy_j: gpu::energy_joules(samples, from, to).total.map(|e| e.joules),
        }
    }
}

fn gpu_samples(rows: &[TelemetryRow]) -> Vec<GpuSample> {
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

    fn completed(row: u64, output_tokens: u32) -> Record {
        Record {
            row,
            outcome: Outcome::Completed,
            t_send_ns: Some(Nanos::new(0)),
            t_last_ns: Some(Nanos::new(1_000_000_000)),
            output_tokens: Some(output_tokens),
            ..Record::blank()
        }
    }

    fn events(row: u64, gap_ns: u64, tokens: &[u32]) -> (u64, EventsRow) {
        let t = std::iter::once(5).chain(std::iter::repeat(gap_ns)).take(tokens.len()).collect();
        (row, EventsRow { row, t, k: "a".repeat(tokens.len()), n: tokens.to_vec(), s: 'u' })
    }

    fn one_row(records: &[Record], events: &HashMap<u64, EventsRow>) -> SummaryRow {
        let evidence = Evidence { records, events, telemetry: &[], gpu_price_usd_per_hour: None };
        summarize(&evidence).remove(0)
    }

    #[test]
    fn itl_counts_a_gap_once_for_each_token_it_brought() {
        // Six gaps of 10 ms: five with one token, one with five tokens at 2 ms each.
        let row =
            one_row(&[completed(1, 11)], &HashMap::from([events(1, 10_000_000, &[1, 1, 1, 1, 1, 1, 5])]));
        assert_eq!((row.itl.n, row.itl.mean, row.itl.p50), (10, Some(6.0), Some(6.0)));
    }

    #[test]
    fn a_claim_of_billions_of_tokens_is_only_a_number() {
        let records: Vec<Record> = (1..=4).map(|row| completed(row, u32::MAX)).collect();
        let events = (1..=4).map(|row| events(row, 1_000_000, &[1, u32::MAX, 1_500_000_000, 1])).collect();
        let row = one_row(&records, &events);
        assert_eq!(row.itl.n, 4 * (u64::from(u32::MAX) + 1_500_000_001));
        assert_eq!(row.output_tokens, Some(4 * u64::from(u32::MAX)));
        // Twelve gaps support a median, whatever number of tokens is claimed for them.
        assert!(row.itl.p50.is_some_and(|p50| p50 < 1e-6) && row.itl.p90.is_none());
    }

    #[test]
    fn token_counts_that_pass_32_bits_together_are_a_mismatch() {
        let mut record = completed(1, 1);
        record.input_tokens_asked = Some(10);
        record.template_tokens = Some(u32::MAX);
        record.input_tokens = Some(9);
        assert_eq!(one_row(&[record.clone()], &HashMap::new()).length_mismatches, 1);
        record.template_tokens = Some(5);
        record.input_tokens = Some(15);
        assert_eq!(one_row(&[record], &HashMap::new()).length_mismatches, 0);
    }
}
